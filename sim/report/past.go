package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"windtunnel.test/sim"
)

// Past is the folder of an earlier run, for reading.
type Past struct {
	Path     string
	Scenario string // path of the resolved scenario
	Header   Header
	Summary  *sim.Summary // nil where the run was killed before it could write one
}

// Open reads what a run has left. Its journal is read by Recording.
func Open(path string) (*Past, error) {
	p := &Past{Path: path, Scenario: filepath.Join(path, ScenarioName)}
	text, err := os.ReadFile(p.Scenario)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no %s: give the folder that `windtunnel run --out` has made", path, ScenarioName)
	}
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		comment, ok := strings.CutPrefix(line, "# ")
		if !ok {
			break
		}
		switch key, value, _ := strings.Cut(strings.TrimRight(comment, "\r\n"), ": "); key {
		case "build":
			p.Header.Build = value
		case "home":
			p.Header.Home = value
		case "spec":
			p.Header.Spec = value
		case "expected":
			p.Header.Expected = value
		case "folder":
			p.Header.Folder = value
		}
	}
	b, err := os.ReadFile(filepath.Join(path, SummaryName))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		p.Summary = &sim.Summary{}
		err = json.Unmarshal(b, p.Summary)
	}
	if err != nil {
		return nil, fmt.Errorf("replay: %s: %w", SummaryName, err)
	}
	return p, nil
}

// Quote writes a word as a shell takes it.
func Quote(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+%", r)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
