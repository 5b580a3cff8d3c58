package bench_load

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/load/pcs"
)

// paced lets arrivals come at a rate, whatever becomes of them, and gives how long the honest ones took from their
// intended start. Every nth misbehaves.
func paced(b *testing.B, p *pcs.Pool, rate float64, span time.Duration, every int) (honest []time.Duration, harm int) {
	b.Helper()
	clock := p.World.Clock
	var all sync.WaitGroup
	var mu sync.Mutex
	begin, kinds := clock.Now(), pcs.Misbehaviours()
	for n := range int(rate * span.Seconds()) {
		intended := begin.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		if err := clock.Sleep(b.Context(), intended.Sub(clock.Now()), "next arrival"); err != nil {
			b.Fatal(err)
		}
		kind := ""
		if every > 0 && n%every == every-1 {
			kind = kinds[n/every%len(kinds)]
		}
		all.Go(func() {
			a, _ := arrive(b, p, pcs.AIK, kind)
			took := clock.Now().Sub(intended)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case kind == "" && a.Outcome.OK():
				honest = append(honest, took)
			case kind == "" || !a.Refused:
				harm++
				b.Logf("%s %s: %+v", a.Device, kind, a.Outcome)
			}
		})
	}
	all.Wait()
	slices.Sort(honest)
	return honest, harm
}

// How long honest PCs wait where every fifth misbehaves, one way after the other, to how long they wait where none does.
// Rounds alternate, and the quietest of each kind counts, so that a machine that is busy with other things for a moment
// does not.
func BenchmarkPromiseLoadHonest(b *testing.B) {
	const rate, span, rounds = 60, 4 * time.Second, 4
	lab := openLab(b)
	p := newPool(b, lab, min(200, devices(b, 200)), pcs.AIK)
	defer closePool(b, p)
	paced(b, p, rate, time.Second, 0)
	for range b.N {
		without, with := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
		for range rounds {
			a, _ := paced(b, p, rate, span, 0)
			h, harm := paced(b, p, rate, span, 5)
			if harm > 0 {
				b.Errorf("%d arrivals came to harm, or did some", harm)
			}
			without, with = min(without, p99(a)), min(with, p99(h))
		}
		board.Hold(b, promise.Promise{Text: "p99 of honest PCs with a fifth misbehaving to that without", Measured: float64(with) / float64(without), Limit: 1.2})
		board.Note("honest PCs, %d arrivals a second: p99 %v without misbehaving ones, %v with", rate, without.Round(time.Microsecond), with.Round(time.Microsecond))
	}
}

func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }
