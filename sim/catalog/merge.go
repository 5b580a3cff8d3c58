package catalog

import (
	"slices"

	"github.com/goccy/go-yaml"
)

// names are the members by which items of a list are told apart, first come
// first served.
var names = []string{"name", "displayName", "userPrincipalName", "id"}

// appended are lists that an overlay goes on with.
var appended = []string{"timeline", "faults"}

// lay puts an overlay over a value and gives a new one; neither is changed.
func lay(under, over any, key string) any {
	switch o := over.(type) {
	case yaml.MapSlice:
		u, ok := under.(yaml.MapSlice)
		if !ok {
			u = nil
		}
		return layMap(u, o)
	case []any:
		u, ok := under.([]any)
		switch {
		case !ok:
			return o
		case slices.Contains(appended, key):
			return slices.Concat(u, o)
		case named(u) && named(o):
			return layList(u, o)
		}
	}
	return over
}

func layMap(under, over yaml.MapSlice) yaml.MapSlice {
	out := slices.Clone(under)
	for _, item := range over {
		key, _ := item.Key.(string)
		i := slices.IndexFunc(out, func(m yaml.MapItem) bool { return m.Key == item.Key })
		switch {
		case item.Value == nil && i >= 0:
			out = slices.Delete(out, i, i+1)
		case item.Value == nil:
		case i >= 0:
			out[i].Value = lay(out[i].Value, item.Value, key)
		default:
			out = append(out, yaml.MapItem{Key: item.Key, Value: lay(nil, item.Value, key)})
		}
	}
	return out
}

// layList merges items by their names; what has a new one is appended, and a
// mapping with nothing but a name and `remove: true` takes an item away.
func layList(under, over []any) []any {
	out := slices.Clone(under)
	for _, item := range over {
		o := item.(yaml.MapSlice)
		i := slices.IndexFunc(out, func(u any) bool { return same(u, o) })
		remove := member(o, "remove") == true
		switch {
		case remove && i >= 0:
			out = slices.Delete(out, i, i+1)
		case remove:
		case i >= 0:
			out[i] = lay(out[i], o, "")
		default:
			out = append(out, o)
		}
	}
	return out
}

func named(list []any) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(item any) bool {
		m, ok := item.(yaml.MapSlice)
		return !ok || !slices.ContainsFunc(names, func(n string) bool { return member(m, n) != nil })
	})
}

// same tells whether two items of a list are about the same object: by the
// first kind of name that both have.
func same(a any, b yaml.MapSlice) bool {
	m, ok := a.(yaml.MapSlice)
	if !ok {
		return false
	}
	for _, n := range names {
		if x, y := member(m, n), member(b, n); x != nil && y != nil {
			return x == y
		}
	}
	return false
}

func member(m yaml.MapSlice, key string) any {
	for _, item := range m {
		if item.Key == key {
			return item.Value
		}
	}
	return nil
}
