package vclock

import (
	"fmt"
	"strings"
	"time"
)

// DeadlockError says that actors wait and nothing can wake them.
type DeadlockError struct {
	Now     time.Time
	Waiting []Waiting // in the order in which the actors were made, daemons included
}

// Waiting is an actor that waits.
type Waiting struct {
	Actor  string
	Daemon bool
	What   string // "cond", "semaphore", "value in queue", "space in queue"
	Tag    string
	Since  time.Time
}

// String is `person waits for cond "screen" since 2026-09-01T08:00:00Z`.
func (w Waiting) String() string {
	name := w.Actor
	if w.Daemon {
		name += " (daemon)"
	}
	return fmt.Sprintf("%s waits for %s %q since %s", name, w.What, w.Tag, w.Since.Format(time.RFC3339Nano))
}

// deadlockLines is how many actors the message lists; the value has them all.
const deadlockLines = 20

// Error has one line an actor.
func (e *DeadlockError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "vclock: deadlock at %s: no event is left and these wait:", e.Now.Format(time.RFC3339Nano))
	for i, w := range e.Waiting {
		if i == deadlockLines {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Waiting)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s", w)
	}
	return b.String()
}

// deadlock makes the report. v.mu is held.
func (v *Virtual) deadlock() error {
	e := &DeadlockError{Now: v.Now()}
	for n := v.live.next; n.owner != nil; n = n.next {
		a := n.owner
		e.Waiting = append(e.Waiting, Waiting{
			Actor:  a.name,
			Daemon: a.daemon,
			What:   a.what,
			Tag:    a.tag,
			Since:  v.start.Add(time.Duration(a.since)),
		})
	}
	return e
}
