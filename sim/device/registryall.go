package device

import (
	"iter"
	"slices"
)

// RegistryValue is a value of a registry key: a string, uint32 or []string.
type RegistryValue struct {
	Name string
	Data any
}

// All walks through the keys in the order of their names, each with its values.
// What is written meanwhile to a key that has not been reached is seen.
func (r *Registry) All() iter.Seq2[string, []RegistryValue] {
	if r.of != nil {
		return r.of.All()
	}
	return func(yield func(string, []RegistryValue) bool) {
		r.mu.Lock()
		paths := slices.Clone(r.paths)
		r.mu.Unlock()
		for _, p := range paths {
			r.mu.Lock()
			k := r.keys[p]
			if k == nil {
				r.mu.Unlock()
				continue
			}
			path, values := k.path, make([]RegistryValue, len(k.values))
			for i, v := range k.values {
				values[i] = RegistryValue{v.name, v.v}
			}
			r.mu.Unlock()
			if !yield(path, values) {
				return
			}
		}
	}
}
