package krb5

import (
	"encoding/binary"
	"fmt"
	"io"
)

// MaxFrame is the longest message taken over a stream. A controller's own limit
// is of this order; tickets with everything in them stay below 64 KiB.
const MaxFrame = 128 << 10

// ReadFrame reads a message with its length before it (RFC 4120 7.2.2). io.EOF
// says that there is no further one. A length of more than MaxFrame is an
// *[Error] with ErrFieldTooLong; nothing of it is read.
func ReadFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > MaxFrame { // the highest bit is reserved for extensions, of which there are none
		return nil, Refusef(ErrFieldTooLong, "%d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("krb5: %d bytes announced: %w", n, err)
	}
	return b, nil
}

// WriteFrame writes one.
func WriteFrame(w io.Writer, b []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}
