package ldap

import (
	"windtunnel.test/fakead/directory"
	wire "windtunnel.test/sim/wire/ldap"
)

// bind authenticates. Whatever comes of it, the session is nobody's from its beginning (RFC 4511 4.2.1), and what was
// found for somebody else is forgotten.
func (t *session) bind(m *wire.Message, r *wire.BindRequest) {
	goesOn := t.pending
	t.pending, t.who, t.pages, t.enters = nil, directory.Identity{}, nil, nil
	var out []byte
	var err error
	done := true
	switch {
	case r.Version != 2 && r.Version != 3:
		err = refusal(wire.ProtocolError, "00000057", "Unsupported protocol version")
	case t.critical(m) != nil:
		err = t.critical(m)
	case r.Mechanism == "":
		err = t.simple(r)
	default:
		if goesOn != nil && goesOn.mechanism != r.Mechanism {
			goesOn = nil
		}
		out, done, err = t.sasl(goesOn, r)
	}
	if err != nil {
		t.who, t.enters = directory.Identity{}, nil
	}
	result := wire.ResultOf(err)
	if err == nil && !done {
		result.Code = wire.SASLBindInProgress
	}
	t.answer(m.ID, &wire.BindResponse{Result: result, Credentials: out})
	if done {
		t.s.record(t.who, "bind", r.Name, err)
	}
	if t.enters != nil && t.flush() == nil {
		t.conn, t.layer, t.sealed, t.enters = t.enters, true, t.who.Confidential, nil
		t.reader.Reset(t.conn)
	}
}

// simple is a bind by name and password. A name without a password is nobody, as is neither (RFC 4513 5.1.2).
func (t *session) simple(r *wire.BindRequest) error {
	if len(r.Password) == 0 {
		return nil
	}
	if t.s.RequireTLS && t.secure == nil && !t.sealed { // a signed one can be read on the way
		return notSigned()
	}
	who, err := t.s.Directory.Authenticate(t.ctx, r.Name, string(r.Password))
	if err != nil {
		return err
	}
	who.Confidential = t.secure != nil || t.sealed
	t.who = who
	return nil
}
