package load

import (
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/load/figure"
)

// Bounds beyond which a result says more of the generator than of the target.
// They are ours.
const (
	lateLag  = 50 * time.Millisecond // worst lateness of a second
	fullCPU  = 0.95                  // of the cores
	tooMany  = 0.05                  // of the seconds
	fewAtAll = 2                     // seconds are no pattern
)

// watch looks at the generator itself.
type watch struct {
	meter       Meter
	first, last Use
	seconds     int
	late        int // seconds with arrivals that began too late
	full        int // with all cores busy
	none        int // with arrivals that waited for a device
	busy        int // with all TPM engines busy
	worst       time.Duration
	heap        uint64
}

func newWatch(o Options) *watch {
	w := &watch{meter: o.Meter}
	if w.meter != nil {
		w.first = w.meter.Read()
		w.last = w.first
	}
	return w
}

// read fills in what was used since the last time.
func (w *watch) read(g *figure.Gauges, took time.Duration) {
	if w.meter == nil || took <= 0 {
		return
	}
	now := w.meter.Read()
	g.CPU = (now.CPU - w.last.CPU).Seconds() / took.Seconds()
	g.EngineBusy = (now.Engine - w.last.Engine).Seconds() / took.Seconds()
	g.Queue = now.Queue
	g.Heap = now.Heap
	w.heap = max(w.heap, now.Heap)
	w.last = now
}

// judge counts what was wrong in a second.
func (w *watch) judge(s figure.Second) {
	w.seconds++
	w.worst = max(w.worst, s.Lag)
	if s.Lag > lateLag {
		w.late++
	}
	if s.Waiting > 0 {
		w.none++
	}
	if n := float64(w.last.Cores); n > 0 && s.CPU > fullCPU*n {
		w.full++
	}
	if n := float64(w.last.Engines); n > 0 && s.EngineBusy > fullCPU*n {
		w.busy++
	}
}

// sum says what the generator took, and what limited it.
func (w *watch) sum(s *figure.Summary) {
	g := &s.Self
	used, engines := (w.last.CPU - w.first.CPU).Seconds(), (w.last.Engine - w.first.Engine).Seconds()
	g.CPUSeconds, g.EngineSeconds, g.Commands, g.PeakHeap = used, engines, w.last.Commands-w.first.Commands, w.heap
	if n := s.Arrivals.Ended + s.Arrivals.WarmUp; n > 0 {
		g.PerArrival = used * 1e6 / float64(n)
	}
	if used > 0 {
		g.EngineShare = engines / used
	}
	if s.Seconds > 0 {
		g.Cores = used / s.Seconds
	}
	g.LimitedBy = w.limits()
}

func (w *watch) limits() string {
	often := func(n int) bool { return n >= fewAtAll && float64(n) > tooMany*float64(w.seconds) }
	var why []string
	say := func(n int, format string, args ...any) {
		if often(n) {
			why = append(why, fmt.Sprintf(format, args...)+fmt.Sprintf(" in %d of %d seconds", n, w.seconds))
		}
	}
	say(w.none, "arrivals waited for a free PC")
	say(w.late, "arrivals began up to %v late", w.worst.Round(time.Millisecond))
	say(w.full, "all %d cores were busy", w.last.Cores)
	say(w.busy, "all %d TPM engines were busy", w.last.Engines)
	return strings.Join(why, "; ")
}
