package load

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/vclock"
)

// script is a meter that reads the next use each time.
type script struct {
	n    int
	each Use // what every second adds, and what it shows
}

func (s *script) Read() Use {
	n := time.Duration(s.n)
	s.n++
	return Use{CPU: n * s.each.CPU, Engine: n * s.each.Engine, Commands: uint64(n) * s.each.Commands, Queue: s.each.Queue, Engines: s.each.Engines, Heap: s.each.Heap, Cores: s.each.Cores}
}

func TestLimitsOfTheGenerator(t *testing.T) {
	instant := func(c vclock.Clock) Source {
		return newPool(c, 100, takes(c, func(*figure.Arrival) time.Duration { return time.Millisecond }))
	}
	for _, c := range []struct {
		name  string
		each  Use
		limit string
	}{
		{"at ease", Use{CPU: time.Second, Engine: time.Second / 2, Cores: 2, Engines: 2, Heap: 1 << 20}, ""},
		{"cores", Use{CPU: 1950 * time.Millisecond, Cores: 2, Engines: 2}, "all 2 cores were busy in 10 of 10 seconds"},
		{"engines", Use{CPU: time.Second, Engine: 1990 * time.Millisecond, Cores: 8, Engines: 2, Queue: 17}, "all 2 TPM engines were busy and up to 17 commands waited in 10 of 10 seconds"},
		{"engines without a queue", Use{CPU: time.Second, Engine: 1990 * time.Millisecond, Cores: 8, Engines: 2}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			s, _ := virtually(t, Options{Plan: constant(50, 10*time.Second), Seed: 1, Meter: &script{each: c.each}}, instant, 0)
			g.Expect(s.Self.LimitedBy).To(gomega.Equal(c.limit))
			g.Expect(s.Self.PeakHeap).To(gomega.Equal(c.each.Heap))
		})
	}
}

func TestUseOfTheGenerator(t *testing.T) {
	g := gomega.NewWithT(t)
	p := constant(50, 10*time.Second)
	p.WarmUp = 4 * time.Second
	s, seconds := virtually(t, Options{Plan: p, Seed: 1, Meter: &script{each: Use{CPU: time.Second, Engine: 250 * time.Millisecond, Commands: 7, Cores: 2, Engines: 2}}}, func(c vclock.Clock) Source {
		return newPool(c, 100, takes(c, func(*figure.Arrival) time.Duration { return time.Millisecond }))
	}, 0)
	g.Expect(s.Self.CPUSeconds).To(gomega.BeNumerically("~", 10, 1e-9), "the warm-up's is not counted")
	g.Expect(s.Self.Cores).To(gomega.BeNumerically("~", 1, 1e-9))
	g.Expect(s.Self.EngineShare).To(gomega.BeNumerically("~", 0.25, 1e-9))
	g.Expect(s.Self.Commands).To(gomega.BeEquivalentTo(70))
	g.Expect(seconds[3].CPU).To(gomega.BeNumerically("~", 1, 1e-9))
	g.Expect(seconds).To(gomega.HaveLen(14))
}

// TestFullHouse lets more wait than may.
func TestFullHouse(t *testing.T) {
	g := gomega.NewWithT(t)
	p := constant(50, 10*time.Second)
	p.Graceful = time.Second
	s, seconds := virtually(t, Options{Plan: p, Seed: 1, Waiting: 20}, func(c vclock.Clock) Source {
		return newPool(c, 10, takes(c, func(*figure.Arrival) time.Duration { return time.Hour }))
	}, 0)
	g.Expect(s.Arrivals).To(gomega.Equal(figure.Arrivals{Interrupted: 10, Dropped: 490}))
	g.Expect(s.Self.LimitedBy).To(gomega.ContainSubstring("470 arrivals were dropped because too many waited"))
	dropped := 0
	for _, second := range seconds {
		g.Expect(second.Waiting).To(gomega.BeNumerically("<=", 20))
		dropped += second.Dropped
	}
	g.Expect(dropped).To(gomega.Equal(490))
	g.Expect(s.Rate.Reached).To(gomega.BeNumerically("~", 1, 1e-9), "ten began in ten seconds")
}

// broken is a source whose devices are all lost.
type broken struct{ *pool }

func (broken) Take(context.Context, string, string) (Subject, error) {
	return nil, fmt.Errorf("a PC for aik: %w", ErrNone)
}

func TestNoDeviceWillCome(t *testing.T) {
	for name, p := range map[string]Plan{
		"open":   constant(50, 10*time.Second),
		"closed": {Scopes: []string{"aik"}, Shares: []float64{1}, Closed: &Closed{Devices: 3, For: 10 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			s, _ := virtually(t, Options{Plan: p, Seed: 1}, func(c vclock.Clock) Source { return broken{newPool(c, 1, nil)} }, 0)
			g.Expect(s.Arrivals.Ended).To(gomega.BeZero())
			g.Expect(s.Arrivals.Dropped).To(gomega.BeEquivalentTo(map[string]int{"open": 500, "closed": 3}[name]))
			g.Expect(s.Self.LimitedBy).To(gomega.ContainSubstring("no device will come"))
		})
	}
}

func TestBrokenDeviceIsAnError(t *testing.T) {
	g := gomega.NewWithT(t)
	s, _ := virtually(t, Options{Plan: constant(50, 2*time.Second), Seed: 1}, func(c vclock.Clock) Source {
		return newPool(c, 10, func(context.Context, *figure.Arrival) error { return errors.New("the disk is gone") })
	}, 0)
	f, _ := s.Step("aik")
	g.Expect(f.Outcomes).To(gomega.Equal(map[string]int64{"0x80004005": 100}))
	g.Expect(f.Causes).To(gomega.HaveKeyWithValue("0x80004005", "the disk is gone"))
}

// TestRateIsOfWhoBegan aborts on a missed rate, and does not where arrivals are
// only slow.
func TestRateIsOfWhoBegan(t *testing.T) {
	g := gomega.NewWithT(t)
	p := constant(20, 30*time.Second)
	parsed, err := figure.ParseThreshold("rate >= 0.99 * target")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	p.Thresholds = []Threshold{{Threshold: parsed, Abort: true, After: 2 * time.Second}}
	p.Bad, p.BadShares = []string{"replay"}, []float64{0.5}
	for devices, stopped := range map[int]string{200: "", 50: "threshold missed: rate >= 0.99 * target"} {
		s, _ := virtually(t, Options{Plan: p, Seed: 1}, func(c vclock.Clock) Source {
			return newPool(c, devices, takes(c, func(*figure.Arrival) time.Duration { return 8 * time.Second }))
		}, 0)
		g.Expect(s.Stopped).To(gomega.Equal(stopped), "with %d devices", devices)
	}
}
