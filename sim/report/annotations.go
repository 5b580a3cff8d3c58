package report

import (
	"fmt"
	"io"
	"strings"

	"windtunnel.test/sim"
)

// Annotations writes what was missed as workflow commands, which GitHub shows
// beside the lines of the scenario's file (docs.github.com, "Workflow commands
// for GitHub Actions", error messages). file is the scenario's; "" for one that
// is in no file.
func Annotations(w io.Writer, s *sim.Summary, file string) error {
	for _, x := range s.Expectations {
		if x.Met || s.Interrupted {
			continue
		}
		place := ""
		if file != "" && x.Line > 0 {
			place = fmt.Sprintf("file=%s,line=%d,", inProperty.Replace(file), x.Line)
		}
		text := x.Text
		if x.Evidence != "" {
			text += "\n" + x.Evidence
		}
		if _, err := fmt.Fprintf(w, "::error %stitle=%s::%s\n", place, inProperty.Replace("Missed: "+x.Expected), inData.Replace(text)); err != nil {
			return fmt.Errorf("annotations: %w", err)
		}
	}
	return nil
}

// What ends a command or a part of one.
var (
	inData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	inProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
