package directory

import (
	"strings"

	"windtunnel.test/sim/wire/ldap"
)

// nameKeyOf is a name's form for comparing.
func nameKeyOf(name string) (string, error) {
	dn, err := ldap.ParseDN(name)
	if err != nil {
		return "", err
	}
	return dn.Key(), nil
}

// rdn is the row's own step as it is shown; objects that lost their name show
// their GUID in it ([MS-ADTS] 3.1.1.5.1.7).
func (at *row) rdn() string {
	if at.conflict {
		return at.obj.rdn + `\0ACNF:` + at.obj.guid.String()
	}
	return at.obj.rdn
}

// dn is the row's distinguished name.
func (at *row) dn() string {
	if at.obj.deleted {
		return at.obj.rdn + `\0ADEL:` + at.obj.guid.String() + ",CN=Deleted Objects"
	}
	var b strings.Builder
	for ; at != nil; at = at.parent {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(at.rdn())
	}
	return b.String()
}

// under tells whether the row is base or below it, in one naming context.
func (at *row) under(base *row) bool {
	for ; at != nil; at = at.parent {
		if at == base {
			return true
		}
	}
	return false
}

func (at *row) head() *row {
	for at.parent != nil {
		at = at.parent
	}
	return at
}

// commonName is the value of the row's own step.
func (at *row) commonName() (typ, value string) {
	dn, err := ldap.ParseDN(at.rdn())
	if err != nil || len(dn) == 0 {
		return "", ""
	}
	return dn[0][0].Type, dn[0][0].Value
}

// resolve finds the object of a name: a distinguished name, or one of the
// forms <GUID=...>, <SID=...> and <WKGUID=...,DN> ([MS-ADTS] 3.1.1.3.1.2.4).
func (r *Replica) resolve(name string) (*row, error) {
	if strings.HasPrefix(name, "<") {
		return r.resolveExtended(name)
	}
	dn, err := ldap.ParseDN(name)
	if err != nil {
		return nil, badName(name)
	}
	at, deepest := r.walk(dn)
	if at == nil {
		return nil, r.noObject(dn, deepest)
	}
	return at, nil
}

// walk goes down from the head of the naming context; deepest is how far it got.
func (r *Replica) walk(dn ldap.DN) (at, deepest *row) {
	key := dn.Key()
	for _, h := range r.heads {
		rest, ok := strings.CutSuffix(key, h.obj.key)
		if !ok || rest != "" && !strings.HasSuffix(rest, ",") {
			continue
		}
		steps := len(dn) - strings.Count(h.obj.key, "=") // heads' names have no escapes
		at = h
		for i := steps - 1; i >= 0; i-- {
			next := r.child(at, dn[i])
			if next == nil {
				return nil, at
			}
			at = next
		}
		return at, at
	}
	return nil, nil
}

func (r *Replica) child(parent *row, step ldap.RDN) *row {
	key := step.Key()
	for _, c := range r.byName.all(nameKey{parent.obj.guid, key}) {
		if !c.conflict {
			return c
		}
	}
	special := parent == r.lostAndFound() || len(step) == 1 && strings.Contains(step[0].Value, "\nCNF:")
	if !special {
		return nil
	}
	for _, c := range parent.children {
		if k, err := nameKeyOf(c.rdn()); err == nil && k == key {
			return c
		}
	}
	return nil
}

func (r *Replica) resolveExtended(name string) (*row, error) {
	inner, ok := strings.CutSuffix(name[1:], ">")
	kind, value, found := strings.Cut(inner, "=")
	if !ok || !found {
		return nil, badName(name)
	}
	switch strings.ToUpper(kind) {
	case "GUID":
		if g, ok := guidOfText(value); ok {
			if at := r.rows[g]; at != nil && !at.obj.deleted {
				return at, nil
			}
			return nil, r.noObject(nil, nil)
		}
	case "SID":
		if sid, ok := sidOfText(value); ok {
			if at := r.bySID(sid); at != nil {
				return at, nil
			}
			return nil, r.noObject(nil, nil)
		}
	case "WKGUID":
		return r.resolveWellKnown(value, name)
	}
	return nil, badName(name)
}

func (r *Replica) resolveWellKnown(value, name string) (*row, error) {
	guid, base, ok := strings.Cut(value, ",")
	if !ok || strings.HasPrefix(base, "<") {
		return nil, badName(name)
	}
	at, err := r.resolve(base)
	if err != nil {
		return nil, err
	}
	prefix := "B:32:" + strings.ToUpper(guid) + ":"
	for _, v := range at.obj.stored(atWellKnown) {
		if dn, ok := strings.CutPrefix(v, prefix); ok {
			return r.resolve(dn)
		}
	}
	return nil, r.noObject(nil, at)
}

func (r *Replica) bySID(sid SID) *row { return r.only(atObjectSID, string(sid)) }

// only is the row that has a value, the newest where there are several.
func (r *Replica) only(def *attributeType, v string) *row {
	all := r.having(def, v)
	if len(all) == 0 {
		return nil
	}
	newest := all[0]
	for _, at := range all[1:] {
		if at.obj.created > newest.obj.created {
			newest = at
		}
	}
	return newest
}

func guidOfText(s string) (GUID, bool) {
	if g, err := ldap.ParseGUID(s); err == nil {
		return g, true
	}
	var g GUID
	b, ok := unhex(s)
	if !ok || len(b) != len(g) {
		return g, false
	}
	copy(g[:], b)
	return g, true
}

func sidOfText(s string) (SID, bool) {
	if sid, err := ldap.ParseSID(s); err == nil {
		return sid, true
	}
	b, ok := unhex(s)
	if !ok {
		return "", false
	}
	sid, err := ldap.SIDFromBytes(b)
	return sid, err == nil
}
