package enroll

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/vclock"
)

// token is what can be used once: a token of the authentication page, or a
// signed message. The key of its row is a digest, so that the state does not
// hold what a thief of it could use.
type token struct {
	TenantID, UPN string
	Expires       time.Time
}

func digest(kind string, data []byte) string {
	sum := sha256.Sum256(data)
	return kind + "/" + hex.EncodeToString(sum[:])
}

// issue makes a user's one-time token.
func (s *Service) issue(ctx context.Context, t *tenant.Tenant, upn string) (string, error) {
	id, err := t.NewID("enrolment token")
	if err != nil {
		return "", err
	}
	secret := s.Tenants.Seed.Key("enrolment token", t.ID, id)
	text := base64.RawURLEncoding.EncodeToString(secret[:])
	_, err = s.keep(ctx, digest("page", []byte(text)), token{TenantID: t.ID, UPN: upn}, s.Tenants.Timing.MDM.FederatedTokenLife)
	return text, err
}

// redeem finds a token; it is gone then, unless the caller only looks.
func (s *Service) redeem(text string, look bool) (row token, ok bool, err error) {
	key := digest("page", []byte(text))
	err = s.Tenants.DB.Update(func(tx *store.Tx) error {
		if row, ok = s.tokens.Get(tx, key); !ok {
			return nil
		}
		ok = !s.Tenants.Now().After(row.Expires)
		if !look {
			s.tokens.Delete(tx, key)
		}
		return nil
	})
	return row, ok, err
}

// remember tells whether a message comes for the first time, for as long as it
// could be good.
func (s *Service) remember(ctx context.Context, signed []byte, life time.Duration) (first bool, err error) {
	return s.keep(ctx, digest("signed", signed), token{}, life)
}

// keep puts a row in, if there is none of that key, and forgets it after life.
func (s *Service) keep(ctx context.Context, key string, row token, life time.Duration) (first bool, err error) {
	row.Expires = s.Tenants.Now().Add(life)
	err = s.Tenants.DB.Update(func(tx *store.Tx) error {
		if _, ok := s.tokens.Get(tx, key); ok {
			return nil
		}
		first = true
		s.tokens.Put(tx, key, row)
		return nil
	})
	if err != nil || !first {
		return false, err
	}
	s.Tenants.Clock.AfterFunc(vclock.Daemon(vclock.Detach(ctx)), life, "enrolment token", func(context.Context) {
		// A row that stays is refused by its date.
		_ = s.Tenants.DB.Update(func(tx *store.Tx) error {
			if kept, ok := s.tokens.Get(tx, key); ok && !s.Tenants.Now().Before(kept.Expires) {
				s.tokens.Delete(tx, key)
			}
			return nil
		})
	})
	return true, nil
}
