package sts

import (
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// States of a device code.
const (
	codeWaits    = ""
	codeApproved = "approved"
	codeDeclined = "declined"
	codeUsed     = "used"
)

// deviceCode is a sign-in that a user finishes in another browser (RFC 8628),
// kept under the digest of its device code.
type deviceCode struct {
	UserCode        string
	TenantID        string // of the authority; "" for common
	ClientID        string
	Scope, Resource string
	State           string
	Polled, Expires time.Time

	// Once it is approved.
	Tenant, UserID string
	Methods        []string
	Mark           string
	SignedIn       time.Time
}

const indexUserCode = "userCode"

// pagePath is where the user types the code.
const pagePath = "/common/oauth2/deviceauth"

// deviceCodeRequest begins the flow.
func (s *Service) deviceCodeRequest(c *call, name string, v2 bool) {
	const operation = "sts.deviceCode"
	values, err := readForm(c.w, c.r)
	if err != nil {
		s.refuse(c, operation, err)
		return
	}
	q := &request{call: c, form: oauth.ParseTokenRequest(values), v2: v2}
	if q.tenant, err = s.tenantNamed(name); err != nil {
		s.refuse(c, operation, err)
		return
	}
	answer, err := s.newDeviceCode(q)
	if err != nil {
		s.refuse(c, operation, err)
		return
	}
	c.answer(answer)
}

func (s *Service) newDeviceCode(q *request) (*oauth.DeviceCode, error) {
	if q.form.ClientID == "" {
		return nil, q.missing("client_id", "client id")
	}
	if q.tenant != "" {
		app, err := s.appOf(q.tenant, q.form.ClientID)
		if err == nil {
			err = client{App: app, proof: proofNone}.needPublic()
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := q.wants(); err != nil {
		return nil, err
	}
	now, e := s.Now(), s.Timing.Entra
	text := s.newSecretText("device code", "1.AR")
	row := deviceCode{TenantID: q.tenant, ClientID: q.form.ClientID, Scope: q.form.Scope, Resource: q.form.Resource, Expires: now.Add(e.DeviceCodeLife)}
	err := s.DB.Update(func(tx *store.Tx) error {
		for key, old := range s.deviceCodes.Inserted(tx) {
			// Kept as long again, so that a late poll is told what happened.
			if now.Before(old.Expires.Add(e.DeviceCodeLife)) {
				break
			}
			s.deviceCodes.Delete(tx, key)
		}
		for {
			row.UserCode = oauth.UserCode(s.more.NewSecret("user code"))
			if _, _, taken := s.deviceCodes.First(tx, indexUserCode, row.UserCode); !taken {
				break
			}
		}
		s.deviceCodes.Put(tx, digest(text), row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	page := "https://" + s.host(q.r) + pagePath
	return &oauth.DeviceCode{
		UserCode: row.UserCode, DeviceCode: text, VerificationURI: page, V1: !q.v2,
		ExpiresIn: int64(e.DeviceCodeLife / time.Second), Interval: int64(e.DeviceCodeInterval / time.Second),
		Message: fmt.Sprintf("Open %s in a browser and type the code %s to sign in.", page, row.UserCode),
	}, nil
}

// poll tells a client how far the user is, or gives it its tokens. A client that
// asks twice as fast as it was told to, or faster, is told to slow down.
func (s *Service) poll(q *request) (any, error) {
	text := q.form.DeviceCode
	if text == "" {
		text = q.form.Code // version 1
	}
	if text == "" {
		return nil, q.missing("device_code", "device code")
	}
	key, now := digest(text), s.Now()
	row, ok := get(s, s.deviceCodes, key)
	switch {
	case !ok:
		return nil, fail(oauth.BadVerificationCode, "device code", "")
	case !strings.EqualFold(row.ClientID, q.form.ClientID):
		return nil, fail(oauth.BadVerificationCode, "device code client", "")
	case q.tenant != row.TenantID && q.tenant != "" && row.TenantID != "":
		return nil, fail(oauth.WrongTenantForGrant, "device code tenant", "")
	case !now.Before(row.Expires):
		return nil, fail(oauth.DeviceCodeExpired, "device code life", "")
	}
	row, err := s.takeDeviceCode(key, now)
	if err != nil {
		return nil, err
	}
	t, u, err := s.again(row.Tenant, row.UserID, row.Mark)
	if err != nil {
		return nil, err
	}
	if q.tenant != "" && q.tenant != t.ID {
		return nil, fail(oauth.WrongTenantForGrant, "device code tenant", "")
	}
	c, err := s.clientOf(q, t.ID)
	if err == nil {
		err = c.needPublic()
	}
	if err != nil {
		return nil, err
	}
	q.form.Scope, q.form.Resource = row.Scope, row.Resource
	w, err := q.wants()
	if err != nil {
		return nil, err
	}
	return s.userTokens(q, userRequest{client: c, want: w,
		sub: subject{tenant: t, user: u, methods: row.Methods, at: row.SignedIn, app: graph.ClientAppModern}})
}

// takeDeviceCode uses an approved code up, and notes when others were asked for.
// The row is the one that was approved: the user may be done since the caller
// looked.
func (s *Service) takeDeviceCode(key string, now time.Time) (row deviceCode, err error) {
	var answer error
	err = s.DB.Update(func(tx *store.Tx) error {
		var ok bool
		if row, ok = s.deviceCodes.Get(tx, key); !ok {
			return fail(oauth.BadVerificationCode, "device code", "")
		}
		switch row.State {
		case codeApproved:
			row.State = codeUsed
		case codeDeclined:
			answer = failAs(oauth.Declined, oauth.UserDeclined, "device code", "")
		case codeUsed:
			answer = fail(oauth.BadVerificationCode, "device code", "It was used before.")
		default:
			answer = fail(oauth.AuthorizationPending, "device code", "")
			if !row.Polled.IsZero() && now.Sub(row.Polled) < s.Timing.Entra.DeviceCodeInterval/2 {
				answer = failAs(oauth.SlowDown, oauth.AuthorizationPending, "device code interval", "")
			}
		}
		row.Polled = now
		s.deviceCodes.Put(tx, key, row)
		return nil
	})
	if err == nil {
		err = answer
	}
	return row, err
}

// findUserCode finds a sign-in that waits for its user.
func (s *Service) findUserCode(text string) (key string, row deviceCode, err error) {
	text = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, text))
	ok := false
	// Reading cannot fail: the function returns nil.
	_ = s.DB.View(func(tx *store.Tx) error {
		key, row, ok = s.deviceCodes.First(tx, indexUserCode, text)
		return nil
	})
	switch {
	case !ok || row.State != codeWaits:
		return "", row, fail(oauth.BadVerificationCode, "user code", "The code is not right, or was used before.")
	case !s.Now().Before(row.Expires):
		return "", row, fail(oauth.VerificationExpired, "user code life", "")
	}
	return key, row, nil
}

// settle approves or declines a sign-in that waits; sub is who did.
func (s *Service) settle(key, state string, sub subject) error {
	return s.DB.Update(func(tx *store.Tx) error {
		row, ok := s.deviceCodes.Get(tx, key)
		if !ok || row.State != codeWaits || !s.Now().Before(row.Expires) {
			return fail(oauth.VerificationExpired, "user code", "")
		}
		row.State, row.Tenant, row.UserID = state, sub.tenant.ID, sub.user.Resource.ID
		row.Methods, row.SignedIn = sub.methods, sub.at
		if state == codeApproved {
			row.Mark = passwordMark(sub.user)
		}
		s.deviceCodes.Put(tx, key, row)
		return nil
	})
}
