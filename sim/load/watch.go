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
	lateLag  = 20 * time.Millisecond // worst lateness of a second
	fullCPU  = 0.95                  // of the cores
	tooMany  = 0.05                  // of the seconds
	fewAtAll = 2                     // seconds are no pattern
)

// watch looks at the generator itself, over the seconds that count.
type watch struct {
	meter       Meter
	begin       time.Time // of the load
	warm        time.Duration
	first, last Use
	lastAt      time.Duration // since the warm-up
	seconds     int
	late        int // seconds with arrivals that began too late
	full        int // with all cores busy
	starved     int // with arrivals that waited for a device
	busy        int // with all TPM engines busy and commands that waited
	worst       time.Duration
	waited      int   // arrivals that waited for a device
	dropped     int   // arrivals that were dropped since too many waited
	none        error // why no device will come any more
	queue       int   // the longest
	heap        uint64
}

func newWatch(o Options) *watch {
	w := &watch{meter: o.Meter, begin: o.Clock.Now(), warm: o.Plan.WarmUp}
	if w.meter != nil {
		w.last = w.meter.Read()
		w.first = w.last
	}
	return w
}

// read fills in what was used since the last time. What counts begins with the
// last reading that is not after the warm-up.
func (w *watch) read(g *figure.Gauges, at time.Time, took time.Duration) {
	if w.meter == nil {
		return
	}
	now := w.meter.Read()
	if s := took.Seconds(); s > 0 {
		g.CPU = (now.CPU - w.last.CPU).Seconds() / s
		g.EngineBusy = (now.Engine - w.last.Engine).Seconds() / s
	}
	g.Queue, g.Heap = now.Queue, now.Heap
	w.heap = max(w.heap, now.Heap)
	w.last, w.lastAt = now, at.Sub(w.begin)-w.warm
	if w.lastAt <= 0 {
		w.first = now
	}
}

// judge counts what was wrong in a second.
func (w *watch) judge(s figure.Second, m moments) {
	w.seconds++
	w.worst = max(w.worst, m.lag)
	w.waited += m.starved
	w.dropped += m.full
	w.queue = max(w.queue, s.Queue)
	if w.none == nil {
		w.none = m.none
	}
	if m.lag > lateLag {
		w.late++
	}
	if m.starved > 0 || s.Waiting > 0 {
		w.starved++
	}
	if n := float64(w.last.Cores); n > 0 && s.CPU > fullCPU*n {
		w.full++
	}
	if n := float64(w.last.Engines); n > 0 && s.Queue > 0 && s.EngineBusy > fullCPU*n {
		w.busy++
	}
}

// sum says what the generator took, and what limited it.
func (w *watch) sum(s *figure.Summary) {
	g := &s.Self
	used, engines := (w.last.CPU - w.first.CPU).Seconds(), (w.last.Engine - w.first.Engine).Seconds()
	g.CPUSeconds, g.EngineSeconds, g.Commands, g.PeakHeap = used, engines, w.last.Commands-w.first.Commands, w.heap
	if used > 0 {
		g.EngineShare = engines / used
	}
	if w.lastAt > 0 {
		g.Cores = used / w.lastAt.Seconds()
	}
	g.LimitedBy = w.limits()
}

// limits names what happened too often to be a hiccup, "" where nothing did.
func (w *watch) limits() string {
	var why []string
	say := func(seconds int, format string, args ...any) {
		if seconds >= fewAtAll && float64(seconds) > tooMany*float64(w.seconds) {
			why = append(why, fmt.Sprintf(format, args...)+fmt.Sprintf(" in %d of %d seconds", seconds, w.seconds))
		}
	}
	if w.none != nil {
		why = append(why, w.none.Error())
	}
	if w.dropped > 0 {
		why = append(why, fmt.Sprintf("%d arrivals were dropped because too many waited", w.dropped))
	}
	say(w.starved, "%d arrivals waited for a free PC", w.waited)
	say(w.late, "arrivals began up to %v late", w.worst.Round(time.Millisecond))
	say(w.full, "all %d cores were busy", w.last.Cores)
	say(w.busy, "all %d TPM engines were busy and up to %d commands waited", w.last.Engines, w.queue)
	return strings.Join(why, "; ")
}
