package scep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/vclock"
)

// Challenge is what a challenge password is made for. Intune's own names device
// and subject (learn.microsoft.com, "Use APIs to add third-party CAs for SCEP to
// Intune"); how they are kept is our model.
type Challenge struct {
	DeviceID string   // managed device, "" for none; the certificate dies with its record
	UPN      string   // whose the certificate is, "" for nobody's
	Subject  string   // common name that the request has to have, "" for any
	Names    []string // DNS names and e-mail addresses that it may ask for
}

// challenge is a Challenge that was given out. Its key is a digest: the state
// does not hold what a thief of it could use.
type challenge struct {
	Challenge
	Expires time.Time
}

func challengeKey(t *tenant.Tenant, text string) string {
	sum := sha256.Sum256([]byte(text))
	return t.ID + "/" + hex.EncodeToString(sum[:])
}

// NewChallenge makes a challenge password: 32 hexadecimal digits, good once and
// for as long as the timing profile says.
func (s *Service) NewChallenge(ctx context.Context, t *tenant.Tenant, c Challenge) (string, error) {
	id, err := t.NewID("scep challenge")
	if err != nil {
		return "", fmt.Errorf("fakeintune/scep: challenge: %w", err)
	}
	secret := s.Tenants.Seed.Key("scep challenge", t.ID, id)
	text, life := strings.ToUpper(hex.EncodeToString(secret[:16])), s.Tenants.Timing.Intune.SCEPChallengeLife
	key := challengeKey(t, text)
	if err := s.Tenants.DB.Update(func(tx *store.Tx) error {
		s.challenges.Put(tx, key, challenge{c, s.Tenants.Now().Add(life)})
		return nil
	}); err != nil {
		return "", fmt.Errorf("fakeintune/scep: challenge: %w", err)
	}
	s.Tenants.Clock.AfterFunc(vclock.Daemon(vclock.Detach(ctx)), life, "SCEP challenge", func(context.Context) {
		// A row that stays is refused by its date.
		_ = s.Tenants.DB.Update(func(tx *store.Tx) error { s.challenges.Delete(tx, key); return nil })
	})
	return text, nil
}

// spend takes a challenge out of the world, whatever becomes of the request.
func (s *Service) spend(t *tenant.Tenant, text string) (c Challenge, ok bool, err error) {
	key := challengeKey(t, text)
	err = s.Tenants.DB.Update(func(tx *store.Tx) error {
		row, found := s.challenges.Get(tx, key)
		if !found {
			return nil
		}
		s.challenges.Delete(tx, key)
		c, ok = row.Challenge, !s.Tenants.Now().After(row.Expires)
		return nil
	})
	return c, ok, err
}

// covers tells whether a request is what the challenge was made for.
func (c Challenge) covers(commonName string, names []string) bool {
	if c.Subject != "" && c.Subject != commonName {
		return false
	}
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(c.Names, func(n string) bool { return strings.EqualFold(n, name) }) && (c.UPN == "" || !strings.EqualFold(c.UPN, name))
	})
}
