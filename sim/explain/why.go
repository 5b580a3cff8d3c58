package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
)

// grounds are what the journal and the scenario have to say about the end, the
// nearest to it first.
func (c *collector) grounds(scene *scenario.Scenario) (list []Ground) {
	list = append(list, c.reason()...)
	list = append(list, c.refusals()...)
	list = append(list, c.faults()...)
	list = append(list, c.requests()...)
	list = append(list, c.settings(scene)...)
	return append(list, c.log()...)
}

// failures are the kinds of events in which Windows says what it has failed with.
var failures = []string{"autopilot.failed", "user.failed", "domain.timeout", "enrolment.failed", "device.stopped"}

// reason is what Windows itself says.
func (c *collector) reason() []Ground {
	for _, e := range slices.Backward(c.events) {
		if slices.Contains(failures, e.Kind) {
			return []Ground{{"reason", cmp.Or(e.Text("error"), report.Sentence(e)), e.Time}}
		}
	}
	return nil
}

// refusals is the last check by which each service refused the PC: the one that
// the end was decided by, where it was one, comes first.
func (c *collector) refusals() (list []Ground) {
	seen := map[string]bool{}
	for _, e := range slices.Backward(c.events) {
		if e.Kind != journal.Refused || seen[e.Text("service")+e.Text("operation")] || c.after(e) {
			continue
		}
		seen[e.Text("service")+e.Text("operation")] = true
		text := fmt.Sprintf("%s %s refuses: %s", e.Text("service"), e.Text("operation"), e.Text("check"))
		if code := e.Text("code"); code != "" {
			text += ", " + report.CodeName(code)
		}
		list = append(list, Ground{"refusal", text, e.Time})
	}
	return list[:min(len(list), some)]
}

// some is how many grounds of a kind are told.
const some = 4

func (c *collector) after(e journal.Event) bool { return c.ended != nil && e.Time.After(c.ended.Time) }

// counted puts like things together, the last of which came last.
type counted struct {
	text string
	n    int
	at   time.Time
}

func tally(list []counted, text string, at time.Time) []counted {
	i := slices.IndexFunc(list, func(x counted) bool { return x.text == text })
	if i < 0 {
		return append(list, counted{text, 1, at})
	}
	list[i].n++
	list[i].at = at
	return list
}

func grounds(kind string, list []counted) (out []Ground) {
	slices.SortStableFunc(list, func(a, b counted) int { return b.at.Compare(a.at) })
	for _, x := range list[:min(len(list), some)] {
		text := x.text
		if x.n > 1 {
			text += fmt.Sprintf(", %d times", x.n)
		}
		out = append(out, Ground{kind, text, x.at})
	}
	return out
}

func (c *collector) faults() []Ground {
	var list []counted
	for _, e := range c.events {
		if e.Kind != fault.Fired || c.after(e) {
			continue
		}
		text := fmt.Sprintf("rule %q: %s", e.Text("rule"), e.Text("action"))
		for _, field := range []string{"operation", "host"} {
			if v := e.Text(field); v != "" {
				text += " at " + v
				break
			}
		}
		list = tally(list, text, e.Time)
	}
	return grounds("fault", list)
}

// requests are those that came to nothing, and after which the same was not
// answered.
func (c *collector) requests() []Ground {
	var list []counted
	for _, e := range c.events {
		if e.Kind != "http.request" || c.after(e) {
			continue
		}
		to := e.Text("host") + " " + e.Text("operation")
		status := e.Text("status")
		if status != "0" && status < "400" {
			list = slices.DeleteFunc(list, func(x counted) bool { return strings.HasPrefix(x.text, to+":") })
			continue
		}
		text := to + ": HTTP " + status
		if status == "0" {
			text = to + ": no answer"
		}
		if code := e.Text("code"); code != "" {
			text += ", " + report.CodeName(code)
		}
		list = tally(list, text, e.Time)
	}
	return grounds("request", list)
}

// log is what Windows' event logs say last of what is wrong.
func (c *collector) log() []Ground {
	var list []counted
	for _, e := range c.events {
		if level := e.Text("level"); e.Kind != "eventlog" || level != "Error" && level != "Warning" && level != "Critical" || c.after(e) {
			continue
		}
		list = tally(list, fmt.Sprintf("%s, event %s: %s", e.Text("channel"), e.Text("id"), e.Text("message")), e.Time)
	}
	return grounds("log", list)
}
