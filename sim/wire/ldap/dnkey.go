package ldap

import (
	"slices"
	"strings"
)

// Key is the name for comparing and indexing: types and values without case, spaces run together, AVAs in order. Names
// are equal where their keys are; a key ends with "," + its parent's key.
func (d DN) Key() string {
	var b strings.Builder
	for i, rdn := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		rdn.key(&b)
	}
	return b.String()
}

// Key is the step's part of [DN.Key].
func (r RDN) Key() string {
	var b strings.Builder
	r.key(&b)
	return b.String()
}

func (r RDN) key(b *strings.Builder) {
	if len(r) == 1 {
		r[0].key(b)
		return
	}
	parts := make([]string, len(r))
	for i, a := range r {
		var p strings.Builder
		a.key(&p)
		parts[i] = p.String()
	}
	slices.Sort(parts)
	b.WriteString(strings.Join(parts, "+"))
}

func (a AVA) key(b *strings.Builder) {
	b.WriteString(strings.ToLower(a.Type))
	b.WriteByte('=')
	appendEscaped(b, FoldValue(a.Value))
}

// FoldValue is a text value as Active Directory compares it: without case, spaces at the ends left out and inner ones
// run together (RFC 4518 2.6.1).
func FoldValue(v string) string {
	v = strings.ToLower(v)
	if !strings.Contains(v, "  ") && (v == "" || v[0] != ' ' && v[len(v)-1] != ' ') {
		return v
	}
	return strings.Join(strings.FieldsFunc(v, func(r rune) bool { return r == ' ' }), " ")
}

// Equal compares two names.
func (d DN) Equal(o DN) bool { return len(d) == len(o) && d.Key() == o.Key() }

// Parent is the name above; the root is its own parent.
func (d DN) Parent() DN {
	if len(d) == 0 {
		return nil
	}
	return d[1:]
}

// RDN is the object's own step, nil for the root.
func (d DN) RDN() RDN {
	if len(d) == 0 {
		return nil
	}
	return d[0]
}

// Below tells whether d lies under o, at any depth; no name lies under itself.
func (d DN) Below(o DN) bool {
	return len(d) > len(o) && d[len(d)-len(o):].Equal(o)
}

// Child is a name one step under d.
func (d DN) Child(typ, value string) DN {
	return slices.Concat(DN{{{typ, value}}}, d)
}

// DomainDN is the name of a domain's naming context: contoso.com is DC=contoso,DC=com (RFC 2247).
func DomainDN(dns string) DN {
	var d DN
	for label := range strings.SplitSeq(strings.TrimSuffix(dns, "."), ".") {
		if label != "" {
			d = append(d, RDN{{"DC", label}})
		}
	}
	return d
}
