package vclock_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"windtunnel.test/sim/vclock"
)

const manyActors = 10_000

// BenchmarkEvents is the cost of one event with 10,000 actors alive.
func BenchmarkEvents(b *testing.B) {
	for _, bench := range []struct {
		name  string
		until func(i int) time.Duration
	}{
		{"apart", func(i int) time.Duration { return time.Second + time.Duration(i)*time.Microsecond }},
		{"together", func(int) time.Duration { return time.Second }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			ctx := context.Background()
			v := vclock.NewVirtual(vclock.Options{Seed: 1})
			defer v.Stop()
			for i := range manyActors {
				d := bench.until(i)
				v.Go(ctx, "actor", func(ctx context.Context) {
					for v.Sleep(ctx, d, "bench") == nil {
						continue
					}
				})
			}
			check(b, v.Run(ctx, v.Now().Add(500*time.Millisecond)))
			before := v.Stats().Events
			b.ResetTimer()
			for v.Stats().Events-before < uint64(b.N) {
				check(b, v.Run(ctx, v.Now().Add(time.Second)))
			}
			b.StopTimer()
			events := float64(v.Stats().Events - before)
			b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/events, "ns/event")
		})
	}
}

// BenchmarkParked is what an actor weighs while it sleeps: its stack, its
// coroutine and its books. It counts the first round only, since later ones find
// the memory of those before them. It is exact in a process of its own, since the
// runtime learns from what ran before how big to make new stacks.
func BenchmarkParked(b *testing.B) {
	ctx := context.Background()
	inUse := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc + m.StackInuse)
	}
	weight := 0.0
	for b.Loop() {
		before := inUse()
		v := vclock.NewVirtual(vclock.Options{Seed: 1})
		for range manyActors {
			v.Go(ctx, "actor", func(ctx context.Context) { _ = v.Sleep(ctx, time.Hour, "bench") })
		}
		check(b, v.Run(ctx, v.Now().Add(time.Minute)))
		if weight == 0 {
			weight = (inUse() - before) / manyActors
		}
		v.Stop()
	}
	b.ReportMetric(weight, "B/actor")
}

// BenchmarkOffload is the cost of handing empty work to a worker.
func BenchmarkOffload(b *testing.B) {
	ctx := context.Background()
	v := vclock.NewVirtual(vclock.Options{})
	defer v.Stop()
	v.Go(ctx, "actor", func(ctx context.Context) {
		for b.Loop() {
			_ = v.Offload(ctx, time.Millisecond, "bench", func() {})
		}
	})
	check(b, v.Run(ctx, time.Time{}))
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
