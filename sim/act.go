package sim

import (
	"context"

	"windtunnel.test/sim/scenario"
)

// Act carries out one action of a scenario's timeline, now. It waits as long as
// whoever does it needs, so it is for an actor of the world.
func (w *World) Act(ctx context.Context, do scenario.Action) error { return w.change(ctx, do) }
