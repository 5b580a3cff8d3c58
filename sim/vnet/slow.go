package vnet

import (
	"context"
	"io"
	"time"

	"windtunnel.test/sim/vclock"
)

type slowKey struct{}

// Slowly has whatever is asked for below a context read its answers byte by
// byte, with a pause before each: somebody on a very bad line, or somebody who
// means no good. On a forwarded connection it is the socket that is read so, and
// the service whose answer does not get through.
func Slowly(ctx context.Context, pause time.Duration) context.Context {
	return context.WithValue(ctx, slowKey{}, pause)
}

// slowBody gives a byte at a time.
type slowBody struct {
	ctx   context.Context
	clock vclock.Clock
	body  io.ReadCloser
	pause time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := b.clock.Sleep(b.ctx, b.pause, "slow reader"); err != nil {
		return 0, err
	}
	return b.body.Read(p[:1])
}

func (b *slowBody) Close() error { return b.body.Close() }

// slowed is a body as it is read below a context.
func (n *Network) slowed(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	if pause, ok := ctx.Value(slowKey{}).(time.Duration); ok {
		return &slowBody{ctx, n.clock, body, pause}
	}
	return body
}
