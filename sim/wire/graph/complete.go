package graph

import "reflect"

// complete gives a resource the parts of its type that its JSON had no member of,
// and which are missing therefore.
func complete[T any](v T, odataType string) T {
	made, ok := New(odataType)
	fresh, same := made.(*T)
	if !ok || !same {
		return v
	}
	to, from := reflect.ValueOf(&v).Elem(), reflect.ValueOf(fresh).Elem()
	for i := range to.NumField() {
		f := to.Type().Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Pointer && to.Field(i).IsNil() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return v
}
