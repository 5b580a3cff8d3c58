package hwhash

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// ErrNotBase64 is in the chain of errors about the base64 text itself. Graph answers such text with HTTP 400, before
// it looks at any byte; a hash that decodes but is malformed fails later, with import error 802.
var ErrNotBase64 = errors.New("not base64")

// FormatError is a malformed hash: what is wrong at which byte of the decoded 3,000.
type FormatError struct {
	Offset int
	What   string
}

// Error names the byte.
func (e *FormatError) Error() string {
	return fmt.Sprintf("hwhash: malformed hardware hash at byte %d: %s", e.Offset, e.What)
}

func malformed(offset int, format string, args ...any) error {
	return &FormatError{offset, fmt.Sprintf(format, args...)}
}

// Decode reads a hash. Errors are *FormatError. Unknown records are kept in Unknown and in Layout.
func Decode(b []byte) (Hardware, error) {
	var h Hardware
	if len(b) != Size {
		return h, malformed(len(b), "a hardware hash has %d bytes, this one %d", Size, len(b))
	}
	if string(b[:2]) != magic {
		return h, malformed(0, "it starts with %q instead of %q", b[:2], magic)
	}
	total := int(binary.LittleEndian.Uint16(b[2:]))
	if total < headerSize || total+checksumSize > Size {
		return h, malformed(2, "records of %d bytes do not fit", total)
	}
	if err := checkSum(b, total); err != nil {
		return h, err
	}
	h.Layout = []Slot{}
	seen := map[uint16]int{}
	for at := headerSize; at < total; {
		if at+headerSize > total {
			return h, malformed(at, "record header is cut off")
		}
		t, n := binary.LittleEndian.Uint16(b[at:]), int(binary.LittleEndian.Uint16(b[at+2:]))
		if n < headerSize || at+n > total {
			return h, malformed(at+2, "record %d says it has %d bytes, %d are left", t, n, total-at)
		}
		if err := h.take(t, seen[t], bytes.Clone(b[at+headerSize:at+n]), at); err != nil {
			return h, err
		}
		seen[t]++
		at += n
	}
	return h, nil
}

func checkSum(b []byte, total int) error {
	end := b[total : total+checksumSize]
	if string(end[:2]) != checksumMark {
		return malformed(total, "the checksum record should be here, there is %q", end[:2])
	}
	if n := binary.LittleEndian.Uint16(end[2:]); n != checksumSize {
		return malformed(total+2, "the checksum record says it has %d bytes", n)
	}
	if sum := sha256.Sum256(b[:total]); !bytes.Equal(end[4:], sum[:]) {
		return malformed(total+4, "the checksum does not fit the content")
	}
	for i, x := range b[total+checksumSize:] {
		if x != 0 {
			return malformed(total+checksumSize+i, "padding is not zero")
		}
	}
	return nil
}

// take stores the i-th record of type t.
func (h *Hardware) take(t uint16, i int, data []byte, at int) error {
	c, known := codecs[t]
	if !known {
		h.Unknown = append(h.Unknown, Record{t, data})
		h.Layout = append(h.Layout, Slot{Type: t})
		return nil
	}
	if i >= 1 && c.single {
		return malformed(at, "second record of type %d", t)
	}
	if err := c.get(h, i, data); err != nil {
		return malformed(at, "record %d: %v", t, err)
	}
	s := Slot{Type: t}
	if !bytes.Equal(c.put(h, i), data) {
		s.Raw = data
	}
	h.Layout = append(h.Layout, s)
	return nil
}

// DecodeBase64 reads the text form. A text without its padding is refused as the service refuses it (Graph reads it as
// Edm.Binary), with ErrNotBase64 in the chain.
func DecodeBase64(s string) (Hardware, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return Hardware{}, base64Problem(s, err)
	}
	return Decode(b)
}

func base64Problem(s string, err error) error {
	if n := strings.IndexAny(s, "-_"); n >= 0 {
		return fmt.Errorf("hwhash: %w: character %d is %q; the URL-safe alphabet is not accepted", ErrNotBase64, n+1, s[n])
	}
	if _, rawErr := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "=")); rawErr == nil {
		return fmt.Errorf("hwhash: %w: padding is missing or wrong, pad with '=' to a multiple of four characters", ErrNotBase64)
	}
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) {
		return fmt.Errorf("hwhash: %w: wrong character or end at position %d of %d", ErrNotBase64, int64(corrupt)+1, len(s))
	}
	return fmt.Errorf("hwhash: %w: %v", ErrNotBase64, err)
}
