package sts

import (
	"bytes"
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"time"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/oauth"
)

// How a client proved itself, as tokens say it (appidacr, azpacr).
const (
	proofNone      = "0"
	proofSecret    = "1"
	proofAssertion = "2"
)

// client is the application that asks.
type client struct {
	tenant.App
	proof string
}

// clientOf finds the application in a tenant and checks the proof that it
// brings, if any: a secret in form or Basic header, or a signed assertion.
func (s *Service) clientOf(q *request, tenantID string) (client, error) {
	if err := q.basic(); err != nil {
		return client{}, err
	}
	var signed *oauth.SignedAssertion
	if q.form.ClientAssertion != "" {
		if q.form.ClientAssertionType != oauth.AssertionTypeJWT {
			return client{}, fail(oauth.MalformedRequest, "client assertion type", q.form.ClientAssertionType)
		}
		var err error
		if signed, err = oauth.ParseClientAssertion(q.form.ClientAssertion); err != nil {
			return client{}, fail(oauth.JWTMalformed, "client assertion", "It has to be signed with RS256 or PS256.")
		}
		if q.form.ClientID == "" {
			q.form.ClientID = signed.Issuer
		}
	}
	if q.form.ClientID == "" {
		return client{}, q.missing("client_id", "client id")
	}
	app, err := s.appOf(tenantID, q.form.ClientID)
	if err != nil {
		return client{}, err
	}
	c := client{App: app, proof: proofNone}
	switch {
	case signed != nil:
		c.proof, err = proofAssertion, s.checkAssertion(q, app, signed)
	case q.form.ClientSecret != "":
		c.proof, err = proofSecret, checkSecret(app, q.form.ClientSecret, s.Now())
	}
	return c, err
}

func (s *Service) appOf(tenantID, clientID string) (tenant.App, error) {
	app, err := s.dir.App(tenantID, clientID)
	switch {
	case err != nil:
		return app, fail(oauth.AppNotFound, "application", clientID)
	case app.Disabled:
		return app, fail(oauth.AppDisabled, "application enabled", clientID)
	}
	return app, nil
}

// basic takes name and secret from an Authorization header, where both are
// form-encoded (RFC 6749 2.3.1). A client proves itself one way only.
func (q *request) basic() error {
	name, secret, ok := q.r.BasicAuth()
	if !ok {
		return nil
	}
	name, err := url.QueryUnescape(name)
	if err == nil {
		secret, err = url.QueryUnescape(secret)
	}
	if err != nil {
		return fail(oauth.MalformedRequest, "basic authorization", "Name and secret have to be form-encoded.")
	}
	if q.form.ClientSecret != "" || q.form.ClientAssertion != "" || q.form.ClientID != "" && !strings.EqualFold(q.form.ClientID, name) {
		return fail(oauth.MalformedRequest, "client authentication", "The client proves itself in more than one way.")
	}
	q.form.ClientID, q.form.ClientSecret = name, secret
	return nil
}

func checkSecret(app tenant.App, secret string, now time.Time) error {
	if app.Public && !app.Confidential() {
		return fail(oauth.PublicWithCredential, "public client", app.ClientID)
	}
	switch err := app.CheckSecret(secret, now); {
	case errors.Is(err, tenant.ErrSecretExpired):
		return fail(oauth.ClientSecretExpired, "client secret life", app.ClientID)
	case err != nil:
		return fail(oauth.InvalidClientSecret, "client secret", app.ClientID)
	}
	return nil
}

// checkAssertion verifies signature, parties, audience and time, in this order
// (RFC 7523 3). The same assertion may come more than once in its life: some of
// the libraries sign one and use it until it expires, which the real service
// puts up with. That a certificate is trusted by its subject and issuer alone is
// not modelled: x5c is taken for the certificate, which has to be registered.
func (s *Service) checkAssertion(q *request, app tenant.App, a *oauth.SignedAssertion) error {
	if app.Public && !app.Confidential() {
		return fail(oauth.PublicWithCredential, "public client", app.ClientID)
	}
	now := s.Now()
	cert, err := certificateOf(app, a, now)
	if err != nil {
		return err
	}
	if err := a.Verify(cert); err != nil {
		return fail(oauth.InvalidClientAssertion, "client assertion signature", "")
	}
	skew := s.Timing.Entra.AssertionSkew
	switch {
	case !strings.EqualFold(a.Issuer, app.ClientID) || !strings.EqualFold(a.Subject, app.ClientID):
		return fail(oauth.AssertionOfOtherApp, "client assertion subject", "iss and sub have to be the client id.")
	case !s.isEndpoint(q, a.Audience):
		return fail(oauth.AssertionWrongAudience, "client assertion audience", "aud has to be the token endpoint.")
	case a.Expires == 0 || now.Add(-skew).Unix() >= a.Expires || a.NotBefore != 0 && now.Add(skew).Unix() < a.NotBefore:
		return fail(oauth.AssertionExpired, "client assertion life", "")
	}
	return nil
}

// certificateOf finds the registered certificate that an assertion points at.
func certificateOf(app tenant.App, a *oauth.SignedAssertion, now time.Time) (*x509.Certificate, error) {
	unknown := fail(oauth.InvalidClientAssertion, "client certificate", "The certificate is not registered, or is outside its dates.")
	thumbprint := a.Thumbprint()
	if thumbprint == nil {
		return nil, fail(oauth.JWTMalformed, "client assertion header", "It has none of x5t, x5t#S256 and x5c.")
	}
	row, ok := app.Certificate(thumbprint, now)
	if !ok {
		return nil, unknown
	}
	var cert *x509.Certificate
	var err error
	switch {
	case len(row.DER) > 0:
		cert, err = x509.ParseCertificate(row.DER)
	case len(a.Chain) > 0 && bytes.Equal(oauth.Thumbprint(a.Chain[0]), row.Thumbprint):
		cert = a.Chain[0]
	}
	if err != nil || cert == nil || now.After(cert.NotAfter) || now.Before(cert.NotBefore) {
		return nil, unknown
	}
	return cert, nil
}

// isEndpoint tells whether one of the audiences is this service's token
// endpoint or issuer for the tenant asked.
func (s *Service) isEndpoint(q *request, audiences []string) bool {
	for _, aud := range audiences {
		u, err := url.Parse(aud)
		if err != nil || u.Scheme != "https" || u.RawQuery != "" || u.User != nil || !s.isHost(u.Host) {
			continue
		}
		name, rest, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
		t, err := s.dir.Tenant(name)
		ours := anyTenant(name) || err == nil && (q.tenant == "" || t.ID == q.tenant)
		switch strings.ToLower(rest) {
		case "", "v2.0", "oauth2/token", "oauth2/v2.0/token":
			if ours {
				return true
			}
		}
	}
	return false
}

// needPublic lets a flow without a proof of the client pass for applications
// that are set up for it.
func (c client) needPublic() error {
	if c.proof == proofNone && !c.Public {
		return fail(oauth.CredentialMissing, "client authentication", c.ClientID)
	}
	return nil
}

// needProof is for flows that are the application's own.
func (c client) needProof() error {
	if c.proof == proofNone {
		return fail(oauth.CredentialMissing, "client authentication", c.ClientID)
	}
	return nil
}
