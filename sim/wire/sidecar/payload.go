package sidecar

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxPayload bounds a payload in bytes after unpacking.
const MaxPayload = 16 << 20

// ErrPayload says that a packed payload's length and content disagree, or that it is beyond [MaxPayload].
var ErrPayload = errors.New("packed payload has a wrong length")

// Writers and readers are kept because making one, of 800 KB or of 40, costs more than packing a payload; what was packed
// before leaves no trace. A sync.Pool would give them to every other garbage collection.
var (
	writers = make(chan *gzip.Writer, 4)
	readers = make(chan *gzip.Reader, 4)
)

func take[T any](kept chan *T, fresh func() *T) *T {
	select {
	case z := <-kept:
		return z
	default:
		return fresh()
	}
}

func keep[T any](kept chan *T, z *T) {
	select {
	case kept <- z:
	default:
	}
}

// Pack is how long payloads travel: base64 of the length in four bytes, least significant first, and gzip of the text. The
// result depends on the text alone.
func Pack(text []byte) (string, error) {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, uint32(len(text))); err != nil {
		return "", fmt.Errorf("sidecar: pack: %w", err)
	}
	z := take(writers, func() *gzip.Writer { return gzip.NewWriter(nil) })
	defer keep(writers, z)
	z.Reset(&b)
	if _, err := z.Write(text); err != nil {
		return "", fmt.Errorf("sidecar: pack: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("sidecar: pack: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// Unpack undoes [Pack].
func Unpack(packed string) ([]byte, error) {
	text, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("sidecar: unpack: %w", err)
	}
	return text, nil
}

func unpack(packed string) ([]byte, error) {
	if len(packed) > MaxPayload {
		return nil, ErrPayload
	}
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return nil, err
	}
	if len(raw) < 4 {
		return nil, io.ErrUnexpectedEOF
	}
	length := binary.LittleEndian.Uint32(raw)
	if length > MaxPayload {
		return nil, ErrPayload
	}
	z := take(readers, func() *gzip.Reader { return new(gzip.Reader) })
	defer keep(readers, z)
	if err := z.Reset(bytes.NewReader(raw[4:])); err != nil {
		return nil, err
	}
	// One byte more than promised shows a stream that is too long, without unpacking all of it.
	text, err := io.ReadAll(io.LimitReader(z, int64(length)+1))
	if err != nil {
		return nil, err
	}
	if len(text) != int(length) {
		return nil, ErrPayload
	}
	return text, nil
}

// Nested is a value that travels as JSON text inside JSON, as many members of app policies do. An empty string and null are
// the zero value.
type Nested[T any] struct{ Value T }

// Nest makes one.
func Nest[T any](value T) Nested[T] { return Nested[T]{value} }

// MarshalJSON implements [json.Marshaler].
func (n Nested[T]) MarshalJSON() ([]byte, error) {
	inner, err := json.Marshal(n.Value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(inner))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Nested[T]) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), &n.Value)
}
