package vnet

import (
	"context"
	"sync"
)

// Replace puts another network behind the listeners, such as that of a world that was made anew. No client is answered by
// halves: exchanges under way end first, those that ctx does not leave the time are broken off, and what arrives meanwhile
// waits. f makes the change, and gives the network to go on with; nil is none, and whoever waits then does so until Close.
func (g *Gateway) Replace(ctx context.Context, f func() (*Network, error)) error {
	g.gate.shut(ctx)
	n, err := f()
	if n != nil {
		g.network.Store(n)
		g.gate.open()
	}
	return err
}

// gate lets exchanges in, and holds them while it is shut.
type gate struct {
	mu     sync.Mutex
	inside int
	turn   int           // counts how often exchanges were given up
	opened chan struct{} // closed when it opens again; nil: it is open
	empty  chan struct{} // closed when nobody is inside any more; nil: nobody waits for that
}

// enter waits until the gate is open, or ctx ends. What it gives is for leave.
func (g *gate) enter(ctx context.Context) (turn int, ok bool) {
	for {
		g.mu.Lock()
		opened := g.opened
		if opened == nil {
			g.inside++
			defer g.mu.Unlock()
			return g.turn, true
		}
		g.mu.Unlock()
		select {
		case <-opened:
		case <-ctx.Done():
			return 0, false
		}
	}
}

// leave reports whether the exchange still counts: it was not given up meanwhile.
func (g *gate) leave(turn int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if turn != g.turn {
		return false
	}
	if g.inside--; g.inside == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
	return true
}

// shut waits until nobody is inside, and gives up whoever is when ctx ends.
func (g *gate) shut(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
	if g.inside == 0 {
		return
	}
	empty := make(chan struct{})
	g.empty = empty
	g.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
	}
	g.mu.Lock()
	if g.inside > 0 {
		g.inside, g.empty = 0, nil
		g.turn++
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.opened)
	g.opened = nil
}
