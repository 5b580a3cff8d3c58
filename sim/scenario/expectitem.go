package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/hresult"
)

// ExpectItem is something that must be so of single PCs, of what happens, or of
// what the services say at the end, in place of a figure. Exactly one of Ends,
// Event, Registry and Graph is set. Texts are globs.
type ExpectItem struct {
	// Device says of which PCs it must be so, by name or serial number: of each.
	// Without it, Ends and Registry are about every PC, and an event may be
	// anybody's.
	Device   string
	Ends     *EndPattern
	Event    *EventPattern
	Count    *CountOf       // of events, or of Graph's objects; nil: at least one
	After    *EventPattern  // only events that follow one of these of the same PC (or of nobody)
	Before   *EventPattern  // only events that none of these precedes
	Within   *time.Duration // of After, or of the run's start
	Registry *RegistryIs
	Graph    *GraphHas
}

// EndPattern is how a PC's story ends.
type EndPattern struct {
	Outcome             string // one of the outcomes
	Code, Phase, Check  string
	Reason, Screen, Row string
}

// EventPattern fits events of the journal.
type EventPattern struct {
	Event string
	Where []FieldIs
}

// FieldIs is a field and what it must be.
type FieldIs struct{ Field, Is string }

// CountOf compares a number.
type CountOf struct {
	Operator Operator
	N        int
}

// RegistryIs is a value of a PC's registry when its story ends.
type RegistryIs struct {
	Key, Name string
	Is        string // "": it must not be there
}

// GraphHas is a collection that Microsoft Graph answers to an administrator when
// all stories are through.
type GraphHas struct {
	Path  string // "/beta/deviceManagement/autopilotEvents"
	Where []FieldIs
}

// Met tells whether a number is as it must be.
func (c *CountOf) Met(n int) bool {
	if c == nil {
		return n > 0
	}
	return c.Operator.holds(float64(n), float64(c.N))
}

// String is the form that a file has.
func (c *CountOf) String() string {
	if c.Operator == Equal {
		return strconv.Itoa(c.N)
	}
	return fmt.Sprintf("%s %d", c.Operator, c.N)
}

// Keys of an item, by which it is told apart from a figure. The shorthands are
// events with the fields that they name.
var (
	itemKeys   = []string{"device", "ends", "event", "where", "count", "after", "before", "within", "registry", "graph", "screen", "code", "phase", "check", "reason", "row", "logged", "request", "refused"}
	shorthands = map[string]string{"logged": "eventlog", "request": "http.request", "refused": "refused"}
)

// isItem tells whether a mapping is one: figures have other names, but for
// phase, which is a group of figures unless it is a text.
func isItem(n *node) bool {
	return slices.ContainsFunc(n.pairs, func(p pair) bool {
		return slices.Contains(itemKeys, p.key) && (p.key != "phase" || p.value.kind == kindString)
	})
}

// expectItem reads one.
func (d *decoder) expectItem(n *node, path string) (x ExpectItem, ok bool) {
	before := len(d.problems)
	end := EndPattern{}
	ends := n.get("ends") != nil
	var main string // the key that says what it is about
	is := func(p pair) {
		if main != "" {
			d.addf(p.line, p.col, "%s: an item is about one thing, not about %s and %s", path, main, p.key)
		}
		main = p.key
	}
	for _, p := range n.pairs {
		at := path + "." + p.key
		switch p.key {
		case "device":
			x.Device = d.word(p.value, at)
		case "ends":
			is(p)
			end.Outcome = d.word(p.value, at)
			if !slices.Contains(outcomes, end.Outcome) {
				d.errorf(p.value, "%s: %q is none of %s%s", at, end.Outcome, strings.Join(outcomes, ", "), near(end.Outcome, outcomes))
			}
			x.Ends = &end
		case "code":
			end.Code = d.code(p.value, at)
		case "phase":
			end.Phase = d.word(p.value, at)
		case "check":
			end.Check = d.word(p.value, at)
		case "reason":
			end.Reason = d.word(p.value, at)
		case "row":
			end.Row = d.word(p.value, at)
		case "screen":
			end.Screen = d.word(p.value, at)
			d.known(p.value, at, KnownScreen)
			if !ends {
				is(p)
				x.Event = &EventPattern{"screen.shown", []FieldIs{{"screen", end.Screen}}}
			}
		case "event":
			is(p)
			x.Event = d.eventPattern(&node{kind: kindMap, line: n.line, col: n.col, pairs: []pair{p}}, at)
		case "logged", "request", "refused":
			is(p)
			x.Event = &EventPattern{shorthands[p.key], d.fields(p.value, at)}
		case "after":
			x.After = d.eventPattern(p.value, at)
		case "before":
			x.Before = d.eventPattern(p.value, at)
		case "within":
			var span Span
			d.value(p.value, addressed(&span), at)
			within := span.After(time.Unix(0, 0)).Sub(time.Unix(0, 0))
			x.Within = &within
		case "count":
			x.Count = d.count(p.value, at)
		case "registry":
			is(p)
			x.Registry = d.registryIs(p.value, at)
		case "graph":
			is(p)
			x.Graph = &GraphHas{Path: d.word(p.value, at)}
			if !strings.HasPrefix(x.Graph.Path, "/") {
				d.errorf(p.value, "%s: %q begins with no version; write one such as /beta/deviceManagement/autopilotEvents", at, x.Graph.Path)
			}
		case "where": // with event or graph, below
		default:
			d.addf(p.line, p.col, "%s: unknown key%s", at, near(p.key, itemKeys))
		}
	}
	if w := n.get("where"); w != nil {
		fields := d.fields(w, path+".where")
		switch {
		case x.Event != nil:
			x.Event.Where = append(x.Event.Where, fields...)
		case x.Graph != nil:
			x.Graph.Where = fields
		default:
			d.errorf(w, "%s.where: belongs to event or graph", path)
		}
	}
	switch {
	case main == "" && end.Code != "": // {code: 0x...} is a code of whatever ends or fails
		x.Event = &EventPattern{"*", []FieldIs{{"code", end.Code}}}
	case main == "":
		d.errorf(n, "%s: says nothing; write ends, event, screen, logged, request, refused, registry or graph", path)
	case x.Ends == nil && (end.Code != "" || end.Phase != "" || end.Check != "" || end.Reason != "" || end.Row != ""):
		d.errorf(n, "%s: code, phase, check, reason and row belong to ends", path)
	}
	if x.Count != nil && x.Event == nil && x.Graph == nil {
		d.errorf(n, "%s: count belongs to event or graph", path)
	}
	return x, len(d.problems) == before
}

func (d *decoder) word(n *node, path string) string {
	if n.kind != kindString && n.kind != kindNumber && n.kind != kindBool {
		d.wrongType(n, path, "a text")
	}
	return n.text
}

// wordCode is what some pages show in a code's place: OOBEIDPS.
var wordCode = regexp.MustCompile(`^[A-Z]+$`)

// code reads an HRESULT, a word that stands for one, or a glob.
func (d *decoder) code(n *node, path string) string {
	text := d.word(n, path)
	if _, err := hresult.Parse(text); err != nil && !strings.ContainsAny(text, "*?") && !wordCode.MatchString(text) {
		d.errorf(n, "%s: %q is no HRESULT; write one such as \"0x81039001\", or a glob", path, text)
	}
	return text
}

func (d *decoder) eventPattern(n *node, path string) *EventPattern {
	p := &EventPattern{}
	if n.kind == kindString {
		p.Event = n.text
		d.known(n, path, eventKind)
		return p
	}
	if n.kind != kindMap {
		d.wrongType(n, path, "an event: {event: device.resealed}")
		return p
	}
	for _, x := range n.pairs {
		switch x.key {
		case "event":
			p.Event = d.word(x.value, path)
			d.known(x.value, path, eventKind)
		case "where":
			p.Where = d.fields(x.value, path+".where")
		default:
			d.addf(x.line, x.col, "%s.%s: unknown key; an event has event and where", path, x.key)
		}
	}
	if p.Event == "" {
		d.errorf(n, "%s: event is missing: the kind of an event, such as device.resealed", path)
	}
	return p
}

// fields reads a mapping of fields and globs.
func (d *decoder) fields(n *node, path string) (list []FieldIs) {
	if n.kind != kindMap {
		d.wrongType(n, path, "a mapping of fields, such as {id: 171}")
		return nil
	}
	for _, p := range n.pairs {
		list = append(list, FieldIs{p.key, d.word(p.value, path+"."+p.key)})
		switch p.key {
		case "screen":
			d.known(p.value, path+".screen", KnownScreen)
		case "channel":
			d.known(p.value, path+".channel", KnownChannel)
		}
	}
	return list
}

var countForm = regexp.MustCompile(`^(==|=|!=|<=|>=|<|>)?\s*([0-9]{1,9})$`)

func (d *decoder) count(n *node, path string) *CountOf {
	m := countForm.FindStringSubmatch(strings.TrimSpace(n.text))
	if m == nil {
		d.errorf(n, "%s: want a number, or operator and number such as \">= 3\", have %s", path, n.what())
		return nil
	}
	c := &CountOf{Operator: Operator(m[1])}
	if m[1] == "" || m[1] == "=" {
		c.Operator = Equal
	}
	c.N, _ = strconv.Atoi(m[2]) // digits
	return c
}

func (d *decoder) registryIs(n *node, path string) *RegistryIs {
	r, missing := &RegistryIs{}, false
	for _, f := range d.fields(n, path) {
		switch f.Field {
		case "key":
			r.Key = f.Is
		case "name":
			r.Name = f.Is
		case "is":
			r.Is = f.Is
		case "missing":
			missing = f.Is == "true"
		default:
			d.errorf(n, "%s.%s: unknown key; a value of the registry has key, name, and is or missing", path, f.Field)
		}
	}
	if r.Key == "" || r.Name == "" {
		d.errorf(n, "%s: key and name say which value", path)
	}
	if missing == (r.Is != "") {
		d.errorf(n, "%s: write what it is, or missing: true", path)
	}
	return r
}
