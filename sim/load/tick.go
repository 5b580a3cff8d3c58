package load

import (
	"context"
	"time"

	"windtunnel.test/sim/load/figure"
)

// tick closes a second after the other until ctx ends, and with it the last
// part of one.
func (r *run) tick(ctx context.Context) {
	r.ended(func() { r.others++ })
	ticker := r.o.Clock.NewTicker(ctx, time.Second, "load: second")
	r.o.Clock.Go(ctx, "load: seconds", func(ctx context.Context) {
		defer r.ended(func() { r.others-- })
		defer ticker.Stop()
		last := r.begin
		for {
			err := ticker.Wait(ctx)
			now := r.o.Clock.Now()
			if now.After(last) {
				r.second(last, now)
			}
			if err != nil {
				return
			}
			last = now
		}
	})
}

// second closes one.
func (r *run) second(from, now time.Time) {
	took := now.Sub(from)
	g := figure.Gauges{Target: r.target(from, now)}
	for _, scope := range r.o.Plan.Scopes {
		g.Free += r.o.Source.Free(scope)
	}
	r.mu.Lock()
	g.InFlight, g.Waiting, g.Lag = r.started, r.waiting, r.lag
	r.lag = 0
	r.mu.Unlock()
	r.watch.read(&g, took)
	inside := !from.Before(r.counts) && !from.After(r.ends.Add(-time.Millisecond))
	part := took
	if inside && now.After(r.ends) {
		part = r.ends.Sub(from)
	}
	s := r.recorder.Tick(now, g, inside, part)
	if inside {
		r.watch.judge(s)
	}
	if r.o.Seconds != nil {
		r.o.Seconds(s)
	}
	r.abort(now)
}

// target is the mean asked rate between two moments.
func (r *run) target(from, to time.Time) float64 {
	if r.asked == nil {
		return 0
	}
	return r.asked.Mean(from.Sub(r.begin), to.Sub(r.begin))
}

// abort ends the load where a threshold that wants it is missed.
func (r *run) abort(now time.Time) {
	if now.Before(r.counts) || now.After(r.ends) {
		return
	}
	var s *figure.Summary
	for _, t := range r.o.Plan.Thresholds {
		if !t.Abort || now.Sub(r.counts) < t.After {
			continue
		}
		if s == nil {
			sum := r.recorder.Summary(r.o.Plan.Scopes)
			s = &sum
		}
		if v := t.Judge(*s); v.Known && !v.Met {
			r.mu.Lock()
			if r.aborted == "" {
				r.aborted = v.Expr
			}
			r.mu.Unlock()
			r.stop(errAborted)
			return
		}
	}
}

// interrupted is why a load ended whose context did.
const interrupted = "interrupted"

// outcome sums up.
func (r *run) outcome(cause error) *Outcome {
	s := r.recorder.Summary(r.o.Plan.Scopes)
	s.Began = r.counts.UTC()
	r.mu.Lock()
	s.Self.PeakInFlight = r.peak
	aborted := r.aborted
	r.mu.Unlock()
	r.watch.sum(&s)
	for _, t := range r.o.Plan.Thresholds {
		s.Verdicts = append(s.Verdicts, t.Judge(s))
	}
	switch {
	case aborted != "":
		s.Stopped = "threshold missed: " + aborted
	case cause != nil:
		s.Stopped = interrupted
	}
	return &Outcome{Summary: s, Aborted: aborted, Stopped: s.Stopped == interrupted}
}
