package graph

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Time is an Edm.DateTimeOffset. The zero value is written as 0001-01-01T00:00:00Z, which Intune uses for "never";
// members that can be null are *Time.
type Time struct{ time.Time }

// At makes a Time, in UTC.
func At(t time.Time) Time { return Time{t.UTC()} }

// MarshalJSON writes RFC 3339 in UTC, with a fraction only where there is one.
func (t Time) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, len(time.RFC3339Nano)+2), '"')
	return append(t.UTC().AppendFormat(b, time.RFC3339Nano), '"'), nil
}

// UnmarshalJSON reads RFC 3339 in any offset; null is the zero value.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("graph: %s is not a date and time", b)
	}
	if s == nil || *s == "" {
		*t = Time{}
		return nil
	}
	v, err := parseTime(*s)
	if err != nil {
		return err
	}
	*t = v
	return nil
}

func parseTime(s string) (Time, error) {
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return Time{}, fmt.Errorf("graph: %q is not a date and time of the form 2026-09-01T08:00:00Z", s)
	}
	return At(v), nil
}

// Duration is an Edm.Duration, such as PT1H2M3S, in whole seconds.
type Duration time.Duration

// String gives the text form (XML Schema Part 2, 3.2.6, without years and months).
func (d Duration) String() string {
	s := int64(time.Duration(d) / time.Second)
	if s <= 0 {
		return "PT0S"
	}
	var b strings.Builder
	b.WriteString("P")
	if days := s / 86400; days > 0 {
		b.WriteString(strconv.FormatInt(days, 10) + "D")
		if s %= 86400; s == 0 {
			return b.String()
		}
	}
	b.WriteString("T")
	for _, u := range []struct {
		seconds int64
		name    string
	}{{3600, "H"}, {60, "M"}, {1, "S"}} {
		if n := s / u.seconds; n > 0 {
			b.WriteString(strconv.FormatInt(n, 10) + u.name)
			s %= u.seconds
		}
	}
	return b.String()
}

// MarshalJSON writes the text form.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads days, hours, minutes and whole seconds; null is zero.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("graph: %s is not a duration", b)
	}
	*d = 0
	if text == nil {
		return nil
	}
	rest, ok := strings.CutPrefix(*text, "P")
	var sum time.Duration
	for rest != "" && ok {
		rest = strings.TrimPrefix(rest, "T")
		n := strings.IndexAny(rest, "DHMS")
		if n <= 0 {
			break
		}
		value, err := strconv.ParseUint(rest[:n], 10, 24)
		if err != nil {
			break
		}
		sum += time.Duration(value) * map[byte]time.Duration{'D': 24 * time.Hour, 'H': time.Hour, 'M': time.Minute, 'S': time.Second}[rest[n]]
		rest = rest[n+1:]
	}
	if rest != "" || !ok {
		return fmt.Errorf("graph: %q is not a duration of the form PT1H2M3S", *text)
	}
	*d = Duration(sum)
	return nil
}
