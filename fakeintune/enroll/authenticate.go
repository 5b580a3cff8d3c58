package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/mde"
)

// SignIn is what enrolment asks of Entra ID about users who bring no access
// token.
type SignIn interface {
	// TenantOf finds the customer that a user principal name belongs to; the user
	// need not exist.
	TenantOf(ctx context.Context, upn string) (tenantID string, ok bool)
	// Password checks a user's password. An error that is [ErrSignIn] is the user's
	// (no such user, wrong password, locked), any other the directory's own.
	Password(ctx context.Context, tenantID, upn, password string) error
}

// ErrSignIn is why a user may not sign in. Its text goes to the client.
var ErrSignIn = errors.New("the user name or the password is wrong")

// caller is who asks.
type caller struct {
	mode   mde.Mode
	tenant *tenant.Tenant
	claims tenant.Claims         // of an access token
	user   *tenant.DirectoryUser // nil: the device asks for itself
	signed []byte                // by a certificate: the message as it was signed
}

// proof is what goes with the security header.
type proof struct {
	asks bool   // GetPolicies: nothing is used up, and a signature may be missing
	body []byte // the message
}

// authenticate verifies what a request's security header says, by one of the
// four ways of [MS-MDE2]. A tenant takes access tokens always, of the others
// the one that its discovery answers with.
func (s *Service) authenticate(ctx context.Context, h mde.Header, p proof) (caller, error) {
	switch mode := h.Security.Mode(); mode {
	case mde.ModeEntra:
		return s.byToken(ctx, h)
	case mde.ModeFederated:
		return s.byPage(ctx, h, p)
	case mde.ModeOnPremise:
		return s.byPassword(ctx, h)
	case mde.ModeCertificate:
		return s.byCertificate(ctx, h, p)
	default:
		return caller{}, no("authentication mode", hresult.EnrollAuthentication, "authentication by %s is not possible", mode)
	}
}

// byToken: an access token of Entra ID, a user's or a device's.
func (s *Service) byToken(ctx context.Context, h mde.Header) (caller, error) {
	claims, err := s.Tenants.Tokens.Verify(ctx, string(h.Security.Token), Audience, s.Tenants.Now())
	if err != nil {
		return caller{}, no("token", hresult.EnrollAuthentication, "%v", err)
	}
	c := caller{mode: mde.ModeEntra, claims: claims}
	if c.tenant, err = s.Tenants.Tenant(claims.TenantID); err != nil {
		return caller{}, no("token tenant", hresult.EnrollAuthentication, "the token's tenant is no customer")
	}
	switch {
	case claims.UPN != "":
		if err := s.setUser(ctx, &c, claims.UPN); err != nil {
			return caller{}, err
		}
	case claims.DeviceID == "":
		return caller{}, no("token subject", hresult.EnrollAuthentication, "the token names neither a user nor a device")
	}
	if claims.DeviceID != "" {
		if d, ok := s.Tenants.Directory.Device(ctx, c.tenant.ID, claims.DeviceID); !ok || !d.Enabled {
			return caller{}, no("token device", hresult.EnrollAuthentication, "the device object does not exist or is disabled")
		}
	}
	return c, nil
}

func (s *Service) setUser(ctx context.Context, c *caller, upn string) error {
	u, ok := s.Tenants.Directory.User(ctx, c.tenant.ID, upn)
	if !ok || !u.Enabled {
		return no("token user", hresult.EnrollAuthentication, "the user does not exist or is disabled")
	}
	c.user = &u
	return nil
}

// as is a user of a tenant that authenticates this way.
func (s *Service) as(ctx context.Context, tenantID, upn string, mode mde.Mode, way mde.AuthPolicy) (caller, error) {
	t, err := s.Tenants.Tenant(tenantID)
	if err != nil {
		return caller{}, no("user's tenant", hresult.EnrollAuthentication, "the user's organization is no customer")
	}
	set := s.Settings(t.ID).AuthPolicy
	if set == "" {
		set = mde.Federated
	}
	if set != way {
		return caller{}, no("authentication mode", hresult.EnrollAuthentication, "the organization does not authenticate by %s", mode)
	}
	c := caller{mode: mode, tenant: t}
	return c, s.setUser(ctx, &c, upn)
}

// byPage: the token that the authentication page gave. It enrols once.
func (s *Service) byPage(ctx context.Context, h mde.Header, p proof) (caller, error) {
	row, ok, err := s.redeem(string(h.Security.Token), p.asks)
	if err != nil {
		return caller{}, err
	}
	if !ok {
		return caller{}, no("federated token", hresult.EnrollAuthentication, "the token is unknown, used or too old")
	}
	return s.as(ctx, row.TenantID, row.UPN, mde.ModeFederated, mde.Federated)
}

// byPassword: a user's name and password.
func (s *Service) byPassword(ctx context.Context, h mde.Header) (caller, error) {
	tenantID, err := s.checkPassword(ctx, h.Security.Username, h.Security.Password)
	switch {
	case errors.Is(err, ErrSignIn):
		return caller{}, no("password", hresult.EnrollAuthentication, "%v", ErrSignIn)
	case err != nil:
		return caller{}, err
	}
	return s.as(ctx, tenantID, h.Security.Username, mde.ModeOnPremise, mde.OnPremise)
}

func (s *Service) checkPassword(ctx context.Context, upn, password string) (tenantID string, err error) {
	if s.SignIn == nil || password == "" {
		return "", ErrSignIn
	}
	tenantID, ok := s.SignIn.TenantOf(ctx, upn)
	if !ok {
		return "", ErrSignIn
	}
	return tenantID, s.SignIn.Password(ctx, tenantID, upn, password)
}

// byCertificate: a certificate of the customer's own authority, proved by a
// signature over the message. What is read afterwards is only what was signed.
// The example on learn.microsoft.com has no signature in the request for
// policies, which are no secret.
func (s *Service) byCertificate(ctx context.Context, h mde.Header, p proof) (caller, error) {
	der := h.Security.Token
	var signed []byte
	if !p.asks || h.Security.Signed {
		var signer *x509.Certificate
		var err error
		if signed, signer, err = mde.Verify(p.body); err != nil {
			return caller{}, no("signature", hresult.EnrollInvalidSecurity, "%v", err)
		}
		der = signer.Raw
	}
	cert, err := pki.Parse(der)
	if err != nil {
		return caller{}, no("certificate", hresult.EnrollInvalidSecurity, "%v", err)
	}
	t, holder, err := s.Authorities.Holder(cert)
	if err != nil {
		return caller{}, no("certificate holder", hresult.EnrollAuthentication, "%v", err)
	}
	if !p.asks {
		if h, _, err = mde.DecodeEnrol(signed); err != nil {
			return caller{}, unreadable(err)
		}
		if err := s.fresh(ctx, h.Security, signed); err != nil {
			return caller{}, err
		}
	}
	c, err := s.as(ctx, t.ID, holder.UPN, mde.ModeCertificate, mde.Certificate)
	c.signed = signed
	return c, err
}

// longestMessage is how long a signed message is good at most, whatever it says
// of itself: for so long it is remembered that it came.
const longestMessage = 24 * time.Hour

// fresh: the timestamp covers this moment, as far as clocks agree, and the same
// message did not come before.
func (s *Service) fresh(ctx context.Context, h *mde.Security, signed []byte) error {
	now, skew := s.Tenants.Now(), s.Tenants.Timing.MDM.MessageSkew
	if h == nil || h.Created.IsZero() || h.Expires.Before(h.Created) || h.Created.After(now.Add(skew)) {
		return no("timestamp", hresult.EnrollInvalidSecurity, "the message is not of this time")
	}
	left := min(h.Expires.Sub(now), h.Created.Sub(now)+longestMessage) + skew
	if left < 0 {
		return no("timestamp", hresult.EnrollInvalidSecurity, "the message is not of this time")
	}
	first, err := s.remember(ctx, signed, left)
	if err == nil && !first {
		err = no("replay", hresult.EnrollInvalidSecurity, "the message came before")
	}
	return err
}
