package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"windtunnel.test/sim/load/compare"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/report"
)

// Names in a load's folder, besides those of its histograms and repeats.
const (
	seriesName = "series.jsonl"
	reportName = "report.html"
)

// loadMark is how scenario.yaml begins in a folder of ours.
const loadMark = "# windtunnel: the scenario of this load, resolved."

var repeatDir = regexp.MustCompile(`^r[1-9][0-9]*$`)

// loadDir is the folder that a load leaves behind. What is in it when a load is
// killed can be read: each second is written as it ends, and the others whole.
type loadDir struct {
	path   string
	series *os.File
}

// createLoadDir makes the folder, or empties that of an earlier load.
func createLoadDir(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return inputErrorf("output: %w", err)
	}
	files, err := loadLeftovers(path, true)
	if err != nil {
		return inputErrorf("output: %s: %w", path, err)
	}
	for _, name := range files {
		if err := os.Remove(name); err != nil {
			return inputErrorf("output: %w", err)
		}
	}
	return nil
}

// errForeign says that a folder has content that no load has left there.
var errForeign = errors.New("the folder is not empty and what is in it is not an earlier load's; nothing was changed")

// loadLeftovers lists what an earlier load has left, what is inside first.
func loadLeftovers(path string, top bool) (files []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	head, err := os.ReadFile(filepath.Join(path, report.ScenarioName))
	if err != nil || !bytes.HasPrefix(head, []byte(loadMark)) {
		return nil, errForeign
	}
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		switch {
		case e.IsDir() && top && repeatDir.MatchString(e.Name()):
			of, err := loadLeftovers(name, false)
			if err != nil {
				return nil, err
			}
			files = append(append(files, of...), name)
		case e.Type().IsRegular() && isLoadFile(e.Name()):
			files = append(files, name)
		default:
			return nil, errForeign
		}
	}
	return files, nil
}

func isLoadFile(name string) bool {
	switch name {
	case report.ScenarioName, seriesName, compare.SummaryName, reportName:
		return true
	}
	return filepath.Ext(name) == ".hgrm"
}

// openLoadDir writes the scenario into a folder and opens its series. A folder
// of repeats has none of its own.
func openLoadDir(path string, text []byte, again string, series bool) (*loadDir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, inputErrorf("output: %w", err)
	}
	head := fmt.Sprintf("%s\n# build: %s\n# Again: %s\n\n", loadMark, build(), again)
	if err := os.WriteFile(filepath.Join(path, report.ScenarioName), append([]byte(head), text...), 0o644); err != nil {
		return nil, inputErrorf("output: %w", err)
	}
	d := &loadDir{path: path}
	if series {
		f, err := os.Create(filepath.Join(path, seriesName))
		if err != nil {
			return nil, inputErrorf("output: %w", err)
		}
		d.series = f
	}
	return d, nil
}

// second writes a second, so that it is there whatever happens next.
func (d *loadDir) second(s figure.Second) error {
	if d == nil || d.series == nil {
		return nil
	}
	return figure.WriteSecond(d.series, s) // unbuffered: one write
}

// finish writes what is known at the end.
func (d *loadDir) finish(done *performed) error {
	if d == nil {
		return nil
	}
	var errs []error
	if d.series != nil {
		errs = append(errs, d.series.Close())
	}
	b, err := done.JSON()
	if err == nil {
		err = os.WriteFile(filepath.Join(d.path, compare.SummaryName), b, 0o644)
	}
	errs = append(errs, err, done.recorder.WriteHGRMs(d.path), d.page(done))
	return errors.Join(errs...)
}

// page writes report.html.
func (d *loadDir) page(done *performed) error {
	f, err := os.Create(filepath.Join(d.path, reportName))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	return errors.Join(done.page(w), w.Flush(), f.Close())
}
