package sidecar

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Operator is how a rule compares what it finds with its value. The numbers are our model.
type Operator int

// The operators.
const (
	OperatorNone           Operator = 0
	OperatorEqual          Operator = 1
	OperatorNotEqual       Operator = 2
	OperatorGreater        Operator = 4
	OperatorGreaterOrEqual Operator = 5
	OperatorLess           Operator = 8
	OperatorLessOrEqual    Operator = 9
)

// Holds applies the operator to the sign of a comparison; none is equality.
func (o Operator) Holds(sign int) (bool, error) {
	switch o {
	case OperatorNone, OperatorEqual:
		return sign == 0, nil
	case OperatorNotEqual:
		return sign != 0, nil
	case OperatorGreater:
		return sign > 0, nil
	case OperatorGreaterOrEqual:
		return sign >= 0, nil
	case OperatorLess:
		return sign < 0, nil
	case OperatorLessOrEqual:
		return sign <= 0, nil
	}
	return false, fmt.Errorf("sidecar: operator %d", o)
}

// Comparison is the type that two values are compared as.
type Comparison int

// The types.
const (
	CompareString Comparison = iota
	CompareInteger
	CompareVersion
	CompareFloat
	CompareDate
	CompareBoolean
)

// Compare compares what was found with a rule's value. Its error says that one of the two is none of that type.
func Compare(as Comparison, found, value string) (sign int, err error) {
	found, value = strings.TrimSpace(found), strings.TrimSpace(value)
	switch as {
	case CompareString, CompareBoolean:
		return strings.Compare(strings.ToLower(found), strings.ToLower(value)), nil
	case CompareInteger, CompareFloat:
		a, aok := number(as, found)
		b, bok := number(as, value)
		if !aok || !bok {
			return 0, fmt.Errorf("sidecar: %q and %q are not two numbers", found, value)
		}
		return a.Cmp(b), nil
	case CompareVersion:
		return compareVersions(found, value)
	case CompareDate:
		a, aerr := parseDate(found)
		b, berr := parseDate(value)
		if aerr != nil || berr != nil {
			return 0, fmt.Errorf("sidecar: %q and %q are not two dates", found, value)
		}
		return a.Compare(b), nil
	}
	return 0, fmt.Errorf("sidecar: comparison %d", as)
}

func number(as Comparison, text string) (*big.Float, bool) {
	if as == CompareInteger {
		n, err := strconv.ParseInt(text, 10, 64)
		return new(big.Float).SetInt64(n), err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != f {
		return nil, false
	}
	return new(big.Float).SetFloat64(f), true
}

// compareVersions compares up to four numbers with points between them; what is not there is 0.
func compareVersions(a, b string) (int, error) {
	x, err := version(a)
	if err != nil {
		return 0, err
	}
	y, err := version(b)
	if err != nil {
		return 0, err
	}
	for i := range x {
		if x[i] != y[i] {
			if x[i] < y[i] {
				return -1, nil
			}
			return 1, nil
		}
	}
	return 0, nil
}

func version(text string) (v [4]uint64, err error) {
	parts := strings.Split(text, ".")
	if len(parts) > len(v) {
		return v, fmt.Errorf("sidecar: %q is no version", text)
	}
	for i, p := range parts {
		if v[i], err = strconv.ParseUint(p, 10, 32); err != nil {
			return v, fmt.Errorf("sidecar: %q is no version", text)
		}
	}
	return v, nil
}

func parseDate(text string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02", "1/2/2006"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, err
}

// releases are the builds of Windows releases by the names that an app's requirement has
// (learn.microsoft.com, "Windows 10 release information", "Windows 11 release information").
var releases = map[string]int{
	"1607": 14393, "1703": 15063, "1709": 16299, "1803": 17134, "1809": 17763, "1903": 18362, "1909": 18363, "2004": 19041, "20H2": 19042,
	"21H1": 19043, "21H2": 19044, "22H2": 19045, "23H2": 22631, "24H2": 26100, "25H2": 26200,
	"Windows11_21H2": 22000, "Windows11_22H2": 22621,
}

// ReleaseBuild gives the build of a release such as 1809, Windows10_21H2 or Windows11_23H2, or of a version such as
// 10.0.19041.1; false where it is none. "" is build 0.
func ReleaseBuild(name string) (build int, ok bool) {
	if name == "" {
		return 0, true
	}
	for _, n := range []string{name, strings.TrimPrefix(name, "Windows10_"), strings.TrimPrefix(name, "Windows11_"), strings.TrimPrefix(name, "v10_")} {
		for release, b := range releases {
			if strings.EqualFold(release, n) {
				return b, true
			}
		}
	}
	if parts := strings.Split(name, "."); len(parts) >= 3 {
		b, err := strconv.Atoi(parts[2])
		return b, err == nil
	}
	return 0, false
}
