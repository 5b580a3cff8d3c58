package directory

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"windtunnel.test/sim/timing"
)

// Policy is the domain's password and lockout policy. The zero value of a field
// is what a new domain has; a negative one turns the rule off.
type Policy struct {
	MinLength        int
	History          int  // passwords that do not come again
	Simple           bool // no complexity is asked for
	MaxAge, MinAge   time.Duration
	LockoutThreshold int           // wrong passwords in a row
	LockoutDuration  time.Duration // negative: until an administrator unlocks
	LockoutWindow    time.Duration // after which wrong passwords are forgotten
}

func (p Policy) complete(t *timing.Profile) Policy {
	d := t.Domain
	return Policy{
		MinLength: orDefault(p.MinLength, d.PasswordLength), History: orDefault(p.History, d.PasswordHistory), Simple: p.Simple,
		MaxAge: orDefault(p.MaxAge, d.PasswordMaxAge), MinAge: orDefault(p.MinAge, d.PasswordMinAge),
		LockoutThreshold: orDefault(p.LockoutThreshold, d.LockoutThreshold), LockoutDuration: orDefault(p.LockoutDuration, d.LockoutDuration),
		LockoutWindow: orDefault(p.LockoutWindow, d.LockoutWindow),
	}
}

func orDefault[T int | time.Duration](v, standard T) T {
	switch {
	case v < 0:
		return 0
	case v == 0:
		return standard
	}
	return v
}

// PolicyError is about a password that the domain's policy does not allow.
type PolicyError struct{ Rule string } // "length", "complexity", "history", "minimum age"

func (e *PolicyError) Error() string { return "directory: password policy: " + e.Rule }

// encodePassword is the form in which unicodePwd is kept.
func encodePassword(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func decodePassword(v string) string {
	u := make([]uint16, len(v)/2)
	for i := range u {
		u[i] = uint16(v[2*i]) | uint16(v[2*i+1])<<8
	}
	return string(utf16.Decode(u))
}

// unquote takes a password as unicodePwd is written: in quotes, UTF-16
// ([MS-ADTS] 3.1.1.3.1.5.1).
func unquote(v []byte) (string, bool) {
	quote := []byte{'"', 0}
	if len(v) < 4 || len(v)%2 != 0 || !bytes.HasPrefix(v, quote) || !bytes.HasSuffix(v, quote) {
		return "", false
	}
	return decodePassword(string(v[2 : len(v)-2])), true
}

// digest is how a past password is remembered.
func digest(password string) string {
	sum := sha256.Sum256([]byte(password))
	return string(sum[:16])
}

// policy reads the rules from the domain's head, where they may have been
// changed.
func (r *Replica) policy() Policy {
	o := r.rows[r.d.guid].obj
	return Policy{
		MinLength: int(o.int(atMinLength)), History: int(o.int(atHistoryLength)), Simple: o.int(atProperties)&1 == 0,
		MaxAge: intervalOf(o.int(atMaxAge)), MinAge: intervalOf(o.int(atMinAge)), LockoutThreshold: int(o.int(atLockoutThreshold)),
		LockoutDuration: intervalOf(o.int(atLockoutDuration)), LockoutWindow: intervalOf(o.int(atLockoutWindow)),
	}
}

// allowed checks a new password of a user. A change by the user also minds age
// and history; what an administrator sets does not ([MS-SAMR] 3.1.1.7).
// Machines choose random ones, which are not looked at.
func (r *Replica) allowed(o *object, password string, change bool) error {
	if o.is("computer") || o.int(atUAC)&(UACWorkstationTrust|UACServerTrust) != 0 {
		return nil
	}
	p := r.policy()
	switch set := o.time(atPwdLastSet); {
	case change && p.MinAge > 0 && !set.IsZero() && r.Now().Before(set.Add(p.MinAge)):
		return &PolicyError{"minimum age"}
	case len(utf16.Encode([]rune(password))) < p.MinLength:
		return &PolicyError{"length"}
	case !p.Simple && !complex(password, o.first(atSAM), o.first(atDisplayName)):
		return &PolicyError{"complexity"}
	}
	if !change || p.History == 0 {
		return nil
	}
	encoded := encodePassword(password)
	for i, old := range o.stored(atHistory) {
		if i < p.History && old == digest(encoded) {
			return &PolicyError{"history"}
		}
	}
	if o.first(atUnicodePwd) == encoded {
		return &PolicyError{"history"}
	}
	return nil
}

// complex is the rule "Password must meet complexity requirements": three of
// five kinds of characters, and no part of the user's names.
func complex(password, sam, display string) bool {
	lower := strings.ToLower(password)
	if len(sam) > 2 && strings.Contains(lower, strings.ToLower(sam)) {
		return false
	}
	for _, part := range strings.FieldsFunc(display, func(c rune) bool { return strings.ContainsRune(",.-_ #\t", c) }) {
		if len(part) > 2 && strings.Contains(lower, strings.ToLower(part)) {
			return false
		}
	}
	var kinds [5]int
	for _, c := range password {
		switch {
		case unicode.IsUpper(c):
			kinds[0] = 1
		case unicode.IsLower(c):
			kinds[1] = 1
		case c >= '0' && c <= '9':
			kinds[2] = 1
		case unicode.IsLetter(c):
			kinds[3] = 1
		default:
			kinds[4] = 1
		}
	}
	return kinds[0]+kinds[1]+kinds[2]+kinds[3]+kinds[4] >= 3
}

// setPassword writes a password into a draft.
func (r *Replica) setPassword(d *draft, password string) {
	if old := d.first(atUnicodePwd); old != "" && !d.is("computer") {
		if n := r.policy().History; n > 0 {
			history := append([]string{digest(old)}, d.stored(atHistory)...)
			d.set(atHistory, history[:min(n, len(history))]...)
		}
	}
	d.set(atUnicodePwd, encodePassword(password))
	d.set(atPwdLastSet, fileTimeText(r.Now()))
}

// passwordExpiry is when a password expires, as the computed attribute has it.
func (r *Replica) passwordExpiry(a Account) int64 {
	maxAge := r.policy().MaxAge
	switch {
	case a.Computer, a.UAC&UACNeverExpires != 0, maxAge == 0:
		return never
	case a.PwdLastSet.IsZero():
		return 0
	}
	return toFileTime(a.PwdLastSet.Add(maxAge))
}

func (r *Replica) passwordExpired(a Account) bool {
	at := r.passwordExpiry(a)
	return at != never && at != 0 && toFileTime(r.Now()) >= at
}
