package scenario

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Share is a part of a whole, 0 to 1. Written "20%" or 0.2.
type Share float64

// MarshalText writes the number.
func (s Share) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(s), 'f', -1, 64), nil
}

// UnmarshalText reads a number or a percentage.
func (s *Share) UnmarshalText(b []byte) error {
	digits, percent := strings.CutSuffix(strings.TrimSpace(string(b)), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("%q is no share; write one between 0 and 1, or between 0%% and 100%%", b)
	}
	*s = Share(math.Abs(v)) // no negative zero
	return nil
}

// Of is the share of n, rounded to a whole number.
func (s Share) Of(n int) int { return int(math.Round(float64(s) * float64(n))) }

var quantity = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([A-Za-z/]*)$`)

// scaled reads a number with one of the units; "" is a unit as well.
func scaled(text string, units map[string]float64) (int64, bool) {
	m := quantity.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, false
	}
	factor, ok := units[m[2]]
	n, err := strconv.ParseFloat(m[1], 64)
	if !ok || err != nil || n*factor > 1<<53 {
		return 0, false
	}
	return int64(math.Round(n * factor)), true
}

// unscaled writes n in the largest unit of which it is a whole number.
func unscaled(n int64, names []string, factors []int64) string {
	for i, f := range factors {
		if n != 0 && n%f == 0 {
			return strconv.FormatInt(n/f, 10) + names[i]
		}
	}
	return strconv.FormatInt(n, 10)
}

// Bandwidth is in bits a second; 0 is unlimited. Written "500Mbit".
type Bandwidth int64

var bandwidthUnits = map[string]float64{"": 1, "bit": 1, "kbit": 1e3, "Mbit": 1e6, "Gbit": 1e9, "bit/s": 1, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9, "bps": 1, "kbps": 1e3, "Mbps": 1e6, "Gbps": 1e9}

// MarshalText writes the largest whole unit.
func (b Bandwidth) MarshalText() ([]byte, error) {
	return []byte(unscaled(int64(b), []string{"Gbit", "Mbit", "kbit"}, []int64{1e9, 1e6, 1e3})), nil
}

// UnmarshalText reads a bandwidth.
func (b *Bandwidth) UnmarshalText(text []byte) error {
	n, ok := scaled(string(text), bandwidthUnits)
	if !ok {
		return fmt.Errorf("%q is no bandwidth; write one such as 500Mbit, 1Gbit, 64kbit", text)
	}
	*b = Bandwidth(n)
	return nil
}

// Size is in bytes. Written "120MB", "2GiB".
type Size int64

var sizeUnits = map[string]float64{"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

// MarshalText writes the largest whole unit.
func (s Size) MarshalText() ([]byte, error) {
	return []byte(unscaled(int64(s), []string{"GB", "MB", "kB"}, []int64{1e9, 1e6, 1e3})), nil
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, ok := scaled(string(text), sizeUnits)
	if !ok {
		return fmt.Errorf("%q is no size; write one such as 120MB, 2GiB, 500kB", text)
	}
	*s = Size(n)
	return nil
}

// Weights are names with how often each is taken. Written as one name, a list
// of names (all alike), or a mapping of names to weights. Order is the file's.
type Weights []Weight

// Weight is one of them.
type Weight struct {
	Name   string
	Weight float64 // above 0
}

// Names are the names in order.
func (w Weights) Names() []string {
	names := make([]string, len(w))
	for i, x := range w {
		names[i] = x.Name
	}
	return names
}
