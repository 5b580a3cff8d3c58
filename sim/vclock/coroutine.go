package vclock

import "iter"

// coroutine runs actors, one after the other: a new actor goes on where the
// stack of one that has ended has grown already, and need not grow its own.
type coroutine struct {
	actor *actor // whom it runs; nil: nobody
	next  func() (struct{}, bool)
	stop  func()
}

// spareCoroutines is how many a clock keeps for actors to come.
const spareCoroutines = 32

// lend gives an actor that begins a coroutine.
func (v *Virtual) lend(a *actor) {
	if last := len(v.spare) - 1; last >= 0 {
		a.co, v.spare = v.spare[last], v.spare[:last]
	} else {
		a.co = &coroutine{}
		a.co.next, a.co.stop = iter.Pull(a.co.run)
	}
	a.co.actor = a
}

// run is the coroutine's body.
func (c *coroutine) run(yield func(struct{}) bool) {
	for more := true; more; more = yield(struct{}{}) {
		c.actor.run(yield)
		c.actor = nil
	}
}

// reclaim takes the coroutine of an actor that has ended back.
func (v *Virtual) reclaim(c *coroutine) {
	if len(v.spare) < spareCoroutines {
		v.spare = append(v.spare, c)
		return
	}
	c.stop()
}

// dismiss ends the coroutines that nobody needs while the clock stands.
func (v *Virtual) dismiss() {
	for _, c := range v.spare {
		c.stop()
	}
	v.spare = nil
}
