package csp

import (
	"errors"
	"fmt"
	"strings"
)

// Scope says whose tree a node is in.
type Scope string

// The two scopes. A LocURI that names none means the device.
const (
	Device Scope = "Device"
	User   Scope = "User"
)

// vendor is the root of Microsoft's providers in a scope.
func (s Scope) vendor() string {
	if s == User {
		return "./User/Vendor/MSFT"
	}
	return "./Device/Vendor/MSFT"
}

// Path is a LocURI taken apart.
type Path struct {
	Scope    Scope
	Segments []string // unescaped, without "." and the scope: "Vendor", "MSFT", "DMClient", ...
}

// MaxURI bounds the length of a LocURI in bytes. Windows' own limit is not documented; ours is far above any real node.
const MaxURI = 4096

// Parse takes a LocURI apart. "./Vendor/MSFT/X" and "./Device/Vendor/MSFT/X" are the same path. It refuses a URI that does
// not start with "./", has empty segments or "..", or a broken escape.
func Parse(uri string) (Path, error) {
	if len(uri) > MaxURI {
		return Path{}, fmt.Errorf("csp: LocURI of %d bytes", len(uri))
	}
	rest, ok := strings.CutPrefix(uri, "./")
	if !ok {
		return Path{}, fmt.Errorf("csp: LocURI %q does not start with ./", uri)
	}
	p := Path{Scope: Device, Segments: make([]string, 0, 1+strings.Count(rest, "/"))}
	first := true
	for segment := range strings.SplitSeq(rest, "/") {
		name, err := unescape(segment)
		if err != nil {
			return Path{}, fmt.Errorf("csp: LocURI %q: %w", uri, err)
		}
		scope := first && (segment == string(Device) || segment == string(User))
		if first = false; scope {
			p.Scope = Scope(segment)
			continue
		}
		p.Segments = append(p.Segments, name)
	}
	if len(p.Segments) == 0 {
		return Path{}, fmt.Errorf("csp: LocURI %q names no node", uri)
	}
	return p, nil
}

// String is the canonical LocURI: the scope is always written, and the segments are escaped as Windows escapes them.
func (p Path) String() string { return Join("./"+string(p.Scope), p.Segments...) }

// Below reports whether p is root or stands under it, and the segments that follow.
func (p Path) Below(root Path) ([]string, bool) {
	if p.Scope != root.Scope || len(p.Segments) < len(root.Segments) {
		return nil, false
	}
	for i, segment := range root.Segments {
		if p.Segments[i] != segment {
			return nil, false
		}
	}
	return p.Segments[len(root.Segments):], true
}

// Canonical is Parse and String in one: the same text for every spelling of one node.
func Canonical(uri string) (string, error) {
	p, err := Parse(uri)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// Join appends segments to a LocURI, escaping them.
func Join(uri string, segments ...string) string {
	size := len(uri)
	for _, segment := range segments {
		size += 1 + len(segment)
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(uri)
	for _, segment := range segments {
		b.WriteByte('/')
		b.WriteString(Escape(segment))
	}
	return b.String()
}

const hexDigits = "0123456789ABCDEF"

// Escape percent-escapes one segment: all but letters, digits and -._~!*'()@:$,+=& become %XX of their UTF-8 bytes, so that a
// separator inside a segment stays inside.
func Escape(segment string) string {
	if segment == "." || segment == ".." {
		return strings.ReplaceAll(segment, ".", "%2E")
	}
	if plain(segment) {
		return segment
	}
	var b strings.Builder
	for i := range len(segment) {
		c := segment[i]
		if unreserved[c] {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// plain reports whether a segment, as nearly all do, stands for itself.
func plain(segment string) bool {
	for i := range len(segment) {
		if !unreserved[segment[i]] {
			return false
		}
	}
	return true
}

var unreserved = func() (set [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!*'()@:$,+=&") {
		set[c] = true
	}
	return set
}()

var (
	errEmptySegment = errors.New("empty segment")
	errParent       = errors.New("parent segment")
	errEscape       = errors.New("broken escape")
)

func unescape(segment string) (string, error) {
	switch segment {
	case "":
		return "", errEmptySegment
	case "..", ".":
		return "", errParent
	}
	if strings.IndexByte(segment, '%') < 0 {
		return segment, nil
	}
	out := make([]byte, 0, len(segment))
	for i := 0; i < len(segment); i++ {
		if segment[i] != '%' {
			out = append(out, segment[i])
			continue
		}
		if i+2 >= len(segment) {
			return "", errEscape
		}
		hi, lo := digit(segment[i+1]), digit(segment[i+2])
		if hi < 0 || lo < 0 {
			return "", errEscape
		}
		out = append(out, byte(hi<<4|lo))
		i += 2
	}
	return string(out), nil
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
