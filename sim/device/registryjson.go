package device

import (
	"encoding/json"
	"fmt"
)

// keyJSON and valueJSON are the registry's form in a snapshot; a value has one
// of its three members.
type keyJSON struct {
	Path   string      `json:"path"`
	Values []valueJSON `json:"values"`
}

type valueJSON struct {
	Name string   `json:"name"`
	S    *string  `json:"s,omitempty"`
	D    *uint32  `json:"d,omitempty"`
	M    []string `json:"m,omitzero"`
}

// MarshalJSON writes the registry with its keys and values in order.
func (r *Registry) MarshalJSON() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]keyJSON, 0, len(r.keys))
	for _, p := range r.paths {
		k := keyJSON{Path: r.keys[p].path, Values: []valueJSON{}}
		for _, v := range r.keys[p].values {
			out := valueJSON{Name: v.name}
			switch v := v.v.(type) {
			case string:
				out.S = &v
			case uint32:
				out.D = &v
			case []string:
				out.M = v
			}
			k.Values = append(k.Values, out)
		}
		keys = append(keys, k)
	}
	return json.Marshal(keys)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Registry) UnmarshalJSON(b []byte) error {
	var keys []keyJSON
	if err := json.Unmarshal(b, &keys); err != nil {
		return err
	}
	read := newRegistry()
	for _, k := range keys {
		if _, ok := read.keys[fold(k.Path)]; !ok {
			read.add(k.Path)
		}
		for _, v := range k.Values {
			switch {
			case v.S != nil:
				read.SetString(k.Path, v.Name, *v.S)
			case v.D != nil:
				read.SetDWORD(k.Path, v.Name, *v.D)
			case v.M != nil:
				read.SetStrings(k.Path, v.Name, v.M)
			default:
				return fmt.Errorf("registry key %s: value %q has no data", k.Path, v.Name)
			}
		}
	}
	r.replace(read)
	return nil
}
