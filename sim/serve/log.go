package serve

import (
	"context"
	"fmt"
	"sync"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
)

// keepEvents is how many events the management listener can look back on: some
// 20 MB of them.
const keepEvents = 1 << 16

// log keeps the last events of all worlds that a server has had, numbered
// through, for whoever asks on the management listener.
type log struct {
	warn   func(string) // may be nil
	mu     sync.Mutex
	events []journal.Event // a ring, once it is full
	last   uint64          // number of the last event, from 1
	more   chan struct{}   // closed at the next event; nil while nobody waits
}

// Write takes an event from a world's journal.
func (l *log) Write(e journal.Event) error {
	if e.Kind == vnet.Panicked && l.warn != nil {
		l.warn(fmt.Sprintf("a service failed by a defect of its own, in %s at %s: %s\n%s",
			e.Text("operation"), e.Text("host"), e.Text("panic"), e.Text("stack")))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.Seq = l.last
	if len(l.events) < keepEvents {
		l.events = append(l.events, e)
	} else {
		l.events[(l.last-1)%keepEvents] = e
	}
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return nil
}

// Close does nothing: the log outlives worlds.
func (l *log) Close() error { return nil }

// query is what somebody wants of the log. Kind, Device and Service are globs;
// empty ones are not looked at. Service is held against the fields service and
// host: refusals name the one, requests the other.
type query struct {
	since                 uint64 // number of the last event that is known already
	kind, device, service string
	limit                 int
}

func (q query) matches(e journal.Event) bool {
	return (q.kind == "" || fault.Match(q.kind, e.Kind)) &&
		(q.device == "" || fault.Match(q.device, e.Device)) &&
		(q.service == "" || fault.Match(q.service, e.Text("service")) || fault.Match(q.service, e.Text("host")))
}

// page is an answer: the events that fit, oldest first, and what to ask for
// next.
type page struct {
	Events []journal.Event `json:"events"`
	// Next is the since of the next query.
	Next uint64 `json:"next"`
	// Oldest is the number of the oldest event that is still there.
	Oldest uint64 `json:"oldest"`
}

// find answers a query, and gives a channel that is closed when there is more.
func (l *log) find(q query) (page, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := page{Events: []journal.Event{}, Oldest: l.last - uint64(len(l.events)) + 1}
	q.since = min(q.since, l.last) // a number of an earlier process says nothing
	for p.Next = max(q.since, p.Oldest-1); p.Next < l.last && len(p.Events) < q.limit; p.Next++ {
		if e := l.events[p.Next%keepEvents]; q.matches(e) {
			p.Events = append(p.Events, e)
		}
	}
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return p, l.more
}

// await is find, and waits until ctx ends for events where there are none yet.
func (l *log) await(ctx context.Context, q query) page {
	for {
		p, more := l.find(q)
		if len(p.Events) > 0 {
			return p
		}
		q.since = p.Next
		select {
		case <-more:
		case <-ctx.Done():
			return p
		}
	}
}
