package scenario

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/timing"
)

// Span is a length of time with a part in calendar months, because six months
// are not a number of days. Written "90m", "2h30m", "3d", "3w", "6 months",
// "1 year", or several of these in a row.
type Span struct {
	Months   int
	Duration time.Duration
}

// After is t moved on by the span.
func (s Span) After(t time.Time) time.Time {
	return timing.Period{Months: s.Months}.After(t).Add(s.Duration)
}

// IsZero reports whether the span is no time at all.
func (s Span) IsZero() bool { return s == Span{} }

// String is the form that UnmarshalText reads.
func (s Span) String() string {
	var b strings.Builder
	if y := s.Months / 12; y > 0 {
		fmt.Fprintf(&b, "%dy", y)
	}
	if m := s.Months % 12; m > 0 {
		fmt.Fprintf(&b, "%dmo", m)
	}
	if s.Duration > 0 || s.Months == 0 {
		b.WriteString(formatDuration(s.Duration))
	}
	return b.String()
}

// MarshalText is String.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a span.
func (s *Span) UnmarshalText(b []byte) error {
	v, err := parseSpan(string(b))
	if err == nil {
		*s = v
	}
	return err
}

const (
	day     = 24 * time.Hour
	century = 36525 * day
)

var units = map[string]Span{
	"y": {Months: 12}, "year": {Months: 12}, "mo": {Months: 1}, "month": {Months: 1},
	"w": {Duration: 7 * day}, "week": {Duration: 7 * day}, "d": {Duration: day}, "day": {Duration: day},
	"h": {Duration: time.Hour}, "hour": {Duration: time.Hour}, "m": {Duration: time.Minute}, "min": {Duration: time.Minute}, "minute": {Duration: time.Minute},
	"s": {Duration: time.Second}, "sec": {Duration: time.Second}, "second": {Duration: time.Second},
	"ms": {Duration: time.Millisecond}, "us": {Duration: time.Microsecond}, "ns": {Duration: time.Nanosecond},
}

var spanPart = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)[ ,]*`)

func parseSpan(text string) (Span, error) {
	rest := strings.TrimSpace(text)
	if rest == "0" {
		return Span{}, nil
	}
	bad := fmt.Errorf("%q is no length of time; write one such as 90m, 2h30m, 3d, 2w, 6 months", text)
	if rest == "" {
		return Span{}, bad
	}
	var sum Span
	for rest != "" {
		m := spanPart.FindStringSubmatch(rest)
		if m == nil {
			return Span{}, bad
		}
		unit, ok := units[m[2]]
		if !ok && len(m[2]) > 2 {
			unit, ok = units[strings.TrimSuffix(m[2], "s")]
		}
		if !ok {
			return Span{}, fmt.Errorf("%q: %q is no unit of time; there are s, m, h, d, w, mo and y", text, m[2])
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil || n*float64(unit.Duration) > float64(century) || n*float64(unit.Months) > 1200 {
			return Span{}, fmt.Errorf("%q is longer than a century", text)
		}
		if unit.Months > 0 && n*float64(unit.Months) != math.Trunc(n*float64(unit.Months)) {
			return Span{}, fmt.Errorf("%q: a month cannot be divided; write days", text)
		}
		sum.Months += int(n * float64(unit.Months))
		sum.Duration += time.Duration(math.Round(n * float64(unit.Duration)))
		rest = rest[len(m[0]):]
	}
	if sum.Duration > century || sum.Months > 1200 {
		return Span{}, fmt.Errorf("%q is longer than a century", text)
	}
	return sum, nil
}

// parseDuration reads a span that has no calendar part.
func parseDuration(text string) (time.Duration, error) {
	s, err := parseSpan(text)
	if err == nil && s.Months > 0 {
		err = fmt.Errorf("%q: months have no fixed length; write days here", text)
	}
	return s.Duration, err
}

// formatDuration writes what parseDuration reads, without idle zeros.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "us"}, {time.Nanosecond, "ns"}} {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	return b.String()
}

// SpanRange is a span that is drawn, both ends included. Written "2h..3w", or
// "5h" for a fixed one.
type SpanRange struct{ Min, Max Span }

// IsZero reports whether the range is no time at all.
func (r SpanRange) IsZero() bool { return r == SpanRange{} }

// After is t moved on by a span of the range; at says which, from 0 for Min to
// 1 for Max. Whole seconds are drawn.
func (r SpanRange) After(t time.Time, at float64) time.Time {
	low, high := r.Min.After(t), r.Max.After(t)
	return low.Add(time.Duration(at * float64(high.Sub(low))).Truncate(time.Second))
}

// String is the form that UnmarshalText reads.
func (r SpanRange) String() string {
	if r.Min == r.Max {
		return r.Min.String()
	}
	return r.Min.String() + ".." + r.Max.String()
}

// MarshalText is String.
func (r SpanRange) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a range.
func (r *SpanRange) UnmarshalText(b []byte) error {
	low, high, spread := strings.Cut(string(b), "..")
	var v SpanRange
	var err error
	if v.Min, err = parseSpan(low); err != nil {
		return err
	}
	v.Max = v.Min
	if spread {
		if v.Max, err = parseSpan(high); err != nil {
			return err
		}
	}
	// Any date does for the order of two spans; this one has long months ahead.
	origin := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	if v.Max.After(origin).Before(v.Min.After(origin)) {
		return fmt.Errorf("range %q ends before it begins", b)
	}
	*r = v
	return nil
}

// SignedDuration is a duration that may be negative: "-3h".
type SignedDuration time.Duration

// MarshalText writes a minus where there is one.
func (d SignedDuration) MarshalText() ([]byte, error) {
	if d < 0 {
		return []byte("-" + formatDuration(time.Duration(-d))), nil
	}
	return []byte(formatDuration(time.Duration(d))), nil
}

// UnmarshalText reads a duration with an optional sign.
func (d *SignedDuration) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	rest, minus := strings.CutPrefix(text, "-")
	v, err := parseDuration(strings.TrimPrefix(rest, "+"))
	if minus {
		v = -v
	}
	if err == nil {
		*d = SignedDuration(v)
	}
	return err
}
