package journal

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Refused is the kind of every refusal by a service. Its fields are service, operation, check (the check that decided) and
// code (what the caller gets).
const Refused = "refused"

// Event is one thing that happened.
type Event struct {
	Seq    uint64    // from 1, in the order of the run
	Time   time.Time // the run's clock, UTC
	Device string    // "" for the world
	Kind   string
	Fields []Field
}

// Field is a named detail. Value is a string, int, bool, time.Duration, time.Time or []string.
type Field struct {
	Key   string
	Value any
	Loose bool // outside the trace hash
}

// F makes a field. An error or a fmt.Stringer becomes its text and other integers become an int; any other type than those
// of [Field] is a mistake in the caller and panics.
func F(key string, value any) Field { return Field{Key: valid(key), Value: normal(key, value)} }

// Loose makes a field that the trace hash leaves out.
func Loose(key string, value any) Field {
	f := F(key, value)
	f.Loose = true
	return f
}

func normal(key string, value any) any {
	switch v := value.(type) {
	case string:
		if !utf8.ValidString(v) {
			return valid(v)
		}
		return value // as it came, without a second allocation
	case int, bool, time.Duration:
		return value
	case time.Time:
		return v.UTC().Round(0)
	case []string:
		list := make([]string, len(v))
		for i, s := range v {
			list[i] = valid(s)
		}
		return list
	case error:
		return valid(v.Error())
	case fmt.Stringer:
		return valid(v.String())
	case int64:
		return int(v)
	case int32:
		return int(v)
	case uint16:
		return int(v)
	case uint32:
		return int(v)
	}
	panic(fmt.Sprintf("journal: field %q: a %T cannot be recorded", key, value))
}

// valid keeps to what JSON can carry, so that a file holds what the hash covered.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Get is the value of the first field of that name.
func (e Event) Get(key string) (any, bool) {
	for _, f := range e.Fields {
		if f.Key == key {
			return f.Value, true
		}
	}
	return nil, false
}

// Text is the field as a person reads it, or "".
func (e Event) Text(key string) string {
	if v, ok := e.Get(key); ok {
		return text(v)
	}
	return ""
}

// String is the event on one line: time, device, kind, and key=value for each field. Loose fields have a tilde.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(e.Time.Format("2006-01-02 15:04:05.000"))
	if e.Device != "" {
		b.WriteString(" " + e.Device)
	}
	b.WriteString(" " + e.Kind)
	for _, f := range e.Fields {
		b.WriteString(" " + f.Key)
		if f.Loose {
			b.WriteByte('~')
		}
		b.WriteByte('=')
		s := text(f.Value)
		if s == "" || strings.ContainsAny(s, " \"=\n\t") {
			s = strconv.Quote(s)
		}
		b.WriteString(s)
	}
	return b.String()
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []string:
		return strings.Join(v, ",")
	default:
		return fmt.Sprint(v)
	}
}
