package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"windtunnel.test/scenarios/knownissues"
	"windtunnel.test/sim/wire/problem"
)

// List is a catalogue, in the order of its ids.
type List struct {
	Entries []*Entry
	bases   map[string]yaml.MapSlice
}

// Embedded is the catalogue that is part of the program.
func Embedded() (*List, error) { return Load(knownissues.Files) }

// Load reads a folder of entries and, below base, the scenarios that they are
// laid over; bases that it lacks are those of the embedded catalogue. All
// mistakes are told, as a problem.List.
func Load(folder fs.FS) (*List, error) {
	l := &List{bases: map[string]yaml.MapSlice{}}
	var problems problem.List
	for _, from := range []fs.FS{knownissues.Files, folder} {
		files, err := fs.Glob(from, "base/*.yaml")
		if err != nil {
			return nil, fmt.Errorf("catalogue: %w", err)
		}
		for _, name := range files {
			var base yaml.MapSlice
			if decode(from, name, &base, &problems) {
				l.bases[strings.TrimSuffix(path.Base(name), ".yaml")] = base
			}
		}
	}
	files, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	for _, name := range files {
		e := &Entry{File: name}
		if !decode(folder, name, e, &problems) {
			continue
		}
		if e.ID+".yaml" != name {
			problems.Addf(name, 1, 1, "the file of %q is %s.yaml", e.ID, e.ID)
		}
		for _, wrong := range e.check() {
			problems.Addf(name, 1, 1, "%s", wrong)
		}
		l.Entries = append(l.Entries, e)
	}
	slices.SortFunc(l.Entries, func(a, b *Entry) int { return compareIDs(a.ID, b.ID) })
	return l, problems.Err()
}

// decode reads one file and notes what is wrong with it, with its place.
func decode(folder fs.FS, name string, to any, problems *problem.List) bool {
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		problems.Addf(name, 0, 0, "%v", err)
		return false
	}
	err = yaml.UnmarshalWithOptions(data, to, yaml.Strict(), yaml.UseOrderedMap())
	if err == nil {
		return true
	}
	line, col := 1, 1
	message := err.Error()
	var at yaml.Error
	if errors.As(err, &at) {
		if t := at.GetToken(); t != nil && t.Position != nil {
			line, col = t.Position.Line, t.Position.Column
		}
		message = at.GetMessage()
	}
	problems.Addf(name, line, col, "%s", message)
	return false
}

// order of the tables that ids come from.
const order = "RPESHU"

func compareIDs(a, b string) int {
	rank := func(id string) int {
		if id == "" {
			return -1
		}
		if i := strings.IndexByte(order, id[0]); i >= 0 {
			return i
		}
		return len(order)
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// Find gives an entry by its id, in any case.
func (l *List) Find(id string) (*Entry, bool) {
	i := slices.IndexFunc(l.Entries, func(e *Entry) bool { return strings.EqualFold(e.ID, id) })
	if i < 0 {
		return nil, false
	}
	return l.Entries[i], true
}
