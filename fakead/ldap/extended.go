package ldap

import (
	"crypto/tls"
	"fmt"

	"windtunnel.test/fakead/directory"
	wire "windtunnel.test/sim/wire/ldap"
)

// extended runs an extended operation and tells whether the session goes on.
func (t *session) extended(m *wire.Message, r *wire.ExtendedRequest) bool {
	if err := t.critical(m); err != nil {
		t.answer(m.ID, &wire.ExtendedResponse{Result: wire.ResultOf(err), Name: r.Name})
		return true
	}
	switch r.Name {
	case wire.StartTLS:
		return t.startTLS(m.ID)
	case wire.WhoAmI:
		name := ""
		if !t.who.Anonymous() {
			name = "u:" + t.who.Name
		}
		t.answer(m.ID, &wire.ExtendedResponse{Value: []byte(name), HasValue: true})
		return true
	}
	err := refusal(wire.ProtocolError, "0000203D", "Unknown extended request OID")
	t.answer(m.ID, &wire.ExtendedResponse{Result: wire.ResultOf(err)})
	return true
}

// startTLS puts TLS on the connection (RFC 4511 4.14). Who was bound before is nobody after it, as on a controller.
func (t *session) startTLS(id int) bool {
	var err error
	switch {
	case t.secure != nil:
		err = refusal(wire.OperationsError, "00000000", "TLS or SSL already in effect")
	case t.layer || t.pending != nil:
		err = refusal(wire.OperationsError, "00000000", "A SASL bind or a security layer is in progress")
	case t.s.Certificate == nil:
		err = refusal(wire.Unavailable, "00000000", "Error initializing SSL/TLS")
	}
	t.s.record(t.who, "StartTLS", "", err)
	t.answer(id, &wire.ExtendedResponse{Result: wire.ResultOf(err), Name: wire.StartTLS})
	if err != nil {
		return true
	}
	t.who, t.pages = directory.Identity{}, nil
	return t.flush() == nil && t.handshake() == nil
}

// handshake is the server's side of TLS, on the session's own actor.
func (t *session) handshake() error {
	if t.s.Certificate == nil {
		return fmt.Errorf("ldap: %s has no certificate", t.s.Directory.HostName())
	}
	cert, err := t.s.Certificate()
	if err != nil {
		return err
	}
	if err := t.limit(); err != nil {
		return err
	}
	c := tls.Server(wire.UnderTLS(t.wire), &tls.Config{
		Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
	})
	if err := c.Handshake(); err != nil {
		t.s.record(t.who, "TLS", "", err)
		return err
	}
	t.secure, t.conn = c, c
	t.reader.Reset(c)
	return nil
}
