package connect

import (
	"context"
	"errors"

	"windtunnel.test/sim/journal"
)

// Kinds of the journal's events; their device is the server's name.
const (
	EventCycle  = "connect.cycle"
	EventFailed = "connect.failed"
)

// Run is the scheduler: a cycle at once and then every Options.Cycle, while it
// is not stopped. It returns when ctx ends.
func (c *Connect) Run(ctx context.Context) {
	for {
		err := c.changed.Await(ctx, func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return !c.stopped
		})
		if err != nil {
			return
		}
		c.turn(ctx)
		if context.Cause(ctx) != nil {
			return
		}
	}
}

// turn is a cycle and the wait for the next one. A stop ends both; a wish for a
// cycle ends the wait only.
func (c *Connect) turn(ctx context.Context) {
	life, end := c.o.Clock.WithCancel(ctx)
	defer end(errStopped)
	c.mu.Lock()
	asked := c.asked
	c.stop = func(cause error) {
		if errors.Is(cause, errStopped) {
			end(cause)
		}
	}
	stopped := c.stopped
	c.mu.Unlock()
	if stopped {
		end(errStopped)
	}
	err := c.cycle(life)
	c.o.Net.CloseIdle()
	wait := false
	c.changed.Change(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.done, c.last = asked, err
		if wait = c.asked == asked && !c.stopped; wait {
			c.stop = end
		}
	})
	if wait {
		_ = c.o.Clock.Sleep(life, c.o.Cycle, "sync cycle") // why it ends, the next turn sees
	}
	c.mu.Lock()
	c.stop = nil
	c.mu.Unlock()
}

func (c *Connect) cycle(ctx context.Context) error {
	got, err := c.sync(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	c.mu.Lock()
	c.state.Objects, c.state.LastError = len(c.exported), ""
	if err != nil {
		c.state.LastError = err.Error()
	} else {
		c.state.Cycles++
		c.state.LastCycle = c.o.Clock.Now()
	}
	c.mu.Unlock()
	if c.o.Journal == nil {
		return err
	}
	if err != nil {
		c.o.Journal.Record(c.o.Name, EventFailed, journal.F("domain", c.o.Domain), journal.F("error", err.Error()))
		return err
	}
	c.o.Journal.Record(c.o.Name, EventCycle, journal.F("domain", c.o.Domain), journal.F("full", got.full), journal.F("added", got.added),
		journal.F("updated", got.updated), journal.F("deleted", got.deleted), journal.F("rejected", got.rejected))
	return nil
}
