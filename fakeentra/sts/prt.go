package sts

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

const indexToken = "token"

// prt is the primary refresh token of one user on one device. The token before
// the last stays good, in case the answer that carried the last was lost.
type prt struct {
	TenantID, UserID, DeviceID string
	Token, Before              string
	SessionKey                 [32]byte
	KeyBefore                  [32]byte // that went with Before
	KeyMade, Expires           time.Time
	Methods                    []string
	Mark                       string // see passwordMark
	Certificate                string // thumbprint of the device's: it ends with the join that it was given to
	// KDF2: the client said that it derives keys the newer way. It is held to
	// that: whoever asks with the older one is not it.
	KDF2 bool
}

func (p prt) key() string { return p.DeviceID + "/" + p.UserID }

func (p prt) tokens() []string {
	if p.Before == "" {
		return []string{p.Token}
	}
	return []string{p.Token, p.Before}
}

// keyFor is the session key that goes with a token.
func (p prt) keyFor(token string) []byte {
	if token == p.Before {
		return p.KeyBefore[:]
	}
	return p.SessionKey[:]
}

func (s *Service) newPRTText() string {
	b := s.NewSecret("prt")
	return "1." + base64.RawURLEncoding.EncodeToString(b[:])
}

// issuePRT gives a primary refresh token for a user on a joined device
// ([MS-OAPXBC] 3.2.5.1.2). Conditional access has no say in it
// (learn.microsoft.com/entra/identity/devices/concept-primary-refresh-token).
func (s *Service) issuePRT(q *request, signed *oauth.SignedDeviceRequest) (any, error) {
	dev, err := s.device(q, signed)
	if err != nil {
		return nil, err
	}
	if _, err := s.appOf(dev.TenantID, signed.ClientID); err != nil {
		return nil, err
	}
	sub, err := s.proveUser(q, signed, dev)
	if err != nil {
		return nil, err
	}
	if !oauth.HasScope(signed.Scope, "aza") {
		return nil, fail(oauth.MissingParameter, "scope", "the scope aza is missing")
	}
	now := s.Now()
	p := prt{
		TenantID: sub.tenant.ID, UserID: sub.user.Resource.ID, DeviceID: dev.DeviceID, Token: s.newPRTText(),
		SessionKey: s.NewSecret("session key"), KeyMade: now, Expires: now.Add(s.Timing.Entra.PRTLife),
		Methods: sub.methods, Mark: passwordMark(sub.user), Certificate: dev.Thumbprint, KDF2: signed.KDF == oauth.KDF2,
	}
	sealed, err := s.seal(dev, p)
	if err != nil {
		return nil, err
	}
	id, err := s.idToken(sub.tenant, sub.user, signed.ClientID, now, s.Timing.Entra.PRTRefresh)
	if err != nil {
		return nil, err
	}
	if err := s.DB.Update(func(tx *store.Tx) error { s.prts.Put(tx, p.key(), p); return nil }); err != nil {
		return nil, err
	}
	s.Record(q.r.Context(), "entra.prt.issued", journal.F("upn", sub.user.Resource.UserPrincipalName), journal.F("deviceId", dev.DeviceID))
	answer := &oauth.TokenResponse{
		TokenType: "pop", RefreshToken: p.Token, RefreshTokenExpiresIn: int64(s.Timing.Entra.PRTLife / time.Second),
		SessionKeyJWE: sealed, IDToken: id,
	}
	if oauth.Asks(signed.ClientInfo) || q.form.ClientInfo == "1" {
		answer.ClientInfo = oauth.ClientInfo(p.UserID, p.TenantID)
	}
	if oauth.Asks(signed.TGT) || oauth.Asks(q.form.TGT) {
		answer.TGTAD, answer.TGTCloud = noTicket, noTicket
	}
	return answer, nil
}

// noTicket stands where a Kerberos ticket would: the tenant has no keys for
// one. Members as clients read them; the text is ours.
const noTicket = `{"keyType":0,"error":"The tenant has no Kerberos keys."}`

// seal wraps a session key to the transport key that the device joined with.
func (s *Service) seal(dev tenant.Device, p prt) (string, error) {
	transport, err := drs.DecodeRSA1(dev.TransportKey)
	if err != nil {
		return "", fail(oauth.UnsupportedTransport, "transport key", err.Error())
	}
	return oauth.WrapSessionKey(s.Seed.Reader("seal", p.Token), transport, p.SessionKey[:])
}

// usePRT answers a request that is signed with a key derived from the session
// key ([MS-OAPXBC] 3.2.5.1.3).
func (s *Service) usePRT(q *request) (any, error) {
	bound, err := oauth.ParseBound(q.form.Request)
	if err != nil {
		return nil, fail(oauth.JWTMalformed, "bound request", err.Error())
	}
	p, ok := s.findPRT(bound.RefreshToken)
	if !ok {
		return nil, fail(oauth.InvalidRefreshToken, "refresh token", "it is not known")
	}
	key := p.keyFor(bound.RefreshToken)
	if p.KDF2 && bound.KDF != oauth.KDF2 {
		return nil, fail(oauth.OldKeyDerivation, "key derivation", "")
	}
	if err := bound.Verify(key); err != nil {
		return nil, fail(oauth.InvalidAssertion, "session key", err.Error())
	}
	t, u, dev, err := s.stillGood(q, bound, p)
	if err != nil {
		return nil, err
	}
	sub := subject{tenant: t, user: u, methods: methodsWith(p.Methods, "rsa"), device: dev.DeviceID, at: p.KeyMade, app: graph.ClientAppModern, platform: "windows"}
	answer := &oauth.TokenResponse{TokenType: "Bearer"}
	app, err := s.appOf(t.ID, bound.ClientID)
	if err != nil {
		return nil, err
	}
	if bound.Resource != "" {
		audience, err := s.audience(bound.Resource)
		if err != nil {
			return nil, err
		}
		scopes, err := s.granted(client{App: app, proof: proofNone}, u, target{audience: audience}, wanted{Default: true})
		if err != nil {
			return nil, err
		}
		if err := s.access(sub, app.ClientID, audience); err != nil {
			return nil, err
		}
		c := s.userClaims(t, u, app.ClientID, audience)
		c.DeviceID, c.AuthMethods, c.Scopes = dev.DeviceID, sub.methods, strings.Join(scopes, " ")
		if answer, err = s.issue(q, c); err != nil {
			return nil, err
		}
	}
	if oauth.HasScope(bound.Scope, "aza") {
		if err := s.renew(&p, bound.RefreshToken, dev, answer); err != nil {
			return nil, err
		}
	}
	if answer.IDToken, err = s.idToken(t, u, bound.ClientID, s.Now(), s.Timing.Entra.PRTRefresh); err != nil {
		return nil, err
	}
	ctx := s.NewSecret("answer")
	return oauth.EncryptAnswer(key, ctx[:oauth.ContextSize], *answer)
}

func (s *Service) findPRT(token string) (p prt, ok bool) {
	// Reading cannot fail: the function returns nil.
	_ = s.DB.View(func(tx *store.Tx) error {
		_, p, ok = s.prts.First(tx, indexToken, token)
		return nil
	})
	return p, ok
}

// stillGood checks what may have changed since the token was given.
func (s *Service) stillGood(q *request, bound *oauth.SignedBound, p prt) (t tenant.Tenant, u tenant.User, dev tenant.Device, err error) {
	now := s.Now()
	refuse := func(n oauth.AADSTS, check, detail string) (tenant.Tenant, tenant.User, tenant.Device, error) {
		return t, u, dev, fail(n, check, detail)
	}
	if q.tenant != "" && q.tenant != p.TenantID {
		return refuse(oauth.WrongTenantForGrant, "refresh token tenant", "")
	}
	if !now.Before(p.Expires) {
		return refuse(oauth.RefreshTokenInactive, "refresh token life", "")
	}
	if bound.Expires != 0 && now.Unix() > bound.Expires {
		return refuse(oauth.InvalidAssertion, "request life", "the request has expired")
	}
	if bound.RequestNonce != "" {
		if err := s.nonces.Take(bound.RequestNonce, "", now); err != nil {
			return refuse(oauth.InvalidAssertion, "nonce", err.Error())
		}
	}
	if t, err = s.dir.Tenant(p.TenantID); err != nil {
		return refuse(oauth.TenantNotFound, "tenant", err.Error())
	}
	if u, err = s.dir.User(p.TenantID, p.UserID); err != nil {
		return refuse(oauth.UserNotFound, "user", err.Error())
	}
	switch {
	case !u.Resource.Enabled():
		return refuse(oauth.AccountDisabled, "account enabled", "")
	case p.Mark != passwordMark(u):
		return refuse(oauth.GrantRevoked, "password change", "")
	}
	dev, err = s.dir.Device(p.TenantID, p.DeviceID)
	switch {
	case err != nil || !dev.Joined() || dev.Thumbprint != p.Certificate:
		return refuse(oauth.DeviceNotFound, "device object", p.DeviceID)
	case !dev.Enabled:
		return refuse(oauth.DeviceDisabled, "device enabled", p.DeviceID)
	}
	return t, u, dev, nil
}

// errRenewed is about a token that was replaced while it was being renewed.
var errRenewed = errors.New("the refresh token changed meanwhile")

// renew gives a fresh token for another span of life, and now and then a fresh
// session key with it.
func (s *Service) renew(p *prt, used string, dev tenant.Device, answer *oauth.TokenResponse) error {
	now := s.Now()
	next := *p
	next.Before, next.KeyBefore = used, [32]byte(p.keyFor(used))
	next.Token, next.Expires = s.newPRTText(), now.Add(s.Timing.Entra.PRTLife)
	if now.Sub(p.KeyMade) >= s.Timing.Entra.SessionKeyRoll {
		next.SessionKey, next.KeyMade = s.NewSecret("session key"), now
		sealed, err := s.seal(dev, next)
		if err != nil {
			return err
		}
		answer.SessionKeyJWE = sealed
	} else {
		next.SessionKey = next.KeyBefore
	}
	answer.RefreshToken = next.Token
	answer.RefreshTokenExpiresIn = int64(s.Timing.Entra.PRTLife / time.Second)
	err := s.DB.Update(func(tx *store.Tx) error {
		if row, ok := s.prts.Get(tx, p.key()); !ok || row.Token != p.Token {
			return errRenewed
		}
		s.prts.Put(tx, p.key(), next)
		return nil
	})
	if err != nil {
		return fail(oauth.InvalidRefreshToken, "refresh token", fmt.Sprint(err))
	}
	return nil
}
