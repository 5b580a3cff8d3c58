package vclock

import (
	"bytes"
	"fmt"
	"runtime"
	"time"
)

// watch starts the watchdog, which lives in real time: when the loop makes no
// step for a while it says in whose hands it is. The returned function ends it.
func (v *Virtual) watch() (unwatch func()) {
	if v.watchdog < 0 {
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		v.guard(quit)
	}()
	return func() {
		close(quit)
		<-gone
	}
}

func (v *Virtual) guard(quit <-chan struct{}) {
	tick := time.NewTicker(max(v.watchdog/8, time.Millisecond))
	defer tick.Stop()
	var reported uint64
	last, since := v.steps.Load(), time.Now()
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		step := v.steps.Load()
		if step != last {
			last, since = step, time.Now()
			continue
		}
		a := v.running.Load()
		if a == nil || step == reported || time.Since(since) < v.watchdog {
			continue
		}
		reported = step
		v.complain(a)
	}
}

// complain names the actor and prints the goroutines that it may hang in.
func (v *Virtual) complain(a *actor) {
	does := "has been blocking outside the clock"
	if v.awaiting.Load() {
		does = "has been waiting for offloaded work"
	}
	_, _ = fmt.Fprintf(v.log, "vclock: actor %q %s for %s, at %s of virtual time\n%s\n",
		a.name, does, v.watchdog, v.Now().Format(time.RFC3339Nano), busyStacks())
}

// busyStacks is the stacks of the goroutines that run an actor or offloaded work
// at this moment. Those of parked actors say that they are coroutines at rest.
// An actor that lends itself to foreign goroutines hangs in one of those, so
// then all are shown.
func busyStacks() []byte {
	var busy, awake [][]byte
	lent := false
	for stack := range bytes.SplitSeq(allStacks(), []byte("\n\n")) {
		head, body, _ := bytes.Cut(stack, []byte("\n"))
		if bytes.Contains(head, []byte("[coroutine")) {
			continue
		}
		awake = append(awake, stack)
		if bytes.Contains(body, []byte("vclock.(*actor).run(")) || bytes.Contains(body, []byte("vclock.(*offload).run(")) {
			busy = append(busy, stack)
			lent = lent || bytes.Contains(body, []byte("vclock.(*surrogate).run("))
		}
	}
	if lent {
		busy = awake
	}
	return bytes.Join(busy, []byte("\n\n"))
}

func allStacks() []byte {
	for size := 1 << 20; ; size *= 4 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return buf[:n]
		}
	}
}
