package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"windtunnel.test/sim/load/figure"
)

// SummaryName is the file of a folder that is read.
const SummaryName = "summary.json"

// run is one repeat.
type run struct {
	dir string
	figure.Summary
}

// Repeats are the folders of a folder's repeats, r1, r2 and so on, without a
// gap; none where it is a single load's.
func Repeats(dir string) (dirs []string) {
	for n := 1; ; n++ {
		of := filepath.Join(dir, "r"+strconv.Itoa(n))
		if _, err := os.Stat(filepath.Join(of, SummaryName)); err != nil {
			return dirs
		}
		dirs = append(dirs, of)
	}
}

// read reads all repeats of a side.
func read(dirs []string) (runs []run, err error) {
	if len(dirs) == 0 {
		return nil, errors.New("compare: no folder")
	}
	for _, dir := range dirs {
		of := Repeats(dir)
		if len(of) == 0 {
			of = []string{dir}
		}
		for _, d := range of {
			r := run{dir: d}
			b, err := os.ReadFile(filepath.Join(d, SummaryName))
			if errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("%s: no result of a load: there is no %s", dir, SummaryName)
			}
			if err != nil {
				return nil, err
			}
			if err := json.Unmarshal(b, &r.Summary); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Join(d, SummaryName), err)
			}
			if r.Scenario == "" || len(r.Steps) == 0 && r.Arrivals == (figure.Arrivals{}) {
				return nil, fmt.Errorf("%s: this is no summary of a load", filepath.Join(d, SummaryName))
			}
			runs = append(runs, r)
		}
	}
	return runs, nil
}

// Mismatch is why two sides are not compared.
type Mismatch struct{ What []string }

func (m *Mismatch) Error() string {
	s := "these loads can't be compared:"
	for _, w := range m.What {
		s += "\n  " + w
	}
	return s + "\n--anyway compares them nevertheless: the difference may be all theirs"
}

// mismatches looks for what should be the same in all repeats of both sides.
func mismatches(all []run) (what []string) {
	for _, k := range []struct {
		name string
		of   func(run) string
	}{
		{"scenario", func(r run) string { return short(r.Scenario) + " (" + r.Name + ")" }},
		{"build", func(r run) string { return r.Build }},
		{"machine", func(r run) string { return r.Machine.String() }},
	} {
		first := all[0]
		for _, r := range all[1:] {
			if k.of(r) != k.of(first) {
				what = append(what, fmt.Sprintf("%s: %s of %s, %s of %s", k.name, k.of(first), first.dir, k.of(r), r.dir))
				break
			}
		}
	}
	return what
}

// short is enough of a digest to tell two apart.
func short(digest string) string { return digest[:min(12, len(digest))] }

// doubts are what makes a repeat worth less.
func doubts(all []run) (lines []string) {
	for _, r := range all {
		if r.Self.LimitedBy != "" {
			lines = append(lines, fmt.Sprintf("%s was limited by the generator: %s", r.dir, r.Self.LimitedBy))
		}
		if r.Stopped != "" {
			lines = append(lines, fmt.Sprintf("%s ended before its time: %s", r.dir, r.Stopped))
		}
	}
	return lines
}
