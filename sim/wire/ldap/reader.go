package ldap

import (
	"bytes"
	"fmt"
	"io"
)

// Reader takes messages off a stream, never an octet more than the message has, so that a security layer can be put
// under it between two messages.
type Reader struct {
	r    io.Reader
	l    Limits
	last []byte
	head [6]byte
}

// NewReader reads from r within limits.
func NewReader(r io.Reader, l Limits) *Reader { return &Reader{r: r, l: l.filled()} }

// Reset goes on with another stream, such as the same one under TLS.
func (r *Reader) Reset(from io.Reader) { r.r = from }

// Read takes the next message. io.EOF says that the stream ended between two messages; a [*SyntaxError] that what came is
// no message, after which the stream can't be read on; another error is the stream's own. What is too long is refused
// by its header, without its content being read.
func (r *Reader) Read() (*Message, error) {
	size, err := r.header()
	if err != nil {
		return nil, err
	}
	b, err := r.body(size)
	if err != nil {
		return nil, fmt.Errorf("ldap: message of %d octets: %w", size, unexpected(err))
	}
	r.last = b
	return Decode(b, r.l)
}

// LastID is the number of the last message that came whole, though it may not have decoded.
func (r *Reader) LastID() int { return PeekID(r.last) }

// header reads tag and length, and leaves them in r.head with their size as its length.
func (r *Reader) header() (int, error) {
	r.last = nil
	if _, err := io.ReadFull(r.r, r.head[:1]); err != nil {
		return 0, err
	}
	if r.head[0] != tagSequence {
		return 0, malformed("message has tag 0x%02x", r.head[0])
	}
	if _, err := io.ReadFull(r.r, r.head[1:2]); err != nil {
		return 0, unexpected(err)
	}
	more := 0
	if r.head[1] > 0x80 {
		more = min(int(r.head[1]&0x7f), 4)
	}
	if _, err := io.ReadFull(r.r, r.head[2:2+more]); err != nil {
		return 0, unexpected(err)
	}
	size, header, err := length(r.head[1 : 2+more])
	if err != nil {
		return 0, err
	}
	if size+1+header > r.l.Message {
		return 0, malformed("message of %d octets is longer than %d", size, r.l.Message)
	}
	return size, nil
}

// chunk is how much memory an announced length gets before it has come true.
const chunk = 64 << 10

// body reads the content and puts the header before it again.
func (r *Reader) body(size int) ([]byte, error) {
	head := appendHeader(make([]byte, 0, 6+min(size, chunk)), tagSequence, size)
	if size <= chunk {
		b := head[:len(head)+size]
		_, err := io.ReadFull(r.r, b[len(head):])
		return b, err
	}
	buf := bytes.NewBuffer(head)
	_, err := io.CopyN(buf, r.r, int64(size))
	return buf.Bytes(), err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
