package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/vclock"
)

// Technician pre-provisions PCs at a site. One technician looks after several
// PCs at once, but has only two hands: what is done at a PC is done at one PC
// at a time.
type Technician struct {
	person
	hands   vclock.Semaphore
	presses int // of the Windows key, for the options
	// Patience is how long one watches a screen on which there is nothing to
	// do; 0 is the timing profile's.
	Patience time.Duration
	// Refreshes says how often the technician has the profile read again
	// before going on; a careful one looks twice.
	Refreshes int
	// OnFailure is what a technician does about the red screen: leave it for
	// somebody else ("" or "leave"), or press Retry ("retry") or Reset ("reset"),
	// each once.
	OnFailure string
}

// Crew is the technicians of one bench. Each looks after so many PCs at once; a
// PC goes to the one who has had a free place for longest.
type Crew struct {
	w    *World
	site string
	size int
	free *vclock.Queue[*Technician]
}

// NewCrew makes a bench at which nobody works yet.
func (w *World) NewCrew(site string) *Crew {
	return &Crew{w: w, site: site, free: vclock.NewQueue[*Technician](w.Clock, "bench places at "+site, 0)}
}

// Hire makes a bench and puts technicians with so many places each to work
// there.
func (w *World) Hire(site string, count, places int, like Technician) *Crew {
	c := w.NewCrew(site)
	c.Hire(count, places, like)
	return c
}

// Hire puts more technicians to work.
func (c *Crew) Hire(count, places int, like Technician) {
	hired := make([]*Technician, count)
	for i := range hired {
		c.size++
		hired[i] = c.w.NewTechnician(fmt.Sprintf("technician %d at %s", c.size, c.site), like)
	}
	for range places {
		for _, t := range hired {
			c.free.TryPut(t)
		}
	}
}

// NewTechnician gives somebody with a technician's habits hands and eyes.
func (w *World) NewTechnician(name string, like Technician) *Technician {
	t := like
	t.person = person{name: name, clock: w.Clock, rand: &draws{rand: w.Seed.Stream("technician", name)}, pace: w.options.Pace.Technician.Action, patience: like.Patience}
	if t.patience == 0 {
		t.patience = w.options.Pace.Technician.Patience
	}
	t.presses = w.options.Pace.OOBE.KeyPresses
	t.hands = w.Clock.NewSemaphore("hands of "+name, 1)
	return &t
}

func (c *Crew) take(ctx context.Context) (*Technician, error) { return c.free.Get(ctx) }

func (c *Crew) leave(t *Technician) { c.free.TryPut(t) }

// Provision takes a PC that is off from its box to resealed and off again. It
// is the same script in every scenario. The error of a PC that did not get
// there is a *Failed or a *Stuck.
func (t *Technician) Provision(ctx context.Context, pc *device.PC) error {
	if err := t.handle(ctx, func() error { return pc.PowerOn(ctx) }); err != nil {
		return err
	}
	refreshes, tries, resealed := t.Refreshes, 0, false
	look := t.look(pc)
	for {
		s, err := look.next(ctx)
		if err != nil {
			return err
		}
		if s.ID == device.Off.ID {
			if resealed && !pc.WentDark() {
				return nil
			}
			if err := t.handle(ctx, func() error { return look.restart(ctx) }); err != nil {
				return err
			}
			continue
		}
		var a act
		switch s.ID {
		case oobe.ScreenLanguage, oobe.ScreenRegion, oobe.ScreenKeyboard, oobe.ScreenNetwork, oobe.ScreenSignIn:
			if resealed { // it was, when the power went; only its user goes on from here
				pc.CutPower()
				return nil
			}
			a = t.firstScreen(pc, s)
		case oobe.ScreenNotice:
			a = press(oobe.ButtonOK)
		case oobe.ScreenConsent:
			if len(s.Inputs) > 0 {
				continue // asks for what a technician does not have
			}
			a = press(oobe.ButtonYes)
		case oobe.ScreenLogon:
			continue // nobody has an account there
		case oobe.ScreenOptions:
			a = fill(s.Buttons[0], map[string]string{oobe.FieldOption: s.Line(oobe.FieldOption)})
		case oobe.ScreenLanding:
			a = press(s.Buttons[len(s.Buttons)-1])
			if refreshes > 0 {
				refreshes--
				a = press(oobe.ButtonRefresh)
			}
		case oobe.ScreenSuccess:
			a, resealed = press(oobe.ButtonReseal), true
		case oobe.ScreenFailure:
			button := onFailure[t.OnFailure]
			if button == "" || tries > 0 || !s.Has(button) {
				return failed(s)
			}
			tries++
			a = press(button)
		default:
			return failed(s)
		}
		if err := t.handle(ctx, func() error { return a.do(ctx, pc) }); err != nil {
			if errors.Is(err, device.ErrNoSuchButton) || errors.Is(err, device.ErrOff) {
				continue // the screen changed under the hand
			}
			return err
		}
	}
}

// onFailure are the buttons for people's habits about pages that say what
// failed.
var onFailure = map[string]string{"retry": oobe.ButtonRetry, "reset": oobe.ButtonReset}

// firstScreen is the page's instruction: do not go on, strike the Windows key
// five times. Without a cable that is no use before a network is chosen.
func (t *Technician) firstScreen(pc *device.PC, s device.Screen) act {
	if !pc.Hardware.Wireless || s.ID == oobe.ScreenSignIn {
		return strike(oobe.KeyWindows, t.presses)
	}
	if s.ID == oobe.ScreenNetwork {
		return press(oobe.ButtonConnect)
	}
	return press(oobe.ButtonYes)
}

// handle does something that takes the technician's hands.
func (t *Technician) handle(ctx context.Context, f func() error) error {
	if err := t.hands.Acquire(ctx, 1); err != nil {
		return err
	}
	defer t.hands.Release(1)
	return f()
}

// Failed says that a PC ended on a screen that it does not leave by itself.
type Failed struct {
	Screen, Code, Phase, Reason string
}

func (f *Failed) Error() string {
	return fmt.Sprintf("%s: %s in %s: %s", f.Screen, f.Code, f.Phase, f.Reason)
}

func failed(s device.Screen) *Failed {
	return &Failed{Screen: s.ID, Code: s.Line(oobe.LabelError), Phase: s.Line(oobe.LabelPhase), Reason: s.Line(oobe.LabelReason)}
}
