package figure

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

var begin = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// arrived is an arrival that took so long, with one step that took it all.
func arrived(n int, took time.Duration, o Outcome) Arrival {
	at := begin.Add(time.Duration(n) * 10 * time.Millisecond)
	return Arrival{
		N: n, Scope: "aik", Device: "PC", Intended: at, Started: at.Add(time.Millisecond), Ended: at.Add(took + time.Millisecond), Outcome: o,
		Steps: []Step{{Name: "aik.request", Begin: at.Add(time.Millisecond), End: at.Add(took + time.Millisecond), Outcome: o, Sent: 10, Received: 20}},
	}
}

// exact is the value at a percentile of sorted values: the one with the nearest
// rank, which at least so many percent do not exceed.
func exact(sorted []time.Duration, percentile float64) int64 {
	rank := 1
	for float64(rank)*100 < percentile*float64(len(sorted)) {
		rank++
	}
	return sorted[rank-1].Microseconds()
}

func TestQuantilesAreThoseOfTheSortedValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(math.Exp(rapid.Float64Range(0, 21).Draw(t, "log µs"))) * time.Microsecond
		}), 1, 500).Draw(t, "values")
		r := New(Options{Begin: begin})
		for i, v := range values {
			r.Add(arrived(i, v, Outcome{}))
		}
		slices.Sort(values)
		q := QuantilesOf(r.Histogram("aik", Real, ""))
		for p, got := range map[float64]int64{50: q.P50, 75: q.P75, 90: q.P90, 95: q.P95, 99: q.P99, 99.9: q.P999, 100: q.Max} {
			want := exact(values, p)
			if math.Abs(float64(got-want)) > float64(want)*0.001+1 {
				t.Fatalf("p%v is %d, of the sorted values %d", p, got, want)
			}
		}
	})
}

func TestMergedHistogramsAreThatOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shards := make([]*hdr.Histogram, rapid.IntRange(1, 5).Draw(t, "shards"))
		for i := range shards {
			shards[i] = NewHistogram()
		}
		all, merged := NewHistogram(), NewHistogram()
		for _, v := range rapid.SliceOf(rapid.Int64Range(lowest, highest)).Draw(t, "values") {
			i := rapid.IntRange(0, len(shards)-1).Draw(t, "shard")
			if shards[i].RecordValue(v) != nil || all.RecordValue(v) != nil {
				t.Fatalf("%d is outside the bounds", v)
			}
		}
		for _, s := range shards {
			if dropped := merged.Merge(s); dropped != 0 {
				t.Fatalf("%d values were lost", dropped)
			}
		}
		if !merged.Equals(all) {
			t.Fatal("the merged histogram is another")
		}
	})
}

func TestOutcomesAreCountedByClass(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	for i := range 100 {
		o := Outcome{}
		switch {
		case i%10 == 0:
			o = Outcome{Status: 429, Error: "too many"}
		case i%25 == 1:
			o = Outcome{HRESULT: "0x80190190", Status: 400}
		}
		r.Add(arrived(i, 20*time.Millisecond, o))
	}
	r.Tick(begin.Add(time.Second), Gauges{Target: 100}, true, time.Second)
	s := r.Summary([]string{"aik"})
	f, ok := s.Step("aik")
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(f.Outcomes).To(gomega.Equal(map[string]int64{"ok": 86, "HTTP 429": 10, "0x80190190": 4}))
	g.Expect(f.Causes).To(gomega.Equal(map[string]string{"HTTP 429": "too many"}))
	g.Expect(f.Errors).To(gomega.Equal(int64(14)))
	g.Expect(s.Arrivals).To(gomega.Equal(Arrivals{Ended: 100, Failed: 14}))
	g.Expect(s.Bytes).To(gomega.Equal(Bytes{1000, 2000}))
	g.Expect(s.Rate).To(gomega.Equal(Rate{100, 100}))
	g.Expect(r.Histogram("aik", Intended, "HTTP 429").TotalCount()).To(gomega.Equal(int64(10)))
	g.Expect(r.Histogram("none", Intended, "")).To(gomega.BeNil())
	g.Expect(f.Intended.P50-f.Real.P50).To(gomega.BeNumerically("~", 1000, 20), "it began a millisecond late")
	step, _ := s.Step("aik.request")
	g.Expect(step.Intended).To(gomega.Equal(f.Intended), "the first step waited as the arrival did")
	g.Expect(s.Waves).To(gomega.Equal([]Wave{{Scope: "aik", Step: "aik.request", Count: 86, Begin: 0, Taken: 20000}}))
}

func TestMisbehavingOnesAreKeptApart(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	r.Add(arrived(0, time.Millisecond, Outcome{}))
	for i := range 10 {
		a := arrived(i, time.Second, Outcome{Status: 400})
		a.Bad, a.Refused = "wrongEK", i > 0
		r.Add(a)
	}
	s := r.Summary([]string{"aik"})
	g.Expect(s.Arrivals).To(gomega.Equal(Arrivals{Ended: 1, Bad: 10, Refused: 9}))
	f, _ := s.Step("aik")
	g.Expect(f.Count).To(gomega.Equal(int64(1)))
	refused, err := ParseThreshold("aik.refused.rate == 100%")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(refused.Judge(s)).To(gomega.Equal(Verdict{Expr: "aik.refused.rate == 100%", Have: "90%", Known: true}))
}

func TestMemoryIsBounded(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	for i := range 3 * maxSteps {
		a := arrived(i, time.Millisecond, Outcome{Status: 400 + i%100})
		a.Steps[0].Name = fmt.Sprint("step ", i)
		a.Steps[0].Outcome = Outcome{}
		r.Add(a)
	}
	s := r.Summary([]string{"aik"})
	g.Expect(len(s.Steps)).To(gomega.BeNumerically("<=", maxSteps+1))
	f, _ := s.Step("aik")
	g.Expect(len(f.Outcomes)).To(gomega.BeNumerically("<=", maxClasses+1))
	g.Expect(f.Count).To(gomega.Equal(int64(3 * maxSteps)))
	second := r.Tick(begin.Add(time.Second), Gauges{}, true, time.Second)
	g.Expect(len(second.Steps)).To(gomega.BeNumerically("<=", maxSteps+1))
	g.Expect(second.Steps[Other].Count).To(gomega.BeNumerically(">", 0), "the second counts them too")
	rest, ok := s.Step(Other)
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(rest.Count).To(gomega.BeNumerically(">", 0))
}

func TestClassesOfAllStepsTogetherAreBounded(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	for i := range 100 * maxClasses {
		a := arrived(i, time.Millisecond, Outcome{})
		a.Steps[0].Name, a.Steps[0].Outcome = fmt.Sprint("step ", i/maxClasses), Outcome{Status: 400 + i%maxClasses}
		r.Add(a)
	}
	classes, count := 0, int64(0)
	for _, f := range r.Summary([]string{"aik"}).Steps {
		classes, count = classes+len(f.Outcomes), count+f.Count
	}
	g.Expect(classes).To(gomega.BeNumerically("<=", maxFailures+101), "and Other of each step, and ok of the scope")
	g.Expect(count).To(gomega.Equal(int64(2*100*maxClasses)), "none is lost")
	ok, _ := r.Summary([]string{"aik"}).Step("aik")
	g.Expect(ok.Outcomes).To(gomega.Equal(map[string]int64{"ok": 100 * maxClasses}))
}

func TestFewValuesHaveTheSlowestAmongTheirPercentiles(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	for i := range 15 {
		took := time.Millisecond
		if i == 7 {
			took = time.Minute
		}
		r.Add(arrived(i, took, Outcome{}))
	}
	q := QuantilesOf(r.Histogram("aik", Real, ""))
	g.Expect(q.P90).To(gomega.Equal(int64(1000)), "14 of 15 are below: 93%")
	g.Expect(q.P95).To(gomega.Equal(q.Max))
}

func TestManyMayAddAtOnce(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	var all sync.WaitGroup
	seconds := make(chan int, 100)
	for range 8 {
		all.Go(func() {
			for i := range 500 {
				r.Add(arrived(i, time.Millisecond, Outcome{}))
			}
		})
	}
	all.Go(func() {
		for range 50 {
			seconds <- r.Tick(begin, Gauges{}, true, time.Second).Steps["aik"].Count
		}
	})
	all.Wait()
	close(seconds)
	n := r.Tick(begin, Gauges{}, true, time.Second).Steps["aik"].Count
	for s := range seconds {
		n += s
	}
	g.Expect(n).To(gomega.Equal(4000))
	g.Expect(r.Summary(nil).Arrivals.Ended).To(gomega.Equal(int64(4000)))
}

func TestValuesOutsideTheBoundsAreClampedAndCounted(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	r.Add(arrived(0, 2*time.Hour, Outcome{}))
	s := r.Summary([]string{"aik"})
	g.Expect(s.Clamped).To(gomega.Equal(int64(4)))
	f, _ := s.Step("aik")
	g.Expect(f.Real.Max).To(gomega.BeNumerically("~", highest, highest/1000))
}

// plotted are the points that HdrHistogram's plotter takes from a file: of lines
// of four columns with blanks between, the first and the last.
func plotted(file string) (points [][2]float64) {
	for line := range strings.Lines(file) {
		columns := strings.FieldsFunc(strings.TrimSpace(line), func(c rune) bool { return c == ' ' })
		if strings.HasPrefix(line, "#") || len(columns) != 4 {
			continue
		}
		y, _ := strconv.ParseFloat(columns[0], 64)
		x, err := strconv.ParseFloat(columns[3], 64)
		if err == nil && !math.IsInf(x, 0) { // a browser knows no "inf"
			points = append(points, [2]float64{x, y})
		}
	}
	return points
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, have []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, have, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is another now (-update writes it anew):\n%s", file, have)
	}
}

func TestFilesOfAResult(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	for i := range 1000 {
		o := Outcome{}
		if i%100 == 99 {
			o = Outcome{HRESULT: "0x80190190", Status: 400, Error: "HTTP 400: no certificate of this TPM"}
		}
		r.Add(arrived(i, time.Duration(1+i%50)*time.Millisecond, o))
	}
	r.Dropped(2)
	r.Interrupted(arrived(1001, 0, Outcome{}))
	var series bytes.Buffer
	second := r.Tick(begin.Add(10*time.Second), Gauges{InFlight: 3, Waiting: 1, Free: 7, Lag: time.Millisecond, Target: 100, CPU: 0.5, EngineBusy: 0.25, Queue: 1, Heap: 1 << 20}, true, 10*time.Second)
	g.Expect(WriteSecond(&series, second)).To(gomega.Succeed())
	back, err := ReadSeries(bytes.NewReader(series.Bytes()))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal([]Second{second}))
	golden(t, "series.jsonl", series.Bytes())
	s := r.Summary([]string{"aik"})
	s.Name, s.Target, s.Began, s.Machine = "attestation", "this process (direct)", begin, Machine{CPU: "a CPU", Cores: 2, Memory: 24 << 30, Kernel: "Linux 6.12", Go: "go1.26"}
	for _, expr := range []string{"aik.p99 < 60ms", "errors.rate < 0.1%", "join.p50 < 1s"} {
		threshold, err := ParseThreshold(expr)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		s.Verdicts = append(s.Verdicts, threshold.Judge(s))
	}
	text, err := s.JSON()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	golden(t, "summary.json", text)
	var hgrm bytes.Buffer
	g.Expect(WriteHGRM(&hgrm, r.Histogram("aik", Intended, ""))).To(gomega.Succeed())
	golden(t, "aik.intended.hgrm", hgrm.Bytes())
	g.Expect(plotted(hgrm.String())).To(gomega.HaveLen(30), "every point but the last, which is at infinity")
	dir := t.TempDir()
	g.Expect(r.WriteHGRMs(dir)).To(gomega.Succeed())
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(names).To(gomega.HaveLen(4))
	curve := Curve(r.Histogram("aik", Intended, ""))
	g.Expect(curve[len(curve)-1].Count).To(gomega.Equal(int64(1000)))
	g.Expect(Curve(nil)).To(gomega.BeNil())
}

func TestBrokenSeriesNamesItsLine(t *testing.T) {
	g := gomega.NewWithT(t)
	_, err := ReadSeries(bytes.NewBufferString("{\"at\":1}\n{\"at\":"))
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("line 2")))
}

func TestAddAllocatesNothingOnceItKnowsTheSteps(t *testing.T) {
	g := gomega.NewWithT(t)
	r := New(Options{Begin: begin})
	a := arrived(0, 20*time.Millisecond, Outcome{})
	g.Expect(testing.AllocsPerRun(100, func() { r.Add(a) })).To(gomega.BeZero())
}

func BenchmarkAdd(b *testing.B) {
	r := New(Options{Begin: begin})
	a := arrived(0, 20*time.Millisecond, Outcome{})
	for b.Loop() {
		r.Add(a)
	}
}
