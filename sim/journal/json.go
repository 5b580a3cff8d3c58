package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A line is {"seq":1,"time":"2026-09-01T08:00:00Z","device":"PC-1","kind":"esp.row","fields":{"row":"Apps"},"loose":{...}}.
// Members without content are left out. Values: text, whole number, true or false, a list of texts, {"seconds":90.5} for a
// duration, {"time":"..."} for a time.

func appendJSON(b []byte, e Event) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	b = append(b, `,"time":"`...)
	b = e.Time.AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	if e.Device != "" {
		b = appendQuoted(append(b, `,"device":`...), e.Device)
	}
	b = appendQuoted(append(b, `,"kind":`...), e.Kind)
	b = appendFields(b, `,"fields":{`, e.Fields, false)
	b = appendFields(b, `,"loose":{`, e.Fields, true)
	return append(b, '}')
}

func appendFields(b []byte, open string, fields []Field, loose bool) []byte {
	any := false
	for _, f := range fields {
		if f.Loose != loose {
			continue
		}
		if any {
			b = append(b, ',')
		} else {
			b = append(b, open...)
		}
		any = true
		b = appendJSONValue(append(appendQuoted(b, f.Key), ':'), f.Value)
	}
	if any {
		b = append(b, '}')
	}
	return b
}

func appendJSONValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendQuoted(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case bool:
		return strconv.AppendBool(b, v)
	case time.Duration:
		return append(appendSeconds(append(b, `{"seconds":`...), v), '}')
	case time.Time:
		return append(v.AppendFormat(append(b, `{"time":"`...), time.RFC3339Nano), `"}`...)
	case []string:
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendQuoted(b, s)
		}
		return append(b, ']')
	}
	panic(fmt.Sprintf("journal: a %T cannot be recorded; make fields with F", value))
}

// appendSeconds writes a duration exactly, as a decimal number of seconds.
func appendSeconds(b []byte, d time.Duration) []byte {
	n := uint64(d)
	if d < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendUint(b, n/uint64(time.Second), 10)
	if frac := n % uint64(time.Second); frac != 0 {
		b = append(b, bytes.TrimRight(fmt.Appendf(nil, ".%09d", frac), "0")...)
	}
	return b
}

func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("journal: a string cannot be written: " + err.Error())
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func parseJSON(line []byte) (Event, error) {
	var in struct {
		Seq           uint64
		Time          time.Time
		Device, Kind  string
		Fields, Loose json.RawMessage
	}
	if err := json.Unmarshal(line, &in); err != nil {
		return Event{}, err
	}
	e := Event{Seq: in.Seq, Time: in.Time.UTC(), Device: in.Device, Kind: in.Kind}
	var err error
	if e.Fields, err = parseFields(e.Fields, in.Fields, false); err != nil {
		return Event{}, err
	}
	if e.Fields, err = parseFields(e.Fields, in.Loose, true); err != nil {
		return Event{}, err
	}
	return e, nil
}

// parseFields keeps the order of the object's members, which the trace hash depends on.
func parseFields(list []Field, object json.RawMessage, loose bool) ([]Field, error) {
	if len(object) == 0 || string(object) == "null" {
		return list, nil
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("fields: want an object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		v, err := parseValue(raw)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", key, err)
		}
		list = append(list, Field{Key: key.(string), Value: v, Loose: loose})
	}
	return list, nil
}

func parseValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case 't', 'f':
		return raw[0] == 't', nil
	case '[':
		list := []string{}
		err := json.Unmarshal(raw, &list)
		return list, err
	case '{':
		return parseUnit(raw)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return int(n), err
}

func parseUnit(raw json.RawMessage) (any, error) {
	var unit struct {
		Seconds json.Number
		Time    *time.Time
	}
	if err := json.Unmarshal(raw, &unit); err != nil {
		return nil, err
	}
	if unit.Time != nil {
		return unit.Time.UTC(), nil
	}
	return parseSeconds(string(unit.Seconds))
}

// parseSeconds takes plain decimals with up to nine places, which is what appendSeconds writes.
func parseSeconds(s string) (time.Duration, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	if whole == "" || len(frac) > 9 {
		return 0, fmt.Errorf("seconds: %q is not a decimal with up to nine places", s)
	}
	n, err := strconv.ParseUint(whole+frac+"000000000"[len(frac):], 10, 64)
	if err != nil || n > math.MaxInt64 && !(negative && n == 1<<63) {
		return 0, fmt.Errorf("seconds: %q is not a duration", s)
	}
	if negative {
		n = -n
	}
	return time.Duration(n), nil
}

// MarshalJSON writes the event as a line of a file has it.
func (e Event) MarshalJSON() ([]byte, error) { return appendJSON(nil, e), nil }
