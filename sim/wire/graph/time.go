package graph

import (
	"encoding/json"
	"fmt"
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
