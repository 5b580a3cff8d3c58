package kdc

import (
	"context"
	"encoding/binary"
	"errors"
	"net"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// Passwords is the service that changes passwords (RFC 3244).
type Passwords struct{ s *Server }

// Passwords is the server's service on port 464.
func (s *Server) Passwords() *Passwords { return &Passwords{s} }

// HandlePacket answers a datagram to port 464; nil: with nothing.
func (p *Passwords) HandlePacket(ctx context.Context, from net.Addr, packet []byte) []byte {
	// Which of its addresses the client sees is not told; on loopback it is the
	// client's own, and elsewhere clients do not look at it.
	return p.answer(ctx, addressOf(from), packet)
}

// ServeStream answers what comes over a connection to port 464, and closes it.
func (p *Passwords) ServeStream(ctx context.Context, c net.Conn) {
	local := addressOf(c.LocalAddr())
	p.s.stream(c, func(packet []byte) []byte { return p.answer(ctx, local, packet) })
}

// addressOf is an address as four bytes or sixteen.
func addressOf(a net.Addr) []byte {
	if a != nil {
		if host, _, err := net.SplitHostPort(a.String()); err == nil {
			if ip := net.ParseIP(host); ip.To4() != nil {
				return ip.To4()
			} else if ip != nil {
				return ip
			}
		}
	}
	return make([]byte, net.IPv4len)
}

const operationPassword = "change password"

func (p *Passwords) answer(ctx context.Context, local, packet []byte) []byte {
	s := p.s
	x, err := krb5.DecodePasswordExchange(packet)
	if err != nil {
		s.record(ctx, operationPassword, krb5.Name{}, krb5.PasswordService(), err)
		code := krb5.PasswordMalformed
		if errors.Is(err, krb5.ErrPasswordVersion) {
			code = krb5.PasswordBadVersion
		}
		return p.refuse(krb5.Refusal(krb5.ErrGeneric), code)
	}
	v := krb5.Verifier{Keys: p.keys, Now: s.Directory.Now, Skew: s.timing().Hybrid.ClockSkew, Replays: &s.password}
	who, err := v.Verify(x.AP)
	if err != nil {
		s.record(ctx, operationPassword, krb5.Name{}, krb5.PasswordService(), err)
		return p.refuse(numbered(err), krb5.PasswordAuthError)
	}
	result, err := p.change(ctx, who, x)
	s.record(ctx, operationPassword, who.Ticket.Client, krb5.PasswordService(), err)
	answer, err := krb5.EncodePasswordResult(who, result, binary.BigEndian.Uint32(s.random(4))>>2, local)
	if err != nil {
		return nil
	}
	return answer
}

func (p *Passwords) refuse(e *krb5.Error, code int) []byte {
	told := *e
	told.Realm, told.Server, told.ServerTime = p.s.realm(), krb5.PasswordService(), p.s.Directory.Now()
	told.Text = ""
	b, err := krb5.EncodePasswordRefusal(&told, &krb5.PasswordResult{Code: code})
	if err != nil {
		return nil
	}
	return b
}

func (p *Passwords) keys(t *krb5.Ticket) ([]krb5.Key, error) {
	if !p.s.ours(t.Realm) || !t.Server.Equal(krb5.PasswordService()) {
		return nil, krb5.Refusal(krb5.ErrNotUs)
	}
	a, ok := p.s.server(t.Server)
	if !ok {
		return nil, krb5.Refusal(krb5.ErrNotUs)
	}
	list := p.s.keys(a)
	for i := range list {
		list[i] = passwordKey(list[i])
	}
	return list, nil
}

var (
	errNotInitial = errors.New("kdc: the ticket does not come straight from a password")
	errNoAccount  = errors.New("kdc: no such account")
)

// change does what a client wants. The error is for the journal; the result
// says the same to the client.
func (p *Passwords) change(ctx context.Context, who *krb5.Verified, x *krb5.PasswordExchange) (*krb5.PasswordResult, error) {
	req, err := x.Open(who)
	if err != nil {
		return &krb5.PasswordResult{Code: krb5.PasswordMalformed}, err
	}
	s := p.s
	by, ok := s.client(who.Ticket.Client)
	if !ok {
		return &krb5.PasswordResult{Code: krb5.PasswordAuthError}, errNoAccount
	}
	account := by
	if !req.Target.Zero() {
		if req.Realm != "" && !s.ours(req.Realm) {
			return &krb5.PasswordResult{Code: krb5.PasswordHardError}, errNoAccount
		}
		if account, ok = s.server(req.Target); !ok {
			return &krb5.PasswordResult{Code: krb5.PasswordHardError}, errNoAccount
		}
	}
	if account.SID == by.SID && !x.Set() && !who.Ticket.Flags.Has(krb5.Initial) {
		return &krb5.PasswordResult{Code: krb5.PasswordInitialFlag}, errNotInitial
	}
	id := s.Directory.Identify(by)
	id.Confidential = true // the message is sealed
	err = s.Directory.SetPassword(ctx, id, account, req.Password)
	return resultOf(err), err
}

// resultOf words the directory's answer.
func resultOf(err error) *krb5.PasswordResult {
	var policy *directory.PolicyError
	var refused *ldap.Error
	switch {
	case err == nil:
		return &krb5.PasswordResult{Code: krb5.PasswordOK}
	case errors.As(err, &policy):
		return &krb5.PasswordResult{Code: krb5.PasswordSoftError, Text: "The password does not meet the domain's rule about " + policy.Rule + "."}
	case errors.As(err, &refused) && refused.Code == ldap.InsufficientAccessRights:
		return &krb5.PasswordResult{Code: krb5.PasswordDenied}
	}
	return &krb5.PasswordResult{Code: krb5.PasswordHardError}
}
