package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/onsi/ginkgo/v2"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
)

// OutVariable is the environment variable that names a folder in which specs that
// fail leave what happened, each in a folder of its own: for `windtunnel explain`
// and `windtunnel replay`.
// A relative path is the suite's own folder's.
const OutVariable = "WINDTUNNEL_OUT"

// kept are all events of a world, where somebody wants them.
type kept struct{ events []journal.Event }

func (k *kept) Write(e journal.Event) error {
	k.events = append(k.events, e)
	return nil
}

func (k *kept) Close() error { return nil }

// keep writes a failed spec's folder, with what was expected, and says which; ""
// where nobody wants one.
func (w *World) keep(expected string) (dir string, err error) {
	if w.kept == nil {
		return "", nil
	}
	text, err := scenario.Marshal(w.scenario, "")
	if err != nil {
		return "", err
	}
	name := ginkgo.CurrentSpecReport().FullText()
	switch {
	case w.Seed != w.seed: // one of several of the spec
		name += fmt.Sprintf(" [world %d]", uint64(w.Seed))
	case w.number > 1:
		name += fmt.Sprintf(" [world %d]", w.number)
	}
	dir = filepath.Join(os.Getenv(OutVariable), folderName(name))
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	folder, err := os.Getwd() // go test starts a test in its package's
	if err != nil {
		return "", err
	}
	d, err := report.Create(dir, text, report.Header{Build: sim.Build(), Home: w.home.String(), Spec: w.replay(), Folder: folder, Expected: expected})
	if err != nil {
		return "", err
	}
	for _, e := range w.kept.events {
		if err := d.Journal().Write(e); err != nil {
			return "", err
		}
	}
	return dir, d.Close()
}

// longestName is what file systems take, with room for more.
const longestName = 120

// folderName makes a folder's name of a spec's text.
func folderName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' || r == '\\' || r < ' ' || strings.ContainsRune(`:*?"<>|'`, r) {
			return '-'
		}
		return r
	}, text)
	return strings.Trim(strings.ToValidUTF8(name[:min(len(name), longestName)], ""), "-.")
}
