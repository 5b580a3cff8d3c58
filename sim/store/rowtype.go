package store

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// lossy says where encoding/json would lose something of a type, "" where it does not: members that it does not see, and
// values that it cannot read back. A type that encodes itself is believed.
func lossy(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] || itself(t) {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface: // one without methods can hold what came from JSON
		if t.NumMethod() > 0 {
			return t.String()
		}
	case reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return t.String()
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return lossy(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			embedded := f.Anonymous && (f.Type.Kind() == reflect.Struct || f.IsExported())
			if !f.IsExported() && !embedded || f.Tag.Get("json") == "-" {
				return fmt.Sprintf("%s.%s", t, f.Name)
			}
			if at := lossy(f.Type, seen); at != "" {
				return at
			}
		}
	}
	return ""
}

func itself(t reflect.Type) bool {
	for _, marshaler := range []reflect.Type{jsonMarshaler, textMarshaler} {
		if t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler) {
			return true
		}
	}
	return false
}
