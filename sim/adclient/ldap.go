package adclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"windtunnel.test/sim/wire/ldap"
)

// LDAP is a connection to a directory server. It belongs to the actor whose context it was dialled with, and runs one
// operation at a time. Refusals are *ldap.Error; after any other error the connection is of no more use.
type LDAP struct {
	h      Host
	server string // the name that the certificate must have
	wire   net.Conn
	conn   io.ReadWriter // wire, TLS on it, or a security layer on it
	secure *tls.Conn     // nil without TLS
	sealed bool
	reader *ldap.Reader
	id     int
	buf    []byte
	broken error
}

// Ports of a domain controller.
const (
	portLDAP  = "389"
	portLDAPS = "636"
)

// DialLDAP connects to a server's port 389, or to the one that host has with it.
func DialLDAP(ctx context.Context, h Host, host string) (*LDAP, error) {
	return dialLDAP(ctx, h, host, portLDAP)
}

// DialLDAPS connects to port 636, where TLS comes first. Errors of the certificate are those of crypto/tls.
func DialLDAPS(ctx context.Context, h Host, host string) (*LDAP, error) {
	l, err := dialLDAP(ctx, h, host, portLDAPS)
	if err != nil {
		return nil, err
	}
	if err := l.handshake(); err != nil {
		_ = l.wire.Close() // the handshake's error says more
		return nil, err
	}
	return l, nil
}

func dialLDAP(ctx context.Context, h Host, host, port string) (*LDAP, error) {
	name, address := host, net.JoinHostPort(host, port)
	if n, _, err := net.SplitHostPort(host); err == nil {
		name, address = n, host
	}
	c, err := h.Net.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("ldap: connect to %s: %w", host, err)
	}
	l := &LDAP{h: h, server: name, wire: c, conn: c}
	l.reader = ldap.NewReader(c, l.limits())
	return l, nil
}

func (l *LDAP) limits() ldap.Limits { return ldap.Limits{Message: answerLimit} }

// answerLimit is more than a page of 1,000 big objects has.
const answerLimit = 64 << 20

func (l *LDAP) handshake() error {
	c := tls.Client(ldap.UnderTLS(l.wire), &tls.Config{
		ServerName: l.server, RootCAs: l.h.roots(), Time: l.h.now, MinVersion: tls.VersionTLS12,
	})
	if err := l.h.within(l.wire, l.h.timing().Hybrid.LDAPAnswer); err != nil {
		return err
	}
	if err := c.Handshake(); err != nil {
		return l.fail(fmt.Errorf("ldap: TLS with %s: %w", l.server, err))
	}
	l.secure, l.conn = c, c
	l.reader.Reset(c)
	return nil
}

// StartTLS puts TLS on the connection (RFC 4511 4.14). Where the server refuses, the connection goes on without.
func (l *LDAP) StartTLS() error {
	r, err := exchange[*ldap.ExtendedResponse](l, &ldap.ExtendedRequest{Name: ldap.StartTLS})
	if err != nil {
		return err
	}
	if err := r.Err(); err != nil {
		return err
	}
	return l.handshake()
}

// Confidential tells whether what is sent can't be read on the way: TLS, or a sealing bind.
func (l *LDAP) Confidential() bool { return l.secure != nil || l.sealed }

// TLS is the state of the connection's TLS, nil without.
func (l *LDAP) TLS() *tls.ConnectionState {
	if l.secure == nil {
		return nil
	}
	s := l.secure.ConnectionState()
	return &s
}

// Close says goodbye and closes the connection. What fails at that is of no more interest to anybody.
func (l *LDAP) Close() error {
	if l.broken == nil {
		_ = l.send(&ldap.UnbindRequest{})
	}
	if l.secure != nil {
		_ = l.secure.Close() // and with it the wire
		return nil
	}
	return l.wire.Close()
}

func (l *LDAP) fail(err error) error {
	if l.broken == nil {
		l.broken = err
	}
	return err
}

func (l *LDAP) send(op ldap.Op, controls ...ldap.Control) error {
	if l.broken != nil {
		return l.broken
	}
	if err := l.h.within(l.wire, l.h.timing().Hybrid.LDAPAnswer); err != nil {
		return l.fail(fmt.Errorf("ldap: %s: %w", l.server, err))
	}
	l.id++
	m := ldap.Message{ID: l.id, Op: op, Controls: controls}
	l.buf = m.Append(l.buf[:0])
	if _, err := l.conn.Write(l.buf); err != nil {
		return l.fail(fmt.Errorf("ldap: send to %s: %w", l.server, err))
	}
	return nil
}

// receive takes the next answer to the operation under way. Those to others, which were given up, are passed over.
func (l *LDAP) receive() (*ldap.Message, error) {
	for {
		m, err := l.reader.Read()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, l.fail(fmt.Errorf("ldap: receive from %s: %w", l.server, err))
		}
		if m.ID == 0 {
			return nil, l.notice(m)
		}
		if m.ID == l.id {
			return m, nil
		}
	}
}

// notice is what a server says unasked, before it closes (RFC 4511 4.4.1).
func (l *LDAP) notice(m *ldap.Message) error {
	r, ok := m.Op.(*ldap.ExtendedResponse)
	if !ok {
		return l.fail(errUnexpected)
	}
	err := r.Err()
	if err == nil {
		err = errUnexpected
	}
	return l.fail(err)
}

var errUnexpected = errors.New("ldap: the server's answer is of another kind than the question")

// exchange sends a request and takes its one answer.
func exchange[R ldap.Op](l *LDAP, op ldap.Op, controls ...ldap.Control) (r R, err error) {
	if err := l.send(op, controls...); err != nil {
		return r, err
	}
	m, err := l.receive()
	if err != nil {
		return r, err
	}
	r, ok := m.Op.(R)
	if !ok {
		return r, l.fail(errUnexpected)
	}
	return r, nil
}
