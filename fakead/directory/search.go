package directory

import (
	"context"
	"slices"

	"windtunnel.test/sim/wire/ldap"
)

// Query is a search with what its controls ask for.
type Query struct {
	ldap.SearchRequest
	Deleted bool // tombstones too (LDAP_SERVER_SHOW_DELETED_OID)
	Global  bool // as the global catalogue: an empty base is the whole forest
}

// Results are the entries that a search found. They are rendered as they are
// taken, from the objects as they were when the search was made.
type Results struct {
	r     *Replica
	found []shown
	want  selection
}

// shown is a row with the version that the search saw.
type shown struct {
	at  *row
	obj *object
}

// Len is how many entries are left.
func (res *Results) Len() int { return len(res.found) }

// Next takes the next entry; false at the end.
func (res *Results) Next() (ldap.Entry, bool) {
	defer res.r.enter()()
	for len(res.found) > 0 {
		next := res.found[0]
		res.found = res.found[1:]
		if next.at.obj.deleted == next.obj.deleted { // otherwise it is gone since
			return res.r.render(next, res.want), true
		}
	}
	return ldap.Entry{}, false
}

// Search finds what an identity may see. Anonymous callers see nothing but the
// rootDSE (the default of dSHeuristics, [MS-ADTS] 5.1.1.1). Errors: noSuchObject,
// referral, invalidDNSyntax, operationsError.
func (r *Replica) Search(_ context.Context, id Identity, q Query) (*Results, error) {
	if id.Anonymous() {
		return nil, needBind()
	}
	defer r.enter()()
	res := &Results{r: r, want: selectionOf(q.Attributes, q.TypesOnly)}
	var base *row
	if q.Base != "" || !q.Global {
		var err error
		if base, err = r.resolve(q.Base); err != nil {
			return nil, err
		}
	}
	filter := q.Filter
	if filter == nil {
		filter = &ldap.Filter{Kind: ldap.Present, Attribute: atObjectClass.name}
	}
	t := r.ready(filter)
	rows := r.candidates(&t, base, q)
	if t.cost()*len(rows) > maxComparisons {
		return nil, &ldap.Error{Code: ldap.TimeLimitExceeded}
	}
	for _, at := range rows {
		if r.match(&t, at) == yes {
			res.found = append(res.found, shown{at, at.obj})
		}
	}
	return res, nil
}

// maxComparisons is how much work one search may be. A controller bounds it by
// time (MaxQueryDuration, 120 s); ours is bounded by what does not depend on
// the machine.
const maxComparisons = 10_000_000

// cost is how many comparisons a term is for one row, at most.
func (t *term) cost() int {
	n := 1
	for i := range t.children {
		n += t.children[i].cost()
	}
	if t.rule == ldap.RuleInChain {
		n += 100 // groups that are walked
	}
	return n + len(t.parts)
}

// candidates are the rows in scope that can match, in the replica's order.
func (r *Replica) candidates(t *term, base *row, q Query) []*row {
	inScope := func(at *row) bool {
		switch {
		case at.obj.deleted:
			return q.Deleted && q.Scope == ldap.WholeSubtree && (base == nil || base.parent == nil)
		case base == nil:
			return true
		case q.Scope == ldap.BaseObject:
			return at == base
		case q.Scope == ldap.SingleLevel:
			return at.parent == base
		}
		return at.under(base)
	}
	if base != nil && q.Scope == ldap.BaseObject {
		return []*row{base}
	}
	if rows, ok := r.plan(t, q.Deleted); ok {
		return slices.DeleteFunc(rows, func(at *row) bool { return !inScope(at) })
	}
	if base != nil && q.Scope == ldap.SingleLevel {
		return slices.Clone(base.children)
	}
	var list []*row
	if base == nil || q.Deleted {
		for _, at := range r.rows {
			if inScope(at) {
				list = append(list, at)
			}
		}
		sortRows(list)
		return list
	}
	return appendSubtree(list, base)
}

// appendSubtree lists a row and all below it, parents first.
func appendSubtree(list []*row, at *row) []*row {
	list = append(list, at)
	for _, c := range at.children {
		list = appendSubtree(list, c)
	}
	return list
}

// plan finds the rows that can match by an index; false where no index helps.
// The list is the caller's. Of the indexes only that of changes has tombstones.
func (r *Replica) plan(t *term, deleted bool) ([]*row, bool) {
	rows, ok := r.planTerm(t, deleted)
	if ok {
		sortRows(rows)
		rows = slices.Compact(rows)
	}
	return rows, ok
}

func (r *Replica) planTerm(t *term, deleted bool) (rows []*row, ok bool) {
	switch t.kind {
	case ldap.And:
		for i := range t.children {
			if some, can := r.planTerm(&t.children[i], deleted); can && (!ok || len(some) < len(rows)) {
				rows, ok = some, true
			}
		}
		return rows, ok
	case ldap.Or:
		for i := range t.children {
			some, can := r.planTerm(&t.children[i], deleted)
			if !can {
				return nil, false
			}
			if rows = append(rows, some...); len(rows) > 2*len(r.rows) {
				return nil, false // looking at each once is less
			}
		}
		return rows, true
	}
	switch {
	case t.kind == ldap.Not:
		return nil, false
	case t.def == nil || t.broken:
		return nil, true // never true, and not under a Not here
	case t.kind == ldap.GreaterOrEqual && t.def == atUSNChanged:
		return r.changedSince(t.number), true
	case deleted:
		return nil, false
	case t.kind == ldap.Present && t.def == atUserCertificate:
		for at := range r.certs {
			rows = append(rows, at)
		}
		return rows, true
	case t.kind == ldap.Equal && t.def == atObjectGUID:
		var g GUID
		copy(g[:], t.value)
		if at := r.rows[g]; at != nil && !at.obj.deleted {
			rows = append(rows, at)
		}
		return rows, true
	case t.kind == ldap.Equal && t.def == atDN:
		if g, isRef := refGUID(t.value); isRef {
			rows = append(rows, r.rows[g])
		}
		return rows, true
	case t.kind == ldap.Equal && r.byValue[t.def] != nil:
		return r.having(t.def, t.value), true
	}
	return nil, false
}

// Compare tells whether an attribute has a value.
func (r *Replica) Compare(_ context.Context, id Identity, dn, attribute string, value []byte) (bool, error) {
	if id.Anonymous() {
		return false, needBind()
	}
	defer r.enter()()
	at, err := r.resolve(dn)
	if err != nil {
		return false, err
	}
	t := r.ready(&ldap.Filter{Kind: ldap.Equal, Attribute: attribute, Value: value})
	switch {
	case t.def == nil && attributeTypes[keyOf(attribute)] == nil:
		return false, unknownAttribute()
	case t.def == nil:
		return false, noWriteRight()
	case len(r.values(at, t.def)) == 0:
		return false, noSuchValue(t.def)
	}
	return r.match(&t, at) == yes, nil
}
