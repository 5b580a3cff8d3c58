package invariant

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
)

// ofWindows are the kinds of events that only a PC with power brings about, by
// how they begin.
var ofWindows = []string{"http.", "tpm.", "esp.", "app.", "msi.", "policy.", "mdm.session", "mdm.enrolled", "log.line", "eventlog", "logon", "prt.", "token.", "aik.challenge", "aik.certificate", "product.", "script.", "desktop.", "msa.ticket", "autopilot.profile", "entra.join"}

// byServices are those of the services that begin like one of a PC.
var byServices = []string{"mdm.session.ended", "mdm.session.server", "mdm.enrolled.server", "msa.ticket.issued", "aik.certificate.issued", "autopilot.profile.assigned", "autopilot.profile.withheld"}

func windows(kind string) bool {
	for _, k := range byServices {
		if kind == k {
			return false
		}
	}
	for _, k := range ofWindows {
		if strings.HasPrefix(kind, k) {
			return true
		}
	}
	return false
}

var powerRules = []Invariant{
	{"time-goes-on", "events come in the order of their times, and none is left out", func(l *look) string {
		switch {
		case l.Time.Before(l.all.last):
			return fmt.Sprintf("%s is before %s", l.Time, l.all.last)
		case l.all.seq != 0 && l.Seq != l.all.seq+1:
			return fmt.Sprintf("event %d after %d", l.Seq, l.all.seq)
		}
		return ""
	}},
	{"off-is-off", "a PC that is off does nothing: it asks nobody, and gives its TPM no command", func(l *look) string {
		if l.pc == nil || !windows(l.Kind) || !l.eyes.dark(l.pc) && l.m.on {
			return ""
		}
		return l.Kind + " of a PC that is off"
	}},
	{"off-is-dark", "a PC without power shows nothing", func(l *look) string {
		if l.pc == nil || !l.eyes.dark(l.pc) || l.Kind == "device.power.off" || l.Text("operation") == "device.power.off" {
			return "" // on, or just going out
		}
		if s := l.pc.Screen().ID; s != device.Off.ID {
			return "it shows " + s
		}
		return ""
	}},
	{"starts-are-counted", "a PC starts when it is off or restarts, and each start is the next", func(l *look) string {
		if l.pc == nil || l.Kind != "device.power.on" {
			return ""
		}
		if l.m.on {
			return "it starts, and it is on"
		}
		if boot, _ := l.Get("boot"); boot != l.m.boots+1 {
			return fmt.Sprintf("start %v after start %d", boot, l.m.boots)
		}
		return ""
	}},
	{"tpm-starts-first", "the first command that a TPM gets after power-on is TPM2_Startup (TPM 2.0 part 3, 9.3)", func(l *look) string {
		if l.pc == nil || l.Kind != "tpm.command" || l.m.started || l.Text("operation") == "TPM2_Startup" {
			return ""
		}
		return "it is " + l.Text("operation")
	}},
	{"requests-are-counted", "each request of a PC has a number of its own", func(l *look) string {
		if l.pc != nil && l.Kind == "http.request" && l.m.n[l.Text("n")] {
			return "request " + l.Text("n") + " twice"
		}
		return ""
	}},
	{"disk-has-an-end", "nothing is written to a disk that is full", func(l *look) string {
		if l.pc == nil {
			return ""
		}
		if n := l.eyes.room(l.pc); n < 0 {
			return fmt.Sprintf("%d bytes more than there is room for", -n)
		}
		return ""
	}},
}
