package connector

import (
	"context"
	"errors"
	"time"
)

// Run is the server's life: it starts the service whenever somebody wants it
// to run, and returns when ctx ends.
func (c *Connector) Run(ctx context.Context) {
	for {
		if c.changed.Await(ctx, func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return !c.stopped
		}) != nil {
			return
		}
		life, stop := c.o.Clock.WithCancel(ctx)
		c.mu.Lock()
		c.stop = stop
		id := c.state.ID
		c.state = Status{ID: id, Joins: c.state.Joins, Failures: c.state.Failures, Memory: c.o.Timing.Hybrid.ConnectorMemory}
		c.mu.Unlock()
		c.serve(life)
		stop(errStopped)
		c.mu.Lock()
		c.state.Running = false
		c.mu.Unlock()
		c.o.Net.CloseIdle()
		if context.Cause(ctx) != nil {
			return
		}
	}
}

// serve is one life of the service.
func (c *Connector) serve(ctx context.Context) {
	if !c.up(ctx) {
		// Nobody is there to try again but an administrator.
		_ = c.o.Clock.NewCond("service of " + c.o.Name).Wait(ctx)
		return
	}
	c.mu.Lock()
	c.state.Running = true
	c.mu.Unlock()
	c.log(EventStarted, dimensions{DomainName: c.o.Domain})
	t, since := c.o.Timing.Hybrid, c.o.Clock.Now()
	for full := false; ; {
		hold := t.ConnectorHold
		if full {
			hold = 0 // it cannot keep a poll open
		}
		pause := time.Duration(0)
		if !c.poll(ctx, hold) {
			pause = t.ConnectorPoll.Draw(c.draws)
		}
		now := c.o.Clock.Now()
		full, since = c.leak(now.Sub(since)), now
		if full {
			pause += t.ConnectorThrashed.Draw(c.draws)
		}
		if pause > 0 && c.o.Clock.Sleep(ctx, pause, "connector poll") != nil || context.Cause(ctx) != nil {
			return
		}
	}
}

// leak is how the service loses memory behind a proxy
// (learn.microsoft.com/autopilot/known-issues, open). Once it has none left,
// everything takes its time, until it is restarted: that is what it tells.
func (c *Connector) leak(over time.Duration) (full bool) {
	t := c.o.Timing.Hybrid
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.Net.Site().Proxied() {
		c.state.Memory += int(float64(t.ConnectorLeak) * over.Hours())
	}
	return c.state.Memory >= t.ConnectorThrash
}

// up brings the service up: what setup checks, what the service control manager
// does, and the connector's own account. It tries again where time may help.
func (c *Connector) up(ctx context.Context) bool {
	for {
		err := c.setup(ctx)
		if err == nil {
			return true
		}
		if context.Cause(ctx) != nil {
			return false
		}
		c.setupFailed(err.Error())
		var wait *patience
		if !errors.As(err, &wait) {
			return false
		}
		if c.o.Clock.Sleep(ctx, c.o.Timing.Hybrid.ConnectorPoll.Draw(c.draws), "connector setup") != nil {
			return false
		}
	}
}

// patience is an error that time may mend.
type patience struct{ error }

func (p *patience) Unwrap() error { return p.error }
