package vclock_test

import (
	"context"
	"fmt"
	"time"

	"windtunnel.test/sim/vclock"
)

// A technician waits for a device that takes a virtual week, and the program is
// done at once.
func ExampleVirtual() {
	clock := vclock.NewVirtual(vclock.Options{Seed: 1})
	defer clock.Stop()
	ctx := context.Background()

	green := clock.NewCond("device is green")
	done := false
	clock.Go(ctx, "device", func(ctx context.Context) {
		if err := clock.Sleep(ctx, 7*24*time.Hour, "shelf"); err != nil {
			return
		}
		done = true
		green.Broadcast()
	})
	clock.Go(ctx, "technician", func(ctx context.Context) {
		if err := green.Await(ctx, func() bool { return done }); err != nil {
			return
		}
		fmt.Println("green at", clock.Now().Format(time.RFC3339))
	})

	if err := clock.Run(ctx, time.Time{}); err != nil {
		fmt.Println(err)
	}
	// Output: green at 2026-09-08T08:00:00Z
}

// A scope ends the sleep of those inside it.
func ExampleVirtual_WithTimeout() {
	clock := vclock.NewVirtual(vclock.Options{})
	defer clock.Stop()
	clock.Go(context.Background(), "person", func(ctx context.Context) {
		ctx, cancel := clock.WithTimeout(ctx, time.Hour, fmt.Errorf("out of patience"))
		defer cancel()
		err := clock.Sleep(ctx, 24*time.Hour, "watching a progress bar")
		fmt.Println(clock.Now().Format(time.TimeOnly), err)
	})
	if err := clock.Run(context.Background(), time.Time{}); err != nil {
		fmt.Println(err)
	}
	// Output: 09:00:00 out of patience
}
