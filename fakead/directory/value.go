package directory

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/wire/ldap"
)

// refMark begins a value that names an object by its GUID, so that it follows
// the object when that is renamed, as a controller's links do.
const refMark = "\x00"

func refTo(g GUID) string { return refMark + string(g[:]) }

// refGUID is the object that a reference names.
func refGUID(v string) (GUID, bool) {
	var g GUID
	if len(v) != 1+len(g) || v[:1] != refMark {
		return g, false
	}
	copy(g[:], v[1:])
	return g, true
}

func parseInt(s string) int64 {
	// Values are checked when they are written.
	v, _ := strconv.ParseInt(s, 10, 64)
	return v
}

// never is what accountExpires has for never, besides 0 ([MS-ADA1] 2.3).
const never = math.MaxInt64

// fileTimeEpoch is 1601-01-01 in Unix seconds; a FILETIME counts 100 ns from
// there ([MS-DTYP] 2.3.3).
const fileTimeEpoch = -11644473600

func fileTime(v int64) time.Time {
	if v <= 0 || v == never {
		return time.Time{}
	}
	return time.Unix(fileTimeEpoch+v/1e7, v%1e7*100).UTC()
}

func toFileTime(t time.Time) int64 {
	return (t.Unix()-fileTimeEpoch)*1e7 + int64(t.Nanosecond())/100
}

func fileTimeText(t time.Time) string { return strconv.FormatInt(toFileTime(t), 10) }

// interval is a duration as the policy attributes have it: negative, in 100 ns.
func interval(d time.Duration) string { return strconv.FormatInt(-int64(d/100), 10) }

func intervalOf(v int64) time.Duration {
	if v >= 0 || v < math.MinInt64/100 {
		return 0
	}
	return time.Duration(-v) * 100
}

func generalized(t time.Time) string { return t.UTC().Format("20060102150405") + ".0Z" }

// often are values that nearly all objects have, which are kept once.
var often = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for _, v := range []string{"0", "1", "4", "28", "512", "513", "515", "4096", "4130", "66048", "TRUE", "FALSE", strconv.FormatInt(never, 10),
		strconv.Itoa(samUser), strconv.Itoa(samMachine), "Windows 11 Enterprise", "Windows 11 Pro"} {
		m[v] = []string{v}
	}
	for _, c := range classTypes {
		m[strings.Join(c.chain, " ")] = c.chain
	}
	return m
})

// shared is the same values in memory that many objects share, if they are such.
func shared(def *attributeType, values []string) []string {
	switch {
	case def == atObjectClass:
		if c := often()[strings.Join(values, " ")]; c != nil {
			return c
		}
	case len(values) == 1:
		if v := often()[values[0]]; v != nil {
			return v
		}
	}
	return values
}

// canonical is a value as it is kept; false where it does not fit the syntax.
func (r *Replica) canonical(def *attributeType, v []byte) (string, bool) {
	s := string(v)
	switch def.syntax {
	case integerSyntax:
		// Values above 2^31 come in as unsigned; the directory keeps them signed.
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
			return "", false
		}
		return strconv.Itoa(int(int32(n))), true
	case largeSyntax:
		n, err := strconv.ParseInt(s, 10, 64)
		return strconv.FormatInt(n, 10), err == nil
	case boolSyntax:
		s = strings.ToUpper(s)
		return s, s == "TRUE" || s == "FALSE"
	case timeSyntax:
		t, ok := parseGeneralized(s)
		return generalized(t), ok
	case sidSyntax:
		return canonicalSID(v)
	case guidSyntax:
		return canonicalGUID(v)
	case dnSyntax:
		row, err := r.resolve(s)
		if err != nil {
			return "", false
		}
		return refTo(row.obj.guid), true
	case textSyntax, caseSyntax, oidSyntax:
		return s, s != ""
	}
	return s, len(v) > 0
}

func canonicalSID(v []byte) (string, bool) {
	if sid, err := ldap.SIDFromBytes(v); err == nil {
		return string(sid), true
	}
	sid, err := ldap.ParseSID(string(v))
	return string(sid), err == nil
}

func canonicalGUID(v []byte) (string, bool) {
	if len(v) == 16 {
		return string(v), true
	}
	g, err := ldap.ParseGUID(string(v))
	return string(g[:]), err == nil
}

func parseGeneralized(s string) (time.Time, bool) {
	t, err := time.Parse("20060102150405Z0700", s) // a fraction of a second is taken too
	return t.UTC(), err == nil
}

// comparable is a kept or canonical value as it is compared and indexed.
func (a *attributeType) comparable(v string) string {
	switch a.syntax {
	case textSyntax, oidSyntax:
		return ldap.FoldValue(v)
	case dnBinarySyntax:
		return strings.ToLower(v)
	}
	return v
}
