package directory

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/wire/ldap"
)

func keyOf(attribute string) string {
	name, _, _ := strings.Cut(attribute, ";")
	return strings.ToLower(name)
}

func unhex(s string) ([]byte, bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\`, ""))
	return b, err == nil
}

// selection is which attributes a search wants back.
type selection struct {
	all       bool
	named     []named
	typesOnly bool
}

// named is an attribute with the description it was asked for by.
type named struct {
	def  *attributeType
	text string
}

func selectionOf(attributes []string, typesOnly bool) selection {
	s := selection{all: len(attributes) == 0, typesOnly: typesOnly}
	seen := map[*attributeType]bool{}
	for _, a := range attributes {
		if a == "*" {
			s.all = true
			continue
		}
		if def := attributeTypes[keyOf(a)]; def != nil && !seen[def] {
			seen[def] = true
			s.named = append(s.named, named{def, a})
		}
	}
	return s
}

// headerAttributes are not kept with the others: they follow from the object's
// place and history.
var headerAttributes = []*attributeType{
	atObjectGUID, atName, atCN, atDN, atWhenCreated, atWhenChanged, atUSNCreated, atUSNChanged, atIsDeleted, atMemberOf, must("ou"), must("dc"),
}

// values are an attribute's values as kept, or as they follow from the row.
func (r *Replica) values(at *row, def *attributeType) []string {
	o := at.obj
	switch def {
	case atObjectGUID:
		return []string{string(o.guid[:])}
	case atDN:
		return []string{refTo(o.guid)}
	case atName:
		_, v := at.commonName()
		return []string{v}
	case atWhenCreated:
		return []string{generalized(time.Unix(0, o.created))}
	case atWhenChanged:
		return []string{generalized(time.Unix(0, o.changed))}
	case atUSNCreated:
		return []string{strconv.FormatUint(at.created, 10)}
	case atUSNChanged:
		return []string{strconv.FormatUint(at.changed, 10)}
	case atIsDeleted:
		if o.deleted {
			return []string{"TRUE"}
		}
		return nil
	case atMemberOf:
		return r.directGroups(at)
	case atBadPwdCount, atBadPwdTime, atLastLogon, atLogonCount:
		return r.logonValues(at, def)
	}
	if typ, ok := namingAttributes[def]; ok {
		if t, v := at.commonName(); strings.EqualFold(t, typ) {
			return []string{v}
		}
		return nil
	}
	return o.stored(def)
}

var namingAttributes = map[*attributeType]string{atCN: "CN", must("ou"): "OU", must("dc"): "DC"}

func (r *Replica) directGroups(at *row) []string {
	var refs []string
	for _, g := range r.having(atMember, refTo(at.obj.guid)) {
		refs = append(refs, refTo(g.obj.guid))
	}
	return refs
}

// render makes an entry of a row.
func (r *Replica) render(s shown, want selection) ldap.Entry {
	at := &row{obj: s.obj, parent: s.at.parent, children: s.at.children, conflict: s.at.conflict, created: s.at.created, changed: s.at.changed}
	e := ldap.Entry{DN: at.dn()}
	add := func(def *attributeType, text string) {
		if def.is(secret) {
			return
		}
		values := r.shownValues(s.at, at, def)
		if len(values) == 0 {
			return
		}
		a := ldap.Attribute{Type: text}
		if !want.typesOnly {
			a.Values = values
		}
		e.Attributes = append(e.Attributes, a)
	}
	if want.all {
		e.Attributes = make([]ldap.Attribute, 0, len(s.obj.attrs)+len(headerAttributes)+len(want.named))
		for _, a := range s.obj.attrs {
			if !a.def.is(operational | constructed) {
				add(a.def, a.def.name)
			}
		}
		for _, def := range headerAttributes {
			add(def, def.name)
		}
		for _, def := range logonAttributes {
			add(def, def.name)
		}
	}
	for _, n := range want.named {
		if !slices.ContainsFunc(e.Attributes, func(a ldap.Attribute) bool { return strings.EqualFold(a.Type, n.text) }) {
			name := n.def.name
			if _, options, ok := strings.Cut(n.text, ";"); ok && !strings.HasPrefix(strings.ToLower(options), "range=") {
				name += ";" + options
			}
			add(n.def, name)
		}
	}
	return e
}

// shownValues are values as a client sees them.
func (r *Replica) shownValues(live, at *row, def *attributeType) [][]byte {
	if def.is(constructed) && def != atMemberOf {
		return r.computed(live, at, def)
	}
	kept := r.values(at, def)
	out := make([][]byte, 0, len(kept))
	for _, v := range kept {
		if def.syntax == dnSyntax {
			name, ok := r.nameOfRef(v, at)
			if !ok {
				continue
			}
			v = name
		}
		out = append(out, []byte(v))
	}
	return out
}

// nameOfRef is the name of the object that a value refers to; false where it is
// gone, or not here yet.
func (r *Replica) nameOfRef(v string, self *row) (string, bool) {
	g, ok := refGUID(v)
	if !ok {
		return v, true
	}
	if g == self.obj.guid {
		return self.dn(), true
	}
	at := r.rows[g]
	if at == nil || at.obj.deleted {
		return "", false
	}
	return at.dn(), true
}

// computed are constructed attributes ([MS-ADTS] 3.1.1.4.5).
func (r *Replica) computed(live, at *row, def *attributeType) [][]byte {
	text := func(s string) [][]byte { return [][]byte{[]byte(s)} }
	o := at.obj
	switch def {
	case atStructuralClass:
		return texts(o.stored(atObjectClass))
	case atCreateTimeStamp:
		return text(generalized(time.Unix(0, o.created)))
	case atModifyTimeStamp:
		return text(generalized(time.Unix(0, o.changed)))
	case atCanonicalName:
		return text(canonicalName(at))
	}
	sid := SID(o.first(atObjectSID))
	if sid == "" {
		return nil
	}
	switch def {
	case atPrimaryToken:
		if o.is("group") {
			return text(strconv.FormatUint(uint64(sid.RID()), 10))
		}
		return nil
	case atPrincipalName:
		return text(r.d.o.NetBIOS + `\` + o.first(atSAM))
	case atTokenGroups:
		var out [][]byte
		for _, g := range r.groupSIDs(live) {
			out = append(out, g.Bytes())
		}
		return out
	}
	if !o.is("user") {
		return nil
	}
	a := r.account(live)
	switch def {
	case atKvno:
		return text(strconv.Itoa(a.Kvno))
	case atAccountComputed:
		var flags uint32
		if !a.LockedUntil.IsZero() {
			flags |= uacLockout
		}
		if r.passwordExpired(a) {
			flags |= uacPasswordExpired
		}
		return text(strconv.FormatUint(uint64(flags), 10))
	case atPasswordExpiry:
		return text(strconv.FormatInt(r.passwordExpiry(a), 10))
	}
	return nil
}

func texts(values []string) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = []byte(v)
	}
	return out
}

// canonicalName is "corp.contoso.com/Users/Anna".
func canonicalName(at *row) string {
	var steps []string
	for ; at.parent != nil; at = at.parent {
		_, v := at.commonName()
		steps = append(steps, v)
	}
	slices.Reverse(steps)
	dn, err := ldap.ParseDN(at.obj.rdn)
	if err != nil {
		return ""
	}
	return dnsOf(dn) + "/" + strings.Join(steps, "/")
}
