package tenant

import (
	"context"
	"errors"
	"slices"
	"time"

	"windtunnel.test/sim/vclock"
)

// joinBell tells who holds a connector's poll open that there may be work.
type joinBell struct {
	cond vclock.Cond
	rung uint64 // under cond's lock
}

func (b *joinBell) ring() { b.cond.Change(func() { b.rung++ }) }

// heard is how often the bell was rung.
func (b *joinBell) heard(ctx context.Context) (n uint64, err error) {
	err = b.cond.Await(ctx, func() bool { n = b.rung; return true })
	return n, err
}

// await returns nil once the bell was rung more than that often.
func (b *joinBell) await(ctx context.Context, heard uint64) error {
	return b.cond.Await(ctx, func() bool { return b.rung > heard })
}

var errHeld = errors.New("the poll was held for as long as it is to be")

// AwaitDomainJoins is TakeDomainJoins for a connector that is ready to wait until
// there is something: at most for wait, and no longer than ctx lasts. It gives
// none when that is over. A caller that is no actor does not wait.
func (t *Tenant) AwaitDomainJoins(ctx context.Context, c Connector, n int, wait time.Duration) ([]DomainJoin, error) {
	if wait <= 0 {
		return t.TakeDomainJoins(ctx, c, n)
	}
	held, release := t.s.Clock.WithTimeout(ctx, wait, errHeld)
	defer release()
	for {
		heard, ended := t.s.joinBell.heard(held)
		taken, err := t.TakeDomainJoins(ctx, c, n)
		if err != nil || len(taken) > 0 || ended != nil {
			return taken, err
		}
		if ended = t.awaitJoin(held, c, heard); ended != nil {
			return nil, nil
		}
	}
}

var errLapsed = errors.New("a connector's lease has ended")

// awaitJoin waits until there may be a request for a connector: the bell rings,
// or another one's lease ends.
func (t *Tenant) awaitJoin(ctx context.Context, c Connector, heard uint64) error {
	if end := t.nextLease(c.Domain); !end.IsZero() {
		leased, release := t.s.Clock.WithTimeout(ctx, end.Sub(t.s.Now()), errLapsed)
		defer release()
		if err := t.s.joinBell.await(leased, heard); !errors.Is(err, errLapsed) {
			return err
		}
		return nil
	}
	return t.s.joinBell.await(ctx, heard)
}

// nextLease is when the first of the leases on a domain's requests ends; zero
// where none is taken.
func (t *Tenant) nextLease(domain string) time.Time {
	open := list(t.s, t.s.domainJoins, byOpen, t.ID+"/"+domain)
	open = slices.DeleteFunc(open, func(d DomainJoin) bool { return d.State != JoinTaken })
	if len(open) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(open, func(a, b DomainJoin) int { return a.Lease.Compare(b.Lease) }).Lease
}
