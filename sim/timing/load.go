package timing

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

//go:embed windows.yaml fast.yaml load.yaml
var embedded embed.FS

// Names of the embedded profiles.
const (
	Windows = "windows"
	Fast    = "fast"
	ForLoad = "load"
)

const (
	sectionTiming   = "timing"
	sectionSwitches = "switches"
)

// Names lists the embedded profiles.
func Names() []string { return []string{Windows, Fast, ForLoad} }

// Default is the profile "windows".
func Default() *Profile {
	p, err := Load(Windows)
	if err != nil {
		panic("timing: the embedded profile is broken: " + err.Error())
	}
	return p
}

var loaded sync.Map // of name to func() (*Profile, error)

// Load gives a copy of an embedded profile that the caller may change.
func Load(name string) (*Profile, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("timing: no profile %q; there are %s", name, strings.Join(Names(), ", "))
	}
	f, ok := loaded.Load(name)
	if !ok {
		f, _ = loaded.LoadOrStore(name, sync.OnceValues(func() (*Profile, error) {
			file := name + ".yaml"
			text, err := embedded.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("timing: %w", err)
			}
			return Parse(file, text)
		}))
	}
	p, err := f.(func() (*Profile, error))()
	if err != nil {
		return nil, err
	}
	return p.clone(), nil
}

func (p *Profile) clone() *Profile {
	c := *p
	c.entries = slices.Clone(p.entries)
	return &c
}

// Parse reads a profile's file. A file with "base" names an embedded profile and holds what differs, each with a value and
// a reason; one without has to hold every entry. All mistakes are reported at once, at most twenty, each as
// FILE:LINE:COL: message.
func Parse(file string, text []byte) (*Profile, error) {
	l := &loader{file: file}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, l.syntax(err)
	}
	var p *Profile
	if len(parsed.Docs) != 1 || parsed.Docs[0].Body == nil {
		l.errs = append(l.errs, fmt.Errorf("%s:1:1: want one YAML document", file))
	} else {
		p = l.document(parsed.Docs[0].Body)
	}
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs[:min(len(l.errs), maxErrors)]...)
	}
	return p, nil
}

const maxErrors = 20

type loader struct {
	file string
	errs []error
}

func (l *loader) errorf(at ast.Node, format string, args ...any) {
	pos := at.GetToken().Position
	l.errs = append(l.errs, fmt.Errorf("%s:%d:%d: %s", l.file, pos.Line, pos.Column, fmt.Sprintf(format, args...)))
}

func (l *loader) syntax(err error) error {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		return fmt.Errorf("%s:%d:%d: %s", l.file, syntax.Token.Position.Line, syntax.Token.Position.Column, syntax.Message)
	}
	return fmt.Errorf("%s:1:1: %w", l.file, err)
}

// pair is one line of a mapping.
type pair struct {
	key   string
	at    ast.Node // the key
	value ast.Node
}

// mapping lists a node's pairs in the file's order; anything else than a mapping is an error.
func (l *loader) mapping(n ast.Node, what string) []pair {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		l.errorf(n, "%s: want a mapping", what)
		return nil
	}
	pairs := make([]pair, 0, len(values))
	for _, v := range values {
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			l.errorf(v.Key, "%s: want a plain name as key", what)
			continue
		}
		pairs = append(pairs, pair{key.Value, v.Key, v.Value})
	}
	return pairs
}

// scalar is a plain value, or nil with an error noted.
func (l *loader) scalar(n ast.Node, what string) any {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	}
	l.errorf(n, "%s: want a single value", what)
	return nil
}

func (l *loader) text(n ast.Node, what string) string {
	s, ok := l.scalar(n, what).(string)
	if !ok {
		l.errorf(n, "%s: want a text", what)
	}
	return s
}

func (l *loader) document(body ast.Node) *Profile {
	p := &Profile{}
	var sections []pair
	for _, top := range l.mapping(body, "profile") {
		switch top.key {
		case "profile":
			p.Name = l.text(top.value, "profile")
		case "base":
			base, err := Load(l.text(top.value, "base"))
			if err != nil {
				l.errorf(top.value, "base: %v", err)
				return nil
			}
			base.Name = p.Name
			p = base
		case sectionTiming, sectionSwitches:
			sections = append(sections, top)
		default:
			l.errorf(top.at, "unknown key %q; there are profile, base, timing, switches", top.key)
		}
	}
	if p.Name == "" {
		l.errorf(body, "profile: has no name")
	}
	f := newFiller(l, p)
	for _, s := range sections {
		f.section(s)
	}
	f.finish(body)
	return p
}
