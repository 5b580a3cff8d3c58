package ldap

import (
	"strings"
	"unicode/utf8"
)

// AVA is an attribute type with its value, the value as it is meant, without escapes.
type AVA struct{ Type, Value string }

// RDN is one step of a name; more than one AVA is rare and order in it does not matter.
type RDN []AVA

// DN is a distinguished name, the object's own step first. The empty name is the root of all.
type DN []RDN

// ParseDN reads RFC 4514's text form, with the spaces that RFC 2253 readers forgive. Errors are [*SyntaxError]s.
func ParseDN(s string) (DN, error) {
	if len(s) > maxDN {
		return nil, malformed("name of %d octets", len(s))
	}
	p := dnParser{s: s}
	p.spaces()
	if p.i == len(s) {
		return nil, nil
	}
	var dn DN
	for {
		rdn, err := p.rdn()
		if err != nil {
			return nil, err
		}
		if dn = append(dn, rdn); len(dn) > maxRDNs {
			return nil, malformed("name of more than %d steps", maxRDNs)
		}
		if p.i == len(s) {
			return dn, nil
		}
		p.i++ // the comma
	}
}

// Bounds of a name, far above what a directory holds.
const (
	maxDN   = 8192
	maxRDNs = 256
)

type dnParser struct {
	s string
	i int
}

func (p *dnParser) spaces() {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
}

func (p *dnParser) bad(what string) error {
	return malformed("name %q: %s at octet %d", p.s, what, p.i)
}

// rdn stops at the end or before a comma (or a semicolon, RFC 2253 4).
func (p *dnParser) rdn() (RDN, error) {
	var rdn RDN
	for {
		p.spaces()
		start := p.i
		for p.i < len(p.s) && isTypeChar(p.s[p.i]) {
			p.i++
		}
		typ := p.s[start:p.i]
		p.spaces()
		if typ == "" || p.i == len(p.s) || p.s[p.i] != '=' {
			return nil, p.bad("no attribute type")
		}
		p.i++
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		rdn = append(rdn, AVA{typ, value})
		if p.i == len(p.s) || p.s[p.i] != '+' {
			return rdn, nil
		}
		p.i++
	}
}

func isTypeChar(c byte) bool {
	return 'a' <= lower(c) && lower(c) <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.'
}

func (p *dnParser) value() (string, error) {
	p.spaces()
	if p.i < len(p.s) && p.s[p.i] == '#' {
		return p.hexValue()
	}
	if p.i < len(p.s) && p.s[p.i] == '"' {
		return p.quoted()
	}
	var b strings.Builder
	trim := 0 // length up to the last octet that is not an unescaped space
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch c {
		case ',', ';', '+':
			return p.finish(b.String()[:trim])
		case '"', '<', '>', 0:
			return "", p.bad("special character")
		case '\\':
			v, err := p.escaped()
			if err != nil {
				return "", err
			}
			b.WriteByte(v)
			trim = b.Len()
			continue
		}
		p.i++
		if b.WriteByte(c); c != ' ' {
			trim = b.Len()
		}
	}
	return p.finish(b.String()[:trim])
}

func (p *dnParser) finish(v string) (string, error) {
	if !utf8.ValidString(v) {
		return "", p.bad("value is not UTF-8")
	}
	return v, nil
}

// escaped reads what follows a backslash: a special character or two hexadecimal digits.
func (p *dnParser) escaped() (byte, error) {
	rest := p.s[p.i+1:]
	if rest == "" {
		return 0, p.bad("escape without character")
	}
	if strings.IndexByte(" \"#+,;<=>\\/", rest[0]) >= 0 {
		p.i += 2
		return rest[0], nil
	}
	if len(rest) >= 2 {
		if v, ok := hexPair(rest[0], rest[1]); ok {
			p.i += 3
			return v, nil
		}
	}
	return 0, p.bad("bad escape")
}

// quoted is the form of RFC 1779, which RFC 2253 readers still accept.
func (p *dnParser) quoted() (string, error) {
	var b strings.Builder
	for p.i++; p.i < len(p.s); {
		switch c := p.s[p.i]; c {
		case '"':
			p.i++
			p.spaces()
			if p.i < len(p.s) && strings.IndexByte(",;+", p.s[p.i]) < 0 {
				return "", p.bad("text after quote")
			}
			return p.finish(b.String())
		case '\\':
			v, err := p.escaped()
			if err != nil {
				return "", err
			}
			b.WriteByte(v)
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	return "", p.bad("quote does not end")
}

// hexValue is the form #04..., the value's BER encoding, of which only strings make sense as names.
func (p *dnParser) hexValue() (string, error) {
	var raw []byte
	for p.i++; p.i+1 < len(p.s); p.i += 2 {
		v, ok := hexPair(p.s[p.i], p.s[p.i+1])
		if !ok {
			break
		}
		raw = append(raw, v)
	}
	p.spaces()
	if p.i < len(p.s) && strings.IndexByte(",;+", p.s[p.i]) < 0 {
		return "", p.bad("bad hexadecimal value")
	}
	c := cursor{raw}
	tag, content, err := c.next()
	if err != nil || c.more() || tag&constructed != 0 {
		return "", p.bad("value is not one string in BER")
	}
	return p.finish(string(content))
}

func hexPair(a, b byte) (byte, bool) {
	h, l := hexDigit(a), hexDigit(b)
	return byte(h<<4 | l), h >= 0 && l >= 0
}

func hexDigit(c byte) int {
	switch c = lower(c); {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// appendEscaped writes a value as it stands in a name's text (RFC 4514 2.4).
func appendEscaped(b *strings.Builder, v string) {
	for i := range len(v) {
		c := v[i]
		switch {
		case c == 0, c == '\n', c == '\r':
			b.WriteByte('\\')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
			continue
		case strings.IndexByte("\"+,;<>\\", c) >= 0, c == '=', i == 0 && (c == '#' || c == ' '), i == len(v)-1 && c == ' ':
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
}

const hexDigits = "0123456789ABCDEF"

// String is the text form with types as they were written.
func (d DN) String() string {
	var b strings.Builder
	for i, rdn := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		rdn.append(&b)
	}
	return b.String()
}

// String is the step's text form.
func (r RDN) String() string {
	var b strings.Builder
	r.append(&b)
	return b.String()
}

func (r RDN) append(b *strings.Builder) {
	for i, a := range r {
		if i > 0 {
			b.WriteByte('+')
		}
		b.WriteString(a.Type)
		b.WriteByte('=')
		appendEscaped(b, a.Value)
	}
}
