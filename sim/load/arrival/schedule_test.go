package arrival

import (
	"math"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/vclock"
)

func all(s *Schedule) (list []time.Duration) {
	for {
		at, ok := s.Next()
		if !ok {
			return list
		}
		list = append(list, at)
	}
}

func TestConstantRateIsEven(t *testing.T) {
	g := gomega.NewWithT(t)
	list := all(New([]Segment{{From: 50, To: 50, For: 10 * time.Second}}, 1))
	g.Expect(list).To(gomega.HaveLen(500))
	for n, at := range list {
		g.Expect(at).To(gomega.BeNumerically("~", time.Duration(n)*20*time.Millisecond+10*time.Millisecond, time.Microsecond))
	}
}

func TestRampComesAsItsIntegralSays(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, s := range []Segment{{From: 0, To: 100, For: 10 * time.Second}, {From: 100, To: 0, For: 10 * time.Second}, {From: 10, To: 90, For: 10 * time.Second}} {
		list := all(New([]Segment{s}, 1))
		g.Expect(list).To(gomega.HaveLen(500))
		half := 0
		for _, at := range list {
			if at < 5*time.Second {
				half++
			}
		}
		g.Expect(float64(half)).To(gomega.BeNumerically("~", s.expected(5*time.Second), 1))
	}
}

func TestPartsOfAnArrivalAreCarriedOver(t *testing.T) {
	g := gomega.NewWithT(t)
	var many []Segment
	for range 100 {
		many = append(many, Segment{From: 1, To: 1, For: 100 * time.Millisecond})
	}
	g.Expect(all(New(many, 1))).To(gomega.HaveLen(10))
}

func TestPoissonIsTheSeeds(t *testing.T) {
	g := gomega.NewWithT(t)
	stage := []Segment{{From: 200, To: 200, For: 100 * time.Second, Poisson: true}}
	one, again, other := all(New(stage, 1)), all(New(stage, 1)), all(New(stage, 2))
	g.Expect(one).To(gomega.Equal(again))
	g.Expect(one).NotTo(gomega.Equal(other))
	g.Expect(float64(len(one))).To(gomega.BeNumerically("~", 20000, 6*math.Sqrt(20000)))
	// Distances of a Poisson process are exponential: mean and deviation agree.
	var sum, squares float64
	for i := range one[1:] {
		d := (one[i+1] - one[i]).Seconds()
		sum, squares = sum+d, squares+d*d
	}
	n := float64(len(one) - 1)
	mean := sum / n
	g.Expect(math.Sqrt(squares/n - mean*mean)).To(gomega.BeNumerically("~", mean, mean*0.05))
}

func TestPoissonRampIsThinned(t *testing.T) {
	g := gomega.NewWithT(t)
	s := Segment{From: 0, To: 400, For: 100 * time.Second, Poisson: true}
	list := all(New([]Segment{s}, 3))
	half := 0
	for _, at := range list {
		if at < 50*time.Second {
			half++
		}
	}
	g.Expect(float64(len(list))).To(gomega.BeNumerically("~", 20000, 900))
	g.Expect(float64(half)).To(gomega.BeNumerically("~", 5000, 450))
}

func TestScheduleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segments := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Segment {
			return Segment{
				From: float64(rapid.IntRange(0, 300).Draw(t, "from")), To: float64(rapid.IntRange(0, 300).Draw(t, "to")),
				For: time.Duration(rapid.IntRange(1, 20000).Draw(t, "ms")) * time.Millisecond,
			}
		}), 1, 5).Draw(t, "segments")
		s := New(segments, 1)
		list := all(New(segments, 1))
		if d := math.Abs(float64(len(list)) - s.Total()); d > 1 {
			t.Fatalf("%d arrivals where %.2f are expected", len(list), s.Total())
		}
		for i, at := range list {
			if i > 0 && at < list[i-1] {
				t.Fatalf("arrival %d comes before the one before it", i)
			}
			if at > s.Duration() {
				t.Fatalf("arrival %d comes after the end", i)
			}
			// Up to each arrival the integral is its number.
			if d := math.Abs(s.upTo(at) - float64(i) - 0.5); d > 0.01 {
				t.Fatalf("arrival %d comes at %v, where %.4f are due", i, at, s.upTo(at))
			}
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	s := New([]Segment{{From: 1e6, To: 1e6, For: time.Hour}}, vclock.Seed(1))
	if n := testing.AllocsPerRun(1000, func() { s.Next() }); n > 0 {
		t.Errorf("%v allocations for an arrival", n)
	}
}
