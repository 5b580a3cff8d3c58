package load

import (
	"context"
	"errors"

	"windtunnel.test/sim/load/figure"
)

// Subject is a device that stands ready to do a scope.
type Subject interface {
	// Do does it. It fills in the arrival's Device, Steps, Outcome and Refused; the
	// rest is the engine's. What goes wrong on the way is an outcome. An error says
	// that ctx ended first.
	Do(ctx context.Context, a *figure.Arrival) error
}

// Source gives devices and takes them back.
type Source interface {
	// Take waits for a device that is ready for a scope, to misbehave in some way or
	// ("") not at all. Its error is the context's, or [ErrNone].
	Take(ctx context.Context, scope, bad string) (Subject, error)
	// Give takes a device back, to be made ready again.
	Give(Subject)
	// Free is how many stand ready for a scope.
	Free(scope string) int
}

// ErrNone says that no device will come any more.
var ErrNone = errors.New("no device will come")
