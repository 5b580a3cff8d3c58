package ldap

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// Protector is the side of a security context that protects messages (RFC 2743 2.3).
type Protector interface {
	Wrap(seal bool, p []byte) ([]byte, error)
	Unwrap(p []byte) ([]byte, error)
}

// Layer is a SASL security layer over a stream (RFC 4422 3.7): every buffer goes with its length, in four octets, before
// it.
type Layer struct {
	under   io.ReadWriter
	context Protector
	seal    bool
	most    int // octets of a protected buffer that are taken
	sends   int // octets of one that the other side takes; 0: no bound
	plain   []byte
	scratch []byte
}

// NewLayer protects a stream with a context, sealed or signed only. Buffers of more than most octets are refused, and
// none is sent of more than sends, where that is not 0.
func NewLayer(under io.ReadWriter, context Protector, seal bool, most, sends int) *Layer {
	return &Layer{under: under, context: context, seal: seal, most: most, sends: sends}
}

// Read unwraps the next buffer when the last one is used up.
func (l *Layer) Read(p []byte) (int, error) {
	for len(l.plain) == 0 {
		var head [4]byte
		if _, err := io.ReadFull(l.under, head[:]); err != nil {
			return 0, err
		}
		size := int(binary.BigEndian.Uint32(head[:]))
		if size > l.most {
			return 0, malformed("protected buffer of %d octets is longer than %d", size, l.most)
		}
		if cap(l.scratch) < size {
			l.scratch = make([]byte, size)
		}
		b := l.scratch[:size]
		if _, err := io.ReadFull(l.under, b); err != nil {
			return 0, unexpected(err)
		}
		plain, err := l.context.Unwrap(b)
		if err != nil {
			return 0, fmt.Errorf("ldap: unwrap: %w", err)
		}
		l.plain = plain
	}
	n := copy(p, l.plain)
	l.plain = l.plain[n:]
	return n, nil
}

// overhead is more than any mechanism adds to what it wraps: a token's header, confounder, checksum and padding (RFC 4121
// 4.2.4, RFC 4757 7.3).
const overhead = 128

// Write wraps p, in pieces where the other side takes no more.
func (l *Layer) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		piece := p[done:]
		if l.sends > overhead {
			piece = piece[:min(len(piece), l.sends-overhead)]
		}
		token, err := l.context.Wrap(l.seal, piece)
		if err != nil {
			return done, fmt.Errorf("ldap: wrap: %w", err)
		}
		framed := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(token)), uint32(len(token)))
		if _, err := l.under.Write(append(framed, token...)); err != nil {
			return done, err
		}
		done += len(piece)
	}
	return done, nil
}

// SASL mechanisms of a domain controller ([MS-ADTS] 3.1.1.3.4.5) that are modelled.
const (
	MechanismGSSAPI = "GSSAPI"
	MechanismSPNEGO = "GSS-SPNEGO"
)

// UnderTLS is a connection to put TLS on. crypto/tls bounds its farewell by real time, which may be before or after the
// connection's own; so that what is sent depends on neither, such deadlines are not passed on.
func UnderTLS(c net.Conn) net.Conn { return underTLS{c} }

type underTLS struct{ net.Conn }

func (underTLS) SetWriteDeadline(time.Time) error { return nil }
