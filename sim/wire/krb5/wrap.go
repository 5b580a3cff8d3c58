package krb5

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
)

// Flags of a per-message token (RFC 4121 4.2.2).
const (
	sentByAcceptor = 1
	tokenSealed    = 2
	acceptorSubkey = 4
)

const tokenHeader = 16

// Errors of per-message tokens.
var (
	errToken    = errors.New("krb5: malformed per-message token")
	errSequence = errors.New("krb5: a token out of sequence")
	errNoLayer  = errors.New("krb5: the security context is not established")
)

// layer protects messages with a context's key (RFC 4121 4). It belongs to one
// connection, on which tokens come in order.
type layer struct {
	key      Key
	acceptor bool // this end is the acceptor
	subkey   bool // the key is the acceptor's
	send     uint64
	receive  uint64
	// unordered is a context whose initiator asked for neither replay detection nor sequence (RFC 2743 1.2.3): numbers are
	// not looked at.
	unordered bool
}

func (l *layer) ready() error {
	if l.key.Value == nil {
		return errNoLayer
	}
	if l.key.Type == RC4 {
		return errors.New("krb5: GSS-API tokens with RC4 (RFC 4757 7) are not modelled")
	}
	return nil
}

func (l *layer) header(id uint16, flags byte, filler byte) []byte {
	if l.acceptor {
		flags |= sentByAcceptor
	}
	if l.subkey {
		flags |= acceptorSubkey
	}
	h := make([]byte, tokenHeader)
	binary.BigEndian.PutUint16(h, id)
	h[2], h[3] = flags, 0xff
	if filler != 0 {
		copy(h[4:8], bytes.Repeat([]byte{filler}, 4))
	}
	binary.BigEndian.PutUint64(h[8:], l.send)
	return h
}

// usage is the key usage for messages of one end.
func usage(fromAcceptor, mic bool) uint32 {
	switch {
	case fromAcceptor && mic:
		return usageAcceptorSign
	case fromAcceptor:
		return usageAcceptorSeal
	case mic:
		return usageInitiatorSign
	}
	return usageInitiatorSeal
}

// wrap protects a message, sealed or only signed.
func (l *layer) wrap(seal bool, p []byte) ([]byte, error) {
	if err := l.ready(); err != nil {
		return nil, err
	}
	if !seal {
		h := l.header(0x0504, 0, 0)
		sum, err := l.key.checksum(usage(l.acceptor, false), append(bytes.Clone(p), h...))
		if err != nil {
			return nil, err
		}
		binary.BigEndian.PutUint16(h[4:], uint16(len(sum.Checksum)))
		l.send++
		if l.acceptor {
			// Controllers put the checksum first ([MS-KILE] 3.4.5.4.1), and some clients look for it nowhere else.
			binary.BigEndian.PutUint16(h[6:], uint16(len(sum.Checksum)))
			return append(append(h, sum.Checksum...), p...), nil
		}
		return append(append(h, p...), sum.Checksum...), nil
	}
	h := l.header(0x0504, tokenSealed, 0)
	c, err := l.key.encrypt(usage(l.acceptor, false), append(bytes.Clone(p), h...))
	if err != nil {
		return nil, err
	}
	l.send++
	return append(h, c...), nil
}

// unwrap opens the peer's next message, and tells whether it was sealed.
func (l *layer) unwrap(t []byte) ([]byte, bool, error) {
	if err := l.ready(); err != nil {
		return nil, false, err
	}
	if err := l.check(t, 0x0504); err != nil {
		return nil, false, err
	}
	if t[3] != 0xff {
		return nil, false, errToken
	}
	h := bytes.Clone(t[:tokenHeader])
	extra := int(binary.BigEndian.Uint16(h[4:]))
	body := rotateLeft(t[tokenHeader:], int(binary.BigEndian.Uint16(h[6:])))
	clear(h[6:8])
	if h[2]&tokenSealed == 0 {
		p, err := l.unsign(h, body, extra)
		return p, false, err
	}
	plain, err := l.key.decrypt(usage(!l.acceptor, false), body)
	if err != nil {
		return nil, false, err
	}
	end := len(plain) - tokenHeader - extra
	if end < 0 || !bytes.Equal(plain[len(plain)-tokenHeader:], h) {
		return nil, false, errToken
	}
	l.receive++
	return plain[:end], true, nil
}

func (l *layer) unsign(h, body []byte, extra int) ([]byte, error) {
	if extra > len(body) {
		return nil, errToken
	}
	p, sum := body[:len(body)-extra], body[len(body)-extra:]
	clear(h[4:6])
	want, err := l.key.checksum(usage(!l.acceptor, false), append(bytes.Clone(p), h...))
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(want.Checksum, sum) {
		return nil, errCipher
	}
	l.receive++
	return p, nil
}

// check looks at what all tokens begin with: who sent it, with which key, as
// the how-many-eth.
func (l *layer) check(t []byte, id uint16) error {
	if len(t) < tokenHeader || binary.BigEndian.Uint16(t) != id {
		return errToken
	}
	if (t[2]&sentByAcceptor != 0) == l.acceptor || (t[2]&acceptorSubkey != 0) != l.subkey {
		return errToken
	}
	if n := binary.BigEndian.Uint64(t[8:]); n != l.receive && !l.unordered {
		return fmt.Errorf("%w: %d, not %d", errSequence, n, l.receive)
	}
	return nil
}

func rotateLeft(b []byte, n int) []byte {
	if len(b) == 0 || n%len(b) == 0 {
		return b
	}
	n %= len(b)
	return append(bytes.Clone(b[n:]), b[:n]...)
}

// mic signs a message that goes by itself.
func (l *layer) mic(message []byte) ([]byte, error) {
	if err := l.ready(); err != nil {
		return nil, err
	}
	h := l.header(0x0404, 0, 0xff)
	sum, err := l.key.checksum(usage(l.acceptor, true), append(bytes.Clone(message), h...))
	if err != nil {
		return nil, err
	}
	l.send++
	return append(h, sum.Checksum...), nil
}

// verifyMIC checks the peer's signature of a message.
func (l *layer) verifyMIC(message, t []byte) error {
	if err := l.ready(); err != nil {
		return err
	}
	if err := l.check(t, 0x0404); err != nil {
		return err
	}
	want, err := l.key.checksum(usage(!l.acceptor, true), append(bytes.Clone(message), t[:tokenHeader]...))
	if err != nil {
		return err
	}
	if !hmac.Equal(want.Checksum, t[tokenHeader:]) {
		return errCipher
	}
	l.receive++
	return nil
}
