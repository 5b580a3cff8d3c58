package ending

import (
	"context"
	"fmt"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
)

// Outcomes of a verdict.
const (
	Success    = "success"    // it got where it was to go
	Documented = "documented" // a screen with a code, and a record in a log
	Waiting    = "endless"    // one of Windows' own endless waits
	Failure    = "FAILURE"    // a mistake of the simulation
)

// Outcomes lists them.
func Outcomes() []string { return []string{Success, Documented, Waiting, Failure} }

// Verdict is what the end of a story is worth.
type Verdict struct {
	Outcome string // of [Outcomes]
	Screen  string // that the PC shows
	Code    string // HRESULT on it, "" where there is none
	Why     string // the reason on the screen, the wait's rule, or what is wrong
}

// Judge looks at a PC whose story has just ended. succeeded is the outcome with
// which it got where it was to go; "" is any good one. The caller is an actor of
// the PC's world.
func Judge(ctx context.Context, w *sim.World, pc *device.PC, e sim.End, succeeded string) Verdict {
	v := Verdict{Screen: pc.Screen().ID, Code: e.Code}
	fail := func(format string, args ...any) Verdict {
		v.Outcome, v.Why = Failure, fmt.Sprintf(format, args...)
		return v
	}
	switch {
	case e.Outcome == succeeded, succeeded == "" && e.Good():
		v.Outcome = Success
	case e.Good():
		return fail("ended as %s", e.Outcome)
	case strings.HasPrefix(e.Outcome, "stuck("):
		wait, known := Endless(w, pc)
		if !known {
			return fail("%s, which is no wait that Windows is known for", e.Outcome)
		}
		v.Outcome, v.Why = Waiting, wait.Rule
	default:
		if why := undocumented(pc, e); why != "" {
			return fail("%s: %s", why, e.Reason)
		}
		if v.Outcome, v.Why = Documented, e.Reason; v.Screen == oobe.ScreenEULA {
			v.Why = "no Autopilot profile: set up as anybody's PC"
		}
	}
	found, err := Impossible(ctx, w, pc)
	if err != nil {
		return fail("%v", err)
	}
	if len(found) > 0 {
		return fail("impossible: %s", strings.Join(found, "; "))
	}
	return v
}

// screens are those that say what failed.
var screens = map[string]bool{oobe.ScreenFailure: true, oobe.ScreenWrong: true, oobe.ScreenSignIn: true}

// ordinarySetup is where a PC goes that could not read its Autopilot profile: it
// is set up as anybody's, and a person who knows better stops at the licence
// terms (learn.microsoft.com/autopilot/troubleshooting-faq). That page has no
// code; the log says that there is no profile, and why.
func ordinarySetup(pc *device.PC) bool {
	if pc.Screen().ID != oobe.ScreenEULA {
		return false
	}
	last := ""
	for h := range pc.History {
		if h.Kind == "autopilot.profile" {
			last = h.Text("outcome")
		}
	}
	return last == "none"
}

// undocumented is what an end on a failure's screen lacks, "" where it is one
// that is written down.
func undocumented(pc *device.PC, e sim.End) string {
	if ordinarySetup(pc) {
		return ""
	}
	if screen := pc.Screen().ID; !screens[screen] {
		return fmt.Sprintf("%s is no page that says what failed", screen)
	}
	if e.Code == "" {
		return "no code"
	}
	for h := range pc.History { // a step of setup in a code's place: OOBEIDPS
		if h.Kind == "oobe.failed" && h.Text("step") == e.Code {
			return ""
		}
	}
	code, err := hresult.Parse(e.Code)
	if err != nil || code.Name() == "" {
		return e.Code + " is no code that is written down"
	}
	for h := range pc.History {
		if strings.HasSuffix(h.Kind, ".failed") && h.Text("code") == e.Code {
			return ""
		}
	}
	return "nothing was logged about " + e.Code
}
