package walk

import (
	"context"
	"fmt"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/ending"
	"windtunnel.test/sim/hresult"
)

// Outcomes of a life in which something failed.
const (
	Success    = "success"    // it got where it was to go
	Documented = "documented" // a screen with a code, and a record in a log
	Endless    = "endless"    // one of Windows' own endless waits
	Failure    = "FAILURE"    // a mistake of the simulation
)

// Outcomes lists them.
func Outcomes() []string { return []string{Success, Documented, Endless, Failure} }

// verdict is how a life ended.
type verdict struct {
	outcome, screen, code, why string
}

// judge looks at a PC whose story has just ended.
func judge(ctx context.Context, w *sim.World, pc *device.PC, e sim.End, succeeded string) verdict {
	v := verdict{screen: pc.Screen().ID, code: e.Code}
	fail := func(format string, args ...any) verdict {
		v.outcome, v.why = Failure, fmt.Sprintf(format, args...)
		return v
	}
	switch {
	case e.Outcome == succeeded:
		v.outcome = Success
	case e.Good():
		return fail("ended as %s", e.Outcome)
	case strings.HasPrefix(e.Outcome, "stuck("):
		wait, known := ending.Endless(w, pc)
		if !known {
			return fail("%s, which is no wait that Windows is known for", e.Outcome)
		}
		v.outcome, v.why = Endless, wait.Rule
	default:
		if why := undocumented(pc, e); why != "" {
			return fail("%s: %s", why, e.Reason)
		}
		if v.outcome, v.why = Documented, e.Reason; v.screen == oobe.ScreenEULA {
			v.why = "no Autopilot profile: set up as anybody's PC"
		}
	}
	found, err := ending.Impossible(ctx, w, pc)
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
