package scenario

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/wire/problem"
)

// place is where something stands in the file.
type place struct{ line, col int }

// decoder fills Go values from nodes and notes every mistake with its place.
type decoder struct {
	file        string
	options     Options
	problems    problem.List
	places      map[string]place // of values, by path: fleet.groups[0].count
	notModelled []string
	expectLines []int
	dropped     map[string]bool     // ids and names of objects that were left out, lower case
	origins     map[string][]string // paths of the objects of a collection that were not
}

func (d *decoder) addf(line, col int, format string, args ...any) {
	d.problems.Addf(d.file, line, col, format, args...)
}

func (d *decoder) errorf(n *node, format string, args ...any) {
	d.addf(n.line, n.col, format, args...)
}

func (d *decoder) wrongType(n *node, path, want string) {
	if path != "" { // of the whole there is none
		path += ": "
	}
	d.errorf(n, "%swant %s, have %s", path, want, n.what())
}

// at is where a path stands, or the nearest thing above it.
func (d *decoder) at(path string) place {
	path, _, _ = strings.Cut(path, " (") // "mobileApps[1] (iosStoreApp)"
	for path != "" {
		if p, ok := d.places[path]; ok {
			return p
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return d.places[""]
}

// wrong notes a mistake at a path.
func (d *decoder) wrong(path, format string, args ...any) {
	p := d.at(path)
	d.addf(p.line, p.col, "%s: "+format, append([]any{path}, args...)...)
}

// nodeDecoder is a type that reads more than one kind of node.
type nodeDecoder interface {
	decodeNode(d *decoder, n *node, path string)
}

// chooser is a text with few possible values.
type chooser interface{ choices() []string }

var (
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
)

// value fills v, which is settable and holds its zero value.
func (d *decoder) value(n *node, v reflect.Value, path string) {
	d.places[path] = place{n.line, n.col}
	if kind, ok := resources[v.Type()]; ok {
		d.resource(n, v, path, kind)
		return
	}
	switch x := v.Addr().Interface().(type) {
	case nodeDecoder:
		x.decodeNode(d, n, path)
		return
	case encoding.TextUnmarshaler:
		if v.Type() != timeType {
			d.text(n, x, path)
			return
		}
	}
	switch {
	case v.Type() == timeType:
		d.time(n, v, path)
	case v.Type() == durationType:
		d.duration(n, v, path)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path)
	case v.Kind() == reflect.Struct:
		d.object(n, v, path)
	case v.Kind() == reflect.Slice:
		d.list(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

func addressed(pointer any) reflect.Value { return reflect.ValueOf(pointer).Elem() }

func (d *decoder) text(n *node, x encoding.TextUnmarshaler, path string) {
	if n.kind != kindString && n.kind != kindNumber {
		d.wrongType(n, path, "a text")
		return
	}
	if err := x.UnmarshalText([]byte(n.text)); err != nil {
		d.errorf(n, "%s: %v", path, err)
	}
}

func (d *decoder) time(n *node, v reflect.Value, path string) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(form, n.text); n.kind == kindString && err == nil {
			if t.Year() < 2000 || t.Year() > 2200 {
				d.errorf(n, "%s: the year %d is out of reach; certificates and tokens here live between 2000 and 2200", path, t.Year())
			}
			v.Set(reflect.ValueOf(t.UTC()))
			return
		}
	}
	d.wrongType(n, path, "a time such as 2026-09-01T08:00:00Z")
}

func (d *decoder) duration(n *node, v reflect.Value, path string) {
	if n.kind != kindString && n.text != "0" {
		d.wrongType(n, path, "a length of time with its unit, such as 90m")
		return
	}
	length, err := parseDuration(n.text)
	if err != nil {
		d.errorf(n, "%s: %v", path, err)
	}
	v.SetInt(int64(length))
}

func (d *decoder) list(n *node, v reflect.Value, path string) {
	if n.kind != kindList {
		d.wrongType(n, path, "a list")
		return
	}
	for i, item := range n.list {
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(item, e, fmt.Sprintf("%s[%d]", path, i))
		v.Set(reflect.Append(v, e))
	}
}

func (d *decoder) scalar(n *node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		if n.kind != kindString {
			want := "a text"
			if n.kind == kindNumber || n.kind == kindBool {
				want = "a text in quotes"
			}
			d.wrongType(n, path, want)
			return
		}
		v.SetString(n.text)
		if allowed := choicesOf(v.Type()); allowed != nil && !slices.Contains(allowed, n.text) {
			d.errorf(n, "%s: %q is none of %s%s", path, n.text, strings.Join(allowed, ", "), near(n.text, allowed))
		}
	case reflect.Bool:
		if n.kind != kindBool {
			d.wrongType(n, path, "true or false")
			return
		}
		v.SetBool(n.text == "true" || n.text == "True" || n.text == "TRUE")
	case reflect.Int, reflect.Int64:
		d.integer(n, path, func(s string) error {
			i, err := strconv.ParseInt(s, 0, 64)
			v.SetInt(i)
			return err
		})
	case reflect.Uint32, reflect.Uint64:
		d.integer(n, path, func(s string) error {
			i, err := strconv.ParseUint(s, 0, v.Type().Bits())
			v.SetUint(i)
			return err
		})
	case reflect.Float64:
		f, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
		if n.kind != kindNumber || err != nil {
			d.wrongType(n, path, "a number")
			return
		}
		v.SetFloat(f)
	default:
		panic("scenario: no decoder for " + v.Type().String())
	}
}

func (d *decoder) integer(n *node, path string, set func(string) error) {
	if n.kind != kindNumber || set(strings.ReplaceAll(n.text, "_", "")) != nil {
		d.wrongType(n, path, "a whole number")
	}
}

// object fills a struct of ours by its tags.
func (d *decoder) object(n *node, v reflect.Value, path string) {
	if n.kind != kindMap {
		d.wrongType(n, path, "a mapping")
		return
	}
	prefix := path
	if path != "" {
		prefix += "."
	}
	fields := fieldsOf(v.Type())
	for _, p := range n.pairs {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == p.key })
		if i < 0 {
			d.unknown(p, v.Type(), prefix, fields)
			continue
		}
		f := fields[i]
		if p.value.kind == kindNull && !f.need {
			continue // "key:" with nothing after it is the same as no key
		}
		before := len(d.problems)
		d.value(p.value, v.FieldByIndex(f.index), prefix+p.key)
		if len(d.problems) == before {
			d.limits(p.value, v.FieldByIndex(f.index), f, prefix+p.key)
		}
	}
	for _, f := range fields {
		if given := n.get(f.key); given != nil && given.kind != kindNull {
			continue
		}
		if f.need && n.get(f.key) == nil {
			d.errorf(n, "%s: is missing (%s)", prefix+f.key, lowerFirst(strings.TrimSuffix(f.doc, ".")))
		} else {
			fallback(v.FieldByIndex(f.index), f)
		}
	}
}

// lowerFirst makes a sentence go on from another; abbreviations stay.
func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// fallback sets a missing key's value: its default, or the defaults of what is
// below it.
func fallback(v reflect.Value, f field) {
	n := &node{kind: kindString, text: f.fallback}
	switch {
	case f.fallback == "" && v.Kind() == reflect.Struct && isObject(v.Type()):
		n.kind = kindMap
	case f.fallback == "":
		return
	case v.Kind() == reflect.Bool:
		n.kind = kindBool
	case v.Kind() == reflect.Int || v.Kind() == reflect.Uint64:
		n.kind = kindNumber
	}
	d := &decoder{places: map[string]place{}}
	d.value(n, v, f.key)
	if f.fallback != "" && len(d.problems) > 0 {
		panic("scenario: default of " + d.problems.Error())
	}
}

// isObject tells structs that are mappings in the file from those with a form
// of their own.
func isObject(t reflect.Type) bool {
	_, text := reflect.New(t).Interface().(encoding.TextUnmarshaler)
	_, own := reflect.New(t).Interface().(nodeDecoder)
	return t.Kind() == reflect.Struct && !text && !own
}

func (d *decoder) unknown(p pair, t reflect.Type, prefix string, fields []field) {
	if what, later := notYet[t.Name()][p.key]; later && t.PkgPath() == ownPackage {
		d.addf(p.line, p.col, "%s: not yet: this version does not do %s", prefix+p.key, what)
		return
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	d.addf(p.line, p.col, "unknown key %q%s", prefix+p.key, choose(p.key, known))
}

// limits applies min and max.
func (d *decoder) limits(n *node, v reflect.Value, f field, path string) {
	if v.Kind() != reflect.Int && v.Type() != durationType {
		return
	}
	low, high := bound(f.min, v.Type()), bound(f.max, v.Type())
	switch {
	case v.Int() < low:
		d.errorf(n, "%s: %s is too little; at least %s", path, n.text, orZero(f.min))
	case high > 0 && v.Int() > high:
		d.errorf(n, "%s: %s is too much; at most %s", path, n.text, f.max)
	}
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// bound reads a min or max tag; 0 where there is none.
func bound(s string, t reflect.Type) int64 {
	if s == "" {
		return 0
	}
	if t == durationType {
		v, err := parseDuration(s)
		if err != nil {
			panic("scenario: limit " + err.Error())
		}
		return int64(v)
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("scenario: limit " + err.Error())
	}
	return v
}
