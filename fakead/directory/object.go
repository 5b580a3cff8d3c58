package directory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/wire/ldap"
)

// stamp says which change made a value ([MS-ADTS] 3.1.1.1.9). Of two, the one
// with the higher version counts, then the later, then the higher origin.
type stamp struct {
	version uint32
	origin  uint32
	at      int64 // Unix nanoseconds by the origin's clock
}

func (s stamp) compare(o stamp) int {
	return cmp.Or(cmp.Compare(s.version, o.version), cmp.Compare(s.at, o.at), cmp.Compare(s.origin, o.origin))
}

// attribute is an attribute with its values as they are kept: text as written,
// numbers in decimal, SIDs and GUIDs in binary, names of objects as references.
// One without values remembers that they were removed.
type attribute struct {
	def    *attributeType
	values []string
	stamp  stamp
}

// object is one version of an object. It never changes, so that replicas share
// it; its attributes are sorted by their number.
type object struct {
	guid    GUID
	parent  GUID   // none at the head of a naming context
	rdn     string // "CN=PC-1"; the whole name at a head
	key     string // rdn for comparing
	named   stamp  // of parent and rdn
	deleted bool   // a tombstone: for good
	created int64
	changed int64
	attrs   []attribute
}

// find is written out: scans of the whole directory come here.
func (o *object) find(def *attributeType) (int, bool) {
	low, high := 0, len(o.attrs)
	for low < high {
		mid := (low + high) / 2
		if o.attrs[mid].def.id < def.id {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(o.attrs) && o.attrs[low].def == def
}

// stored are the values that are kept, nil where there are none.
func (o *object) stored(def *attributeType) []string {
	if i, ok := o.find(def); ok {
		return o.attrs[i].values
	}
	return nil
}

func (o *object) first(def *attributeType) string {
	if v := o.stored(def); len(v) > 0 {
		return v[0]
	}
	return ""
}

func (o *object) int(def *attributeType) int64 { return parseInt(o.first(def)) }

func (o *object) time(def *attributeType) time.Time { return fileTime(o.int(def)) }

func (o *object) is(class string) bool { return slices.Contains(o.stored(atObjectClass), class) }

// class is the most derived one.
func (o *object) class() string {
	if v := o.stored(atObjectClass); len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// draft is a version in the making.
type draft struct {
	object
	at     int64
	origin uint32
}

func (o *object) edit(at int64, origin uint32) *draft {
	d := &draft{object: *o, at: at, origin: origin}
	d.attrs = slices.Clone(o.attrs)
	d.changed = at
	return d
}

// set replaces an attribute's values; none removes it.
func (d *draft) set(def *attributeType, values ...string) {
	i, ok := d.find(def)
	if !ok {
		if len(values) == 0 {
			return
		}
		d.attrs = slices.Insert(d.attrs, i, attribute{def: def})
	}
	a := &d.attrs[i]
	a.values = shared(def, values)
	a.stamp = stamp{a.stamp.version + 1, d.origin, d.at}
}

func (d *draft) rename(parent GUID, rdn, key string) {
	d.parent, d.rdn, d.key = parent, rdn, key
	d.named = stamp{d.named.version + 1, d.origin, d.at}
}

// kill makes a tombstone, which keeps little ([MS-ADTS] 3.1.1.5.5.1.1).
func (d *draft) kill() {
	d.deleted = true
	for i := range d.attrs {
		switch a := &d.attrs[i]; a.def {
		case atObjectClass, atObjectSID, atSAM, atUAC, atCreatorSID:
		default:
			a.values = nil
			a.stamp = stamp{a.stamp.version + 1, d.origin, d.at}
		}
	}
}

// done is the version; the draft is not to be used any more.
func (d *draft) done() *object {
	o := d.object
	o.attrs = slices.Clip(o.attrs)
	return &o
}

// merge is what two versions of an object come to, whichever came first: of
// each attribute the newer. It gives one of them where that is the result.
func merge(a, b *object) *object {
	if a == b {
		return a
	}
	m := *a
	sameA, sameB := true, true
	if b.named.compare(a.named) > 0 {
		m.parent, m.rdn, m.key, m.named = b.parent, b.rdn, b.key, b.named
		sameA = false
	} else if b.named != a.named {
		sameB = false
	}
	if a.deleted != b.deleted {
		m.deleted = true
		sameA, sameB = sameA && a.deleted, sameB && b.deleted
	}
	m.changed = max(a.changed, b.changed)
	m.attrs = make([]attribute, 0, max(len(a.attrs), len(b.attrs)))
	for i, j := 0, 0; i < len(a.attrs) || j < len(b.attrs); {
		switch {
		case j == len(b.attrs) || i < len(a.attrs) && a.attrs[i].def.id < b.attrs[j].def.id:
			m.attrs, sameB = append(m.attrs, a.attrs[i]), false
			i++
		case i == len(a.attrs) || b.attrs[j].def.id < a.attrs[i].def.id:
			m.attrs, sameA = append(m.attrs, b.attrs[j]), false
			j++
		default:
			x := a.attrs[i]
			if c := b.attrs[j].stamp.compare(x.stamp); c > 0 {
				x, sameA = b.attrs[j], false
			} else if c < 0 {
				sameB = false
			}
			m.attrs = append(m.attrs, x)
			i++
			j++
		}
	}
	switch {
	case sameA && m.changed == a.changed:
		return a
	case sameB && m.changed == b.changed:
		return b
	}
	return &m
}

// kept is an object as it stands in the store.
type kept struct {
	Parent  string          `json:"p,omitempty"`
	RDN     string          `json:"r"`
	Named   [3]int64        `json:"n"`
	Deleted bool            `json:"d,omitempty"`
	Created int64           `json:"c"`
	Changed int64           `json:"w"`
	Attrs   []keptAttribute `json:"a"`
}

type keptAttribute struct {
	Type   string   `json:"t"`
	Stamp  [3]int64 `json:"s"`
	Values [][]byte `json:"v,omitempty"`
}

func (s stamp) kept() [3]int64 { return [3]int64{int64(s.version), int64(s.origin), s.at} }

func stampOf(k [3]int64) stamp { return stamp{uint32(k[0]), uint32(k[1]), k[2]} }

// MarshalJSON writes the object but for its GUID, which is the row's key.
func (o *object) MarshalJSON() ([]byte, error) {
	k := kept{RDN: o.rdn, Named: o.named.kept(), Deleted: o.deleted, Created: o.created, Changed: o.changed}
	if o.parent != (GUID{}) {
		k.Parent = o.parent.String()
	}
	for _, a := range o.attrs {
		x := keptAttribute{Type: a.def.name, Stamp: a.stamp.kept()}
		for _, v := range a.values {
			x.Values = append(x.Values, []byte(v))
		}
		k.Attrs = append(k.Attrs, x)
	}
	return json.Marshal(k)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *object) UnmarshalJSON(b []byte) error {
	var k kept
	if err := json.Unmarshal(b, &k); err != nil {
		return err
	}
	*o = object{rdn: strings.Clone(k.RDN), named: stampOf(k.Named), deleted: k.Deleted, created: k.Created, changed: k.Changed}
	var err error
	if k.Parent != "" {
		if o.parent, err = ldap.ParseGUID(k.Parent); err != nil {
			return err
		}
	}
	if o.key, err = nameKeyOf(o.rdn); err != nil {
		return err
	}
	for _, x := range k.Attrs {
		def := attributeTypes[strings.ToLower(x.Type)]
		if def == nil {
			return fmt.Errorf("directory: object %s has the unknown attribute %s", k.RDN, x.Type)
		}
		a := attribute{def: def, stamp: stampOf(x.Stamp)}
		for _, v := range x.Values {
			a.values = append(a.values, string(v))
		}
		a.values = shared(def, a.values)
		o.attrs = append(o.attrs, a)
	}
	slices.SortFunc(o.attrs, func(a, b attribute) int { return cmp.Compare(a.def.id, b.def.id) })
	return nil
}
