package timing

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Entry is what a profile says about one of its numbers.
type Entry struct {
	Path   string // "esp.timeout"
	Value  any    // time.Duration, Range, Period, Schedule, int, bool, or a string-typed switch
	Unit   string // duration, range, calendar, schedule, count, bytes, switch or choice
	Zero   string // what it counts from
	Source string
	Mark   string // documented, observed, community or assumed
	Rule   string // "T06" where the project's list of timing rules has one, otherwise ""
}

// Marks of provenance.
const (
	Documented = "documented"
	Observed   = "observed"
	Community  = "community"
	Assumed    = "assumed"
)

var marks = []string{Documented, Observed, Community, Assumed}

// Entries lists the profile's numbers in the order of its struct, with the values that it holds now.
func (p *Profile) Entries() []Entry {
	list := slices.Clone(p.entries)
	for i, f := range fields(p) {
		list[i].Value = f.value.Interface()
	}
	return list
}

// filler puts the entries of one file into a profile.
type filler struct {
	*loader
	p      *Profile
	based  bool
	fields []field
	seen   map[string]bool
	groups map[string]ast.Node // "timing esp" to where it stands
}

func newFiller(l *loader, p *Profile) *filler {
	f := &filler{loader: l, p: p, fields: fields(p), seen: map[string]bool{}, groups: map[string]ast.Node{}}
	f.based = p.entries != nil
	if !f.based {
		p.entries = make([]Entry, len(f.fields))
	}
	return f
}

func (f *filler) section(s pair) {
	for _, group := range f.mapping(s.value, s.key) {
		f.groups[s.key+" "+group.key] = group.at
		for _, entry := range f.mapping(group.value, group.key) {
			path := group.key + "." + entry.key
			i := slices.IndexFunc(f.fields, func(fd field) bool { return fd.section == s.key && fd.path == path })
			if i < 0 {
				f.errorf(entry.at, "unknown entry %q%s", path, f.near(s.key, path))
				continue
			}
			f.seen[path] = true
			f.entry(i, entry)
		}
	}
}

func (f *filler) near(section, path string) string {
	var known []string
	for _, fd := range f.fields {
		if fd.section == section {
			known = append(known, fd.path)
		}
	}
	return suggest(path, known)
}

// entry reads one entry's attributes.
func (f *filler) entry(i int, at pair) {
	fd, e := f.fields[i], &f.p.entries[i]
	e.Path = fd.path
	given := map[string]bool{}
	for _, a := range f.mapping(at.value, fd.path) {
		given[a.key] = true
		switch {
		case a.key == "value":
			if v := f.scalar(a.value, fd.path); v != nil {
				if err := fd.set(v); err != nil {
					f.errorf(a.value, "%s: %v", fd.path, err)
				}
			}
		case f.based && a.key == "why":
			e.Source, e.Mark = f.p.Name+" profile: "+f.text(a.value, fd.path), Assumed
		case !f.based && a.key == "unit":
			e.Unit = f.oneOf(a.value, fd.path, fd.units())
		case !f.based && a.key == "zero":
			e.Zero = f.text(a.value, fd.path)
		case !f.based && a.key == "source":
			e.Source = f.text(a.value, fd.path)
		case !f.based && a.key == "mark":
			e.Mark = f.oneOf(a.value, fd.path, marks)
		case !f.based && a.key == "rule":
			e.Rule = f.text(a.value, fd.path)
		default:
			f.errorf(a.at, "%s: unknown attribute %q", fd.path, a.key)
		}
	}
	want := []string{"value", "unit", "zero", "source", "mark"}
	if f.based {
		want = []string{"value", "why"}
	}
	for _, w := range want {
		if !given[w] {
			f.errorf(at.at, "%s: has no %s", fd.path, w)
		}
	}
}

func (f *filler) oneOf(n ast.Node, path string, allowed []string) string {
	s := f.text(n, path)
	if !slices.Contains(allowed, s) {
		f.errorf(n, "%s: want %s, have %q", path, strings.Join(allowed, " or "), s)
	}
	return s
}

// finish reports what a file without a base left out, at the group it belongs to.
func (f *filler) finish(body ast.Node) {
	if f.based {
		return
	}
	for _, fd := range f.fields {
		if f.seen[fd.path] {
			continue
		}
		group, _, _ := strings.Cut(fd.path, ".")
		at := f.groups[fd.section+" "+group]
		if at == nil {
			at = body
		}
		f.errorf(at, "entry %q of %s is missing", fd.path, fd.section)
	}
}
