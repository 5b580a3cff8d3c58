package invariant

import (
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
)

const (
	firmware = "firmware"
	stop     = "stop"
)

// after are the pages that come up only after certain others, in whatever
// flow. Whoever finds the firmware there goes on after a start where the disk
// says that the page was reached before.
var after = map[string][]string{
	oobe.ScreenLanding:   {oobe.ScreenOptions, oobe.ScreenFailure, oobe.ScreenExport, firmware},
	oobe.ScreenSuccess:   {oobe.ScreenESP, oobe.ScreenExport, firmware},
	oobe.ScreenResealing: {oobe.ScreenSuccess, firmware},
	oobe.ScreenSignOut:   {oobe.ScreenESP, oobe.ScreenLogon, firmware},
	oobe.ScreenKeyboard:  {oobe.ScreenRegion},
	oobe.ScreenRegion:    {oobe.ScreenLanguage},
}

var screenRules = []Invariant{
	{"firmware-first", "what a PC shows first after it is switched on, or restarts, is its maker's", func(l *look) string {
		if l.pc == nil || l.Kind != "screen.shown" || l.m.begun || !l.m.on || l.Text("screen") == firmware {
			return ""
		}
		return l.Text("screen") + " comes first"
	}},
	{"pages-in-order", "a page comes up only after one that leads there", func(l *look) string {
		if l.pc == nil || l.Kind != "screen.shown" {
			return ""
		}
		s := l.Text("screen")
		if may := after[s]; may != nil && !slices.Contains(may, l.m.screen) {
			return fmt.Sprintf("%s after %s", s, l.m.screen)
		}
		if l.m.screen == oobe.ScreenDesktop && (strings.HasPrefix(s, "oobe.") || strings.HasPrefix(s, "autopilot.")) {
			return s + " after the desktop, without a start between them"
		}
		if l.m.screen == stop && s != device.Off.ID && s != firmware {
			return s + " after Windows had stopped"
		}
		return ""
	}},
	{"buttons-are-there", "people press what is on the screen", func(l *look) string {
		if l.pc == nil || l.Kind != "person.pressed" {
			return ""
		}
		s := l.pc.Screen()
		if s.ID != l.Text("screen") || !s.Has(l.Text("button")) {
			return fmt.Sprintf("%q on %s, and it shows %s (%s)", l.Text("button"), l.Text("screen"), s.ID, strings.Join(s.Buttons, ", "))
		}
		return ""
	}},
	{"reseal-after-success", "a PC is resealed after Reseal was pressed on the page of success (learn.microsoft.com/autopilot/pre-provision)", func(l *look) string {
		switch {
		case l.pc == nil || l.Kind != "device.resealed":
			return ""
		case !l.m.success:
			return "it has not shown the page of success"
		case !l.m.reseal:
			return "nobody pressed Reseal"
		}
		return ""
	}},
}
