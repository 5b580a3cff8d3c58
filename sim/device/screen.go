package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Screen is what a person in front of the PC sees. Programs build one and show
// it; people read it and press what is there.
type Screen struct {
	ID      string   `json:"id"` // stable name, "autopilot.landing"
	Title   string   `json:"title"`
	Lines   []Line   `json:"lines,omitempty"`  // labelled values
	Rows    []Row    `json:"rows,omitempty"`   // progress rows of the enrolment status page
	Inputs  []string `json:"inputs,omitempty"` // names of the text fields
	Buttons []string `json:"buttons,omitempty"`
	Keys    []string `json:"keys,omitempty"` // keys that mean something here; others do nothing
	// Picture draws what is not text, the QR code of the Autopilot pages, as a
	// PNG; nil where there is none. It is drawn for whoever looks.
	Picture func() ([]byte, error) `json:"-"`
	// Shown counts the screens that this PC has put up: two screens with the
	// same number are one.
	Shown int `json:"shown"`
}

// Line is one labelled value on a screen.
type Line struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Row is one progress row: "Apps", "2 of 5 installed". Working tells whether
// the page is busy with it.
type Row struct {
	Name    string `json:"name"`
	Status  string `json:"status"`
	Working bool   `json:"working"`
}

// Line gives the value under a label, "" where there is none.
func (s Screen) Line(label string) string {
	for _, l := range s.Lines {
		if l.Label == label {
			return l.Value
		}
	}
	return ""
}

// Has tells whether the button is there to be pressed.
func (s Screen) Has(button string) bool { return slices.Contains(s.Buttons, button) }

// String draws the screen as text, as a failed spec prints it.
func (s Screen) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "┌ %s  [%s]\n", s.Title, s.ID)
	for _, l := range s.Lines {
		fmt.Fprintf(&b, "│ %-24s %s\n", l.Label, l.Value)
	}
	for _, r := range s.Rows {
		fmt.Fprintf(&b, "│ %-44s %s\n", r.Name, r.Status)
	}
	for _, in := range s.Inputs {
		fmt.Fprintf(&b, "│ %-24s [____________]\n", in)
	}
	fmt.Fprintf(&b, "└ %s\n", strings.Join(s.Buttons, "  |  "))
	return b.String()
}

// Input is one act of a person: a button with what was typed into the fields,
// or a key struck a number of times.
type Input struct {
	Button string
	Values map[string]string
	Key    string // "Windows", "Ctrl+Shift+D"
	Times  int

	shown int // the screen that it was meant for
}

// Errors of people's acts.
var (
	ErrNoSuchButton = errors.New("no such button on the screen")
	ErrOff          = errors.New("the PC is off")
)

// Off is the screen of a PC without power.
var Off = Screen{ID: "off", Title: "(off)"}

// Screen gives what the PC shows now.
func (pc *PC) Screen() Screen {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.screen
}

// AwaitScreen waits until the screen satisfies want and gives it. It fails
// with the cause of ctx, which is where a person's patience comes in.
func (pc *PC) AwaitScreen(ctx context.Context, want func(Screen) bool) (Screen, error) {
	var s Screen
	err := pc.screenChanged.Await(ctx, func() bool {
		s = pc.Screen()
		return want(s)
	})
	return s, err
}

// AwaitOff waits until the PC has no power.
func (pc *PC) AwaitOff(ctx context.Context) error {
	_, err := pc.AwaitScreen(ctx, func(s Screen) bool { return s.ID == Off.ID })
	return err
}

// Press presses a button of the present screen, with what was typed before it.
func (pc *PC) Press(ctx context.Context, button string, typed map[string]string) error {
	s := pc.Screen()
	if s.ID == Off.ID {
		return fmt.Errorf("press %q on %s: %w", button, pc.Name, ErrOff)
	}
	if !s.Has(button) {
		return fmt.Errorf("press %q on %s, screen %s (%s): %w", button, pc.Name, s.ID, strings.Join(s.Buttons, ", "), ErrNoSuchButton)
	}
	pc.Event("person.pressed", field("screen", s.ID), field("button", button))
	return pc.input(ctx, Input{Button: button, Values: typed, shown: s.Shown})
}

// Strike strikes a key or a key combination a number of times in a row.
func (pc *PC) Strike(ctx context.Context, key string, times int) error {
	s := pc.Screen()
	if s.ID == Off.ID {
		return fmt.Errorf("strike %s on %s: %w", key, pc.Name, ErrOff)
	}
	pc.Event("person.struck", field("screen", s.ID), field("key", key), field("times", times))
	return pc.input(ctx, Input{Key: key, Times: times, shown: s.Shown})
}

func (pc *PC) input(ctx context.Context, in Input) error {
	pc.mu.Lock()
	q := pc.inputs
	if pc.cover != nil && q != nil {
		q = pc.cover.inputs
	}
	pc.touched = pc.Clock.Now()
	pc.mu.Unlock()
	if q == nil {
		return fmt.Errorf("%s: %w", pc.Name, ErrOff)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	q.TryPut(in) // what a full keyboard buffer does not take is lost
	return nil
}

// show puts a screen up and gives its number.
func (pc *PC) show(s Screen) int {
	if pc.dark.Load() {
		return 0 // nothing lights up without power
	}
	var changed bool
	pc.screenChanged.Change(func() {
		pc.mu.Lock()
		defer pc.mu.Unlock()
		if c := pc.cover; c != nil { // seen once that is gone
			s.Shown = pc.number()
			c.under = s
			return
		}
		changed = pc.screen.ID != s.ID
		s.Shown = pc.number()
		pc.screen = s
	})
	if changed {
		pc.Event("screen.shown", field("screen", s.ID), field("title", s.Title))
	}
	return s.Shown
}
