package arrival

import (
	"math"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/vclock"
)

// The moments are those that a pencil finds: the time x at which the integral
// of the rate is n + 1/2.
func TestMoments(t *testing.T) {
	sec := func(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }
	for name, c := range map[string]struct {
		segments []Segment
		count    int
		at       map[int]time.Duration
	}{
		"constant": {[]Segment{{From: 4, To: 4, For: 10 * time.Second}}, 40, map[int]time.Duration{0: sec(0.125), 39: sec(9.875)}},
		// x²/2 = n + 1/2
		"up from nothing": {[]Segment{{From: 0, To: 10, For: 10 * time.Second}}, 50, map[int]time.Duration{0: sec(1), 7: sec(math.Sqrt(15)), 49: sec(math.Sqrt(99))}},
		// 10x - x²/2 = n + 1/2
		"down to nothing": {[]Segment{{From: 10, To: 0, For: 10 * time.Second}}, 50, map[int]time.Duration{0: sec(10 - math.Sqrt(99)), 49: sec(9)}},
		// 2x + x²/2 = n + 1/2
		"up": {[]Segment{{From: 2, To: 12, For: 10 * time.Second}}, 70, map[int]time.Duration{0: sec(math.Sqrt(5) - 2), 69: sec(math.Sqrt(4+139) - 2)}},
		"steps": {[]Segment{{From: 1, To: 1, For: 10 * time.Second}, {From: 2, To: 2, For: 10 * time.Second}, {From: 4, To: 4, For: 10 * time.Second}}, 70,
			map[int]time.Duration{9: sec(9.5), 10: sec(10.25), 29: sec(19.75), 30: sec(20.125), 69: sec(29.875)}},
		"spike": {[]Segment{{From: 1, To: 1, For: 5 * time.Second}, {From: 100, To: 100, For: time.Second}, {From: 1, To: 1, For: 4 * time.Second}}, 109,
			map[int]time.Duration{4: sec(4.5), 5: sec(5.005), 104: sec(5.995), 105: sec(6.5)}},
		"a break":        {[]Segment{{From: 1, To: 1, For: 2 * time.Second}, {For: time.Minute}, {From: 1, To: 1, For: 2 * time.Second}}, 4, map[int]time.Duration{1: sec(1.5), 2: sec(62.5)}},
		"half each":      {[]Segment{{From: 1, To: 1, For: 250 * time.Millisecond}, {From: 0, To: 1, For: 2 * time.Second}}, 1, map[int]time.Duration{0: sec(0.25 + 1)}}, // x²/4 = 1/4
		"too few":        {[]Segment{{From: 0.1, To: 0.1, For: 4 * time.Second}}, 0, nil},
		"hardly any":     {[]Segment{{From: 1e-300, To: 1e-300, For: 24 * time.Hour}, {From: 0, To: 1e-300, For: 24 * time.Hour}}, 0, nil},
		"no rate":        {[]Segment{{For: time.Hour}}, 0, nil},
		"no time":        {[]Segment{{From: 100, To: 100}}, 0, nil},
		"nothing at all": {nil, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			list := all(New(c.segments, 1))
			g.Expect(list).To(gomega.HaveLen(c.count))
			for n, at := range c.at {
				g.Expect(list[n]).To(gomega.BeNumerically("~", at, 2*time.Nanosecond), "arrival %d", n)
			}
		})
	}
}

// A device that a segment leaves over by less than the last digit comes with the
// next segment's begin, and never before it.
func TestTheLastDigitIsNobody(t *testing.T) {
	for from := range 3 {
		s := New([]Segment{{From: 1, To: 1, For: time.Second}, {From: float64(from), To: 9, For: time.Second}}, 1)
		s.at, s.begun, s.due, s.n = 1, time.Second, 1.5+1e-15, 1.5
		if at, ok := s.Next(); !ok || at != time.Second {
			t.Errorf("from %d: comes at %v, %v", from, at, ok)
		}
	}
}

func TestAfterTheEndNobodyComes(t *testing.T) {
	g := gomega.NewWithT(t)
	s := New([]Segment{{From: 2, To: 2, For: time.Second}, {From: 50, To: 50, For: time.Second, Poisson: true}}, 1)
	all(s)
	for range 3 {
		_, ok := s.Next()
		g.Expect(ok).To(gomega.BeFalse())
	}
	g.Expect(s.Rate(time.Second - 1)).To(gomega.Equal(2.0))
	g.Expect(s.Rate(time.Second)).To(gomega.Equal(50.0))
	g.Expect(s.Rate(2 * time.Second)).To(gomega.BeZero())
	g.Expect(s.Rate(-time.Second)).To(gomega.Equal(2.0))
	g.Expect(s.Mean(0, 2*time.Second)).To(gomega.Equal(26.0))
	g.Expect(s.Mean(time.Second, time.Second)).To(gomega.Equal(50.0))
	g.Expect(s.Most()).To(gomega.Equal(int(math.Ceil(52 + 6*math.Sqrt(50)))))
}

// A million arrivals and more lose nothing to rounding.
func TestMillions(t *testing.T) {
	g := gomega.NewWithT(t)
	s := New([]Segment{{From: 0, To: 1e5, For: 30 * time.Second}, {From: 1e5, To: 1e5, For: 5 * time.Second}, {From: 1e5, To: 0, For: 10 * time.Second}}, 1)
	n, last := 0, time.Duration(0)
	for at, ok := s.Next(); ok; at, ok = s.Next() {
		if at < last {
			t.Fatalf("arrival %d comes at %v, before the one before it", n, at)
		}
		n, last = n+1, at
	}
	g.Expect(n).To(gomega.Equal(2_500_000))
	g.Expect(last).To(gomega.BeNumerically("<=", 45*time.Second))
}

// With Poisson segments among them: sorted, each within its segment, the same
// from the same seed, and the others' devices untouched by the draws.
func TestMixedProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segments := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Segment {
			return Segment{
				From: rapid.Float64Range(0, 200).Draw(t, "from"), To: rapid.Float64Range(0, 200).Draw(t, "to"),
				For: time.Duration(rapid.Int64Range(1, int64(5*time.Second)).Draw(t, "for")), Poisson: rapid.Bool().Draw(t, "poisson"),
			}
		}), 1, 6).Draw(t, "segments")
		seed := vclock.Seed(rapid.Uint64().Draw(t, "seed"))
		s := New(segments, seed)
		list, again := all(s), all(New(segments, seed))
		steady := 0.0
		var begin, last time.Duration
		i := 0
		for _, g := range segments {
			end, before := begin+g.For, i
			for ; i < len(list) && (list[i] < end || list[i] == end && !g.Poisson); i++ {
				if list[i] < last || list[i] < begin || list[i] != again[i] {
					t.Fatalf("arrival %d at %v after %v; again %v", i, list[i], last, again[i])
				}
				last = list[i]
			}
			if !g.Poisson {
				steady += g.expected(g.For) - float64(i-before)
			}
			begin = end
		}
		if i != len(list) || len(again) != len(list) {
			t.Fatalf("%d of %d arrivals are within the load", i, len(list))
		}
		if math.Abs(steady) > 1.001 {
			t.Fatalf("segments that are not Poisson have %.3f too few", steady)
		}
	})
}
