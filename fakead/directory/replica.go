package directory

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Replica is what one controller knows of the forest. Its unexported methods
// run under the directory's lock.
type Replica struct {
	d     *Directory
	index int
	c     Controller

	rows    map[GUID]*row
	heads   []*row // of the naming contexts, the longest name first
	byName  multi[nameKey]
	byValue map[*attributeType]*multi[uint64] // by digest: look things up with having
	certs   map[*row]struct{}                 // with userCertificate
	orphans map[GUID]*row
	usn     uint64
	order   []usnEntry // by usn; entries that their rows have left are skipped
	seen    uint64     // how many changes of the log
}

// row is an object's place in a replica.
type row struct {
	obj      *object
	parent   *row // as it is shown: lost and found where the real one is gone
	children []*row
	conflict bool // another object has its name and keeps it
	created  uint64
	changed  uint64
}

type nameKey struct {
	parent GUID
	key    string
}

// multi maps keys to rows, nearly always one.
type multi[K comparable] struct {
	one  map[K]*row
	more map[K][]*row
}

func (m *multi[K]) add(k K, r *row) {
	if m.one == nil {
		m.one, m.more = map[K]*row{}, map[K][]*row{}
	}
	if first := m.one[k]; first == nil {
		m.one[k] = r
	} else if first != r && !slices.Contains(m.more[k], r) {
		m.more[k] = append(m.more[k], r)
	}
}

func (m *multi[K]) drop(k K, r *row) {
	rest := m.more[k]
	if m.one[k] != r {
		rest = slices.DeleteFunc(rest, func(o *row) bool { return o == r })
	} else if len(rest) > 0 {
		m.one[k], rest = rest[0], rest[1:]
	} else {
		delete(m.one, k)
	}
	if len(rest) == 0 {
		delete(m.more, k)
	} else {
		m.more[k] = rest
	}
}

// all are a key's rows in the order in which the replica got the objects.
func (m *multi[K]) all(k K) []*row {
	first := m.one[k]
	if first == nil {
		return nil
	}
	list := append([]*row{first}, m.more[k]...)
	sortRows(list)
	return list
}

func sortRows(list []*row) {
	slices.SortFunc(list, func(a, b *row) int { return cmp.Compare(a.created, b.created) })
}

func newReplica(d *Directory, i int, c Controller) *Replica {
	r := &Replica{d: d, index: i, c: c}
	r.clear()
	return r
}

func (r *Replica) clear() {
	r.rows, r.certs, r.orphans = map[GUID]*row{}, map[*row]struct{}{}, map[GUID]*row{}
	r.heads, r.byName, r.byValue = nil, multi[nameKey]{}, map[*attributeType]*multi[uint64]{}
	for _, a := range indexedAttributes {
		r.byValue[a] = &multi[uint64]{}
	}
	r.order = nil
}

// Directory is the forest's.
func (r *Replica) Directory() *Directory { return r.d }

// Name is the controller's name, "dc1".
func (r *Replica) Name() string { return r.c.Name }

// HostName is its DNS name, "dc1.corp.contoso.com".
func (r *Replica) HostName() string { return strings.ToLower(r.c.Name) + "." + r.d.o.Domain }

// Site is the controller's site.
func (r *Replica) Site() string { return r.c.Site }

// Now is the controller's own time.
func (r *Replica) Now() time.Time { return r.d.o.Clock.Now().Add(r.c.Skew).UTC() }

// InvocationID names the controller's database, and is the objectGUID of its
// settings object.
func (r *Replica) InvocationID() GUID { return r.d.newGUID("settings", strings.ToLower(r.c.Name)) }

// put shows a version of an object, new or newer, and all that follows for names.
func (r *Replica) put(o *object) {
	r.usn++
	old := r.rows[o.guid]
	if old == nil {
		old = &row{obj: o, created: r.usn}
		r.rows[o.guid] = old
		r.changedNow(old)
		r.addValues(old, nil)
		r.place(old)
		r.adopt(old)
		return
	}
	was := old.obj
	if was == o {
		r.usn--
		return
	}
	moved := was.parent != o.parent || was.key != o.key || was.deleted != o.deleted
	if moved {
		r.displace(old)
	}
	old.obj = o
	r.changedNow(old)
	r.addValues(old, was)
	if moved {
		r.place(old)
	}
	if o.deleted && !was.deleted {
		for _, child := range slices.Clone(old.children) {
			r.displace(child)
			r.place(child)
		}
	}
}

// addValues brings the indexes from one version to the row's.
func (r *Replica) addValues(at *row, was *object) {
	for _, def := range indexedAttributes {
		var before, now []string
		if was != nil && !was.deleted {
			before = was.stored(def)
		}
		if !at.obj.deleted {
			now = at.obj.stored(def)
		}
		if slices.Equal(before, now) {
			continue
		}
		x := r.byValue[def]
		for _, v := range before {
			x.drop(def.digest(v), at)
		}
		for _, v := range now {
			x.add(def.digest(v), at)
		}
	}
	if len(at.obj.stored(atUserCertificate)) > 0 && !at.obj.deleted {
		r.certs[at] = struct{}{}
	} else {
		delete(r.certs, at)
	}
}

// digest is what an index has of a value: eight bytes in place of a text that
// would be kept for every replica (FNV-1a).
func (a *attributeType) digest(v string) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(a.comparable(v)) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// having lists the rows that have a value, in the replica's order.
func (r *Replica) having(def *attributeType, v string) []*row {
	return slices.DeleteFunc(r.byValue[def].all(def.digest(v)), func(at *row) bool { return !containsValue(def, at.obj.stored(def), v) })
}

// indexedAttributes are those with an index of their own.
var indexedAttributes = []*attributeType{atSAM, atUPN, atSPN, atObjectSID, atCreatorSID, atMember}

// usnEntry is a place in the order of changes; the row has moved on where its
// number is another.
type usnEntry struct {
	usn uint64
	at  *row
}

// changedNow puts a row at the end of the order of changes.
func (r *Replica) changedNow(at *row) {
	at.changed = r.usn
	r.order = append(r.order, usnEntry{r.usn, at})
	if len(r.order) > 64+len(r.rows)+len(r.rows)/4 {
		fresh := make([]usnEntry, 0, 64+len(r.rows)+len(r.rows)/2)
		for _, e := range r.order {
			if e.at.changed == e.usn {
				fresh = append(fresh, e)
			}
		}
		r.order = fresh
	}
}

// changedSince lists rows whose uSNChanged is at least usn.
func (r *Replica) changedSince(usn int64) []*row {
	i, _ := slices.BinarySearchFunc(r.order, usn, func(e usnEntry, usn int64) int { return cmp.Compare(int64(e.usn), usn) })
	var rows []*row
	for _, e := range r.order[i:] {
		if e.at.changed == e.usn {
			rows = append(rows, e.at)
		}
	}
	return rows
}

// place hangs a row below its parent, settling who has the name.
func (r *Replica) place(at *row) {
	o := at.obj
	switch {
	case o.deleted:
		// Tombstones are found by their GUID only.
		at.parent = nil
		return
	case o.parent == GUID{}:
		r.heads = append(r.heads, at)
		slices.SortStableFunc(r.heads, func(a, b *row) int { return cmp.Compare(len(b.obj.key), len(a.obj.key)) })
		return
	}
	parent := r.rows[o.parent]
	if parent == nil || parent.obj.deleted {
		r.orphans[o.guid] = at
		parent = r.lostAndFound()
	}
	at.parent = parent
	if parent != nil {
		parent.children = append(parent.children, at)
	}
	k := nameKey{o.parent, o.key}
	r.byName.add(k, at)
	r.settle(k)
}

func (r *Replica) displace(at *row) {
	o := at.obj
	if o.deleted || o.parent == (GUID{}) {
		return
	}
	delete(r.orphans, o.guid)
	if at.parent != nil {
		at.parent.children = slices.DeleteFunc(at.parent.children, func(c *row) bool { return c == at })
		at.parent = nil
	}
	k := nameKey{o.parent, o.key}
	r.byName.drop(k, at)
	at.conflict = false
	r.settle(k)
}

// settle gives a name that several objects have to the one that was named last
// ([MS-DRSR] 4.1.10.6.5); the others get a name of their own.
func (r *Replica) settle(k nameKey) {
	if len(r.byName.more[k]) == 0 {
		if only := r.byName.one[k]; only != nil {
			only.conflict = false
		}
		return
	}
	all := r.byName.all(k)
	winner := all[0]
	for _, c := range all[1:] {
		if order := c.obj.named.compare(winner.obj.named); order > 0 || order == 0 && c.obj.guid.String() > winner.obj.guid.String() {
			winner = c
		}
	}
	for _, c := range all {
		c.conflict = c != winner
	}
}

// adopt gives a new row the children that came before it.
func (r *Replica) adopt(parent *row) {
	for _, o := range r.orphanList() {
		if o.obj.parent == parent.obj.guid || parent.obj.guid == r.d.lostAndFound && o.parent == nil {
			r.displace(o)
			r.place(o)
		}
	}
}

func (r *Replica) orphanList() []*row {
	list := make([]*row, 0, len(r.orphans))
	for _, o := range r.orphans {
		list = append(list, o)
	}
	sortRows(list)
	return list
}

func (r *Replica) lostAndFound() *row { return r.rows[r.d.lostAndFound] }
