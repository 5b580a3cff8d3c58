package timing

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// field is one number of a profile, found by walking the struct.
type field struct {
	section string // of the file: "timing" or "switches"
	path    string
	value   reflect.Value
}

// fields lists p's numbers in the order of the struct. Groups are structs of this package that are not values themselves.
func fields(p *Profile) []field {
	var list []field
	root := reflect.ValueOf(p).Elem()
	for i := range root.NumField() {
		f := root.Type().Field(i)
		if f.Type.Kind() != reflect.Struct {
			continue
		}
		section, prefix := sectionTiming, lowerCamel(f.Name)+"."
		if f.Type == reflect.TypeFor[Switches]() {
			section, prefix = sectionSwitches, ""
		}
		list = appendFields(list, section, prefix, root.Field(i))
	}
	return list
}

func appendFields(list []field, section, prefix string, group reflect.Value) []field {
	for i := range group.NumField() {
		path, v := prefix+lowerCamel(group.Type().Field(i).Name), group.Field(i)
		if v.Kind() == reflect.Struct && !isValue(v) {
			list = appendFields(list, section, path+".", v)
			continue
		}
		list = append(list, field{section, path, v})
	}
	return list
}

func isValue(v reflect.Value) bool {
	switch v.Interface().(type) {
	case Range, Period:
		return true
	}
	return false
}

// lowerCamel turns a Go name into a key: ESP to esp, AIKCertificateLife to aikCertificateLife.
func lowerCamel(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}

// units says which unit an entry for this field may name.
func (f field) units() []string {
	switch f.value.Interface().(type) {
	case time.Duration:
		return []string{"duration"}
	case Range:
		return []string{"range"}
	case Period:
		return []string{"calendar"}
	case Schedule:
		return []string{"schedule"}
	case bool:
		return []string{"switch"}
	case int:
		return []string{"count", "bytes"}
	default:
		return []string{"choice"}
	}
}

// set stores a value that YAML, JSON or Go code gave: text for durations, ranges, periods and schedules; a number; a bool.
func (f field) set(v any) error {
	if f.value.Kind() == reflect.Bool {
		b, ok := v.(bool)
		if !ok {
			return fmt.Errorf("want true or false, have %v", v)
		}
		f.value.SetBool(b)
		return nil
	}
	if f.value.Type() == reflect.TypeFor[int]() {
		n, err := wholeNumber(v)
		if err != nil {
			return err
		}
		f.value.SetInt(n)
		return nil
	}
	if d, ok := v.(time.Duration); ok {
		v = formatDuration(d)
	}
	text, ok := v.(string)
	if s, is := v.(fmt.Stringer); is {
		text, ok = s.String(), true
	}
	if !ok {
		return fmt.Errorf("want a text such as %q, have %v", f.example(), v)
	}
	return f.setText(text)
}

func (f field) setText(text string) error {
	var parsed any
	var err error
	switch f.value.Interface().(type) {
	case time.Duration:
		parsed, err = parseDuration(text)
	case Range:
		parsed, err = parseRange(text)
	case Period:
		parsed, err = parsePeriod(text)
	case Schedule:
		parsed, err = parseSchedule(text)
	default:
		if allowed := choices[f.value.Type().String()]; !slices.Contains(allowed, text) {
			return fmt.Errorf("want one of %s, have %q", strings.Join(allowed, ", "), text)
		}
		parsed = text
	}
	if err != nil {
		return err
	}
	f.value.Set(reflect.ValueOf(parsed).Convert(f.value.Type()))
	return nil
}

func (f field) example() string {
	switch f.value.Interface().(type) {
	case Range:
		return "60m..90m"
	case Period:
		return "6 months"
	case Schedule:
		return "3m x5, 15m x8, 8h"
	case time.Duration:
		return "90m"
	default:
		return choices[f.value.Type().String()][0]
	}
}

// wholeNumber takes the forms that YAML and JSON decoders give, and underscores and binary multiples in text ("30GiB").
func wholeNumber(v any) (int64, error) {
	switch n := v.(type) {
	case int:
		return countOf(int64(n))
	case int64:
		return countOf(n)
	case uint64:
		if n <= 1<<62 {
			return int64(n), nil
		}
	case float64:
		if n >= 0 && n < 1<<53 && n == float64(int64(n)) {
			return int64(n), nil
		}
	case string:
		for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
			if digits, ok := strings.CutSuffix(n, unit); ok {
				if count, err := strconv.ParseInt(digits, 10, 16); err == nil && count >= 0 {
					return count << (10 * (i + 1)), nil
				}
			}
		}
	}
	return 0, fmt.Errorf("want a whole number, have %v", v)
}

func countOf(n int64) (int64, error) {
	if n < 0 {
		return 0, fmt.Errorf("want a whole number, have %d", n)
	}
	return n, nil
}
