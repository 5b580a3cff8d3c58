package device

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// Registry is the part of the disk that Windows keeps its settings in: keys
// with named values. Names of keys and values are compared without regard to
// case, as in Windows, and keep the spelling of their first writer.
//
// Values are string (REG_SZ), uint32 (REG_DWORD) or []string (REG_MULTI_SZ).
type Registry struct {
	mu    sync.Mutex
	keys  map[string]*regKey // by folded path
	paths []string           // these paths, sorted: what is below a key stands together
	dark  *atomic.Bool

	of   *Registry // a view whose writes are noted writes to this one
	undo *Undo
}

// regKey keeps its values in a slice, ordered without regard to case: a fleet
// has a hundred keys a PC, and a map for each weighs several times as much.
type regKey struct {
	path   string
	values []regValue
}

type regValue struct {
	name string
	v    any // string, uint32 or []string
}

func newRegistry() *Registry { return &Registry{keys: map[string]*regKey{}} }

func fold(path string) string { return strings.ToLower(strings.Trim(path, `\`)) }

// key finds a key. It is asked thousands of times a PC, so no folded copy of an
// ordinary path is made.
func (r *Registry) key(path string) *regKey {
	var folded [256]byte
	path = strings.Trim(path, `\`)
	if len(path) > len(folded) {
		return r.keys[fold(path)]
	}
	for i := range len(path) {
		if path[i] >= utf8.RuneSelf {
			return r.keys[fold(path)]
		}
		folded[i] = lower(path[i])
	}
	return r.keys[string(folded[:len(path)])]
}

// compareFold is strings.Compare of the lower-case forms, which it makes only
// where a text is not ASCII.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if x >= utf8.RuneSelf || y >= utf8.RuneSelf {
			return strings.Compare(strings.ToLower(a[i:]), strings.ToLower(b[i:]))
		}
		if x, y = lower(x), lower(y); x != y {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// add makes a key.
func (r *Registry) add(path string) *regKey {
	k, folded := &regKey{path: strings.Trim(path, `\`)}, fold(path)
	at, _ := slices.BinarySearch(r.paths, folded)
	r.keys[folded], r.paths = k, slices.Insert(r.paths, at, folded)
	return k
}

// below gives the bounds of what is below a folded path.
func (r *Registry) below(path string) (from, to int) {
	from, _ = slices.BinarySearch(r.paths, path+`\`)
	n, _ := slices.BinarySearchFunc(r.paths[from:], path+`\`, func(p, prefix string) int {
		if strings.HasPrefix(p, prefix) {
			return -1
		}
		return 1
	})
	return from, from + n
}

// find gives the place of a value, and whether it is there.
func (k *regKey) find(name string) (int, bool) {
	return slices.BinarySearchFunc(k.values, name, func(v regValue, name string) int { return compareFold(v.name, name) })
}

// SetString writes a REG_SZ.
func (r *Registry) SetString(path, name, v string) { r.set(path, name, v) }

// SetDWORD writes a REG_DWORD.
func (r *Registry) SetDWORD(path, name string, v uint32) { r.set(path, name, v) }

// SetStrings writes a REG_MULTI_SZ.
func (r *Registry) SetStrings(path, name string, v []string) {
	r.set(path, name, append([]string{}, v...))
}

func (r *Registry) set(path, name string, v any) {
	if r.of != nil {
		r.undo.value(r.of, path, name)
		r = r.of
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if unpowered(r.dark) {
		return
	}
	k := r.key(path)
	if k == nil {
		k = r.add(path)
	}
	if i, ok := k.find(name); ok {
		k.values[i].v = v
	} else {
		k.values = slices.Insert(k.values, i, regValue{name, v})
	}
}

func (r *Registry) replace(with *Registry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !unpowered(r.dark) {
		r.keys, r.paths = with.keys, with.paths
	}
}

func (r *Registry) get(path, name string) any {
	if r.of != nil {
		r = r.of
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.key(path); k != nil {
		if i, ok := k.find(name); ok {
			return k.values[i].v
		}
	}
	return nil
}

// String reads a REG_SZ; "" where the value is not there or of another type.
func (r *Registry) String(path, name string) string {
	s, _ := r.get(path, name).(string)
	return s
}

// DWORD reads a REG_DWORD and tells whether it is there.
func (r *Registry) DWORD(path, name string) (uint32, bool) {
	d, ok := r.get(path, name).(uint32)
	return d, ok
}

// Strings reads a REG_MULTI_SZ; nil where it is not there.
func (r *Registry) Strings(path, name string) []string {
	m, _ := r.get(path, name).([]string)
	return slices.Clone(m)
}

// Text is a value of any type as reg.exe shows it, and whether it is there:
// numbers in decimal, several texts with semicolons between them.
func (r *Registry) Text(path, name string) (string, bool) {
	switch v := r.get(path, name).(type) {
	case nil:
		return "", false
	case []string:
		return strings.Join(v, ";"), true
	default:
		return fmt.Sprint(v), true
	}
}

// Has tells whether a key exists, by its own values or by keys below it.
func (r *Registry) Has(path string) bool {
	if r.of != nil {
		r = r.of
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := fold(path)
	if _, ok := r.keys[p]; ok {
		return true
	}
	from, to := r.below(p)
	return from < to
}

// HasValue tells whether a key has a value of that name, of whatever type.
func (r *Registry) HasValue(path, name string) bool { return r.get(path, name) != nil }

// Delete removes a value.
func (r *Registry) Delete(path, name string) {
	if r.of != nil {
		r.undo.value(r.of, path, name)
		r = r.of
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.key(path); k != nil && !unpowered(r.dark) {
		if i, ok := k.find(name); ok {
			k.values = slices.Delete(k.values, i, i+1)
		}
	}
}

// DeleteTree removes a key and all below it.
func (r *Registry) DeleteTree(path string) {
	if r.of != nil {
		r.undo.tree(r.of, path)
		r = r.of
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := fold(path)
	if p == "" || unpowered(r.dark) {
		return
	}
	from, to := r.below(p)
	for _, k := range r.paths[from:to] {
		delete(r.keys, k)
	}
	r.paths = slices.Delete(r.paths, from, to)
	if at, ok := slices.BinarySearch(r.paths, p); ok {
		delete(r.keys, p)
		r.paths = slices.Delete(r.paths, at, at+1)
	}
}

// Subkeys lists the names directly below a key, sorted.
func (r *Registry) Subkeys(path string) []string {
	if r.of != nil {
		r = r.of
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := fold(path)
	from, to := r.below(p)
	if from == to {
		return nil
	}
	names, depth := map[string]string{}, 1+strings.Count(p, `\`)
	for _, folded := range r.paths[from:to] {
		first, _, _ := strings.Cut(folded[len(p)+1:], `\`)
		spelt := r.keys[folded].path // folding may change a text's length
		for range depth {
			_, spelt, _ = strings.Cut(spelt, `\`)
		}
		spelt, _, _ = strings.Cut(spelt, `\`)
		if old, seen := names[first]; !seen || spelt < old {
			names[first] = spelt
		}
	}
	return slices.Sorted(maps.Values(names))
}

// ValueNames lists the names of a key's values, ordered without regard to case.
func (r *Registry) ValueNames(path string) []string {
	if r.of != nil {
		r = r.of
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.key(path)
	if k == nil {
		return nil
	}
	names := make([]string, len(k.values))
	for i, v := range k.values {
		names[i] = v.name
	}
	return names
}
