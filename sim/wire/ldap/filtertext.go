package ldap

import (
	"strings"
)

// All is true of every object.
var All = &Filter{Kind: Present, Attribute: "objectClass"}

// Eq is the filter (name=value).
func Eq(name, value string) *Filter {
	return &Filter{Kind: Equal, Attribute: name, Value: []byte(value)}
}

// Has is the filter (name=*).
func Has(name string) *Filter { return &Filter{Kind: Present, Attribute: name} }

// AllOf is the conjunction of filters.
func AllOf(f ...*Filter) *Filter { return &Filter{Kind: And, Children: f} }

// AnyOf is the disjunction of filters.
func AnyOf(f ...*Filter) *Filter { return &Filter{Kind: Or, Children: f} }

// String is the filter in RFC 4515's text form.
func (f *Filter) String() string {
	var b strings.Builder
	f.text(&b)
	return b.String()
}

func (f *Filter) text(b *strings.Builder) {
	b.WriteByte('(')
	switch f.Kind {
	case And, Or, Not:
		b.WriteByte("&|!"[f.Kind])
		for _, c := range f.Children {
			c.text(b)
		}
	case Present:
		b.WriteString(f.Attribute)
		b.WriteString("=*")
	case Substrings:
		b.WriteString(f.Attribute)
		b.WriteByte('=')
		escapeAssertion(b, f.Initial)
		b.WriteByte('*')
		for _, a := range f.Any {
			escapeAssertion(b, a)
			b.WriteByte('*')
		}
		escapeAssertion(b, f.Final)
	case Extensible:
		b.WriteString(f.Attribute)
		if f.DNAttributes {
			b.WriteString(":dn")
		}
		if f.Rule != "" {
			b.WriteByte(':')
			b.WriteString(f.Rule)
		}
		b.WriteString(":=")
		escapeAssertion(b, f.Value)
	default:
		b.WriteString(f.Attribute)
		b.WriteString(map[FilterKind]string{Equal: "=", GreaterOrEqual: ">=", LessOrEqual: "<=", Approx: "~="}[f.Kind])
		escapeAssertion(b, f.Value)
	}
	b.WriteByte(')')
}

func escapeAssertion(b *strings.Builder, v []byte) {
	for _, c := range v {
		if c < 0x20 || c >= 0x7f || strings.IndexByte(`()*\`, c) >= 0 {
			b.WriteByte('\\')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
			continue
		}
		b.WriteByte(c)
	}
}

// EscapeFilter writes a value so that it stands for itself in a filter's text.
func EscapeFilter(v string) string {
	var b strings.Builder
	escapeAssertion(&b, []byte(v))
	return b.String()
}

// ParseFilter reads RFC 4515's text form within the default limits. Errors are [*SyntaxError]s.
func ParseFilter(s string) (*Filter, error) {
	if len(s) > maxFilterText {
		return nil, malformed("filter of %d octets", len(s))
	}
	p := filterParser{s: strings.TrimSpace(s), budget: filterBudget{DefaultLimits.FilterDepth, DefaultLimits.FilterTerms}}
	if !strings.HasPrefix(p.s, "(") { // ldapsearch and others take one item without parentheses
		p.s = "(" + p.s + ")"
	}
	f, err := p.filter(0)
	if err != nil {
		return nil, err
	}
	if p.i != len(p.s) {
		return nil, p.bad("text after the filter")
	}
	return f, nil
}

const maxFilterText = 1 << 20

// MustFilter is ParseFilter for filters that stand in the program's text.
func MustFilter(s string) *Filter {
	f, err := ParseFilter(s)
	if err != nil {
		panic(err)
	}
	return f
}

type filterParser struct {
	s      string
	i      int
	budget filterBudget
}

func (p *filterParser) bad(what string) error { return malformed("filter: %s at octet %d", what, p.i) }

func (p *filterParser) spaces() {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
}

func (p *filterParser) at(c byte) bool { return p.i < len(p.s) && p.s[p.i] == c }

func (p *filterParser) filter(depth int) (*Filter, error) {
	if err := p.budget.spend(depth); err != nil {
		return nil, err
	}
	if !p.at('(') {
		return nil, p.bad("no opening parenthesis")
	}
	p.i++
	p.spaces()
	f, err := p.inner(depth)
	if err != nil {
		return nil, err
	}
	if !p.at(')') {
		return nil, p.bad("no closing parenthesis")
	}
	p.i++
	p.spaces()
	return f, nil
}

func (p *filterParser) inner(depth int) (*Filter, error) {
	if p.i == len(p.s) {
		return nil, p.bad("filter ends early")
	}
	kind := FilterKind(strings.IndexByte("&|!", p.s[p.i]))
	if kind < 0 {
		return p.item()
	}
	p.i++
	p.spaces()
	f := &Filter{Kind: kind}
	for p.at('(') {
		c, err := p.filter(depth + 1)
		if err != nil {
			return nil, err
		}
		f.Children = append(f.Children, c)
	}
	if kind == Not && len(f.Children) != 1 {
		return nil, p.bad("not has not one filter")
	}
	return f, nil
}

// item reads name, operator and value up to the closing parenthesis.
func (p *filterParser) item() (*Filter, error) {
	end := strings.IndexAny(p.s[p.i:], "()")
	if end < 0 {
		return nil, p.bad("no closing parenthesis")
	}
	name, value, ok := strings.Cut(p.s[p.i:p.i+end], "=")
	if !ok {
		return nil, p.bad("no operator")
	}
	f := &Filter{Kind: Equal, Attribute: strings.TrimRight(name, " ")}
	if n := len(name); n > 0 {
		switch name[n-1] {
		case '>':
			f.Kind, f.Attribute = GreaterOrEqual, name[:n-1]
		case '<':
			f.Kind, f.Attribute = LessOrEqual, name[:n-1]
		case '~':
			f.Kind, f.Attribute = Approx, name[:n-1]
		case ':':
			f.Kind = Extensible
			if err := p.extensible(f, name[:n-1]); err != nil {
				return nil, err
			}
		}
	}
	if err := p.value(f, value); err != nil {
		return nil, err
	}
	if f.Kind != Extensible && !isDescription(f.Attribute) {
		return nil, p.bad("no attribute")
	}
	p.i += end
	return f, nil
}

// extensible reads what stands before := of an extensible filter: attribute, :dn, :rule.
func (p *filterParser) extensible(f *Filter, s string) error {
	attr, rest, more := strings.Cut(s, ":")
	f.Attribute = attr
	if more && (rest == "dn" || strings.HasPrefix(rest, "dn:")) {
		f.DNAttributes = true
		_, rest, more = strings.Cut(rest, ":")
	}
	if more {
		f.Rule = rest
	}
	if f.Attribute == "" && f.Rule == "" || f.Attribute != "" && !isDescription(f.Attribute) || more && !isDescription(rest) {
		return p.bad("bad extensible match")
	}
	return nil
}

// isDescription tells whether s can be an attribute's name with options, or an object identifier (RFC 4512 2.5).
func isDescription(s string) bool {
	for i := range len(s) {
		if !isTypeChar(s[i]) && s[i] != ';' && s[i] != '_' {
			return false
		}
	}
	return s != ""
}

func (p *filterParser) value(f *Filter, s string) error {
	if f.Kind != Equal || !strings.Contains(s, "*") {
		v, err := p.unescape(s)
		f.Value = v
		return err
	}
	if s == "*" {
		f.Kind = Present
		return nil
	}
	f.Kind = Substrings
	parts := strings.Split(s, "*")
	for i, part := range parts {
		if part == "" {
			continue
		}
		v, err := p.unescape(part)
		if err != nil {
			return err
		}
		switch i {
		case 0:
			f.Initial = v
		case len(parts) - 1:
			f.Final = v
		default:
			f.Any = append(f.Any, v)
		}
	}
	if f.Initial == nil && f.Final == nil && f.Any == nil {
		return p.bad("nothing between asterisks")
	}
	return nil
}

func (p *filterParser) unescape(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '*':
			return nil, p.bad("asterisk in a value")
		case s[i] != '\\':
			out = append(out, s[i])
			continue
		case i+2 >= len(s):
			return nil, p.bad("escape ends early")
		}
		v, ok := hexPair(s[i+1], s[i+2])
		if !ok {
			return nil, p.bad("bad escape")
		}
		out = append(out, v)
		i += 2
	}
	return out, nil
}
