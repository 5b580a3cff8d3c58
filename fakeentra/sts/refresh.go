package sts

import (
	"encoding/base64"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// refreshToken is one of an application, for a user. It is good for every
// resource that the application may use, in its tenant. A use gives another and
// leaves the old one as it is (learn.microsoft.com, "Refresh tokens in the
// Microsoft identity platform": the old one is not revoked when it is used).
// The table is keyed by the token's digest.
type refreshToken struct {
	TenantID, UserID, ClientID string
	Resource                   string
	Scope                      string // as asked for at the sign-in
	Methods                    []string
	DeviceID                   string `json:",omitempty"`
	Mark                       string // see passwordMark
	SPA                        bool   `json:",omitempty"`
	SignedIn, Expires          time.Time
}

// newSecretText is a token that nobody can guess. kind tells those of one sort
// from those of another, as the prefix of the real ones does.
func (s *Service) newSecretText(kind, prefix string) string {
	b := s.more.NewSecret(kind)
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// newRefresh makes a refresh token and forgets those that have expired. One of
// a single page application lives a day from the sign-in on, whatever its use.
func (s *Service) newRefresh(u userRequest, resource string) (string, error) {
	now := s.Now()
	row := refreshToken{
		TenantID: u.sub.tenant.ID, UserID: u.sub.user.Resource.ID, ClientID: u.client.ClientID, Resource: resource,
		Scope: strings.Join(append(append([]string(nil), u.want.OIDC...), u.want.Asked...), " "), Methods: u.sub.methods,
		DeviceID: u.sub.device, Mark: passwordMark(u.sub.user), SPA: u.spa, SignedIn: u.sub.at, Expires: now.Add(s.Timing.Entra.RefreshTokenLife),
	}
	if row.SPA {
		row.Expires = row.SignedIn.Add(s.Timing.Entra.SPARefreshTokenLife)
	}
	text := s.newSecretText("refresh token", "1.A")
	return text, s.DB.Update(func(tx *store.Tx) error {
		for key, old := range s.refreshes.Inserted(tx) {
			if now.Before(old.Expires) {
				break
			}
			s.refreshes.Delete(tx, key)
		}
		s.refreshes.Put(tx, digest(text), row)
		return nil
	})
}

// refresh renews a user's tokens (RFC 6749 6).
func (s *Service) refresh(q *request) (any, error) {
	if q.form.RefreshToken == "" {
		return nil, q.missing("refresh_token", "refresh token")
	}
	row, ok := get(s, s.refreshes, digest(q.form.RefreshToken))
	if !ok {
		return nil, fail(oauth.InvalidRefreshToken, "refresh token", "It is not known.")
	}
	c, err := s.clientOf(q, row.TenantID)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	switch {
	case !strings.EqualFold(c.ClientID, row.ClientID):
		return nil, fail(oauth.InvalidRefreshToken, "refresh token client", "It was given to another application.")
	case q.tenant != "" && q.tenant != row.TenantID:
		return nil, fail(oauth.WrongTenantForGrant, "refresh token tenant", "")
	case !now.Before(row.Expires) && row.SPA:
		return nil, fail(oauth.SPARefreshTokenExpired, "refresh token life", "")
	case !now.Before(row.Expires):
		return nil, fail(oauth.RefreshTokenInactive, "refresh token life", "")
	case row.SPA && q.r.Header.Get("Origin") == "":
		return nil, fail(oauth.SPANeedsOrigin, "origin", "")
	}
	if c.proof == proofNone && !row.SPA {
		if err := c.needPublic(); err != nil {
			return nil, err
		}
	}
	t, u, err := s.again(row.TenantID, row.UserID, row.Mark)
	if err != nil {
		return nil, err
	}
	w, err := refreshWants(q, row)
	if err != nil {
		return nil, err
	}
	return s.userTokens(q, userRequest{client: c, want: w, spa: row.SPA,
		sub: subject{tenant: t, user: u, methods: row.Methods, device: row.DeviceID, at: row.SignedIn, app: graph.ClientAppModern}})
}

// refreshWants takes what the token was given for where the request says
// nothing. A renewal always renews the refresh token too.
func refreshWants(q *request, row refreshToken) (wanted, error) {
	scope, resource := q.form.Scope, q.form.Resource
	if strings.TrimSpace(scope) == "" {
		scope = row.Scope
	}
	w, err := wants(scope, resource)
	if err != nil {
		return w, err
	}
	if w.Resource == "" || resource == "" && len(w.Asked) == 0 {
		w.Resource = row.Resource
	}
	if !w.has("offline_access") {
		w.OIDC = append(w.OIDC, "offline_access")
	}
	return w, nil
}

// get reads one row.
func get[V any](s *Service, table *store.Table[V], key string) (row V, ok bool) {
	// Reading cannot fail: the function returns nil.
	_ = s.DB.View(func(tx *store.Tx) error {
		row, ok = table.Get(tx, key)
		return nil
	})
	return row, ok
}
