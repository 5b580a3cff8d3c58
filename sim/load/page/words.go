package page

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/report/chart"
)

// micros writes microseconds: "1.24 ms".
func micros(us int64) string {
	switch {
	case us < 1000:
		return strconv.FormatInt(us, 10) + " µs"
	case us < 1e6:
		return chart.Number(three(float64(us)/1e3)) + " ms"
	case us < 120e6:
		return chart.Number(three(float64(us)/1e6)) + " s"
	}
	return (time.Duration(us) * time.Microsecond).Round(time.Second).String()
}

// three keeps three digits that count.
func three(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	return r
}

// count writes a number with spaces between thousands that do not break.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// sentence begins with a capital letter.
func sentence(text string) string {
	text = strings.TrimSuffix(text, ".")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}

func rate(v float64) string { return chart.Number(three(v)) + "/s" }

func percent(v float64) string { return chart.Number(three(v*100)) + "%" }

// span writes how long a load took: "60 s", "1h30m0s".
func span(seconds float64) string {
	if seconds < 600 {
		return chart.Number(three(seconds)) + " s"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// size writes bytes.
func size(n any) string {
	v := 0.0
	switch n := n.(type) {
	case int64:
		v = float64(n)
	case uint64:
		v = float64(n)
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; v >= 1024 && i < len(units)-1; i++ {
		v /= 1024
	}
	return chart.Number(three(v)) + " " + units[i]
}

// className names a class of outcomes: a HRESULT with its symbol, a HTTP status
// with its text.
func className(class string) string {
	if code, err := hresult.Parse(class); err == nil && strings.HasPrefix(class, "0x") {
		return code.String()
	}
	if n, ok := strings.CutPrefix(class, "HTTP "); ok {
		if status, err := strconv.Atoi(n); err == nil && http.StatusText(status) != "" {
			return class + " " + http.StatusText(status)
		}
	}
	return class
}

// failure is a row of the table of errors.
type failure struct {
	Step, Bad, Class, Meaning, Cause string
	Count                            int64
	Share                            float64 // of the step's
}

// failures lists what went wrong: scopes first, and in each step the most
// frequent first.
func failures(s figure.Summary) []failure {
	var all []failure
	for _, f := range s.Steps {
		var of []failure
		for class, n := range f.Outcomes {
			if class == "ok" || n == 0 {
				continue
			}
			row := failure{Step: f.Name, Bad: f.Bad, Class: class, Cause: f.Causes[class], Count: n, Share: float64(n) / float64(max(1, f.Count))}
			if code, err := hresult.Parse(class); err == nil && strings.HasPrefix(class, "0x") {
				row.Meaning = code.Meaning()
			}
			of = append(of, row)
		}
		slices.SortFunc(of, func(a, b failure) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Class, b.Class))
		})
		all = append(all, of...)
	}
	return all
}

// fall is the waterfall of a scope.
type fall struct {
	Scope string
	Whole int64 // microseconds that the picture is wide
	Waves []wave
}

// wave is a step's bar, in thousandths of the picture's width.
type wave struct {
	figure.Wave
	From, Wide string
}

func falls(s figure.Summary) []fall {
	var all []fall
	for _, w := range s.Waves {
		if len(all) == 0 || all[len(all)-1].Scope != w.Scope {
			all = append(all, fall{Scope: w.Scope})
		}
		f := &all[len(all)-1]
		f.Waves = append(f.Waves, wave{Wave: w})
		f.Whole = max(f.Whole, w.Begin+w.Taken)
	}
	for i := range all {
		f := &all[i]
		for j, w := range f.Waves {
			whole := float64(max(1, f.Whole))
			wide := max(4, float64(w.Taken)/whole*1000)
			f.Waves[j].From = fmt.Sprintf("%.1f", min(float64(w.Begin)/whole*1000, 1000-wide))
			f.Waves[j].Wide = fmt.Sprintf("%.1f", wide)
		}
	}
	return all
}
