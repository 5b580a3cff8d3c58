package invariant

import (
	"fmt"
	"strings"

	"windtunnel.test/sim"
)

// parts are those of a PC's story that follow upon others
// (learn.microsoft.com/autopilot/pre-provision).
var parts = map[string]string{"technician": "queue", "shelf": "technician"}

var storyRules = []Invariant{
	{"outcomes-are-the-fleet", "each PC has one outcome, and it is one that there is", func(l *look) string {
		ends := l.eyes.ends(l.w)
		if !strings.HasPrefix(l.Kind, "story.") && !strings.HasPrefix(l.Kind, "phase.") {
			return "" // they change at no other
		}
		if len(ends) != l.all.made {
			return fmt.Sprintf("%d outcomes of %d PCs", len(ends), l.all.made)
		}
		for _, e := range ends {
			switch {
			case e.Good(), e.Outcome == sim.FailedEnd, e.Outcome == sim.Unfinished, strings.HasPrefix(e.Outcome, "stuck("):
			default:
				return fmt.Sprintf("%s has ended as %q", e.Device, e.Outcome)
			}
		}
		return ""
	}},
	{"ends-are-final", "a story has one end, and a PC that got to its user's desktop got there", func(l *look) string {
		if l.pc == nil {
			return ""
		}
		if l.Kind == "story.ended" && l.m.ended {
			return "its story has ended before"
		}
		if l.Kind == "story.ended" && l.all.good[l.Device] && l.Text("outcome") != sim.Desktop {
			return "it was at the desktop, and ends as " + l.Text("outcome")
		}
		return ""
	}},
	{"phases-in-order", "a PC is pre-provisioned at a bench where it has waited, and lies on the shelf after that, each once", func(l *look) string {
		if l.pc == nil || l.Kind != "phase.end" {
			return ""
		}
		phase := l.Text("phase")
		if l.m.phases[phase] {
			return phase + " twice"
		}
		if before := parts[phase]; before != "" && !l.m.phases[before] {
			return fmt.Sprintf("%s without %s", phase, before)
		}
		return ""
	}},
	{"failures-have-a-reason", "a story that ends badly has a code, or a page at which somebody gave up", func(l *look) string {
		if l.pc == nil || l.Kind != "story.ended" || l.Text("outcome") == sim.Resealed || l.Text("outcome") == sim.Desktop {
			return ""
		}
		if strings.HasPrefix(l.Text("outcome"), "stuck(") || l.Text("phase") != "" {
			return ""
		}
		return "it ended as " + l.Text("outcome")
	}},
}
