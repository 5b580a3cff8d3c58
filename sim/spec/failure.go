package spec

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"

	"windtunnel.test/sim/report"
)

// lastLines is how many lines of a PC's timeline a failed spec prints.
const lastLines = 30

// explain adds to a failed spec's report what somebody needs who was not there.
func (w *World) explain() {
	var b strings.Builder
	for _, pc := range w.PCs {
		var timeline strings.Builder
		if err := report.Timeline(&timeline, w.Events(pc), report.TimelineOptions{Detail: report.Story}); err != nil {
			fmt.Fprintln(&timeline, err)
		}
		lines := slices.Collect(strings.Lines(timeline.String()))
		fmt.Fprintf(&b, "The last of %s (%s)\n%s\n%s\n", pc.Name, pc.Hardware.Serial, strings.Join(lines[max(0, len(lines)-lastLines):], ""), pc.Screen())
	}
	fmt.Fprintf(&b, "Again: %s\n", w.replay())
	ginkgo.AddReportEntry("What happened", b.String(), ginkgo.ReportEntryVisibilityFailureOrVerbose)
}

// replay is the command that runs the spec again as it was.
func (w *World) replay() string {
	r := ginkgo.CurrentSpecReport()
	return fmt.Sprintf("%s=%d go test %s -ginkgo.focus %s", SeedVariable, uint64(w.seed), folder(r.LeafNodeLocation.FileName), quote(regexp.QuoteMeta(r.FullText())))
}

// folder is the suite's folder as it is called from the repository's root; a
// suite elsewhere is run in its own.
func folder(file string) string {
	if i := strings.LastIndex(file, "/scenarios/"); i >= 0 {
		return "." + path.Dir(file[i:])
	}
	return "."
}

// quote makes one word of a text, for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
