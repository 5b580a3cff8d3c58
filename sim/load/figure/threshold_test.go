package figure

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
)

// measured is a summary to judge.
func measured() Summary {
	r := New(Options{Begin: begin})
	for i := range 1000 {
		o := Outcome{}
		if i%1000 == 0 {
			o = Outcome{Status: 503}
		}
		r.Add(arrived(i, 100*time.Millisecond, o))
	}
	r.Tick(begin.Add(10*time.Second), Gauges{Target: 101}, true, 10*time.Second)
	s := r.Summary([]string{"aik"})
	s.Self.Cores, s.Self.EngineShare = 1.5, 0.5
	return s
}

func TestThresholdsAreJudged(t *testing.T) {
	s := measured()
	for expr, want := range map[string]struct {
		have string
		met  bool
	}{
		"aik.p99 < 200ms":           {"101.1ms", true},
		"aik.p50<100ms":             {"101.1ms", false},
		"aik.real.p99.9 <= 100.1ms": {"100ms", true},
		"aik.max < 1s":              {"101.1ms", true},
		"aik.min > 1us":             {"101ms", true},
		"aik.mean < 0.2s":           {"101ms", true},
		"aik.request.p90 < 200ms":   {"101.1ms", true},
		"aik.count == 1000":         {"1000", true},
		"aik.rate > 99/s":           {"100", true},
		"aik.errors == 1":           {"1", true},
		"aik.errors.rate < 0.1%":    {"0.1%", false},
		"errors.rate <= 0.001":      {"0.1%", true},
		"errors != 0":               {"1", true},
		"rate >= 0.99 * target":     {"100 of 101", true},
		"rate >= target":            {"100 of 101", false},
		"rate >= target * 0.5":      {"100 of 101", true},
		"count >= 1e3":              {"1000", true},
		"dropped == 0":              {"0", true},
		"interrupted == 0":          {"0", true},
		"lag.p99 < 50ms":            {"1ms", true},
		"lag.max < 500us":           {"1ms", false},
		"generator.cores < 2":       {"1.5", true},
		"generator.cpu < 2":         {"1.5", true},
		"target == 101":             {"101", true},
		"engine.share > 40%":        {"50%", true},
	} {
		t.Run(expr, func(t *testing.T) {
			g := gomega.NewWithT(t)
			parsed, err := ParseThreshold(expr)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(parsed.Judge(s)).To(gomega.Equal(Verdict{Expr: expr, Have: want.have, Met: want.met, Known: true}))
		})
	}
}

func TestWhatWasNotMeasuredIsNotKept(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, expr := range []string{"join.p99 < 1s", "aik.refused == 0", "join.errors == 0"} {
		parsed, err := ParseThreshold(expr)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(parsed.Judge(measured())).To(gomega.Equal(Verdict{Expr: expr, Have: "nothing"}))
	}
	empty, err := ParseThreshold("rate > 0")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(empty.Judge(Summary{}).Known).To(gomega.BeFalse())
}

func TestMistakesInThresholdsHaveTheirPlace(t *testing.T) {
	for expr, want := range map[string]struct {
		column int
		says   string
	}{
		"":                       {1, "no comparison"},
		"aik.p99":                {8, "no comparison"},
		"aik.p99 = 200ms":        {9, "is no comparison"},
		"aik.p98 < 1s":           {1, `there is no figure "aik.p98"`},
		"< 1s":                   {1, "no figure before"},
		".p99 < 1s":              {1, "there is no figure"},
		".real.p99 < 1s":         {1, "no step before"},
		"aik.p99 <":              {10, "no value"},
		"aik.p99 < 200":          {11, "is no time"},
		"aik.p99 < -1s":          {11, "is no time"},
		"errors.rate < 101%":     {15, "is no share"},
		"errors.rate < often":    {15, "is no share"},
		"rate >= 0.99 * targets": {9, "0.99 * target"},
		"rate >= x * target":     {9, "0.99 * target"},
		"aik.p99 < 2 * target":   {11, "is no rate"},
		"rate > NaN":             {8, "is no number"},
		"aik.real.count > 1":     {1, "no real start"},
		"lag.p98 < 1s":           {1, "there is no figure"},
	} {
		t.Run(expr, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, err := ParseThreshold(expr)
			var wrong *ExprError
			g.Expect(errors.As(err, &wrong)).To(gomega.BeTrue())
			g.Expect(wrong.Reason).To(gomega.ContainSubstring(want.says))
			g.Expect(wrong.Column).To(gomega.Equal(want.column))
		})
	}
}

func TestThresholdsAreAboutStepsThatThereAre(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, expr := range []string{"aik.p99 < 1s", "rate > 1", "aik.request.p99 < 1s"} {
		_, err := CheckThreshold(expr, []string{"aik"})
		g.Expect(err).NotTo(gomega.HaveOccurred(), expr)
	}
	_, err := CheckThreshold("join.p99 < 1s", []string{"aik"})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(`no step "join"`)))
}

func TestNearNamesAreSuggested(t *testing.T) {
	for expr, says := range map[string]string{
		"aik.p98 < 1s":         `did you mean "aik.p99"?`,
		"aik.maxx < 1s":        `did you mean "aik.max"?`,
		"aik.errors.rat < 1%":  `did you mean "aik.errors.rate"?`,
		"lagg.p99 < 1s":        "",
		"lag.p9 < 1s":          `did you mean "lag.p99"?`,
		"droped == 0":          `did you mean "dropped"?`,
		"technicain.p99 < 10m": `did you mean "technician"?`,
		"wholly.else < 1":      "",
	} {
		t.Run(expr, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, err := CheckThreshold(expr, []string{"aik", "technician"})
			g.Expect(err).To(gomega.HaveOccurred())
			if says == "" {
				g.Expect(err.Error()).NotTo(gomega.ContainSubstring("did you mean"))
				return
			}
			g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(says)))
		})
	}
}

func FuzzParseThreshold(f *testing.F) {
	for _, expr := range []string{"aik.p99 < 200ms", "errors.rate<0.1%", "rate >= 0.99 * target", "a.real.max != 1h", "=", "lag.p50>1us"} {
		f.Add(expr)
	}
	s := measured()
	f.Fuzz(func(t *testing.T, expr string) {
		parsed, err := ParseThreshold(expr)
		if err != nil {
			var wrong *ExprError
			if !errors.As(err, &wrong) || wrong.Column < 1 || wrong.Column > len(expr)+1 {
				t.Fatalf("%q: %v", expr, err)
			}
			return
		}
		parsed.Judge(s)
		again, err := ParseThreshold(parsed.Expr)
		if err != nil || again.Figure != parsed.Figure || again.Value != parsed.Value {
			t.Fatalf("%q is read as %+v, and then as %+v, %v", expr, parsed, again, err)
		}
		if strings.TrimSpace(expr) != parsed.Expr {
			t.Fatalf("%q was changed to %q", expr, parsed.Expr)
		}
	})
}
