package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Mistake is a modelled member with a wrong value. Path is the way to it from the object, such as
// installExperience.runAsAccount or rules[0].operator.
type Mistake struct{ Path, Message string }

// Report is what Inspect finds: the paths of members that the type does not have (those with null aside, which say
// nothing), and what is wrong with others.
type Report struct {
	Unmodelled []string
	Mistakes   []Mistake
}

// Inspect compares a decoded JSON or YAML value (maps, slices, strings, numbers, booleans, nil) with the Go type of
// target, a resource type of this package or a pointer to one. Annotations (members with '@') are passed over. Values
// are not stored; use json.Unmarshal for that when there is no mistake.
func Inspect(value, target any) Report {
	var r Report
	r.value("", value, reflect.TypeOf(target))
	slices.Sort(r.Unmodelled)
	slices.SortStableFunc(r.Mistakes, func(a, b Mistake) int { return strings.Compare(a.Path, b.Path) })
	return r
}

// Unmodelled gives the paths of members in a JSON object that target's type does not have, sorted. It is nil for
// what is not a JSON object.
func Unmodelled(raw []byte, target any) []string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return Inspect(v, target).Unmodelled
}

func (r *Report) wrong(path, format string, args ...any) {
	r.Mistakes = append(r.Mistakes, Mistake{path, fmt.Sprintf(format, args...)})
}

var (
	timeType  = reflect.TypeFor[Time]()
	bytesType = reflect.TypeFor[[]byte]()
	rawType   = reflect.TypeFor[json.RawMessage]() // kept as it comes
)

func (r *Report) value(path string, v any, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case v == nil || t.Kind() == reflect.Interface || t == rawType:
	case t == timeType:
		r.time(path, v)
	case t == bytesType:
		if s, ok := v.(string); !ok {
			r.wrong(path, "must be a base64 string, not %s", kindOf(v))
		} else if _, err := base64.StdEncoding.DecodeString(s); err != nil {
			r.wrong(path, "is not base64: %v", err)
		}
	case t.Kind() == reflect.Struct:
		r.object(path, v, t)
	case t.Kind() == reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			r.wrong(path, "must be an object, not %s", kindOf(v))
		}
		for name, e := range m {
			r.value(path+"."+name, e, t.Elem())
		}
	case t.Kind() == reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			r.wrong(path, "must be a list, not %s", kindOf(v))
			return
		}
		for i, e := range list {
			r.value(fmt.Sprintf("%s[%d]", path, i), e, t.Elem())
		}
	default:
		r.scalar(path, v, t)
	}
}

// time takes strings, and the time values that a YAML reader makes of unquoted dates.
func (r *Report) time(path string, v any) {
	switch x := v.(type) {
	case string:
		if _, err := parseTime(x); err != nil {
			r.wrong(path, "%s", strings.TrimPrefix(err.Error(), "graph: "))
		}
	case fmt.Stringer:
	default:
		r.wrong(path, "must be a date and time, not %s", kindOf(v))
	}
}

func (r *Report) object(path string, v any, t reflect.Type) {
	m, ok := v.(map[string]any)
	if !ok {
		r.wrong(path, "must be an object, not %s", kindOf(v))
		return
	}
	known := membersOf(t)
	for name, value := range m {
		at := name
		if path != "" {
			at = path + "." + name
		}
		if f, ok := known[name]; ok {
			r.value(at, value, f)
			continue
		}
		if strings.Contains(name, "@") {
			continue
		}
		if right := sameLetters(known, name); right != "" {
			r.wrong(at, "must be written %s", right)
			continue
		}
		if value != nil {
			r.Unmodelled = append(r.Unmodelled, at)
		}
	}
}

// membersOf gives the JSON members of a struct type, those of embedded structs included.
func membersOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			out[name] = f.Type
		}
	}
	return out
}

func sameLetters(known map[string]reflect.Type, name string) string {
	found := ""
	for k := range known {
		if strings.EqualFold(k, name) && (found == "" || k < found) {
			found = k
		}
	}
	return found
}

func (r *Report) scalar(path string, v any, t reflect.Type) {
	switch t.Kind() {
	case reflect.String:
		if _, ok := v.(string); !ok {
			r.wrong(path, "must be a string, not %s", kindOf(v))
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			r.wrong(path, "must be true or false, not %s", kindOf(v))
		}
	default:
		if !isInteger(v) {
			r.wrong(path, "must be a whole number, not %s", kindOf(v))
		}
	}
}

func isInteger(v any) bool {
	switch x := v.(type) {
	case float64:
		return x == math.Trunc(x) && math.Abs(x) < 1<<53
	case json.Number:
		_, err := x.Int64()
		return err == nil
	}
	k := reflect.ValueOf(v).Kind()
	return k >= reflect.Int && k <= reflect.Uint64
}

func kindOf(v any) string {
	switch x := v.(type) {
	case string:
		return fmt.Sprintf("the string %q", x)
	case bool:
		return fmt.Sprintf("%t", x)
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return fmt.Sprintf("the number %v", v)
}
