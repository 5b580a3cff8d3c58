package scenario

import (
	"fmt"
	"strings"
)

// tree is the item as a file has it; shorthands are written out.
func (x *ExpectItem) tree() mapping {
	m := mapping{}
	text := func(key, value string) {
		if value != "" {
			m = append(m, entry{key, value})
		}
	}
	text("device", x.Device)
	switch {
	case x.Ends != nil:
		text("ends", x.Ends.Outcome)
		text("screen", x.Ends.Screen)
		text("row", x.Ends.Row)
		text("code", x.Ends.Code)
		text("phase", x.Ends.Phase)
		text("check", x.Ends.Check)
		text("reason", x.Ends.Reason)
	case x.Event != nil:
		m = append(m, x.Event.tree()...)
	case x.Registry != nil:
		of := mapping{{"key", x.Registry.Key}, {"name", x.Registry.Name}}
		if x.Registry.Is != "" {
			of = append(of, entry{"is", x.Registry.Is})
		} else {
			of = append(of, entry{"missing", true})
		}
		m = append(m, entry{"registry", of})
	case x.Graph != nil:
		text("graph", x.Graph.Path)
		m = append(m, whereTree(x.Graph.Where)...)
	}
	if x.After != nil {
		m = append(m, entry{"after", x.After.tree()})
	}
	if x.Before != nil {
		m = append(m, entry{"before", x.Before.tree()})
	}
	if x.Within != nil {
		m = append(m, entry{"within", formatDuration(*x.Within)})
	}
	if x.Count != nil {
		m = append(m, entry{"count", x.Count.String()})
	}
	return m
}

func (p *EventPattern) tree() mapping {
	return append(mapping{{"event", p.Event}}, whereTree(p.Where)...)
}

func whereTree(where []FieldIs) mapping {
	if len(where) == 0 {
		return nil
	}
	of := mapping{}
	for _, f := range where {
		of = append(of, entry{f.Field, f.Is})
	}
	return mapping{{"where", of}}
}

// String says what must be so.
func (x *ExpectItem) String() string {
	var b strings.Builder
	switch {
	case x.Device != "":
		b.WriteString(x.Device)
	case x.Ends != nil || x.Registry != nil:
		b.WriteString("every PC")
	}
	word := func(format string, args ...any) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, format, args...)
	}
	switch {
	case x.Ends != nil:
		word("ends: %s", x.Ends)
	case x.Event != nil:
		word("%s", x.Event)
	case x.Registry != nil:
		word(`%s\%s`, x.Registry.Key, x.Registry.Name)
		if x.Registry.Is == "" {
			word("is not there")
		} else {
			word("is %s", x.Registry.Is)
		}
	case x.Graph != nil:
		word("%s%s", x.Graph.Path, whereText(x.Graph.Where))
	}
	if x.After != nil {
		word("after %s", x.After)
	}
	if x.Before != nil {
		word("before %s", x.Before)
	}
	if x.Within != nil {
		word("within %s", formatDuration(*x.Within))
	}
	switch {
	case x.Count == nil:
	case x.Count.Operator == Equal && x.Count.N == 0:
		word("never")
	case x.Count.Operator == Equal && x.Count.N == 1:
		word("once")
	default:
		word("%s times", x.Count)
	}
	return b.String()
}

func (p *EndPattern) String() string {
	s := p.Outcome
	for _, part := range [][2]string{{"on ", p.Screen}, {"at ", p.Row}, {"with ", p.Code}, {"in ", p.Phase}, {"decided by ", p.Check}, {"because ", p.Reason}} {
		if part[1] != "" {
			s += " " + part[0] + part[1]
		}
	}
	return s
}

func (p *EventPattern) String() string { return p.Event + whereText(p.Where) }

func whereText(where []FieldIs) string {
	if len(where) == 0 {
		return ""
	}
	var parts []string
	for _, f := range where {
		parts = append(parts, f.Field+"="+f.Is)
	}
	return " [" + strings.Join(parts, ", ") + "]"
}
