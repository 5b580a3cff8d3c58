package timing

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Range is a span of durations from which one is drawn, both ends included. Written "60m..90m", or "5s" for a fixed one.
type Range struct{ Min, Max time.Duration }

// Draw takes a duration, uniformly, in whole milliseconds above Min.
func (r Range) Draw(rng *rand.Rand) time.Duration {
	steps := int64((r.Max - r.Min) / time.Millisecond)
	if steps <= 0 {
		return r.Min
	}
	return r.Min + time.Duration(rng.Int64N(steps+1))*time.Millisecond
}

// String is the form that a profile has.
func (r Range) String() string {
	if r.Min == r.Max {
		return formatDuration(r.Min)
	}
	return formatDuration(r.Min) + ".." + formatDuration(r.Max)
}

func parseRange(s string) (Range, error) {
	low, high, spread := strings.Cut(s, "..")
	lo, err := parseDuration(low)
	if err != nil {
		return Range{}, err
	}
	if !spread {
		return Range{lo, lo}, nil
	}
	hi, err := parseDuration(high)
	if err != nil {
		return Range{}, err
	}
	if hi < lo {
		return Range{}, fmt.Errorf("range %q ends before it begins", s)
	}
	return Range{lo, hi}, nil
}

// Period is a length in calendar units, for lives that are counted in months and years. Written "6 months", "10 years".
type Period struct{ Years, Months, Days int }

// After is t moved on by the period. Where the month it lands in is too short, the last day of that month counts, as in
// .NET's DateTime.AddMonths: six months after 31 August are over on the last of February.
func (p Period) After(t time.Time) time.Time {
	year, month, day := t.Date()
	first := time.Date(year+p.Years, month+time.Month(p.Months), 1, 0, 0, 0, 0, t.Location())
	if last := first.AddDate(0, 1, -1).Day(); day > last {
		day = last
	}
	moved := first.AddDate(0, 0, day-1+p.Days)
	return time.Date(moved.Year(), moved.Month(), moved.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

// String is the form that a profile has.
func (p Period) String() string {
	var parts []string
	for _, u := range []struct {
		n    int
		name string
	}{{p.Years, "year"}, {p.Months, "month"}, {p.Days, "day"}} {
		if u.n == 1 {
			parts = append(parts, "1 "+u.name)
		} else if u.n != 0 {
			parts = append(parts, strconv.Itoa(u.n)+" "+u.name+"s")
		}
	}
	return strings.Join(parts, " ")
}

func parsePeriod(s string) (Period, error) {
	var p Period
	words := strings.Fields(s)
	if len(words) == 0 || len(words)%2 != 0 {
		return p, fmt.Errorf("period %q is not of the form \"6 months\"", s)
	}
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.Atoi(words[i])
		if err != nil || n <= 0 || n > 10000 {
			return p, fmt.Errorf("period %q: %q is not a number of units", s, words[i])
		}
		switch strings.TrimSuffix(words[i+1], "s") {
		case "year":
			p.Years += n
		case "month":
			p.Months += n
		case "day":
			p.Days += n
		default:
			return p, fmt.Errorf("period %q: unit %q is none of years, months, days", s, words[i+1])
		}
	}
	return p, nil
}

// Step is a stretch of a [Schedule]: Times waits of Every; Times 0 is for ever.
type Step struct {
	Every time.Duration
	Times int
}

// Schedule is a row of waits. Written "3m x5, 15m x8, 8h".
type Schedule []Step

// Wait is the n-th wait, counted from 0. A schedule that has run out repeats its last.
func (s Schedule) Wait(n int) time.Duration {
	var last time.Duration
	for _, step := range s {
		last = step.Every
		if step.Times == 0 || n < step.Times {
			break
		}
		n -= step.Times
	}
	return last
}

// String is the form that a profile has.
func (s Schedule) String() string {
	parts := make([]string, len(s))
	for i, step := range s {
		parts[i] = formatDuration(step.Every)
		if step.Times > 0 {
			parts[i] += " x" + strconv.Itoa(step.Times)
		}
	}
	return strings.Join(parts, ", ")
}

func parseSchedule(s string) (Schedule, error) {
	var list Schedule
	parts := strings.Split(s, ",")
	for i, part := range parts {
		every, times, counted := strings.Cut(strings.TrimSpace(part), " x")
		var step Step
		var err error
		if step.Every, err = parseDuration(every); err != nil {
			return nil, err
		}
		if step.Every == 0 {
			return nil, fmt.Errorf("schedule %q waits for nothing", s)
		}
		if counted {
			if step.Times, err = strconv.Atoi(times); err != nil || step.Times < 1 {
				return nil, fmt.Errorf("schedule %q: %q is not a count", s, times)
			}
		} else if i != len(parts)-1 {
			return nil, fmt.Errorf("schedule %q: only the last step may be without a count", s)
		}
		list = append(list, step)
	}
	return list, nil
}

const day = 24 * time.Hour

// parseDuration is time.ParseDuration with days ("365d", "1d12h") and without signs.
func parseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, "+-") {
		return 0, fmt.Errorf("duration %q has a sign", s)
	}
	var days time.Duration
	rest := s
	if n, after, ok := strings.Cut(s, "d"); ok {
		count, err := strconv.ParseFloat(n, 64)
		if err != nil || !(count >= 0 && count <= 36525) { // a century; also turns NaN away
			return 0, fmt.Errorf("duration %q: %q is not a number of days", s, n)
		}
		days, rest = time.Duration(count*float64(day)), after
	}
	if rest == "" && s != "" {
		return days, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, fmt.Errorf("duration %q is not of the form \"1d2h3m4s5ms\"", s)
	}
	if d > 36525*day {
		return 0, errors.New("duration " + strconv.Quote(s) + " is longer than a century")
	}
	return days + d, nil
}

// formatDuration writes what parseDuration reads, without idle zeros: 90m rather than 1h30m0s stays readable both ways.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if n := d / day; n > 0 {
		fmt.Fprintf(&b, "%dd", n)
		d -= n * day
	}
	for _, u := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}, {time.Nanosecond, "ns"}} {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	return b.String()
}
