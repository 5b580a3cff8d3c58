package scenario

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expectations are what must be so at the end of a run. In a file: a list of
// texts ("phase.technician.p90 < 45m") and mappings, or one mapping. A mapping's
// value is what the figure must equal, or operator and value in a text; groups
// may nest: {outcome: {desktop: all}, failures: 0, phase.user.max: "< 2h"}. A
// mapping about single PCs or events is an ExpectItem: {device: PC-0001, ends:
// failed, code: "0x81039001"}.
type Expectations []Expectation

// Expectation compares a figure of the run with a value, or is about single PCs.
type Expectation struct {
	Metric   string
	Operator Operator
	Value    Value
	Item     *ExpectItem // nil: a figure
}

// Operator compares.
type Operator string

// Operators.
const (
	Equal        Operator = "=="
	NotEqual     Operator = "!="
	Less         Operator = "<"
	LessEqual    Operator = "<="
	Greater      Operator = ">"
	GreaterEqual Operator = ">="
)

// Value is a number, a duration in seconds, or a part of the run's PCs.
type Value struct {
	Number float64
	Kind   ValueKind
}

// ValueKind is how a Value's number is meant.
type ValueKind string

// Kinds of values.
const (
	Number   ValueKind = ""
	Duration ValueKind = "duration" // Number is in seconds
	OfAll    ValueKind = "share"    // Number is a part of the PCs: "all" is 1, "95%" is 0.95
)

// String is the form that a file has.
func (v Value) String() string {
	switch {
	case v.Kind == Duration:
		return formatDuration(time.Duration(math.Round(v.Number * float64(time.Second))))
	case v.Kind == OfAll && v.Number == 1:
		return "all"
	case v.Kind == OfAll:
		return strconv.FormatFloat(v.Number*100, 'f', -1, 64) + "%"
	}
	return strconv.FormatFloat(v.Number, 'f', -1, 64)
}

// String is the form that a file has.
func (e Expectation) String() string {
	if e.Item != nil {
		return e.Item.String()
	}
	return fmt.Sprintf("%s %s %s", e.Metric, e.Operator, e.Value)
}

// Figures of a run that can be expected, beside those of metricFamilies.
const (
	MetricDevices  = "devices"         // PCs of the run
	MetricFailures = "failures"        // PCs that ended as failed or stuck
	MetricEKs      = "tpm.distinctEKs" // different endorsement keys; also written distinctEKs
	MetricAttested = "tpm.attested"    // PCs with a valid AIK certificate that was issued for their own EK
	MetricCommands = "tpm.commands"
	MetricVirtual  = "virtual"  // virtual time from start to end, in seconds
	MetricRefusals = "refusals" // requests that a service refused
	MetricFaults   = "faults"   // fault rules that fired
)

var (
	plainMetrics = []string{MetricDevices, MetricFailures, MetricEKs, MetricAttested, MetricCommands, MetricVirtual, MetricRefusals, MetricFaults}
	outcomes     = []string{"desktop", "resealed", "failed", "stuck", "unfinished"}
	phases       = []string{"registered", "queue", "technician", "shelf", "user"}
	statistics   = []string{"min", "mean", "p50", "p90", "p99", "max"}
)

// Metrics lists the names of all figures: the plain ones, outcome.<outcome> (a
// number of PCs) and phase.<phase>.<statistic> (seconds of virtual time).
func Metrics() []string {
	names := slices.Clone(plainMetrics)
	for _, o := range outcomes {
		names = append(names, "outcome."+o)
	}
	for _, p := range phases {
		for _, s := range statistics {
			names = append(names, "phase."+p+"."+s)
		}
	}
	return names
}

func isDuration(metric string) bool {
	return metric == MetricVirtual || strings.HasPrefix(metric, "phase.")
}

// Result is what came of one expectation.
type Result struct {
	Expectation
	Got float64
	Met bool
	Err error // the figure was not measured; Met is false
}

// String says what was expected and what was found.
func (r Result) String() string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: %v", r.Expectation, r.Err)
	case isDuration(r.Metric):
		got := math.Round(r.Got*1000) / 1000
		if got >= 60 { // nobody reads a minute's milliseconds
			got = math.Round(got)
		}
		return fmt.Sprintf("%s: have %s", r.Expectation, Value{got, Duration})
	}
	return fmt.Sprintf("%s: have %s", r.Expectation, Value{Number: r.Got})
}

// Evaluate compares with the figures of a run, durations in seconds. An
// outcome that is not among them happened to no PC; another figure that is
// missing is an error.
func (e Expectations) Evaluate(metrics map[string]float64) []Result {
	results := make([]Result, len(e))
	for i, x := range e {
		r := Result{Expectation: x}
		if x.Item != nil {
			r.Err = errors.New("is no figure")
			results[i] = r
			continue
		}
		got, ok := metrics[x.Metric]
		devices, known := metrics[MetricDevices]
		r.Got = got
		want := x.Value.Number
		if x.Value.Kind == OfAll {
			want *= devices
		}
		switch {
		case !ok && !strings.HasPrefix(x.Metric, "outcome."):
			r.Err = fmt.Errorf("%s was not measured", x.Metric)
		case !known && x.Value.Kind == OfAll:
			r.Err = fmt.Errorf("%s was not measured", MetricDevices)
		default:
			r.Met = x.Operator.holds(got, want)
		}
		results[i] = r
	}
	return results
}

func (o Operator) holds(got, want float64) bool {
	switch o {
	case Equal:
		return got == want
	case NotEqual:
		return got != want
	case Less:
		return got < want
	case LessEqual:
		return got <= want
	case Greater:
		return got > want
	default:
		return got >= want
	}
}

var expectationForm = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9.]*)\s*(==|=|!=|<=|>=|<|>)\s*(.+?)\s*$`)

// ParseExpectation reads "metric operator value".
func ParseExpectation(text string) (Expectation, error) {
	m := expectationForm.FindStringSubmatch(text)
	if m == nil {
		return Expectation{}, fmt.Errorf("%q is no expectation; write one such as phase.technician.p90 < 45m", text)
	}
	return newExpectation(m[1], m[2], m[3])
}

func newExpectation(metric, operator, value string) (Expectation, error) {
	e := Expectation{Metric: metric, Operator: Operator(operator)}
	if operator == "=" {
		e.Operator = Equal
	}
	if metric == "distinctEKs" {
		e.Metric = MetricEKs
	}
	if !slices.Contains(Metrics(), e.Metric) {
		return e, fmt.Errorf("there is no figure %q%s", metric, near(metric, append(Metrics(), "distinctEKs")))
	}
	var err error
	e.Value, err = parseValue(value, isDuration(e.Metric))
	if err != nil {
		return e, fmt.Errorf("%s: %w", metric, err)
	}
	return e, nil
}

func parseValue(text string, duration bool) (Value, error) {
	if duration {
		d, err := parseDuration(text)
		return Value{d.Seconds(), Duration}, err
	}
	if text == "all" {
		return Value{1, OfAll}, nil
	}
	if digits, ok := strings.CutSuffix(text, "%"); ok {
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err == nil && n >= 0 && n <= 100 {
			return Value{n / 100, OfAll}, nil
		}
	} else if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 && n <= 1e15 {
		return Value{Number: n}, nil
	}
	return Value{}, fmt.Errorf("%q is no value for it; write a number, all, or a share of the PCs such as 95%%", text)
}

// decodeNode reads all the forms.
func (e *Expectations) decodeNode(d *decoder, n *node, path string) {
	switch n.kind {
	case kindList:
		for i, item := range n.list {
			e.entry(d, item, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		e.entry(d, n, path)
	}
}

func (e *Expectations) entry(d *decoder, n *node, path string) {
	switch n.kind {
	case kindMap:
		if !isItem(n) {
			e.mapping(d, n, "")
		} else if x, ok := d.expectItem(n, path); ok {
			e.append(d, n, Expectation{Item: &x})
		}
	case kindString:
		x, err := ParseExpectation(n.text)
		e.add(d, n, x, err)
	default:
		d.wrongType(n, path, "an expectation: a text or a mapping")
	}
}

var comparison = regexp.MustCompile(`^(==|=|!=|<=|>=|<|>)\s*(.*)$`)

func (e *Expectations) mapping(d *decoder, n *node, prefix string) {
	for _, p := range n.pairs {
		switch {
		case p.value.kind == kindMap:
			e.mapping(d, p.value, prefix+p.key+".")
		case p.value.kind == kindString || p.value.kind == kindNumber:
			operator, value := "==", strings.TrimSpace(p.value.text)
			if m := comparison.FindStringSubmatch(value); m != nil {
				operator, value = m[1], m[2]
			}
			x, err := newExpectation(prefix+p.key, operator, value)
			e.add(d, p.value, x, err)
		default:
			d.wrongType(p.value, prefix+p.key, "a value, or operator and value such as \"< 45m\"")
		}
	}
}

func (e *Expectations) add(d *decoder, n *node, x Expectation, err error) {
	if err != nil {
		d.errorf(n, "expect: %v", err)
		return
	}
	e.append(d, n, x)
}

func (e *Expectations) append(d *decoder, n *node, x Expectation) {
	*e = append(*e, x)
	d.expectLines = append(d.expectLines, n.line)
}
