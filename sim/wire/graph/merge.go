package graph

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// Merge applies the body of a PATCH to a resource: members that the body has replace those of the resource (null resets
// them, a list replaces the whole list), all others stay. Members that are not modelled are ignored. v is a pointer to a
// resource; it is not changed when the body is wrong.
func Merge(v any, patch []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(patch, &members); err != nil {
		return fmt.Errorf("graph: merge: %w", err)
	}
	target := reflect.ValueOf(v).Elem()
	copied := reflect.New(target.Type())
	copied.Elem().Set(target)
	detach(copied.Elem())
	for _, f := range reflect.VisibleFields(target.Type()) {
		raw, given := members[memberName(f)]
		if !given {
			continue
		}
		field, err := copied.Elem().FieldByIndexErr(f.Index)
		if err != nil {
			continue
		}
		if k := field.Kind(); string(raw) == "null" || k == reflect.Slice || k == reflect.Pointer {
			field.SetZero()
		}
	}
	if err := json.Unmarshal(patch, copied.Interface()); err != nil {
		return fmt.Errorf("graph: merge: %w", err)
	}
	target.Set(copied.Elem())
	return nil
}

// detach copies embedded parts, so that a body that turns out wrong has not changed the resource through them.
func detach(v reflect.Value) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); !f.Anonymous || f.Type.Kind() != reflect.Pointer || v.Field(i).IsNil() {
			continue
		}
		part := reflect.New(v.Field(i).Type().Elem())
		part.Elem().Set(v.Field(i).Elem())
		v.Field(i).Set(part)
	}
}

func memberName(f reflect.StructField) string {
	name := f.Tag.Get("json")
	for i, c := range name {
		if c == ',' {
			return name[:i]
		}
	}
	return name
}
