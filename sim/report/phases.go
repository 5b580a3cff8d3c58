package report

import (
	"time"

	"windtunnel.test/sim/journal"
)

// phaseEnd is the kind of event with which a part of a PC's life ends: fields
// phase and took.
const phaseEnd = "phase.end"

// phaseNames are the parts of a PC's life as people call them.
var phaseNames = map[string]string{
	"registered": "Registration in the tenant", "queue": "Wait for a technician", "technician": "Technician flow",
	"shelf": "On the shelf", "user": "User flow",
}

func phaseName(s string) string {
	if n, ok := phaseNames[s]; ok {
		return n
	}
	return title(words(s))
}

// follows is what comes after a phase where the events do not tell, because
// what comes has not ended.
var follows = map[string]string{
	"queue": "Technician flow, not finished", "shelf": "User flow, not finished", "user": "At work", "technician": "After the technician flow",
}

// headings finds where each phase begins: a phase is journaled at its end, with
// what it took. The result is by the index of the first event of the phase.
func headings(events []journal.Event) map[int][]string {
	at := map[int][]string{}
	next, last := 0, "" // first event that no phase has yet
	for i, e := range events {
		if e.Kind != phaseEnd {
			continue
		}
		took, _ := e.Get("took")
		d, _ := took.(time.Duration)
		begin := next
		for begin < i && events[begin].Time.Before(e.Time.Add(-d)) {
			begin++
		}
		next, last = i+1, e.Text("phase")
		if d == 0 && begin == i {
			continue // a wait that was none
		}
		at[begin] = append(at[begin], phaseName(last)+", "+Duration(d)+others(e, "phase", "took"))
	}
	if name := follows[last]; name != "" && next < len(events) {
		at[next] = append(at[next], name)
	}
	return at
}
