package scenario

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/wire/graph"
)

// Marshal writes a scenario so that Load reads the same one. note goes on top
// as a comment, the build for example.
func Marshal(s *Scenario, note string) ([]byte, error) {
	e := &encoder{}
	for line := range strings.Lines(note) {
		e.b.WriteString("# " + strings.TrimRight(line, "\n") + "\n")
	}
	if err := e.write(tree(reflect.ValueOf(s).Elem()), 0); err != nil {
		return nil, fmt.Errorf("scenario: write: %w", err)
	}
	return []byte(e.b.String()), nil
}

// What is written is first made into a tree of these: mapping, []any, bare
// (written as it is), string, bool and numbers.
type (
	mapping []entry
	entry   struct {
		key   string
		value any
	}
	bare string
)

// tree turns a value into what is to be written, by the tags that the decoder
// uses; nil is left out.
func tree(v reflect.Value) any {
	if _, ok := resources[v.Type()]; ok {
		return collection(v)
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return bare(x.UTC().Format(time.RFC3339Nano))
	case time.Duration:
		return bare(formatDuration(x))
	case LoadHosts:
		return x.tree()
	case Weights:
		return x.tree()
	case JSONBody:
		return x.tree()
	case Moment:
		if x.Event != nil {
			return tree(reflect.ValueOf(*x.Event))
		}
		return bare(x.After.String())
	case Settings:
		m := mapping{}
		for _, path := range x.paths() {
			m = append(m, entry{path, x[path]})
		}
		return m
	case Expectation:
		if x.Item != nil {
			return x.Item.tree()
		}
		return x.String()
	case encoding.TextMarshaler:
		// None of the types here has a text that cannot be written.
		text, _ := x.MarshalText()
		return bare(text)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return tree(v.Elem())
	case reflect.Struct:
		return object2tree(v)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = tree(v.Index(i))
		}
		return list
	case reflect.String:
		return v.String()
	}
	return v.Interface()
}

func object2tree(v reflect.Value) mapping {
	m := mapping{}
	for _, f := range fieldsOf(v.Type()) {
		x := v.FieldByIndex(f.index)
		if x.IsZero() && f.fallback == "" && !f.need {
			continue
		}
		m = append(m, entry{f.key, tree(x)})
	}
	return m
}

func (w Weights) tree() any {
	alike := !slices.ContainsFunc(w, func(x Weight) bool { return x.Weight != 1 })
	if alike {
		list := make([]any, len(w))
		for i, x := range w {
			list[i] = x.Name
		}
		return list
	}
	m := mapping{}
	for _, x := range w {
		m = append(m, entry{x.Name, bare(strconv.FormatFloat(x.Weight, 'f', -1, 64))})
	}
	return m
}

// collection writes resources with Graph's names.
func collection(v reflect.Value) any {
	list := make([]any, v.Len())
	for i := range list {
		switch x := v.Index(i).Interface().(type) {
		case User:
			list[i] = append(resourceTree(reflect.ValueOf(x.User)), entry{"password", x.Password})
			if own := object2tree(reflect.ValueOf(x.Windtunnel)); len(own) > 0 {
				list[i] = append(list[i].(mapping), entry{"windtunnel", own})
			}
		case Application:
			m := resourceTree(reflect.ValueOf(x.Application))
			if x.Secret != "" {
				m = append(m, entry{"secret", x.Secret})
			}
			list[i] = m
		case App:
			list[i] = append(resourceTree(reflect.ValueOf(x.MobileApp)), entry{"windtunnel", object2tree(reflect.ValueOf(x.Windtunnel))})
		case Script:
			m := resourceTree(reflect.ValueOf(x.DeviceManagementScript))
			if own := object2tree(reflect.ValueOf(x.Windtunnel)); len(own) > 0 {
				m = append(m, entry{"windtunnel", own})
			}
			list[i] = m
		default:
			list[i] = resourceTree(v.Index(i))
		}
	}
	return list
}

// twins are old names of members of a deployment profile, which are read where
// the new ones are missing.
var twins = []string{"language", "enableWhiteGlove", "extractHardwareHash", "outOfBoxExperienceSettings"}

// resourceTree writes the members of a resource that have a value.
func resourceTree(v reflect.Value) mapping {
	m := mapping{}
	for _, f := range reflect.VisibleFields(v.Type()) {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		x, err := v.FieldByIndexErr(f.Index)
		if key == "" || key == "-" || err != nil || x.IsZero() || v.Type() == reflect.TypeFor[graph.DeploymentProfile]() && slices.Contains(twins, key) {
			continue
		}
		m = append(m, entry{key, memberTree(x)})
	}
	return m
}

func memberTree(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case graph.Time:
		return bare(x.UTC().Format(time.RFC3339Nano))
	case json.RawMessage:
		var open any
		_ = json.Unmarshal(x, &open) // Load wrote it
		return fromJSON(open)
	case []byte:
		b, _ := json.Marshal(x) // base64
		return bare(b)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return memberTree(v.Elem())
	case reflect.Interface:
		return fromJSON(v.Interface())
	case reflect.Struct:
		return resourceTree(v)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = memberTree(v.Index(i))
		}
		return list
	case reflect.String:
		return v.String()
	}
	return v.Interface()
}

// fromJSON is a member whose type Graph leaves open.
func fromJSON(v any) any {
	switch x := v.(type) {
	case []any:
		list := make([]any, len(x))
		for i := range x {
			list[i] = fromJSON(x[i])
		}
		return list
	case map[string]any:
		m := mapping{}
		for key, value := range x {
			m = append(m, entry{key, fromJSON(value)})
		}
		slices.SortFunc(m, func(a, b entry) int { return strings.Compare(a.key, b.key) })
		return m
	}
	return v
}

type encoder struct{ b strings.Builder }

func (e *encoder) write(v any, indent int) error {
	switch v := v.(type) {
	case mapping:
		for _, x := range v {
			if err := e.pair(x, indent); err != nil {
				return err
			}
		}
	case []any:
		for _, x := range v {
			e.b.WriteString(strings.Repeat(" ", indent) + "-")
			if err := e.below(x, indent, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *encoder) pair(x entry, indent int) error {
	e.b.WriteString(strings.Repeat(" ", indent) + scalarText(x.key) + ":")
	return e.below(x.value, indent, false)
}

// below writes a value after "key:" or "-".
func (e *encoder) below(v any, indent int, item bool) error {
	switch x := v.(type) {
	case mapping:
		if len(x) == 0 {
			e.b.WriteString(" {}\n")
			return nil
		}
		if item { // the first pair stands on the line of the dash
			e.b.WriteString(" " + scalarText(x[0].key) + ":")
			if err := e.below(x[0].value, indent+2, false); err != nil {
				return err
			}
			return e.write(x[1:], indent+2)
		}
		e.b.WriteByte('\n')
		return e.write(x, indent+2)
	case []any:
		if len(x) == 0 {
			e.b.WriteString(" []\n")
			return nil
		}
		e.b.WriteByte('\n')
		return e.write(x, indent+2)
	case bare:
		e.b.WriteString(" " + string(x) + "\n")
	case string:
		e.b.WriteString(" " + scalarText(x) + "\n")
	default:
		b, err := json.Marshal(x)
		if err != nil {
			return err
		}
		e.b.WriteString(" " + string(b) + "\n")
	}
	return nil
}

var (
	uuidText  = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./@()-]*(?: [A-Za-z0-9_./@()-]+)*$`)
	notText   = regexp.MustCompile(`^(?i)(true|false|yes|no|on|off|y|n|null|\.inf|\.nan)$`)
)

// scalarText is a text as YAML: plain where nothing can be misread, otherwise
// in JSON's quotes, which are YAML's as well.
func scalarText(s string) string {
	if uuidText.MatchString(s) || plainText.MatchString(s) && !notText.MatchString(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
