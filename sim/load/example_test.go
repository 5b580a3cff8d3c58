package load_test

import (
	"context"
	"fmt"
	"time"

	"windtunnel.test/sim/load"
	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/vclock"
)

// till is a shop with one till, at which everybody takes 100 ms.
type till struct {
	clock vclock.Clock
	one   vclock.Semaphore
}

func (t *till) Take(context.Context, string, string) (load.Subject, error) { return t, nil }
func (t *till) Give(load.Subject)                                          {}
func (t *till) Free(string) int                                            { return 1 }

func (t *till) Do(ctx context.Context, _ *figure.Arrival) error {
	if err := t.one.Acquire(ctx, 1); err != nil {
		return err
	}
	defer t.one.Release(1)
	return t.clock.Sleep(ctx, 100*time.Millisecond, "at the till")
}

// Twelve come each second where ten can be served: the line grows, and those who
// come last wait for two seconds.
func Example() {
	clock := vclock.NewVirtual(vclock.Options{})
	defer clock.Stop()
	shop := &till{clock, clock.NewSemaphore("till", 1)}
	clock.Go(context.Background(), "load", func(ctx context.Context) {
		out, err := load.Run(ctx, load.Options{
			Clock: clock, Source: shop, Recorder: figure.New(figure.Options{Begin: clock.Now()}),
			Plan: load.Plan{
				Scopes: []string{"aik"}, Shares: []float64{1}, Graceful: time.Minute,
				Segments: []arrival.Segment{{From: 12, To: 12, For: 10 * time.Second}},
			},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		f, _ := out.Summary.Step("aik")
		fmt.Printf("%d came, %d were served\n", out.Tally.Came, out.Tally.Finished)
		fmt.Println("median", figure.Micros(f.Intended.P50), "longest", figure.Micros(f.Intended.Max))
	})
	if err := clock.Run(context.Background(), clock.Now().Add(time.Hour)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 120 came, 120 were served
	// median 1.083s longest 2.084s
}
