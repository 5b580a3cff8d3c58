package spec

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

// lastLines is how many lines of a PC's timeline a failed spec prints.
const lastLines = 30

// explain adds to a failed spec's report what somebody needs who was not there.
func (w *World) explain() {
	var b strings.Builder
	r := ginkgo.CurrentSpecReport()
	message, _, told := strings.Cut(strings.TrimRight(r.Failure.Message, "\n"), "\n\n"+report.OfPC)
	fmt.Fprintf(&b, "Expected at %s:%d\n%s\n\n", path.Base(r.Failure.Location.FileName), r.Failure.Location.LineNumber, message)
	for _, pc := range w.PCs {
		if told && strings.Contains(message, pc.Name+" ("+pc.Hardware.Serial+")") {
			continue // the message shows it, and the services' journal beside it
		}
		timeline := report.Last(w.Events(pc), lastLines, report.TimelineOptions{Detail: report.Story})
		fmt.Fprintf(&b, "The last of %s (%s)\n%s\n%s\n", pc.Name, pc.Hardware.Serial, timeline, pc.Screen())
	}
	b.WriteString(w.firedRules())
	switch dir, err := w.keep(fmt.Sprintf("%s:%d: %s", path.Base(r.Failure.Location.FileName), r.Failure.Location.LineNumber, message)); {
	case err != nil:
		fmt.Fprintf(&b, "Not kept: %v\n", err)
	case dir != "":
		fmt.Fprintf(&b, "Kept: windtunnel explain %s --device %s\n", report.Quote(dir), w.suspect())
	}
	fmt.Fprintf(&b, "Again: %s\n", w.replay())
	ginkgo.AddReportEntry("What happened", b.String(), ginkgo.ReportEntryVisibilityFailureOrVerbose)
}

// suspect is the PC that a failure is probably about: the last one made.
func (w *World) suspect() string {
	if len(w.PCs) == 0 {
		return "none"
	}
	return w.PCs[len(w.PCs)-1].Name
}

// firedRules lists the fault rules that fired, in the order in which they first
// did; "" for a world without rules.
func (w *World) firedRules() string {
	if len(w.faults) == 0 {
		return ""
	}
	times, first, order := map[string]int{}, map[string]journal.Event{}, []string{}
	for _, e := range w.fired() {
		rule := e.Text("rule")
		if times[rule]++; times[rule] == 1 {
			first[rule] = e
			order = append(order, rule)
		}
	}
	var b strings.Builder
	b.WriteString("Fault rules that fired\n")
	for _, rule := range order {
		e := first[rule]
		fmt.Fprintf(&b, "  %s: %d times, first at %s: %s", rule, times[rule], e.Time.Format("15:04:05"), e.Text("action"))
		for _, field := range []string{"operation", "host"} {
			if v := e.Text(field); v != "" {
				fmt.Fprintf(&b, ", %s %s", field, v)
			}
		}
		fmt.Fprintf(&b, ", %s\n", cmp.Or(e.Device, "no PC"))
	}
	if len(order) == 0 {
		fmt.Fprintf(&b, "  none of the %d\n", len(w.faults))
	}
	return b.String() + "\n"
}

// fired are the moments at which a fault rule fired, of all PCs.
func (w *World) fired() (list []journal.Event) {
	names := []string{""}
	for _, pc := range w.PCs {
		names = append(names, pc.Name)
	}
	for _, name := range names {
		list = append(list, w.EventsOf(name, fault.Fired)...)
	}
	slices.SortStableFunc(list, func(a, b journal.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return list
}

// replay is the command that runs the spec again as it was.
func (w *World) replay() string { return replayOf(ginkgo.CurrentSpecReport(), uint64(w.seed)) }

// replayOf is the command that runs one spec with one seed.
func replayOf(r ginkgo.SpecReport, seed uint64) string {
	return report.SpecCommand{Seed: seed, Package: suite(), Focus: regexp.QuoteMeta(bare(r.FullText())) + "$"}.String()
}

// suite is the running suite's package as go test takes it, wherever in its
// module that is called.
func suite() string {
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasSuffix(info.Path, ".test") {
		return strings.TrimSuffix(info.Path, ".test")
	}
	return "." // in its own folder
}

// Failed fails the spec with a message, unless it is empty.
func (w *World) Failed(message string) {
	ginkgo.GinkgoHelper()
	if message != "" {
		ginkgo.Fail(message)
	}
}
