package kdc

import (
	"strings"
	"time"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/wire/krb5"
)

// grant is a TGS exchange (RFC 4120 3.3). It also tells who asked, as far as
// that is known.
func (s *Server) grant(req *krb5.Request) (krb5.Name, []byte, error) {
	proof, ok := req.Preauth(krb5.PATGSRequest)
	if !ok {
		return krb5.Name{}, nil, krb5.Refusal(krb5.ErrPreauthType)
	}
	v := krb5.Verifier{Keys: s.grantingKeys, Now: s.Directory.Now, Skew: s.timing().Hybrid.ClockSkew, Replays: &s.tickets}
	asked, err := v.Verify(proof)
	if err != nil {
		return krb5.Name{}, nil, err
	}
	client := asked.Ticket.Client
	if err := asked.CheckBody(req.Body); err != nil {
		return client, nil, err
	}
	out, err := s.grantTo(asked, req)
	return client, out, err
}

// grantingKeys are the keys of tickets that may be shown here: of this realm's
// ticket-granting service.
func (s *Server) grantingKeys(t *krb5.Ticket) ([]krb5.Key, error) {
	if !s.ours(t.Realm) || !s.isTGS(t.Server) {
		return nil, krb5.Refusal(krb5.ErrNotUs)
	}
	a, ok := s.server(t.Server)
	if !ok {
		return nil, krb5.Refusal(krb5.ErrNotUs)
	}
	return s.keys(a), nil
}

func (s *Server) grantTo(asked *krb5.Verified, req *krb5.Request) ([]byte, error) {
	now, tgt := s.Directory.Now(), asked.Ticket
	switch {
	case !s.ours(req.Realm):
		return nil, krb5.Refusal(krb5.ErrWrongRealm)
	case req.Options&unsupported != 0, req.ExtraTickets:
		return nil, krb5.Refusal(krb5.ErrBadOption)
	case !now.Before(tgt.EndTime): // without the skew that a service allows
		return nil, krb5.Refusal(krb5.ErrTicketExpired)
	}
	server, err := s.service(req.Server)
	if err != nil {
		return nil, err
	}
	if err := s.recheck(tgt, now); err != nil {
		return nil, err
	}
	part, err := s.derived(tgt, req, now)
	if err != nil {
		return nil, err
	}
	key, subkey := tgt.Key, asked.Auth.Subkey.Value != nil
	if subkey {
		key = asked.Auth.Subkey
	}
	return s.issue(&krb5.Reply{Type: krb5.TypeTGS}, part, req, server, key, 0, subkey)
}

// recheck looks at an account again whose ticket is not new ([MS-KILE]
// 3.3.5.7.1).
func (s *Server) recheck(tgt *krb5.TicketPart, now time.Time) error {
	if now.Sub(tgt.AuthTime) <= s.timing().Kerberos.PolicyRecheck {
		return nil
	}
	a, ok := s.client(tgt.Client)
	if !ok {
		return krb5.Refusal(krb5.ErrTGTRevoked)
	}
	switch why := s.Directory.Restriction(a); why {
	case directory.PasswordExpired, directory.MustChangePassword:
		return nil // these keep nobody from going on
	default:
		if e := restricted(why); e != nil {
			return e
		}
	}
	return nil
}

// derived is the inside of a ticket that is made of another one.
func (s *Server) derived(tgt *krb5.TicketPart, req *krb5.Request, now time.Time) (*krb5.TicketPart, error) {
	const inherited = krb5.PreAuthent | krb5.Initial
	part := &krb5.TicketPart{ClientRealm: tgt.ClientRealm, Client: tgt.Client, AuthTime: tgt.AuthTime, StartTime: now}
	part.Flags = tgt.Flags & (krb5.PreAuthent | krb5.Forwarded)
	if req.Options.Has(krb5.Renew) {
		return s.renewed(tgt, req, part, now, inherited)
	}
	for _, f := range []krb5.Flags{krb5.Forwardable, krb5.Proxiable} {
		if req.Options.Has(f) && tgt.Flags.Has(f) {
			part.Flags |= f
		}
	}
	if req.Options.Has(krb5.Forwarded) {
		if !tgt.Flags.Has(krb5.Forwardable) {
			return nil, krb5.Refusal(krb5.ErrBadOption)
		}
		part.Flags |= krb5.Forwarded
	}
	limit := tgt.RenewTill
	if !tgt.Flags.Has(krb5.Renewable) {
		limit = time.Time{}
	}
	if err := s.lifetimes(part, req, now, limit); err != nil {
		return nil, err
	}
	if part.EndTime.After(tgt.EndTime) {
		part.EndTime = tgt.EndTime
	}
	return part, nil
}

// renewed keeps the ticket's length (RFC 4120 3.3.3). It is for the same
// service, which here is always the ticket-granting one.
func (s *Server) renewed(tgt *krb5.TicketPart, req *krb5.Request, part *krb5.TicketPart, now time.Time, inherited krb5.Flags) (*krb5.TicketPart, error) {
	if !tgt.Flags.Has(krb5.Renewable) || !s.isTGS(req.Server) {
		return nil, krb5.Refusal(krb5.ErrBadOption)
	}
	if !now.Before(tgt.RenewTill) {
		return nil, krb5.Refusal(krb5.ErrTicketExpired)
	}
	part.Flags = tgt.Flags & (inherited | krb5.Forwardable | krb5.Forwarded | krb5.Proxiable | krb5.Renewable)
	part.RenewTill = tgt.RenewTill
	part.EndTime = earlier(now.Add(tgt.EndTime.Sub(tgt.StartTime)), tgt.RenewTill)
	return part, nil
}

// lifetimes sets a ticket's end and until when it can be renewed, as asked for
// and within the policy; renewals go to the limit at most, zero means none.
func (s *Server) lifetimes(part *krb5.TicketPart, req *krb5.Request, now, limit time.Time) error {
	p := s.timing().Kerberos
	skew := s.timing().Hybrid.ClockSkew
	if !req.From.IsZero() && req.From.Sub(now) > skew {
		return krb5.Refusal(krb5.ErrCannotPostdate)
	}
	most := now.Add(p.TicketLife)
	if req.Server.Equal(krb5.PasswordService()) {
		most, limit = now.Add(p.PasswordLife), time.Time{}
	}
	part.EndTime = most
	if unbounded := req.Till.IsZero() || req.Till.Unix() == 0; !unbounded {
		part.EndTime = earlier(req.Till, most)
	}
	if !part.EndTime.After(now) {
		return krb5.Refusal(krb5.ErrNeverValid)
	}
	if limit.IsZero() {
		return nil
	}
	switch {
	case req.Options.Has(krb5.Renewable):
		part.RenewTill = limit
		if !req.RenewTill.IsZero() && req.RenewTill.Unix() != 0 {
			part.RenewTill = earlier(req.RenewTill, limit)
		}
	case req.Options.Has(krb5.RenewableOK) && req.Till.After(part.EndTime):
		part.RenewTill = earlier(req.Till, limit)
	default:
		return nil
	}
	part.Flags |= krb5.Renewable
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// issue seals a ticket for a server and writes the answer, whose part for the
// client is sealed with key.
func (s *Server) issue(reply *krb5.Reply, part *krb5.TicketPart, req *krb5.Request, server directory.Account, key krb5.Key, kvno int, subkey bool) ([]byte, error) {
	tgs := s.isTGS(req.Server) || req.Server.Equal(krb5.PasswordService())
	etype, ok := sessionType(req.EncryptionTypes, server, tgs)
	if !ok {
		return nil, krb5.Refusal(krb5.ErrEncryptionType)
	}
	with, version, ok := s.ticketKey(req.Server, server, tgs)
	if !ok {
		return nil, krb5.Refusal(krb5.ErrEncryptionType)
	}
	part.Key = krb5.NewKey(etype, s.random)
	name := req.Server
	if s.isTGS(name) {
		name = krb5.Name{Type: name.Type, Parts: []string{"krbtgt", canonical(name.Parts[1], s.realm())}}
	}
	ticket, err := part.Seal(with, version, s.realm(), name)
	if err != nil {
		return nil, err
	}
	reply.ClientRealm, reply.Client, reply.Ticket = part.ClientRealm, part.Client, ticket
	return reply.Encode(&krb5.ReplyPart{
		Key: part.Key, Nonce: req.Nonce, Flags: part.Flags, AuthTime: part.AuthTime, StartTime: part.StartTime, EndTime: part.EndTime,
		RenewTill: part.RenewTill, Realm: s.realm(), Server: name,
	}, key, kvno, subkey)
}

// canonical is the realm where a name only differs in case; a short name stays.
func canonical(asked, realm string) string {
	if strings.EqualFold(asked, realm) {
		return realm
	}
	return asked
}
