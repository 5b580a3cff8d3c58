package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"windtunnel.test/sim/journal"
)

// TimelineOptions say how a timeline is written.
type TimelineOptions struct {
	Title  string // heading, the PC's serial number say; "" for none
	Detail int    // Story or Everything
	// Fold makes one line of those that follow a line and say the same.
	Fold bool
	// Since is what times are counted from; zero: the first event.
	Since time.Time
	// Mark chooses events that are shown whatever the detail, with an arrow; nil chooses none.
	Mark func(journal.Event) bool
}

// OfPC heads a PC's timeline in a matcher's message; what a failed spec prints
// besides does not tell it again.
const OfPC = "The PC:"

// longest is how many characters of a sentence are shown in a Story.
const longest = 160

// Timeline writes one PC's events, oldest first, as the story of its life: one
// line an event with the time of day, the time since the first event, whose
// doing it was, and what happened. Days and phases have headings. Times are
// virtual and UTC.
func Timeline(w io.Writer, events []journal.Event, o TimelineOptions) error {
	if o.Detail <= Story {
		events = wholeTransfers(events)
	}
	t := teller{w: bufio.NewWriter(w), o: o, headings: headings(events), states: map[string]string{}, start: o.Since}
	if o.Title != "" {
		fmt.Fprintf(t.w, "%s\n", o.Title)
	}
	for i, e := range events {
		t.tell(i, e)
	}
	t.unfold()
	if len(events) == 0 {
		fmt.Fprintln(t.w, "(nothing happened)")
	}
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	return nil
}

// teller is a timeline being written.
type teller struct {
	w        *bufio.Writer
	o        TimelineOptions
	headings map[int][]string // by the index of the event that they stand before
	states   map[string]string
	start    time.Time
	last     string // line, without its time
	more     int    // lines like it that were folded
	until    time.Time
	day      string
}

func (t *teller) tell(i int, e journal.Event) {
	if i == 0 && t.start.IsZero() {
		t.start = e.Time
	}
	for _, h := range t.headings[i] {
		t.unfold()
		fmt.Fprintf(t.w, "\n== %s\n", t.fit(h))
		t.day = ""
	}
	if e.Kind == phaseEnd {
		return // its heading has said so
	}
	who, text, detail := in(e)
	marked := t.o.Mark != nil && t.o.Mark(e)
	if !marked && (detail > t.o.Detail || t.known(e, text)) {
		return
	}
	if marked {
		text = "<== " + text
	}
	t.line(e, t.fit(who), t.fit(text))
}

// known tells whether a Story has said so already: some states are journaled
// whenever they are looked at.
func (t *teller) known(e journal.Event, text string) bool {
	key := kinds[e.Kind].state
	if key == "" || t.o.Detail > Story {
		return false
	}
	of := e.Kind + " " + e.Text(key)
	if t.states[of] == text {
		return true
	}
	t.states[of] = text
	return false
}

func (t *teller) line(e journal.Event, who, text string) {
	if says := who + " " + text; t.o.Fold && says == t.last {
		t.more, t.until = t.more+1, e.Time
		return
	} else if t.o.Fold {
		t.unfold()
		t.last = says
	}
	if day := e.Time.Format("Monday 2006-01-02"); day != t.day {
		fmt.Fprintf(t.w, "   %s\n", day)
		t.day = day
	}
	fmt.Fprintf(t.w, "%s %-13s %-10s %s\n", e.Time.Format("15:04:05"), Offset(e.Time.Sub(t.start)), who, text)
}

// unfold says how many lines were folded.
func (t *teller) unfold() {
	if t.more > 0 {
		fmt.Fprintf(t.w, "%s %-13s %-10s and %s more of these\n", t.until.Format("15:04:05"), Offset(t.until.Sub(t.start)), "", Count(t.more))
	}
	t.last, t.more = "", 0
}

// Last is the end of a timeline: its last lines, at most so many.
func Last(events []journal.Event, lines int, o TimelineOptions) string {
	var story strings.Builder
	o.Fold = true
	if err := Timeline(&story, events, o); err != nil {
		fmt.Fprintln(&story, err)
	}
	all := slices.Collect(strings.Lines(story.String()))
	return strings.Join(all[max(0, len(all)-lines):], "")
}

// fit makes one line of a text, and in a Story a line that a terminal can show.
func (t *teller) fit(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) }), " ")
	if t.o.Detail > Story || utf8.RuneCountInString(s) <= longest {
		return s
	}
	return string([]rune(s)[:longest-1]) + "…"
}
