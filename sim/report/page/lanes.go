package page

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

// lanes is a PC's life as a picture: a lane for everybody who does something in
// it, and time from left to right, with waits in which nothing happens cut short.
type lanes struct {
	ID     string
	Serial string
	End    string
	Lanes  []lane
	Cuts   []cut
	Marks  []tick // times of day
	Height int
	Text   string // the story
}

type lane struct {
	Who   string
	Y     int
	Marks []dot
	Bad   bool
}

type dot struct {
	X     float64
	Title string
	Bad   bool
}

// cut is a wait that takes less room than time.
type cut struct {
	X    float64
	Text string
}

const (
	laneHeight = 22
	laneTop    = 26
	across     = 1000.0 // of the picture
	// longWait is what is cut short, and what is left of it.
	longWait, leftOfWait = 6 * time.Minute, time.Minute
	mostDots             = 400 // in a lane
)

// badWords are kinds of events that tell of something going wrong.
var badWords = []string{"failed", "refused", "fault.fired", "lost", "timeout"}

func lanesOf(n int, s Story) lanes {
	out := lanes{ID: fmt.Sprintf("story-%d", n+1), Serial: s.Serial, End: endOf(s.Events), Text: story(s.Events)}
	events, at, cuts := squeeze(s.Events)
	if len(events) == 0 {
		return out
	}
	whole := max(at[len(at)-1], time.Second)
	place := func(d time.Duration) float64 { return across * float64(d) / float64(whole) }
	of := map[string]*lane{}
	for i, e := range events {
		who, what, detail := report.Say(e)
		bad := slices.ContainsFunc(badWords, func(w string) bool { return strings.Contains(e.Kind, w) })
		if !slices.Contains(report.Who(), who) || (detail > report.Story && !bad) {
			continue
		}
		l := of[who]
		if l == nil {
			l = &lane{Who: who}
			of[who] = l
		}
		if len(l.Marks) < mostDots || bad {
			l.Marks = append(l.Marks, dot{place(at[i]), e.Time.Format("2006-01-02 15:04:05 ") + what, bad})
		}
		l.Bad = l.Bad || bad
	}
	for _, who := range report.Who() {
		if l := of[who]; l != nil {
			l.Y = laneTop + laneHeight*len(out.Lanes)
			out.Lanes = append(out.Lanes, *l)
		}
	}
	for _, c := range cuts {
		out.Cuts = append(out.Cuts, cut{place(c.at), "… " + report.Duration(c.wait)})
	}
	out.Marks = times(events, at, place)
	out.Height = laneTop + laneHeight*len(out.Lanes) + 6
	return out
}

// wait is one that was cut short.
type wait struct {
	at, wait time.Duration
}

// squeeze gives the events that are shown with their places, in time from the
// first, long waits cut short.
func squeeze(events []journal.Event) (shown []journal.Event, at []time.Duration, waits []wait) {
	var now time.Duration
	for i, e := range events {
		if i > 0 {
			d := e.Time.Sub(events[i-1].Time)
			if d > longWait {
				waits = append(waits, wait{now + leftOfWait/2, d})
				d = leftOfWait
			}
			now += d
		}
		shown, at = append(shown, e), append(at, now)
	}
	return shown, at, waits
}

// times are times of day along the picture, where there is room.
func times(events []journal.Event, at []time.Duration, place func(time.Duration) float64) (marks []tick) {
	last := -200.0
	for i, e := range events {
		if x := place(at[i]); x-last >= 130 && x <= 940 {
			marks = append(marks, tick{x, e.Time.Format("Jan 2 15:04")})
			last = x
		}
	}
	return marks
}

// endOf is how a story ended, in words.
func endOf(events []journal.Event) string {
	for _, e := range slices.Backward(events) {
		if e.Kind == "story.ended" {
			_, text, _ := report.Say(e)
			return text
		}
	}
	return "reached the desktop, or the run ended first"
}

func story(events []journal.Event) string {
	var b bytes.Buffer
	if err := report.Timeline(&b, events, report.TimelineOptions{Detail: report.Story}); err != nil {
		return err.Error()
	}
	return b.String()
}
