package compare_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/load/compare"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/vclock"
)

// summary is what a load with such a median would leave.
func summary(p50 float64, failed int64) figure.Summary {
	q := figure.Quantiles{P50: int64(p50), P99: int64(3 * p50)}
	return figure.Summary{
		Name: "tiny", Scenario: "0123456789abcdef", Build: "v1", Target: "direct", Machine: figure.Machine{CPU: "x", Cores: 2},
		Rate: figure.Rate{Asked: 20, Reached: 20}, Arrivals: figure.Arrivals{Ended: 1000, Failed: failed}, Self: figure.Generator{PerArrival: 900},
		Steps: []figure.Figures{{Name: "aik", Scope: true, Count: 1000, Errors: failed, PerSec: 20, Intended: q}},
	}
}

// folder writes repeats into a folder.
func folder(t *testing.T, repeats ...figure.Summary) string {
	t.Helper()
	dir := t.TempDir()
	for i, s := range repeats {
		of := dir
		if len(repeats) > 1 {
			of = filepath.Join(dir, fmt.Sprintf("r%d", i+1))
		}
		b, err := s.JSON()
		if err == nil {
			err = os.MkdirAll(of, 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(of, compare.SummaryName), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func row(t *testing.T, c *compare.Comparison, step, name string) compare.Row {
	t.Helper()
	for _, r := range c.Rows {
		if r.Step == step && r.Figure == name {
			return r
		}
	}
	t.Fatalf("no row %s %s", step, name)
	return compare.Row{}
}

func TestRepeatsGiveAnInterval(t *testing.T) {
	g := gomega.NewWithT(t)
	a := folder(t, summary(10000, 0), summary(10500, 1), summary(9800, 0), summary(10100, 0))
	b := folder(t, summary(12000, 0), summary(12400, 0), summary(11700, 2), summary(12200, 0))
	c, err := compare.Dirs([]string{a}, []string{b}, compare.Options{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	p50 := row(t, c, "aik", "p50")
	g.Expect(p50.Difference).To(gomega.BeNumerically("~", 0.196, 0.01))
	g.Expect(*p50.Low).To(gomega.And(gomega.BeNumerically(">", 0.13), gomega.BeNumerically("<", p50.Difference)))
	g.Expect(*p50.High).To(gomega.And(gomega.BeNumerically("<", 0.26), gomega.BeNumerically(">", p50.Difference)))
	g.Expect(p50.Outside()).To(gomega.BeTrue())
	g.Expect(row(t, c, "aik", "errors").Outside()).To(gomega.BeFalse())
	g.Expect(c.Outside).To(gomega.Equal(2)) // p99 goes with p50

	var table bytes.Buffer
	g.Expect(c.WriteTable(&table)).To(gomega.Succeed())
	g.Expect(table.String()).To(gomega.MatchRegexp(`(?m)^  aik +p50 +10\.1ms +12\.1ms +\+19\.\d% +\+1\d\.\d% to \+2\d\.\d%  \*$`))
	g.Expect(table.String()).To(gomega.ContainSubstring("2 of 8 figures; by chance alone it would be about 0."))
	_, err = json.Marshal(c)
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

// Two sets of the same make are told apart in about 1 of 20 cases.
func TestIntervalsHoldWhatTheyPromise(t *testing.T) {
	g := gomega.NewWithT(t)
	draw := vclock.Seed(3).Stream("noise")
	outside := 0
	const tries = 400
	for range tries {
		var repeats [2][]figure.Summary
		for side := range repeats {
			for range 3 + 2*side {
				repeats[side] = append(repeats[side], summary(1e6*math.Exp(0.1*draw.NormFloat64()), 0))
			}
		}
		c, err := compare.Dirs([]string{folder(t, repeats[0]...)}, []string{folder(t, repeats[1]...)}, compare.Options{})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		if row(t, c, "aik", "p50").Outside() {
			outside++
		}
	}
	g.Expect(outside).To(gomega.And(gomega.BeNumerically(">=", tries*2/100), gomega.BeNumerically("<=", tries*8/100)))
}

func TestOneRepeatHasNoInterval(t *testing.T) {
	g := gomega.NewWithT(t)
	c, err := compare.Dirs([]string{folder(t, summary(100, 0))}, []string{folder(t, summary(130, 5), summary(131, 0))}, compare.Options{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(c.Interval).To(gomega.BeFalse())
	g.Expect(row(t, c, "aik", "p99").Low).To(gomega.BeNil())
	var table bytes.Buffer
	g.Expect(c.WriteTable(&table)).To(gomega.Succeed())
	g.Expect(table.String()).To(gomega.ContainSubstring("1 repeat of A and 2 repeats of B: there is no interval"))
	g.Expect(table.String()).To(gomega.ContainSubstring("+0.25 pt"))
}

func TestWhatIsNotTheSameIsRefused(t *testing.T) {
	g := gomega.NewWithT(t)
	other := summary(100, 0)
	other.Scenario, other.Build, other.Machine.Cores = "fedcba9876543210", "v2", 64
	other.Self.LimitedBy = "all cores were in use"
	other.Steps = append(other.Steps, figure.Figures{Name: "join", Count: 1})
	a, b := []string{folder(t, summary(100, 0))}, []string{folder(t, other)}
	_, err := compare.Dirs(a, b, compare.Options{})
	var mismatch *compare.Mismatch
	g.Expect(err).To(gomega.BeAssignableToTypeOf(mismatch))
	g.Expect(err.Error()).To(gomega.And(gomega.ContainSubstring("scenario: 0123456789ab (tiny) of "), gomega.ContainSubstring("build: v1 of "), gomega.ContainSubstring("64 cores"), gomega.ContainSubstring("--anyway")))

	c, err := compare.Dirs(a, b, compare.Options{Anyway: true})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(c.Differ).To(gomega.HaveLen(3))
	g.Expect(c.Doubts).To(gomega.ConsistOf(gomega.ContainSubstring("limited by the generator: all cores")))
	g.Expect(c.Missing).To(gomega.ConsistOf("join"))

	_, err = compare.Dirs([]string{t.TempDir()}, b, compare.Options{})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("there is no summary.json")))
}
