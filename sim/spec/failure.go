package spec

import (
	"bytes"
	"fmt"
	"regexp"

	. "github.com/onsi/ginkgo/v2"

	"windtunnel.test/sim/report"
)

// lastEvents is how many lines of a PC's timeline a failed spec prints.
const lastEvents = 30

// explain adds to a failed spec's report what somebody needs who was not there.
func (w *World) explain() {
	var b bytes.Buffer
	for _, pc := range w.PCs {
		events := w.Timeline.Timeline(pc.Name)
		events = events[max(0, len(events)-lastEvents):]
		if err := report.Timeline(&b, events, report.TimelineOptions{Title: "The last of " + pc.Name + " (" + pc.Hardware.Serial + ")", Detail: report.Everything}); err != nil {
			fmt.Fprintln(&b, err)
		}
		fmt.Fprintf(&b, "\n%s\n", pc.Screen())
	}
	fmt.Fprintf(&b, "Again: %s\n", w.replay())
	AddReportEntry("What happened", b.String(), ReportEntryVisibilityFailureOrVerbose)
}

// replay is the command that runs the spec again as it was.
func (w *World) replay() string {
	return fmt.Sprintf("%s=%d go test ./scenarios/... -ginkgo.focus '%s'", SeedVariable, uint64(w.seed), regexp.QuoteMeta(CurrentSpecReport().FullText()))
}
