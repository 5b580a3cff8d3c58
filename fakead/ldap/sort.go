package ldap

import (
	"slices"
	"strings"

	"windtunnel.test/fakead/directory"
	wire "windtunnel.test/sim/wire/ldap"
)

// ordered is a search's result in another order.
type ordered struct{ left []wire.Entry }

func (o *ordered) Len() int { return len(o.left) }

func (o *ordered) Next() (wire.Entry, bool) {
	if len(o.left) == 0 {
		return wire.Entry{}, false
	}
	e := o.left[0]
	o.left = o.left[1:]
	return e, true
}

// sortLimit is how many pages a sorted search may have: sorting needs all of them in memory at once.
const sortLimit = 20

// sorted puts entries in the order of keys (RFC 2891), by attributes that the client has asked for; entries without a
// value come last. A controller sorts by one key only ([MS-ADTS] 3.1.1.3.4.1.13).
func sorted(r *directory.Results, keys []wire.SortKey, page int) (found, error) {
	if len(keys) != 1 {
		return nil, unavailable()
	}
	if r.Len() > sortLimit*page {
		return nil, nameless(wire.AdminLimitExceeded)
	}
	o := &ordered{left: make([]wire.Entry, 0, r.Len())}
	for e, ok := r.Next(); ok; e, ok = r.Next() {
		o.left = append(o.left, e)
	}
	k := keys[0]
	slices.SortStableFunc(o.left, func(a, b wire.Entry) int {
		x, y := a.Bytes(k.Attribute), b.Bytes(k.Attribute)
		switch {
		case x == nil && y == nil:
			return 0
		case x == nil:
			return 1
		case y == nil:
			return -1
		}
		n := strings.Compare(wire.FoldValue(string(x)), wire.FoldValue(string(y)))
		if k.Reverse {
			return -n
		}
		return n
	})
	return o, nil
}
