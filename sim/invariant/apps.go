package invariant

import (
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/sim/device"
)

// appWays are what may become of an app (EnrollmentStatusTracking CSP,
// InstallationState); "" is one that was not seen yet. What failed, and what was
// uninstalled, is tried again.
var appWays = map[string][]string{
	"":             {"NotInstalled", "InProgress", "Completed", "Error"},
	"NotInstalled": {"InProgress", "Completed", "Error"},
	"InProgress":   {"Completed", "Error", "NotInstalled"},
	"Completed":    {"InProgress", "NotInstalled", "Error"},
	"Error":        {"InProgress", "NotInstalled", "Completed"},
}

var appRules = []Invariant{
	{"one-installer", "Windows Installer's lock has one owner", func(l *look) string {
		if l.pc == nil {
			return ""
		}
		owners := l.eyes.installing(l.pc)
		if len(owners) > 1 {
			return strings.Join(owners, " and ") + " have it"
		}
		return ""
	}},
	{"installer-needs-power", "an installer ends with the Windows that it runs in", func(l *look) string {
		if l.pc == nil || l.Kind != "device.power.on" {
			return ""
		}
		if owners := l.eyes.installing(l.pc); len(owners) > 0 {
			return owners[0] + " goes on after the end of its boot"
		}
		return ""
	}},
	{"apps-step-by-step", "an app goes from one of its states to a next one", func(l *look) string {
		if l.pc == nil || l.Kind != "app.install" {
			return ""
		}
		was, is := l.m.apps[l.Text("app")], l.Text("state")
		if !slices.Contains(appWays[was], is) {
			return fmt.Sprintf("%s is %s after %q", l.Text("app"), is, was)
		}
		return ""
	}},
	{"apps-in-their-phase", "apps are installed on a PC that is enrolled, by the management extension that is there, those of a user once the user has signed in", func(l *look) string {
		if l.pc == nil || l.Kind != "app.install" || l.Text("state") != "InProgress" {
			return ""
		}
		r := l.pc.Disk.Registry
		switch {
		case r.String(device.KeyEnrollments, "Current") == "":
			return l.Text("app") + " on a PC that is not enrolled"
		case !r.Has(device.KeyServices + `\` + device.ServiceIME):
			return l.Text("app") + " without the management extension"
		case l.m.category[categories[0]] == inProgress && !l.m.resealed: // later the extension is there before
			return l.Text("app") + " while the device is being prepared"
		case l.all.apps[l.Text("app")] && (l.m.account == "" || r.String(device.KeyOOBE, "UserSID") == ""):
			return l.Text("app") + " of a user, and nobody has signed in"
		}
		return ""
	}},
}
