package expect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

// lastLines is how much of a story is printed.
const lastLines = 30

// matcher is a property of a PC.
type matcher struct {
	what string // as a message says it: "reach the desktop"
	fits func(pc *device.PC) (ok bool, instead string, err error)
	last string // what there was instead
}

// Match tells whether a PC, a *device.PC, is as the matcher says.
func (m *matcher) Match(actual any) (bool, error) {
	pc, ok := actual.(*device.PC)
	if !ok || pc == nil {
		return false, fmt.Errorf("want a PC to %s, have a %T", m.what, actual)
	}
	var err error
	ok, m.last, err = m.fits(pc)
	return ok, err
}

// FailureMessage says what was expected, what was there instead, and how it came.
func (m *matcher) FailureMessage(actual any) string { return m.message(actual, "to ") }

// NegatedFailureMessage does so where it was not to be.
func (m *matcher) NegatedFailureMessage(actual any) string { return m.message(actual, "not to ") }

func (m *matcher) message(actual any, to string) string {
	pc := actual.(*device.PC) // Match has looked
	var b strings.Builder
	fmt.Fprintf(&b, "Expected %s (%s) %s%s", pc.Name, pc.Hardware.Serial, to, m.what)
	if m.last != "" {
		fmt.Fprintf(&b, ", but %s", m.last)
	}
	b.WriteString(".\n\n")
	own, services := split(pc)
	var since time.Time
	for e := range pc.History {
		since = e.Time
		break
	}
	tell(&b, report.OfPC, own, report.TimelineOptions{Detail: report.Story, Since: since})
	tell(&b, "What services wrote about it:", services, report.TimelineOptions{Detail: report.Everything, Since: since})
	fmt.Fprintf(&b, "On its screen:\n%s", pc.Screen())
	return b.String()
}

// tell prints the last lines of some events.
func tell(b *strings.Builder, title string, events []journal.Event, o report.TimelineOptions) {
	fmt.Fprintf(b, "%s\n%s\n", title, report.Last(events, lastLines, o))
}

// ofServices are the kinds of events that services record, or the beginnings of
// their names.
var ofServices = []string{
	journal.Refused, "ztd.", "msa.ticket.issued", "aik.certificate.issued", "aik.key.certified", "entra.device.", "entra.user.", "entra.prt.", "autopilot.imported", "autopilot.profile.assigned",
	"autopilot.sync.", "mdm.device.", "mdm.enrolled.server", "mdm.session.server", "mdm.session.ended", "mdm.compliance.", "mdm.action.", "mdm.renewed.server", "ime.certificate.issued",
	"ime.apps.selected", "ime.content.located", "ime.app.reported", "ime.scripts.selected", "ime.script.reported", "scep.", "odj.", "health.report", "intune.",
}

// split parts a PC's events into its own and those of services.
func split(pc *device.PC) (own, services []journal.Event) {
	for e := range pc.History {
		if slices.ContainsFunc(ofServices, func(kind string) bool { return strings.HasPrefix(e.Kind, kind) }) {
			services = append(services, e)
		} else {
			own = append(own, e)
		}
	}
	return own, services
}

// happened is a matcher for an event that fits. instead, which may be nil, tells
// from all events what there was in its place.
func happened(what string, fits func(e journal.Event) bool, instead func(events []journal.Event) string) *matcher {
	return &matcher{what: what, fits: func(pc *device.PC) (bool, string, error) {
		var events []journal.Event
		for e := range pc.History {
			if fits(e) {
				return true, "it did: " + e.String(), nil
			}
			events = append(events, e)
		}
		if instead == nil {
			return false, "", nil
		}
		return false, instead(events), nil
	}}
}

// lastOf is the last event of a kind, as a text; otherwise none.
func lastOf(kind, none string) func([]journal.Event) string {
	return func(events []journal.Event) string {
		for _, e := range slices.Backward(events) {
			if e.Kind == kind {
				return "the last was " + e.String()
			}
		}
		return none
	}
}

// known is happened by a word that there is: what err says of another would hold
// in its negative form, whatever happens.
func known(err error, what string, fits func(e journal.Event) bool, instead func(events []journal.Event) string) *matcher {
	m := happened(what, fits, instead)
	if err != nil {
		m.fits = func(*device.PC) (bool, string, error) { return false, "", err }
	}
	return m
}
