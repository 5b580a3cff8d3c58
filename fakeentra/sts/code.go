package sts

import (
	"strings"
	"time"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// code is an authorization code, kept under its digest until it has expired:
// one that was redeemed is told from one that never was.
type code struct {
	TenantID, UserID  string
	Request           oauth.AuthorizeRequest
	Methods           []string
	Mark              string
	SPA               bool `json:",omitempty"`
	Web               bool `json:",omitempty"` // the redirect address is a confidential client's
	SignedIn, Expires time.Time
	Redeemed          bool `json:",omitempty"`
}

func (s *Service) newCode(row code) (string, error) {
	now := s.Now()
	row.Expires = now.Add(s.Timing.Entra.AuthorizationCodeLife)
	text := s.newSecretText("authorization code", "1.AQ")
	return text, s.DB.Update(func(tx *store.Tx) error {
		for key, old := range s.codes.Inserted(tx) {
			if now.Before(old.Expires) {
				break
			}
			s.codes.Delete(tx, key)
		}
		s.codes.Put(tx, digest(text), row)
		return nil
	})
}

// redeem gives tokens for an authorization code (RFC 6749 4.1.3, RFC 7636 4.5).
func (s *Service) redeem(q *request) (any, error) {
	if q.form.Code == "" {
		return nil, q.missing("code", "authorization code")
	}
	row, ok := get(s, s.codes, digest(q.form.Code))
	if !ok {
		return nil, fail(oauth.InvalidRefreshToken, "authorization code", "It is not known, or has expired.")
	}
	c, err := s.clientOf(q, row.TenantID)
	if err != nil {
		return nil, err
	}
	if err := s.codeFits(q, c, row); err != nil {
		return nil, err
	}
	t, u, err := s.again(row.TenantID, row.UserID, row.Mark)
	if err != nil {
		return nil, err
	}
	if err := s.takeCode(digest(q.form.Code)); err != nil {
		return nil, err
	}
	w, err := codeWants(q, row)
	if err != nil {
		return nil, err
	}
	return s.userTokens(q, userRequest{client: c, want: w, nonce: row.Request.Nonce, spa: row.SPA,
		sub: subject{tenant: t, user: u, methods: row.Methods, at: row.SignedIn, app: graph.ClientAppModern}})
}

func (s *Service) codeFits(q *request, c client, row code) error {
	asked := row.Request
	switch {
	case !strings.EqualFold(c.ClientID, asked.ClientID):
		return fail(oauth.InvalidRefreshToken, "authorization code client", "It was given to another application.")
	case q.tenant != "" && q.tenant != row.TenantID:
		return fail(oauth.WrongTenantForGrant, "authorization code tenant", "")
	case !s.Now().Before(row.Expires):
		return fail(oauth.RefreshTokenExpired, "authorization code life", "")
	case row.Redeemed:
		return fail(oauth.CodeRedeemed, "authorization code", "")
	case q.form.RedirectURI != asked.RedirectURI:
		return fail(oauth.CodeRedirectMismatch, "authorization code redirect", "")
	case row.SPA && q.r.Header.Get("Origin") == "":
		return fail(oauth.SPANeedsOrigin, "origin", "")
	case row.Web && c.proof == proofNone:
		return fail(oauth.CredentialMissing, "client authentication", c.ClientID)
	case asked.CodeChallenge == "" && q.form.CodeVerifier == "":
		return nil
	case asked.CodeChallenge == "" || !oauth.VerifierFits(asked.ChallengeMethod, asked.CodeChallenge, q.form.CodeVerifier):
		if q.form.CodeVerifier == "" {
			return fail(oauth.VerifierMissing, "code verifier", "")
		}
		return fail(oauth.VerifierMismatch, "code verifier", "")
	}
	return nil
}

// takeCode marks a code as used; of two who come at the same time one is late.
func (s *Service) takeCode(key string) error {
	return s.DB.Update(func(tx *store.Tx) error {
		row, ok := s.codes.Get(tx, key)
		if !ok || row.Redeemed {
			return fail(oauth.CodeRedeemed, "authorization code", "")
		}
		row.Redeemed = true
		s.codes.Put(tx, key, row)
		return nil
	})
}

// codeWants is what the authorisation request asked for; a client may ask for
// one of its resources only when it redeems the code.
func codeWants(q *request, row code) (wanted, error) {
	w, err := wants(row.Request.Scope, row.Request.Resource)
	if err != nil || q.form.Scope == "" && q.form.Resource == "" {
		if err == nil && w.Resource == "" {
			w.Resource = oauth.ResourceAADGraph // version 1's own
		}
		return w, err
	}
	now, err := wants(q.form.Scope, q.form.Resource)
	if err != nil {
		return w, err
	}
	for _, scope := range w.OIDC {
		if !now.has(scope) {
			now.OIDC = append(now.OIDC, scope)
		}
	}
	if len(now.Asked) == 0 && q.form.Resource == "" {
		now.Resource, now.Named, now.Default, now.Asked = w.Resource, w.Named, w.Default, w.Asked
	}
	if now.Resource == "" {
		return now, q.missing("resource", "resource")
	}
	return now, nil
}

// kindOf is what the redirect address says about the client.
func kindOf(r tenant.Redirect) (spa, web bool) {
	return r.Kind == tenant.RedirectSPA, r.Kind == tenant.RedirectWeb
}
