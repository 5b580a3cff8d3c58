package explain

import (
	"slices"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

// Suspect is the serial number of the PC that an account is wanted of, where
// nobody says: the run's first that failed; in the run of a spec, whose PCs have
// no stories that end, the first in which Windows says what it failed with, or
// the only one. It is "" where there is none.
func Suspect(past *report.Past) (serial string, err error) {
	if past.Summary != nil && len(past.Summary.Failures) > 0 {
		return past.Summary.Failures[0].Sample, nil
	}
	if past.Header.Spec == "" {
		return "", nil
	}
	serials, first, failed := map[string]string{}, "", ""
	err = past.Events(func(e journal.Event) bool {
		if e.Kind == "device.made" {
			serials[e.Device] = e.Text("serial")
			if first == "" {
				first = e.Text("serial")
			}
		}
		if slices.Contains(failures, e.Kind) {
			failed = serials[e.Device]
		}
		return failed == ""
	})
	if failed == "" && len(serials) == 1 {
		failed = first
	}
	return failed, err
}
