package sts

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// bulkFlow is a bulk token that was asked for and not fetched yet. The table is
// keyed by the digest of the flow token.
type bulkFlow struct {
	TenantID, AskerID, UserID string
	Ready, Expires            time.Time
}

var packageID = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// maxBulk bounds the body of a bulk token's request.
const maxBulk = 16 << 10

// beginBulk starts a token with which a provisioning package joins devices:
// what the configuration designer does (learn.microsoft.com/intune/intune-service/enrollment/windows-bulk-enroll).
// The addresses are those of the tool; the states after open clients.
func (s *Service) beginBulk(c *call) {
	u, err := s.bulkAsker(c)
	if err != nil {
		s.bulkRefuse(c, "sts.bulk.begin", err)
		return
	}
	var in oauth.BulkRequest
	if err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, maxBulk)).Decode(&in); err != nil {
		s.bulkRefuse(c, "sts.bulk.begin", fail(oauth.MalformedRequest, "body", "The body has to be JSON with pid, name and exp."))
		return
	}
	now := s.Now()
	ends, err := in.ExpiresAt()
	switch {
	case !packageID.MatchString(in.PackageID):
		err = fail(oauth.MalformedRequest, "package id", "pid has to be a GUID.")
	case err != nil || !ends.After(now) || ends.After(now.Add(s.Timing.Entra.BulkTokenLife)):
		err = fail(oauth.MalformedRequest, "expiry", "exp has to be a time in the next 180 days.")
	}
	if err != nil {
		s.bulkRefuse(c, "sts.bulk.begin", err)
		return
	}
	p, err := s.packageUser(u, in)
	if err != nil {
		s.bulkRefuse(c, "sts.bulk.begin", err)
		return
	}
	flow := s.newSecretText("bulk flow", "")
	ready := now.Add(s.Timing.Entra.BulkTokenWait.Draw(s.more.Stream("bulk")))
	err = s.DB.Update(func(tx *store.Tx) error {
		s.bulks.Put(tx, digest(flow), bulkFlow{TenantID: u.TenantID, AskerID: u.Resource.ID, UserID: p.Resource.ID, Ready: ready, Expires: ends})
		return nil
	})
	if err != nil {
		s.bulkRefuse(c, "sts.bulk.begin", err)
		return
	}
	s.Record(c.r.Context(), "entra.bulkToken.asked", journal.F("package", strings.ToLower(in.PackageID)), journal.F("upn", u.Resource.UserPrincipalName))
	service.WriteJSON(c.w, http.StatusOK, oauth.BulkAnswer{State: oauth.BulkRunning, FlowToken: flow})
}

// pollBulk gives the token, once, to whoever asked for it.
func (s *Service) pollBulk(c *call) {
	u, err := s.bulkAsker(c)
	if err != nil {
		s.bulkRefuse(c, "sts.bulk.poll", err)
		return
	}
	flow, query := "", c.r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if strings.EqualFold(name, "flowToken") {
			flow = query.Get(name)
		}
	}
	row, ok := get(s, s.bulks, digest(flow))
	now := s.Now()
	switch {
	case !ok || row.AskerID != u.Resource.ID:
		s.bulkRefuse(c, "sts.bulk.poll", fail(oauth.InvalidRefreshToken, "flow token", "It is not known."))
		return
	case now.Before(row.Ready):
		service.WriteJSON(c.w, http.StatusOK, oauth.BulkAnswer{State: oauth.BulkRunning, FlowToken: flow})
		return
	}
	answer, err := s.finishBulk(row, digest(flow), now)
	if err != nil {
		s.bulkRefuse(c, "sts.bulk.poll", err)
		return
	}
	out, err := oauth.NewBulkAnswer(oauth.BulkDone, flow, answer)
	if err != nil {
		s.bulkRefuse(c, "sts.bulk.poll", err)
		return
	}
	service.WriteJSON(c.w, http.StatusOK, out)
}

// finishBulk makes the refresh token of the package's account.
func (s *Service) finishBulk(row bulkFlow, key string, now time.Time) (*oauth.TokenResponse, error) {
	t, err := s.dir.Tenant(row.TenantID)
	if err != nil {
		return nil, err
	}
	u, err := s.dir.User(row.TenantID, row.UserID)
	if err != nil {
		return nil, fail(oauth.UserNotFound, "user", "The package's account was deleted.")
	}
	id, err := s.idToken(t, u, tenant.AppBulkEnroll, now, s.Timing.Entra.AccessTokenLife.Min)
	if err != nil {
		return nil, err
	}
	text := s.newSecretText("bulk token", "0.A")
	err = s.DB.Update(func(tx *store.Tx) error {
		if _, ok := s.bulks.Get(tx, key); !ok {
			return fail(oauth.InvalidRefreshToken, "flow token", "It was used.")
		}
		s.bulks.Delete(tx, key)
		s.refreshes.Put(tx, digest(text), refreshToken{
			TenantID: t.ID, UserID: u.Resource.ID, ClientID: tenant.AppBulkEnroll, Resource: oauth.ResourceDRS, Methods: []string{"pwd"},
			Mark: passwordMark(u), SignedIn: now, Expires: row.Expires,
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &oauth.TokenResponse{TokenType: "Bearer", Scope: "user_impersonation", Resource: oauth.ResourceDRS, RefreshToken: text, IDToken: id,
		RefreshTokenExpiresIn: int64(row.Expires.Sub(now) / time.Second)}, nil
}

// bulkAsker is the user whose token for registration comes with the request. A
// package's own account makes no packages.
func (s *Service) bulkAsker(c *call) (tenant.User, error) {
	claims, err := s.VerifyToken(oauth.Bearer(c.r.Header.Get("Authorization")), oauth.ResourceDRS, s.Now())
	if err != nil {
		return tenant.User{}, fail(oauth.InvalidAssertion, "token", err.Error())
	}
	t, err := s.dir.Tenant(claims.TenantID)
	if err != nil {
		return tenant.User{}, fail(oauth.TenantNotFound, "tenant", claims.TenantID)
	}
	u, err := s.dir.User(t.ID, claims.ObjectID)
	switch {
	case err != nil:
		return u, fail(oauth.UserNotFound, "user", "The account was deleted.")
	case !u.Resource.Enabled():
		return u, fail(oauth.AccountDisabled, "account enabled", "")
	case u.Package || !s.dir.MayJoin(t, u.Resource.ID, false):
		return u, failAs(oauth.UnauthorizedClient, oauth.AccessBlocked, "join permission", "The user may not join devices.")
	}
	return u, nil
}

// packageUser is the account that devices of a package join as.
func (s *Service) packageUser(asker tenant.User, in oauth.BulkRequest) (tenant.User, error) {
	t, err := s.dir.Tenant(asker.TenantID)
	if err != nil {
		return tenant.User{}, err
	}
	upn := "package_" + strings.ToLower(in.PackageID) + "@" + t.DefaultDomain()
	if u, err := s.dir.User(t.ID, upn); err == nil {
		if u.Package {
			return u, nil
		}
		return u, fail(oauth.MalformedRequest, "package id", "There is an account of that name.")
	}
	if _, err := s.dir.PutUser(t.ID, graph.User{UserPrincipalName: upn, DisplayName: in.Name}, ""); err != nil {
		return tenant.User{}, err
	}
	return s.dir.UpdateUser(t.ID, upn, func(u *tenant.User) error { u.Package = true; return nil })
}

// bulkRefuse answers 200 with an error inside, as the web application does.
func (s *Service) bulkRefuse(c *call, operation string, err error) {
	e := s.errorOf(c, operation, err)
	if e == nil {
		http.Error(c.w, "the service failed", http.StatusInternalServerError)
		return
	}
	out, err := oauth.NewBulkAnswer(oauth.BulkFailed, "", e)
	if err != nil {
		http.Error(c.w, "the service failed", http.StatusInternalServerError)
		return
	}
	service.WriteJSON(c.w, http.StatusOK, out)
}
