package directory

import (
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/ldap"
)

// truth is the three-valued logic of filters (RFC 4511 4.5.1.7).
type truth int8

const (
	no truth = iota
	undefined
	yes
)

// term is a filter made ready: attributes looked up and values put into the
// form in which they are compared.
type term struct {
	kind     ldap.FilterKind
	children []term
	def      *attributeType // nil: unknown, so undefined
	value    string
	number   int64
	parts    []string // of substrings: initial, any..., final; "" where there is none
	rule     string
	broken   bool // the value does not fit the attribute: undefined
}

// ready compiles a filter against what the replica knows.
func (r *Replica) ready(f *ldap.Filter) term {
	t := term{kind: f.Kind, rule: f.Rule}
	switch f.Kind {
	case ldap.And, ldap.Or, ldap.Not:
		for _, c := range f.Children {
			t.children = append(t.children, r.ready(c))
		}
		return t
	}
	name, _, _ := strings.Cut(f.Attribute, ";")
	t.def = attributeTypes[strings.ToLower(name)]
	if t.def == nil || t.def.is(secret) || t.def.is(constructed) && t.def != atMemberOf {
		t.def = nil
		return t
	}
	switch f.Kind {
	case ldap.Present:
	case ldap.Substrings:
		r.readySubstrings(&t, f)
	default:
		t.value, t.broken = r.asserted(t.def, f.Value)
		t.number = parseInt(t.value)
		if f.Kind == ldap.Extensible {
			r.readyExtensible(&t)
		}
	}
	return t
}

// asserted is the value of an assertion in comparable form; broken where it
// cannot be any value of that attribute.
func (r *Replica) asserted(def *attributeType, v []byte) (value string, broken bool) {
	switch def {
	case atObjectCategory:
		// A class by its name stands for its category ([MS-ADTS] 3.1.1.3.1.3.5).
		if c := classTypes[strings.ToLower(string(v))]; c != nil {
			return refTo(r.d.classGUID(c.category)), false
		}
	case atObjectClass:
		return ldap.FoldValue(string(v)), false
	}
	c, ok := r.canonical(def, v)
	return def.comparable(c), !ok
}

func (r *Replica) readySubstrings(t *term, f *ldap.Filter) {
	switch t.def.syntax {
	case textSyntax, caseSyntax, octetSyntax:
	default:
		t.broken = true
		return
	}
	t.parts = append(t.parts, t.def.comparableLike(f.Initial))
	for _, a := range f.Any {
		t.parts = append(t.parts, t.def.comparableLike(a))
	}
	t.parts = append(t.parts, t.def.comparableLike(f.Final))
}

// comparableLike folds a part of a value, whose spaces count.
func (a *attributeType) comparableLike(v []byte) string {
	if a.syntax == textSyntax {
		return strings.ToLower(string(v))
	}
	return string(v)
}

func (r *Replica) readyExtensible(t *term) {
	switch t.rule {
	case ldap.RuleBitAnd, ldap.RuleBitOr:
		if t.def.syntax != integerSyntax && t.def.syntax != largeSyntax {
			t.broken = true
		}
	case ldap.RuleInChain:
		if t.def != atMemberOf && t.def != atMember {
			t.broken = true
		}
	default:
		t.broken = true
	}
}

// match evaluates a term for a row.
func (r *Replica) match(t *term, at *row) truth {
	switch t.kind {
	case ldap.And:
		out := yes
		for i := range t.children {
			out = min(out, r.match(&t.children[i], at))
			if out == no {
				break
			}
		}
		return out
	case ldap.Or:
		out := no
		for i := range t.children {
			out = max(out, r.match(&t.children[i], at))
			if out == yes {
				break
			}
		}
		return out
	case ldap.Not:
		return yes - r.match(&t.children[0], at)
	}
	if t.def == nil || t.broken {
		return undefined
	}
	if t.kind == ldap.Extensible && t.rule == ldap.RuleInChain {
		return truthOf(r.inChain(t, at))
	}
	values := r.values(at, t.def)
	if t.kind == ldap.Present {
		return truthOf(len(values) > 0)
	}
	for _, v := range values {
		if t.holds(v) {
			return yes
		}
	}
	return no
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// holds tells whether one kept value satisfies the assertion.
func (t *term) holds(v string) bool {
	switch t.kind {
	case ldap.Equal, ldap.Approx:
		return t.def.comparable(v) == t.value
	case ldap.GreaterOrEqual, ldap.LessOrEqual:
		c := t.order(v)
		return c == 0 || (c > 0) == (t.kind == ldap.GreaterOrEqual)
	case ldap.Substrings:
		return like(t.def.comparable(v), t.parts)
	case ldap.Extensible:
		n, _ := strconv.ParseInt(v, 10, 64)
		if t.rule == ldap.RuleBitOr {
			return n&t.number != 0
		}
		return n&t.number == t.number
	}
	return false
}

func (t *term) order(v string) int {
	switch t.def.syntax {
	case integerSyntax, largeSyntax:
		switch n := parseInt(v); {
		case n < t.number:
			return -1
		case n > t.number:
			return 1
		}
		return 0
	}
	return strings.Compare(t.def.comparable(v), t.value)
}

// like matches initial*any*...*final.
func like(v string, parts []string) bool {
	last := len(parts) - 1
	v, ok := strings.CutPrefix(v, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1:last] {
		i := strings.Index(v, p)
		if i < 0 {
			return false
		}
		v = v[i+len(p):]
	}
	return strings.HasSuffix(v, parts[last])
}

// inChain is the rule LDAP_MATCHING_RULE_TRANSITIVE_EVAL for membership.
func (r *Replica) inChain(t *term, at *row) bool {
	g, ok := refGUID(t.value)
	if !ok {
		return false
	}
	other := r.rows[g]
	if other == nil {
		return false
	}
	if t.def == atMember {
		return r.memberOf(other)[at]
	}
	return r.memberOf(at)[other]
}

// memberOf are the groups that a row is in by their member lists, also through
// other groups.
func (r *Replica) memberOf(at *row) map[*row]bool {
	in := map[*row]bool{}
	todo := []*row{at}
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, group := range r.having(atMember, refTo(next.obj.guid)) {
			if !in[group] {
				in[group] = true
				todo = append(todo, group)
			}
		}
	}
	return in
}
