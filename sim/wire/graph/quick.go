package graph

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// quickType is how the members of a struct type are found without encoding it.
type quickType struct {
	fields map[string]quickField // by lower-case name
	ok     bool                  // false: the type writes its JSON itself
}

type quickField struct {
	name      string
	index     []int
	omitEmpty bool
}

var (
	quickTypes    sync.Map // reflect.Type to quickType
	marshalerType = reflect.TypeFor[json.Marshaler]()
)

func quickOf(t reflect.Type) quickType {
	if known, ok := quickTypes.Load(t); ok {
		return known.(quickType)
	}
	q := quickType{fields: map[string]quickField{}}
	if q.ok = t.Kind() == reflect.Struct && !t.Implements(marshalerType) && !reflect.PointerTo(t).Implements(marshalerType); q.ok {
		for _, f := range reflect.VisibleFields(t) {
			tag := f.Tag.Get("json")
			name, options, _ := strings.Cut(tag, ",")
			if name == "" || name == "-" {
				continue
			}
			q.fields[strings.ToLower(name)] = quickField{name, f.Index, strings.Contains(options, "omit")}
		}
	}
	quickTypes.Store(t, q)
	return q
}

// quickMembers gives the members of a resource that paths begin with, as its
// JSON has them, without encoding the others; ok is false where that cannot be
// known.
func quickMembers(item any, paths []string) (members map[string]any, ok bool) {
	v := reflect.ValueOf(item)
	if !v.IsValid() {
		return nil, false
	}
	q := quickOf(v.Type())
	if !q.ok {
		return nil, false
	}
	members = make(map[string]any, len(paths))
	for _, path := range paths {
		first, _, _ := strings.Cut(path, "/")
		f, known := q.fields[strings.ToLower(first)]
		if !known {
			continue
		}
		field, err := v.FieldByIndexErr(f.index)
		if err != nil || f.omitEmpty && field.IsZero() {
			continue
		}
		if field.Kind() == reflect.String {
			members[f.name] = field.String()
			continue
		}
		raw, err := json.Marshal(field.Interface())
		if err != nil {
			return nil, false
		}
		var decoded any
		if err := json.Unmarshal(raw, &decoded); err != nil {
			return nil, false
		}
		members[f.name] = decoded
	}
	return members, true
}
