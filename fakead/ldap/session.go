package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"

	"windtunnel.test/fakead/directory"
	wire "windtunnel.test/sim/wire/ldap"
)

// session is one connection.
type session struct {
	s      *Server
	ctx    context.Context
	wire   net.Conn
	conn   io.ReadWriter // wire, TLS on it, or a security layer on it
	secure *tls.Conn     // nil without TLS
	layer  bool          // a SASL security layer stands
	sealed bool          // and seals
	global bool
	reader *wire.Reader
	out    []byte

	who     directory.Identity
	pending *negotiation // a SASL bind that goes on
	enters  *wire.Layer  // protects what follows the answer that is being made
	pages   []*pages
	cookies uint64
	began   bool // a request has come
}

// flushAt is from how many octets on answers are sent while a search still goes on.
const flushAt = 32 << 10

// run serves until the client says goodbye, goes away, idles too long, or sends what is no message.
func (t *session) run() {
	for {
		if t.limit() != nil {
			return
		}
		m, err := t.reader.Read()
		if err != nil {
			t.refuse(err)
			return
		}
		t.began = true
		if !t.handle(m) {
			return
		}
	}
}

// limit gives the client until then for its next request.
func (t *session) limit() error {
	if t.s.Clock == nil {
		return nil
	}
	d := t.s.timing().Hybrid.LDAPFirst
	if t.began {
		d = t.s.timing().Hybrid.LDAPIdle
	}
	return t.wire.SetDeadline(t.s.Clock.Now().Add(d))
}

// refuse ends a connection on which something came that is no message, with a notice (RFC 4511 4.1.1). Whoever closed it
// gets none.
func (t *session) refuse(err error) {
	var broken *wire.SyntaxError
	if !errors.As(err, &broken) {
		return
	}
	t.s.record(t.who, "decode", "", err)
	t.notice(wire.ProtocolError, "00000057", "Error decoding ldap message")
}

// notice says that the connection ends.
func (t *session) notice(code wire.ResultCode, win, comment string) {
	e := refusal(code, win, comment)
	t.answer(0, &wire.ExtendedResponse{Result: wire.ResultOf(e), Name: wire.NoticeOfDisconnection})
	_ = t.flush() // the connection ends either way
}

// answer puts a response behind those that wait to be sent.
func (t *session) answer(id int, op wire.Op, controls ...wire.Control) {
	m := wire.Message{ID: id, Op: op, Controls: controls}
	t.out = m.Append(t.out)
}

func (t *session) flush() error {
	if len(t.out) == 0 {
		return nil
	}
	_, err := t.conn.Write(t.out)
	t.out = t.out[:0]
	return err
}

// handle runs one operation and sends its answers. It tells whether the session goes on.
func (t *session) handle(m *wire.Message) bool {
	if m.ID == 0 { // reserved for notices (RFC 4511 4.1.1.1)
		t.refuse(&wire.SyntaxError{Text: "message number 0 in a request"})
		return false
	}
	switch r := m.Op.(type) {
	case *wire.UnbindRequest:
		return false
	case *wire.AbandonRequest:
		return true // what it names has been answered: operations run one by one
	case *wire.BindRequest:
		t.bind(m, r)
	case *wire.ExtendedRequest:
		return t.extended(m, r) && t.flush() == nil
	default:
		if !t.operate(m) {
			t.refuse(&wire.SyntaxError{Text: "a response in place of a request"})
			return false
		}
	}
	return t.flush() == nil
}

// operate runs what reads or changes the directory. It is false for what is no request.
func (t *session) operate(m *wire.Message) bool {
	controls, err := t.controls(m)
	switch r := m.Op.(type) {
	case *wire.SearchRequest:
		if err == nil {
			err = t.search(m.ID, r, controls)
		} else {
			t.answer(m.ID, &wire.SearchDone{Result: wire.ResultOf(err)})
		}
		t.s.record(t.who, "search", r.Base, err)
	case *wire.AddRequest:
		err = orElse(err, func() error { return t.s.Directory.Add(t.ctx, t.who, r.DN, r.Attributes) })
		t.answer(m.ID, &wire.AddResponse{Result: wire.ResultOf(err)})
		t.s.record(t.who, "add", r.DN, err)
	case *wire.ModifyRequest:
		changes := r.Changes
		err = orElse(err, func() error { return t.modify(r.DN, changes, controls) })
		t.answer(m.ID, &wire.ModifyResponse{Result: wire.ResultOf(err)})
		t.s.record(t.who, "modify", r.DN, err)
	case *wire.DeleteRequest:
		err = orElse(err, func() error { return t.s.Directory.Delete(t.ctx, t.who, r.DN, controls.tree) })
		t.answer(m.ID, &wire.DeleteResponse{Result: wire.ResultOf(err)})
		t.s.record(t.who, "delete", r.DN, err)
	case *wire.ModifyDNRequest:
		err = orElse(err, func() error { return t.s.Directory.ModifyDN(t.ctx, t.who, *r) })
		t.answer(m.ID, &wire.ModifyDNResponse{Result: wire.ResultOf(err)})
		t.s.record(t.who, "rename", r.DN, err)
	case *wire.CompareRequest:
		t.answer(m.ID, &wire.CompareResponse{Result: t.compare(r, err)})
	default:
		return false
	}
	return true
}

func orElse(err error, f func() error) error {
	if err != nil {
		return err
	}
	return f()
}

func (t *session) compare(r *wire.CompareRequest, err error) wire.Result {
	same := false
	if err == nil {
		same, err = t.s.Directory.Compare(t.ctx, t.who, r.DN, r.Attribute, r.Value)
	}
	t.s.record(t.who, "compare", r.DN, err)
	switch {
	case err != nil:
		return wire.ResultOf(err)
	case same:
		return wire.Result{Code: wire.CompareTrue}
	}
	return wire.Result{Code: wire.CompareFalse}
}

// refusal is worded as a controller words what it refuses before the directory sees it.
func refusal(code wire.ResultCode, win, comment string) *wire.Error {
	return wire.Errorf(code, "%s: LdapErr: DSID-0C0C0095, comment: %s, data 0, v4f7c", win, comment)
}
