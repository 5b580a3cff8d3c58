package fastxml

import (
	"bytes"
	"unicode/utf8"
)

// Kind is what a token is.
type Kind uint8

// Kinds of token. An element that is empty gives Start and End.
const (
	End Kind = iota
	Start
	Text
)

// Attr is an attribute as it is written.
type Attr struct{ Prefix, Name, Value string }

// Token is a tag or a piece of text. Text and Attrs are good until the next token.
type Token struct {
	Kind         Kind
	Prefix, Name string
	Text         []byte
	Attrs        []Attr
}

// Scanner walks through a document that is whole in memory. It does not look whether tags match.
type Scanner struct {
	data  []byte
	doc   string // the data, whose parts are the names
	at    int
	odd   bool
	empty bool // the last tag was empty: its end comes next
	last  Token
	text  []byte
	attrs []Attr
}

// New scans data. Names are parts of one copy of the data: who keeps one keeps all of it.
func New(data []byte) *Scanner {
	s := &Scanner{data: data, doc: string(data)}
	for _, declaration := range declarations {
		if rest, ok := bytes.CutPrefix(data, declaration); ok {
			s.at = len(data) - len(rest)
			break
		}
	}
	return s
}

var declarations = [][]byte{
	[]byte(`<?xml version="1.0" encoding="UTF-8"?>`), []byte(`<?xml version="1.0" encoding="utf-8"?>`), []byte(`<?xml version="1.0"?>`),
}

// Odd tells, once Next is false, that this was not the document's end.
func (s *Scanner) Odd() bool { return s.odd }

// Offset is where the next token begins in the data.
func (s *Scanner) Offset() int { return s.at }

// Next gives the next token. It is false at the end and at what is not plain.
func (s *Scanner) Next() (Token, bool) {
	switch {
	case s.odd:
		return Token{}, false
	case s.empty:
		s.empty = false
		return Token{Kind: End, Prefix: s.last.Prefix, Name: s.last.Name}, true
	case s.at == len(s.data):
		return Token{}, false
	case s.data[s.at] != '<':
		return s.chars()
	}
	s.at++
	switch s.peek() {
	case '/':
		s.at++
		return s.endTag()
	case '!':
		return s.cdata()
	}
	return s.startTag()
}

func (s *Scanner) oddity() (Token, bool) {
	s.odd = true
	return Token{}, false
}

// peek is 0 at the end, as at a byte that no document has.
func (s *Scanner) peek() byte {
	if s.at == len(s.data) {
		return 0
	}
	return s.data[s.at]
}

// take steps over c.
func (s *Scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

func (s *Scanner) space() bool {
	begin := s.at
	for s.at < len(s.data) && isSpace[s.data[s.at]] {
		s.at++
	}
	return s.at > begin
}

// name reads a name of ASCII letters, with or without a prefix.
func (s *Scanner) name() (prefix, local string, ok bool) {
	if local, ok = s.part(); !ok || s.peek() != ':' {
		return "", local, ok
	}
	s.at++
	prefix = local
	local, ok = s.part()
	return prefix, local, ok && s.peek() != ':'
}

func (s *Scanner) part() (string, bool) {
	begin := s.at
	for s.at < len(s.data) && nameByte[s.data[s.at]] {
		s.at++
	}
	n := s.doc[begin:s.at]
	if n == "" || n[0] == '-' || n[0] == '.' || n[0] >= '0' && n[0] <= '9' || s.peek() >= utf8.RuneSelf {
		return "", false
	}
	return n, true
}

func (s *Scanner) endTag() (Token, bool) {
	prefix, name, ok := s.name()
	s.space()
	if !ok || !s.take('>') {
		return s.oddity()
	}
	return Token{Kind: End, Prefix: prefix, Name: name}, true
}

func (s *Scanner) startTag() (Token, bool) {
	prefix, name, ok := s.name()
	if !ok {
		return s.oddity()
	}
	t := Token{Kind: Start, Prefix: prefix, Name: name}
	s.attrs = s.attrs[:0]
	for {
		spaced := s.space()
		if s.take('>') {
			break
		}
		if s.take('/') {
			if !s.take('>') {
				return s.oddity()
			}
			s.empty, s.last = true, t
			break
		}
		if !spaced || !s.attribute() {
			return s.oddity()
		}
	}
	t.Attrs = s.attrs
	return t, true
}

func (s *Scanner) attribute() bool {
	prefix, name, ok := s.name()
	if !ok || !s.take('=') {
		return false
	}
	quote := s.peek()
	if quote != '"' && quote != '\'' {
		return false
	}
	s.at++
	n := bytes.IndexByte(s.data[s.at:], quote)
	if n < 0 {
		return false
	}
	raw := s.data[s.at : s.at+n]
	for _, c := range raw {
		if c == '<' || c < ' ' || c >= 0x7F {
			return false
		}
	}
	value, ok := s.unescape(raw)
	if !ok {
		return false
	}
	s.at += n + 1
	s.attrs = append(s.attrs, Attr{prefix, name, string(value)})
	return true
}

// chars reads text up to the next tag.
func (s *Scanner) chars() (Token, bool) {
	n := bytes.IndexByte(s.data[s.at:], '<')
	if n < 0 {
		n = len(s.data) - s.at
	}
	raw := s.data[s.at : s.at+n]
	if !plain(raw) || bytes.Contains(raw, sectionEnd) {
		return s.oddity()
	}
	s.at += n
	text, ok := s.unescape(raw)
	if !ok {
		return s.oddity()
	}
	return Token{Kind: Text, Text: text}, true
}

// unescape gives raw itself where there is nothing to do. It is false at an entity that is not plain. What it gives is good
// until the next call.
func (s *Scanner) unescape(raw []byte) ([]byte, bool) {
	i := bytes.IndexByte(raw, '&')
	if i < 0 {
		return raw, true
	}
	s.text = s.text[:0]
	for ; i >= 0; i = bytes.IndexByte(raw, '&') {
		c, length := entity(raw[i:])
		if length == 0 {
			return nil, false
		}
		s.text, raw = append(append(s.text, raw[:i]...), c), raw[i+length:]
	}
	s.text = append(s.text, raw...)
	return s.text, true
}

var (
	sectionBegin = []byte("![CDATA[")
	sectionEnd   = []byte("]]>")
)

func (s *Scanner) cdata() (Token, bool) {
	rest, ok := bytes.CutPrefix(s.data[s.at:], sectionBegin)
	n := bytes.Index(rest, sectionEnd)
	if !ok || n < 0 || !plain(rest[:n]) {
		return s.oddity()
	}
	s.at += len(sectionBegin) + n + len(sectionEnd)
	return Token{Kind: Text, Text: rest[:n]}, true
}

// plain tells whether text has only characters that mean themselves; a carriage return does not.
func plain(b []byte) bool {
	ascii := true
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii {
		return true
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			return false
		}
		b = b[n:]
	}
	return true
}

// entity is the character that b begins with a name of, and the name's length; 0 for a name that is not plain.
func entity(b []byte) (c byte, length int) {
	for _, e := range entities {
		if bytes.HasPrefix(b, e.name) {
			return e.c, len(e.name)
		}
	}
	return 0, 0
}

var entities = []struct {
	name []byte
	c    byte
}{
	{[]byte("&lt;"), '<'}, {[]byte("&gt;"), '>'}, {[]byte("&amp;"), '&'}, {[]byte("&quot;"), '"'}, {[]byte("&apos;"), '\''},
	{[]byte("&#34;"), '"'}, {[]byte("&#39;"), '\''}, {[]byte("&#xA;"), '\n'}, {[]byte("&#xD;"), '\r'}, {[]byte("&#x9;"), '\t'},
}

var nameByte, isSpace = func() (n, s [256]bool) {
	for c := range 256 {
		b := byte(c)
		n[c] = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '-' || b == '.'
		s[c] = b == ' ' || b == '\t' || b == '\n' || b == '\r'
	}
	return n, s
}()
