package device

import "windtunnel.test/sim/vclock"

// Cover is a screen in front of another one that goes on behind it, as the lock
// screen does. What is shown meanwhile is seen once the cover is gone, and
// whoever presses something presses it on the cover.
type Cover struct {
	w      *Windows
	under  Screen
	inputs *vclock.Queue[Input]
}

// Cover puts a screen in front of what is there. Only one who waits at the
// cover can take it away; it goes with the boot at the latest.
func (w *Windows) Cover(s Screen) *Cover {
	c := &Cover{w: w, inputs: vclock.NewQueue[Input](w.Clock, "keyboard of "+w.Name+", covered", 8)}
	w.PC.mu.Lock()
	c.under = w.screen
	w.PC.mu.Unlock()
	c.put(s, func(pc *PC) { pc.cover = c })
	return c
}

// put shows a screen in front of all others, and does something at the same
// moment.
func (c *Cover) put(s Screen, also func(*PC)) {
	pc := c.w.PC
	if pc.dark.Load() {
		return
	}
	var changed bool
	pc.screenChanged.Change(func() {
		pc.mu.Lock()
		defer pc.mu.Unlock()
		changed = pc.screen.ID != s.ID
		s.Shown = pc.number()
		pc.screen = s
		also(pc)
	})
	if changed {
		pc.Event("screen.shown", field("screen", s.ID), field("title", s.Title))
	}
}

// Ask waits for a person to press something on the cover.
func (c *Cover) Ask() (Input, error) {
	for {
		in, err := c.inputs.Get(c.w.Ctx)
		if err != nil {
			return Input{}, err
		}
		if s := c.w.Screen(); in.shown == s.Shown && s.Has(in.Button) {
			return in, nil
		}
	}
}

// Change shows another screen in the cover's place.
func (c *Cover) Change(s Screen) { c.put(s, func(*PC) {}) }

// Remove takes the cover away. What went on behind it is there.
func (c *Cover) Remove() {
	pc := c.w.PC
	if pc.dark.Load() {
		return
	}
	pc.screenChanged.Change(func() {
		pc.mu.Lock()
		defer pc.mu.Unlock()
		pc.screen, pc.cover, pc.touched = c.under, nil, pc.Clock.Now()
	})
	pc.Event("screen.shown", field("screen", c.under.ID), field("title", c.under.Title))
}

// Behind is the screen that goes on behind a cover; where there is none, what the
// PC shows.
func (pc *PC) Behind() Screen {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if pc.cover != nil {
		return pc.cover.under
	}
	return pc.screen
}

// number counts the screens. The caller holds the PC's lock.
func (pc *PC) number() int {
	pc.shown++
	return pc.shown
}

// uncover forgets a cover together with its boot.
func (pc *PC) uncover() {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	pc.cover = nil
}
