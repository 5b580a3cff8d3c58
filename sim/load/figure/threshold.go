package figure

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Threshold is something that a load must keep: "aik.p99 < 200ms",
// "errors.rate < 0.1%", "rate >= 0.99 * target".
type Threshold struct {
	Expr     string
	Figure   string // "aik.p99", "rate"
	Operator string // < <= > >= == !=
	Value    float64
	OfTarget bool // Value is a factor of the asked rate
	step     string
	stat     string
	unit     unit
}

// unit is what a figure is measured in.
type unit int

const (
	number unit = iota
	micro
	share
)

// Verdict is what came of a threshold.
type Verdict struct {
	Expr string `json:"expr"`
	Have string `json:"have"`
	Met  bool   `json:"met"`
	// Known tells whether the figure was measured at all; what was not is not
	// kept.
	Known bool `json:"known"`
}

// stats of a step, with their units. Quantiles count from the intended start;
// "real." before them has them count from the real one.
var stats = map[string]unit{
	"min": micro, "mean": micro, "p50": micro, "p75": micro, "p90": micro, "p95": micro, "p99": micro, "p99.9": micro, "p99.99": micro, "max": micro,
	"count": number, "rate": number, "errors": number, "errors.rate": share, "refused": number, "refused.rate": share,
}

// globals are figures of the whole load, with their units.
var globals = map[string]unit{
	"rate": number, "count": number, "errors": number, "errors.rate": share, "dropped": number, "interrupted": number,
	"lag.p50": micro, "lag.p90": micro, "lag.p99": micro, "lag.max": micro, "generator.cores": number, "generator.cpu": number, "target": number, "engine.share": share,
}

// operators, the longer first.
var operators = []string{"<=", ">=", "==", "!=", "<", ">"}

// ExprError is a mistake in a threshold.
type ExprError struct {
	Expr   string
	Column int // from 1
	Reason string
}

func (e *ExprError) Error() string {
	return fmt.Sprintf("threshold %q, column %d: %s", e.Expr, e.Column, e.Reason)
}

// ParseThreshold reads a threshold. Its errors are [*ExprError].
func ParseThreshold(expr string) (Threshold, error) {
	t := Threshold{Expr: strings.TrimSpace(expr)}
	bad := func(at int, format string, args ...any) (Threshold, error) {
		return Threshold{}, &ExprError{expr, at + 1, fmt.Sprintf(format, args...)}
	}
	at := strings.IndexAny(expr, "<>=!")
	if at < 0 {
		return bad(len(expr), "no comparison; write one such as aik.p99 < 200ms")
	}
	t.Figure = strings.TrimSpace(expr[:at])
	for _, op := range operators {
		if strings.HasPrefix(expr[at:], op) {
			t.Operator = op
			break
		}
	}
	if t.Operator == "" {
		return bad(at, "%q is no comparison; there are <, <=, >, >=, ==, !=", expr[at:at+1])
	}
	if why := t.name(); why != "" {
		return bad(max(0, strings.Index(expr, t.Figure)), "%s", why)
	}
	valueAt := at + len(t.Operator)
	if why := t.value(strings.TrimSpace(expr[valueAt:])); why != "" {
		lead := len(expr[valueAt:]) - len(strings.TrimLeft(expr[valueAt:], " \t"))
		return bad(valueAt+lead, "%s", why)
	}
	return t, nil
}

// name finds out which figure is meant.
func (t *Threshold) name() (why string) {
	if u, ok := globals[t.Figure]; ok {
		t.stat, t.unit = t.Figure, u
		return ""
	}
	if t.Figure == "" {
		return "no figure before the comparison; write one such as aik.p99"
	}
	names := make([]string, 0, len(stats))
	for name := range stats {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { // "errors.rate" before "rate"
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		step, ok := strings.CutSuffix(t.Figure, "."+name)
		if !ok || step == "" {
			continue
		}
		t.step, t.stat, t.unit = step, name, stats[name]
		if of, real := strings.CutSuffix(step, ".real"); real {
			if of == "" {
				return fmt.Sprintf("no step before %q; write one such as aik.real.%s", t.Figure, name)
			}
			if t.unit != micro {
				return fmt.Sprintf("%q has no real start to count from", name)
			}
			t.step, t.stat = of, "real."+name
		}
		return ""
	}
	return fmt.Sprintf("there is no figure %q%s; write STEP.STAT with one of %s, or one of %s", t.Figure, meant(t.Figure), list(stats), list(globals))
}

func list(of map[string]unit) string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// value reads what the figure is compared with.
func (t *Threshold) value(text string) (why string) {
	if text == "" {
		return "no value after the comparison"
	}
	if factor, rest, ok := strings.Cut(text, "*"); ok || text == "target" {
		if !ok {
			factor, rest = "1", text
		}
		if strings.TrimSpace(factor) == "target" {
			factor, rest = rest, factor
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(factor), 64)
		if strings.TrimSpace(rest) != "target" || err != nil || !(v >= 0) || math.IsInf(v, 0) {
			return "a product is a factor and the asked rate: 0.99 * target"
		}
		if t.unit != number {
			return fmt.Sprintf("%s is no rate, so it can't be compared with target", t.Figure)
		}
		t.Value, t.OfTarget = v, true
		return ""
	}
	switch t.unit {
	case micro:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Sprintf("%q is no time; write one such as 200ms or 1.5s", text)
		}
		t.Value = float64(d) / float64(time.Microsecond)
	case share:
		digits, percent := strings.CutSuffix(text, "%")
		v, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if percent {
			v /= 100
		}
		if err != nil || !(v >= 0 && v <= 1) {
			return fmt.Sprintf("%q is no share; write one such as 0.1%%", text)
		}
		t.Value = v
	default:
		v, err := strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprintf("%q is no number", text)
		}
		t.Value = v
	}
	return ""
}

// Step is the step or scope that it is about, "" where it is about the whole.
func (t Threshold) Step() string { return t.step }

// CheckThreshold reads a threshold and looks whether its step is one of those
// that there will be. Steps below a scope are known only once they happen: with
// a scope's name in front, such as aik., any name is taken.
func CheckThreshold(expr string, scopes []string) (Threshold, error) {
	t, err := ParseThreshold(expr)
	if err != nil || t.step == "" || slices.Contains(scopes, t.step) || strings.Contains(t.step, ".") {
		return t, err
	}
	return t, &ExprError{expr, 1, fmt.Sprintf("this load has no step %q%s; its scopes are %s, and a step of a scope is called by its exchange, such as aik.request", t.step, near(t.step, scopes), strings.Join(scopes, ", "))}
}
