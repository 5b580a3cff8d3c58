package kdc

import (
	"context"
	"slices"
	"strings"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/krb5"
)

// unsupported are options whose service is not here: a ticket that leaves them
// out would not be what was asked for (RFC 4120 3.3.3.1).
const unsupported = krb5.Proxy | krb5.AllowPostdate | krb5.Postdated | krb5.Anonymous | krb5.TicketInKey | krb5.Validate

// authenticate is an AS exchange (RFC 4120 3.1, [MS-KILE] 3.3.5.6).
func (s *Server) authenticate(ctx context.Context, req *krb5.Request) ([]byte, error) {
	if !s.ours(req.Realm) {
		return nil, krb5.Refusal(krb5.ErrWrongRealm)
	}
	if req.Options&(unsupported|krb5.Renew|krb5.Forwarded) != 0 || req.ExtraTickets {
		return nil, krb5.Refusal(krb5.ErrBadOption)
	}
	client, ok := s.client(req.Client)
	if !ok {
		return nil, krb5.Refusal(krb5.ErrClientUnknown)
	}
	server, err := s.service(req.Server)
	if err != nil {
		return nil, err
	}
	why := s.Directory.Restriction(client)
	if e := restricted(why); e != nil && e.Code == krb5.ErrClientRevoked {
		return nil, e
	}
	keys := common(req.EncryptionTypes, s.Directory.Keys(client))
	if len(keys) == 0 {
		return nil, krb5.Refusal(krb5.ErrEncryptionType)
	}
	key, err := s.proof(ctx, req, client, keys)
	if err != nil {
		return nil, err
	}
	if e := restricted(why); e != nil && !req.Server.Equal(krb5.PasswordService()) {
		return nil, e
	}
	// Who does not say where it logs on, as only Windows does, logs on nowhere
	// that is on the list.
	if len(client.Workstations) > 0 && !containsFold(client.Workstations, req.Host) {
		return nil, &krb5.Error{Code: krb5.ErrPolicy, Data: krb5.StatusData(uint32(hresult.STATUSWorkstation))}
	}
	return s.initialTicket(req, client, server, key)
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), name) })
}

// proof checks the encrypted timestamp and gives the key that it was made with,
// or says what a client has to do (PREAUTH_REQUIRED with the salts).
func (s *Server) proof(ctx context.Context, req *krb5.Request, client directory.Account, keys []directory.Key) (directory.Key, error) {
	stamp, ok := req.Preauth(krb5.PAEncTimestamp)
	if !ok {
		if client.UAC&noPreauth != 0 {
			return keys[0], nil
		}
		return directory.Key{}, &krb5.Error{Code: krb5.ErrPreauthRequired, Data: hints(keys)}
	}
	etype, err := krb5.TimestampType(stamp)
	if err != nil {
		return directory.Key{}, &krb5.Error{Code: krb5.ErrPreauthFailed, Data: hints(keys), Text: err.Error()}
	}
	i := slices.IndexFunc(keys, func(k directory.Key) bool { return k.EType == etype })
	if i < 0 {
		return directory.Key{}, &krb5.Error{Code: krb5.ErrEncryptionType, Data: hints(keys)}
	}
	key := keys[i]
	at, err := krb5.OpenTimestamp(krb5.Key{Type: etype, Value: key.Value}, stamp)
	if err != nil {
		if newer, ok := s.primaryKey(client, etype); ok {
			key = newer
			at, err = krb5.OpenTimestamp(krb5.Key{Type: etype, Value: key.Value}, stamp)
		}
	}
	if err != nil {
		s.Directory.Failed(ctx, client)
		return directory.Key{}, &krb5.Error{Code: krb5.ErrPreauthFailed, Data: hints(keys)}
	}
	if at.Sub(s.Directory.Now()).Abs() > s.timing().Hybrid.ClockSkew {
		return directory.Key{}, krb5.Refusal(krb5.ErrSkew)
	}
	// Others may have tried wrong ones since the account was looked up.
	if now, ok := s.Directory.AccountBySAM(client.SAM); ok && s.Directory.Restriction(now) == directory.LockedOut {
		return directory.Key{}, restricted(directory.LockedOut)
	}
	s.Directory.Succeeded(ctx, client)
	return key, nil
}

// primaryKey is what the first controller has of an account, which learns of
// every new password at once ([MS-ADTS] 3.1.1.1.11 PDC emulator).
func (s *Server) primaryKey(a directory.Account, etype int32) (directory.Key, bool) {
	primary := s.Directory.Directory().Primary()
	if primary == nil || primary.HostName() == s.Directory.HostName() {
		return directory.Key{}, false
	}
	newer, ok := primary.AccountBySID(a.SID)
	if !ok {
		return directory.Key{}, false
	}
	for _, k := range primary.Keys(newer) {
		if k.EType == etype {
			return k, true
		}
	}
	return directory.Key{}, false
}

// hints are the salts of keys and that a timestamp is the proof.
func hints(keys []directory.Key) []byte {
	return krb5.EncodePAData([]krb5.PAData{salts(keys), {Type: krb5.PAEncTimestamp}})
}

func salts(keys []directory.Key) krb5.PAData {
	var list []krb5.ETypeInfo
	for _, k := range keys {
		list = append(list, krb5.ETypeInfo{Type: k.EType, Salt: k.Salt})
	}
	return krb5.PAData{Type: krb5.PAETypeInfo2, Value: krb5.EncodeETypeInfo2(list)}
}

// initialTicket makes the ticket for a client that has proved itself.
func (s *Server) initialTicket(req *krb5.Request, client, server directory.Account, key directory.Key) ([]byte, error) {
	now := s.Directory.Now()
	part := &krb5.TicketPart{
		Flags: krb5.Initial | req.Options&(krb5.Forwardable|krb5.Proxiable), ClientRealm: s.realm(), Client: s.clientName(req, client),
		AuthTime: now, StartTime: now,
	}
	if client.UAC&noPreauth == 0 {
		part.Flags |= krb5.PreAuthent
	}
	if _, ok := req.Preauth(krb5.PAEncTimestamp); ok {
		part.Flags |= krb5.PreAuthent
	}
	if err := s.lifetimes(part, req, now, now.Add(s.timing().Kerberos.RenewLife)); err != nil {
		return nil, err
	}
	reply := &krb5.Reply{Type: krb5.TypeAS, PAData: []krb5.PAData{salts([]directory.Key{key})}}
	return s.issue(reply, part, req, server, krb5.Key{Type: key.EType, Value: key.Value}, key.Kvno, false)
}

// clientName is how the client is called in its ticket: as it called itself, or
// by its sAMAccountName where it asked for that (RFC 6806 6).
func (s *Server) clientName(req *krb5.Request, client directory.Account) krb5.Name {
	if req.Options.Has(krb5.Canonicalize) || req.Client.Type == krb5.NameEnterprise {
		return krb5.Name{Type: krb5.NamePrincipal, Parts: []string{client.SAM}}
	}
	return req.Client
}
