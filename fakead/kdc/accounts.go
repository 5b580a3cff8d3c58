package kdc

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/krb5"
)

// Bits of msDS-SupportedEncryptionTypes ([MS-KILE] 2.2.7).
const (
	supportsRC4    = 0x04
	supportsAES128 = 0x08
	supportsAES256 = 0x10
)

// noPreauth is the bit of userAccountControl that lets an account have tickets
// without proof ([MS-ADTS] 2.2.16).
const noPreauth = 0x400000

// statuses are Windows' reasons of restrictions ([MS-KILE] 3.3.5.6).
var statuses = map[directory.Restriction]struct {
	code   int32
	status hresult.Code
}{
	directory.Disabled:           {krb5.ErrClientRevoked, hresult.STATUSAccountDisabled},
	directory.LockedOut:          {krb5.ErrClientRevoked, hresult.STATUSAccountLockedOut},
	directory.AccountExpired:     {krb5.ErrClientRevoked, hresult.STATUSAccountExpired},
	directory.MustChangePassword: {krb5.ErrPasswordExpired, hresult.STATUSPasswordMustChange},
	directory.PasswordExpired:    {krb5.ErrPasswordExpired, hresult.STATUSPasswordExpired},
}

// restricted is the refusal for a restriction; nil where there is none.
func restricted(r directory.Restriction) *krb5.Error {
	why, ok := statuses[r]
	if !ok {
		return nil
	}
	return &krb5.Error{Code: why.code, Data: krb5.StatusData(uint32(why.status)), Text: why.status.String()}
}

// client finds the account that asks.
func (s *Server) client(n krb5.Name) (directory.Account, bool) {
	if len(n.Parts) != 1 {
		return directory.Account{}, false // services do not log on under their names
	}
	name := n.Parts[0]
	if strings.Contains(name, "@") {
		return s.Directory.AccountByUPN(name)
	}
	if a, ok := s.Directory.AccountBySAM(name); ok {
		return a, true
	}
	// A user principal name whose suffix is the domain ([MS-KILE] 3.3.5.6.1).
	return s.Directory.AccountByUPN(name + "@" + s.Directory.Directory().Domain())
}

// isTGS tells whether a name is the ticket-granting service of this realm.
func (s *Server) isTGS(n krb5.Name) bool {
	return len(n.Parts) == 2 && strings.EqualFold(n.Parts[0], "krbtgt") && s.ours(n.Parts[1])
}

// server finds the account whose key a ticket for a name is made with. The
// ticket-granting service's account changes passwords too.
func (s *Server) server(n krb5.Name) (directory.Account, bool) {
	switch {
	case s.isTGS(n), n.Equal(krb5.PasswordService()):
		return s.Directory.AccountBySAM("krbtgt")
	case len(n.Parts) > 1:
		return s.Directory.AccountBySPN(n.String())
	}
	return s.client(n)
}

// service is the account of a server whose ticket somebody asks for. A user
// without service names is none: its password would be there to guess offline.
func (s *Server) service(n krb5.Name) (directory.Account, error) {
	a, ok := s.server(n)
	switch {
	case !ok:
		return a, krb5.Refusal(krb5.ErrServerUnknown)
	case len(n.Parts) == 1 && !a.Computer && (len(a.SPNs) == 0 || strings.EqualFold(a.SAM, "krbtgt")):
		return a, krb5.Refusal(krb5.ErrUserToUser)
	}
	return a, nil
}

// keys are an account's as the protocol has them.
func (s *Server) keys(a directory.Account) []krb5.Key {
	var list []krb5.Key
	for _, k := range s.Directory.Keys(a) {
		list = append(list, krb5.Key{Type: k.EType, Value: k.Value})
	}
	return list
}

// ticketKey is the key that a server's tickets are sealed with: of its
// strongest type by what it says it supports. One that says nothing gets RC4,
// as before it was asked (DefaultDomainSupportedEncTypes, 0x27).
func (s *Server) ticketKey(n krb5.Name, a directory.Account, tgs bool) (krb5.Key, int, bool) {
	for _, k := range s.Directory.Keys(a) {
		if tgs || supports(a.EncTypes, k.EType) {
			key := krb5.Key{Type: k.EType, Value: k.Value}
			if n.Equal(krb5.PasswordService()) {
				key = passwordKey(key)
			}
			return key, k.Kvno, true
		}
	}
	return krb5.Key{}, 0, false
}

// passwordKey is the password service's key, made of the ticket-granting one's:
// a ticket's name is not sealed, and with one key for both, who may only change
// an expired password could show that ticket as a granting one (CVE-2022-2031).
// How Windows tells them apart is not public.
func passwordKey(k krb5.Key) krb5.Key {
	h := hmac.New(sha256.New, k.Value)
	h.Write([]byte(krb5.PasswordService().String()))
	return krb5.Key{Type: k.Type, Value: h.Sum(nil)[:krb5.KeySize(k.Type)]}
}

func supports(bits uint32, etype int32) bool {
	if bits&(supportsRC4|supportsAES128|supportsAES256) == 0 {
		return etype == krb5.RC4
	}
	switch etype {
	case krb5.AES256:
		return bits&supportsAES256 != 0
	case krb5.AES128:
		return bits&supportsAES128 != 0
	}
	return etype == krb5.RC4 && bits&supportsRC4 != 0
}

// sessionType is the type of a session's key: the first one that the client
// names and the server can do. AES is taken for granted with those that say
// nothing.
func sessionType(wanted []int32, server directory.Account, tgs bool) (int32, bool) {
	silent := server.EncTypes&(supportsRC4|supportsAES128|supportsAES256) == 0
	for _, t := range wanted {
		if krb5.KeySize(t) != 0 && (tgs || silent || supports(server.EncTypes, t)) {
			return t, true
		}
	}
	return 0, false
}

// common are the keys that a client could use, in its order.
func common(wanted []int32, keys []directory.Key) []directory.Key {
	var list []directory.Key
	for _, t := range wanted {
		i := slices.IndexFunc(keys, func(k directory.Key) bool { return k.EType == t })
		if i >= 0 && !slices.ContainsFunc(list, func(k directory.Key) bool { return k.EType == t }) {
			list = append(list, keys[i])
		}
	}
	return list
}
