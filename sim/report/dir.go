package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
)

// Names in a run's folder.
const (
	ScenarioName = "scenario.yaml"
	JournalName  = "journal.jsonl.zst"
	SummaryName  = "summary.json"
	PageName     = "report.html"
	DevicesName  = "devices"
	ShrunkName   = "shrunk.yaml" // that `windtunnel shrink` writes
	timelineName = "timeline.txt"
)

// mark is how scenario.yaml begins in a folder of ours.
const mark = "# windtunnel: the scenario of this run, resolved."

// Dir is the folder that a run leaves behind. What is in it when a run is
// killed can be read: the scenario is written first, the journal as it
// happens, and the others whole or not at all.
type Dir struct {
	path    string
	file    *os.File
	journal *journal.FileSink
	remains *remains
}

// Header is what the head of scenario.yaml tells about the run, besides the
// scenario itself.
type Header struct {
	Build string // sim.Build of the binary
	Home  string // as --home takes it
	// Spec is the command that runs the spec again whose folder it is; "" for a
	// scenario's run. Folder is where, and Expected what was not met, in one line.
	Spec, Folder, Expected string
}

// Create makes the folder for a run, or empties that of an earlier run, and
// writes the resolved scenario into it.
func Create(path string, scenario []byte, h Header) (*Dir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if err := empty(path); err != nil {
		return nil, fmt.Errorf("output: %s: %w", path, err)
	}
	d := &Dir{path: path}
	again := "# Again: windtunnel replay " + Quote(path)
	if h.Spec != "" {
		again = "# folder: " + strings.ReplaceAll(h.Folder, "\n", " ") + "\n# expected: " + oneLine(h.Expected) + "\n# spec: " + strings.ReplaceAll(h.Spec, "\n", " ")
	}
	head := fmt.Sprintf("%s\n# build: %s\n# home: %s\n%s\n\n", mark, oneLine(h.Build), oneLine(h.Home), again)
	if err := d.write(ScenarioName, append([]byte(head), scenario...)); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(path, JournalName))
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	sink, err := journal.NewFileSink(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("output: %w", err), f.Close())
	}
	d.file, d.journal = f, sink
	if d.remains, err = createRemains(filepath.Join(path, RemainsName)); err != nil {
		return nil, errors.Join(fmt.Errorf("output: %w", err), d.Close())
	}
	return d, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Journal takes the run's events. Dir closes it.
func (d *Dir) Journal() journal.Sink { return d.journal }

// Finish writes what is known at a run's end, and closes the journal:
// summary.json, and a timeline for each of the samples. It is called once,
// also for a run that was interrupted.
func (d *Dir) Finish(s *sim.Summary, timelines map[string][]journal.Event) error {
	errs := []error{d.Close()}
	for serial, events := range timelines {
		var text bytes.Buffer
		if err := Timeline(&text, events, TimelineOptions{Title: serial, Detail: Everything}); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, d.write(filepath.Join(DevicesName, fileName(serial), timelineName), text.Bytes()))
	}
	b, err := s.JSON()
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	return errors.Join(append(errs, d.write(SummaryName, b))...)
}

// Put puts another file into the folder.
func (d *Dir) Put(name string, content []byte) error { return d.write(name, content) }

// fileName keeps a serial number from naming another folder.
func fileName(serial string) string {
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, serial)
	if name == "" || strings.HasPrefix(name, ".") {
		return "_" + name
	}
	return name
}

// Close ends the journal's file. It may be called again.
func (d *Dir) Close() error {
	if d.file == nil {
		return nil
	}
	err := errors.Join(d.journal.Close(), d.file.Close())
	if d.remains != nil {
		err = errors.Join(err, d.remains.close())
	}
	d.file = nil
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// write puts a file in place whole or not at all.
func (d *Dir) write(name string, content []byte) error {
	path := filepath.Join(d.path, name)
	if err := writeFile(path, content); err != nil {
		return fmt.Errorf("output: %s: %w", name, err)
	}
	return nil
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), temporary+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
