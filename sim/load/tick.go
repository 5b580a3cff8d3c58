package load

import (
	"context"
	"time"

	"windtunnel.test/sim/load/figure"
)

// tick closes a second after the other until ctx ends.
func (r *run) tick(ctx context.Context) {
	r.others.Add(1)
	ticker := r.o.Clock.NewTicker(ctx, time.Second, "load: second")
	r.o.Clock.Go(ctx, "load: seconds", func(ctx context.Context) {
		defer func() {
			ticker.Stop()
			r.others.Add(-1)
			r.over.Broadcast()
		}()
		for ticker.Wait(ctx) == nil {
			r.second(r.o.Clock.Now())
		}
	})
}

// lastSecond closes what has begun of one. Nothing goes on any more.
func (r *run) lastSecond() {
	r.mu.Lock()
	ended := r.now.ended
	r.mu.Unlock()
	if now := r.o.Clock.Now(); now.After(r.ticked) || ended > 0 {
		r.second(now)
	}
}

// second closes one.
func (r *run) second(now time.Time) {
	from := r.ticked
	r.ticked = now
	g := figure.Gauges{InFlight: int(r.working.Load())}
	g.Waiting = max(0, int(r.open.Load())-g.InFlight)
	for _, scope := range r.o.Plan.Scopes {
		g.Free += r.o.Source.Free(scope)
	}
	r.mu.Lock()
	seen, ends := r.now, r.ends
	r.now = moments{peak: seen.peak}
	r.mu.Unlock()
	g.Lag = seen.lag
	// A second that the warm-up or the end lies in counts in part, and its asked
	// rate is that of the part.
	part := earlier(now, ends).Sub(later(from, r.counts))
	inside := part > 0
	if inside {
		g.Target = r.target(later(from, r.counts), earlier(now, ends))
	} else {
		g.Target = r.target(from, earlier(now, ends))
	}
	r.watch.read(&g, now, now.Sub(from))
	s := r.recorder.Tick(now, g, inside, max(0, part))
	s.At = now.Sub(r.begin).Seconds()
	if inside {
		r.watch.judge(s, seen)
	}
	if r.o.Seconds != nil {
		r.o.Seconds(s)
	}
	if inside && now.Before(ends) {
		r.abort(now)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// target is the mean asked rate between two moments; 0 where there is nothing
// between them, and in a closed loop.
func (r *run) target(from, to time.Time) float64 {
	if r.asked == nil || !from.Before(to) {
		return 0
	}
	return r.asked.Mean(from.Sub(r.begin), to.Sub(r.begin))
}

// abort ends the load where a threshold that wants it is missed.
func (r *run) abort(now time.Time) {
	var s *figure.Summary
	for _, t := range r.o.Plan.Thresholds {
		if !t.Abort || now.Sub(r.counts) < t.After {
			continue
		}
		if s == nil {
			sum := r.summary()
			s = &sum
		}
		if v := t.Judge(*s); v.Known && !v.Met {
			r.aborted = v.Expr
			r.stop(errAborted)
			return
		}
	}
}

// summary is what is known so far. The reached rate is that of arrivals that
// began, in whatever way they end, while others still came.
func (r *run) summary() figure.Summary {
	s := r.recorder.Summary(r.o.Plan.Scopes)
	if s.Seconds > 0 {
		s.Rate.Reached = float64(r.counted.Load()) / s.Seconds
	}
	r.watch.sum(&s)
	return s
}

// interrupted is why a load ended whose context did.
const interrupted = "interrupted"

// outcome sums up.
func (r *run) outcome(cause error) *Outcome {
	s := r.summary()
	s.Seed, s.Began = uint64(r.o.Seed), r.counts.UTC()
	r.mu.Lock()
	s.Self.PeakInFlight = r.now.peak
	r.mu.Unlock()
	if n := r.finished.Load(); n > 0 {
		s.Self.PerArrival = s.Self.CPUSeconds * 1e6 / float64(n)
	}
	for _, t := range r.o.Plan.Thresholds {
		s.Verdicts = append(s.Verdicts, t.Judge(s))
	}
	switch {
	case r.aborted != "":
		s.Stopped = "threshold missed: " + r.aborted
	case cause != nil:
		s.Stopped = interrupted
	}
	return &Outcome{
		Summary: s, Aborted: r.aborted, Stopped: s.Stopped == interrupted,
		Tally: Tally{r.came.Load(), r.started.Load(), r.dropped.Load(), r.finished.Load(), r.interrupted.Load()},
	}
}
