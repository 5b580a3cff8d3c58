package expect

import (
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/report"
)

// World lets virtual time pass: a *spec.World.
type World interface {
	// Wait lets so much time pass.
	Wait(d time.Duration)
	// Failed fails the spec with a message, unless it is empty.
	Failed(message string)
}

// Defaults of Eventually and Consistently, in virtual time.
const (
	Patience = time.Hour
	Probe    = time.Second
)

// Async looks at a PC again and again while virtual time passes.
type Async struct {
	w      World
	pc     *device.PC
	within time.Duration
	probe  time.Duration
	always bool
}

// Eventually succeeds as soon as the PC is as wanted, within an hour of virtual
// time unless Within says otherwise. It looks every second.
func Eventually(w World, pc *device.PC) *Async {
	return &Async{w: w, pc: pc, within: Patience, probe: Probe}
}

// Consistently succeeds where the PC is as wanted all the time.
func Consistently(w World, pc *device.PC) *Async {
	a := Eventually(w, pc)
	a.always = true
	return a
}

// Within says for how long.
func (a *Async) Within(d time.Duration) *Async { a.within = d; return a }

// ProbeEvery says how often it looks.
func (a *Async) ProbeEvery(d time.Duration) *Async { a.probe = max(d, time.Millisecond); return a }

// Should waits for a matcher to succeed.
func (a *Async) Should(m types.GomegaMatcher) {
	ginkgo.GinkgoHelper()
	a.w.Failed(a.look(m, true))
}

// ShouldNot waits for it not to.
func (a *Async) ShouldNot(m types.GomegaMatcher) {
	ginkgo.GinkgoHelper()
	a.w.Failed(a.look(m, false))
}

// look gives the failure's message, "" for none.
func (a *Async) look(m types.GomegaMatcher, want bool) string {
	for past := time.Duration(0); ; past += a.probe {
		ok, err := m.Match(a.pc)
		switch {
		case err != nil:
			return err.Error()
		case ok == want && !a.always:
			return ""
		case ok != want && a.always:
			return fmt.Sprintf("After %s of virtual time: %s", report.Duration(past), said(m, a.pc, want))
		}
		if past >= a.within {
			break
		}
		a.w.Wait(min(a.probe, a.within-past))
	}
	if a.always {
		return ""
	}
	return fmt.Sprintf("Within %s of virtual time: %s", report.Duration(a.within), said(m, a.pc, want))
}

func said(m types.GomegaMatcher, pc *device.PC, want bool) string {
	if want {
		return m.FailureMessage(pc)
	}
	return m.NegatedFailureMessage(pc)
}
