package ldap

import "fmt"

// Tags of the universal class that the protocol uses (X.690 8.1.2), with the constructed bit where they have it.
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagEnumerated  = 0x0a
	tagSequence    = 0x30
	tagSet         = 0x31
)

// context is a context-specific tag, primitive; contextCons a constructed one; application and appCons those of the
// application class.
const (
	application = 0x40
	context     = 0x80
	constructed = 0x20
	contextCons = context | constructed
	appCons     = application | constructed
)

// SyntaxError says what is wrong with bytes that are not a message, a filter or a name. A server answers it with
// protocolError.
type SyntaxError struct{ Text string }

func (e *SyntaxError) Error() string { return "ldap: " + e.Text }

func malformed(format string, args ...any) error { return &SyntaxError{fmt.Sprintf(format, args...)} }

// cursor reads elements off a row of them.
type cursor struct{ rest []byte }

func (c *cursor) more() bool { return len(c.rest) > 0 }

// peek is the next element's tag, 0 at the end.
func (c *cursor) peek() byte {
	if len(c.rest) == 0 {
		return 0
	}
	return c.rest[0]
}

// next takes the next element, whose content stays where it is.
func (c *cursor) next() (tag byte, content []byte, err error) {
	if len(c.rest) < 2 {
		return 0, nil, malformed("element ends early")
	}
	tag = c.rest[0]
	if tag&0x1f == 0x1f {
		return 0, nil, malformed("tag 0x%02x of more than one octet", tag)
	}
	size, header, err := length(c.rest[1:])
	if err != nil {
		return 0, nil, err
	}
	body := c.rest[1+header:]
	if size > len(body) {
		return 0, nil, malformed("element 0x%02x of %d octets ends early", tag, size)
	}
	c.rest = body[size:]
	return tag, body[:size:size], nil
}

// length reads a definite length and says how many octets it took.
func length(b []byte) (size, header int, err error) {
	if len(b) == 0 {
		return 0, 0, malformed("length is missing")
	}
	if b[0] < 0x80 {
		return int(b[0]), 1, nil
	}
	n := int(b[0] & 0x7f)
	if n == 0 {
		return 0, 0, malformed("indefinite length")
	}
	if n > 4 || len(b) < 1+n {
		return 0, 0, malformed("length of %d octets", n)
	}
	for _, o := range b[1 : 1+n] {
		size = size<<8 | int(o)
	}
	if size > 1<<31-1 {
		return 0, 0, malformed("length %d", size)
	}
	return size, 1 + n, nil
}

// take is next where only one tag will do.
func (c *cursor) take(want byte, what string) ([]byte, error) {
	if c.peek() != want {
		if !c.more() {
			return nil, malformed("%s is missing", what)
		}
		return nil, malformed("%s has tag 0x%02x", what, c.peek())
	}
	_, content, err := c.next()
	return content, err
}

func (c *cursor) text(what string) (string, error) {
	b, err := c.take(tagOctetString, what)
	return string(b), err
}

func (c *cursor) integer(tag byte, what string) (int, error) {
	b, err := c.take(tag, what)
	if err != nil {
		return 0, err
	}
	return parseInteger(b, what)
}

// parseInteger reads what fits into 32 bits, which is all that the protocol has (RFC 4511 4.1.1: maxInt).
func parseInteger(b []byte, what string) (int, error) {
	if len(b) == 0 || len(b) > 8 {
		return 0, malformed("%s is a number of %d octets", what, len(b))
	}
	v := int64(int8(b[0]))
	for _, o := range b[1:] {
		v = v<<8 | int64(o)
	}
	if v > 1<<31-1 || v < -1<<31 {
		return 0, malformed("%s %d is out of range", what, v)
	}
	return int(v), nil
}

func (c *cursor) boolean(tag byte, what string) (bool, error) {
	b, err := c.take(tag, what)
	if err != nil {
		return false, err
	}
	if len(b) != 1 {
		return false, malformed("%s is a boolean of %d octets", what, len(b))
	}
	return b[0] != 0, nil
}

// end refuses what is left over.
func (c *cursor) end(what string) error {
	if c.more() {
		return malformed("%s: %d octets too many", what, len(c.rest))
	}
	return nil
}

// appendHeader writes tag and length in the shortest form.
func appendHeader(b []byte, tag byte, size int) []byte {
	switch {
	case size < 0x80:
		return append(b, tag, byte(size))
	case size < 0x100:
		return append(b, tag, 0x81, byte(size))
	case size < 0x10000:
		return append(b, tag, 0x82, byte(size>>8), byte(size))
	}
	return append(b, tag, 0x84, byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
}

// appendNested writes an element whose content f appends. The length is put in afterwards; content that needs more than
// one octet for it moves up.
func appendNested(b []byte, tag byte, f func([]byte) []byte) []byte {
	start := len(b)
	b = f(append(b, tag, 0))
	size := len(b) - start - 2
	if size < 0x80 {
		b[start+1] = byte(size)
		return b
	}
	var head [6]byte
	h := appendHeader(head[:0], tag, size)
	b = append(b, h[2:]...)
	copy(b[start+len(h):], b[start+2:start+2+size])
	copy(b[start:], h)
	return b
}

func appendBytes[T string | []byte](b []byte, tag byte, v T) []byte {
	return append(appendHeader(b, tag, len(v)), v...)
}

func appendInteger(b []byte, tag byte, v int) []byte {
	n := 1
	for x := v; x > 127 || x < -128; x >>= 8 {
		n++
	}
	b = append(b, tag, byte(n))
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

func appendBoolean(b []byte, tag byte, v bool) []byte {
	if v {
		return append(b, tag, 1, 0xff)
	}
	return append(b, tag, 1, 0)
}
