package device

import (
	"context"
	"io"
	"time"
)

type slowKey struct{}

// Slowly has whatever Windows asks for below a context read its answers byte by
// byte, with a pause before each: somebody on a very bad line, or somebody who
// means no good.
func Slowly(ctx context.Context, pause time.Duration) context.Context {
	return context.WithValue(ctx, slowKey{}, pause)
}

// slowBody gives a byte at a time.
type slowBody struct {
	w     *Windows
	body  io.ReadCloser
	pause time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := b.w.Sleep(b.pause, "slow reader"); err != nil {
		return 0, err
	}
	return b.body.Read(p[:1])
}

func (b *slowBody) Close() error { return b.body.Close() }
