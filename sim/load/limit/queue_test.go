package limit_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/limit"
	"windtunnel.test/sim/vclock"
)

// queue is a server of one place that takes the same time for everybody, with
// arrivals each for themselves (M/D/1).
type queue struct {
	takes time.Duration
	p99   time.Duration // that is to be kept
	loads vclock.Seed
}

// trial lets 20,000 come, in no time.
func (q *queue) trial(_ context.Context, rate float64) (figure.Summary, error) {
	q.loads++
	length := time.Duration(20000 / rate * float64(time.Second))
	begin := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	r := figure.New(figure.Options{Begin: begin})
	schedule := arrival.New([]arrival.Segment{{From: rate, To: rate, For: length, Poisson: true}}, q.loads)
	free := begin
	for {
		at, ok := schedule.Next()
		if !ok {
			break
		}
		came := begin.Add(at)
		if free.Before(came) {
			free = came
		}
		free = free.Add(q.takes)
		r.Add(figure.Arrival{Scope: "aik", Intended: came, Started: came, Ended: free})
	}
	s := r.Summary([]string{"aik"})
	t, err := figure.ParseThreshold(fmt.Sprintf("aik.p99 < %s", q.p99))
	if err == nil {
		s.Verdicts = []figure.Verdict{t.Judge(s)}
	}
	return s, err
}

// waitsAtMost is the share of arrivals that wait no longer than t where the
// rate is such a part of what can be done (A. K. Erlang, Nyt Tidsskrift for
// Matematik B 20, 1909); t is in service times.
func waitsAtMost(t, load float64) float64 {
	sum := 0.0
	for k := 0; float64(k) <= t; k++ {
		x, lg := load*(t-float64(k)), 0.0
		lg, _ = math.Lgamma(float64(k + 1))
		term := math.Exp(x + float64(k)*math.Log(max(x, 1e-300)) - lg)
		if k%2 == 1 {
			term = -term
		}
		sum += term
	}
	return (1 - load) * sum
}

// The limit of a queue is where theory has it.
func TestLimitOfAQueue(t *testing.T) {
	g := gomega.NewWithT(t)
	q := &queue{takes: 4 * time.Millisecond, p99: 32 * time.Millisecond, loads: 100}
	lo, hi := 0.0, 1.0
	for range 50 {
		if m := (lo + hi) / 2; waitsAtMost(7, m) > 0.99 {
			lo = m
		} else {
			hi = m
		}
	}
	theory := lo / q.takes.Seconds()
	r, err := limit.Search(t.Context(), limit.Options{Trial: q.trial, From: 10})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(waitsAtMost(0, 0.7)).To(gomega.BeNumerically("~", 0.3, 1e-9)) // who finds nobody
	g.Expect(r.Max).To(gomega.BeNumerically("~", theory, 0.06*theory))
	g.Expect(r.FailsAt).To(gomega.BeNumerically("~", theory, 0.06*theory))
	g.Expect(r.Max).To(gomega.BeNumerically("<", r.FailsAt))
}
