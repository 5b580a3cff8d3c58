package sts_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/oauth"
)

// atOnce runs a request n times together and counts those that were served.
func atOnce(n int, ask func() int) int {
	var served atomic.Int32
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if ask() == http.StatusOK {
				served.Add(1)
			}
		})
	}
	wg.Wait()
	return int(served.Load())
}

// TestCodesAreGoodOnce, whoever comes at the same time.
func TestCodesAreGoodOnce(t *testing.T) {
	r := newRig(t)
	r.cookie = strings.Repeat("c", 40) // none is set while requests run together
	post := func(form string) int {
		return r.do(http.MethodPost, "/contoso.com/oauth2/v2.0/token", form, "Content-Type", formType).Code
	}
	_, q := r.open(asks(nil)).signIn(adele).location()
	form := values("grant_type", oauth.GrantCode, "client_id", web, "client_secret", "web secret", "code", q.Get("code"), "redirect_uri", webAddress).Encode()
	r.g.Expect(atOnce(8, func() int { return post(form) })).To(Equal(1))

	d := r.deviceCode(deviceCodePath, "client_id", tool, "scope", "openid User.Read")
	r.g.Expect(r.open("/common/oauth2/deviceauth").press("next", "otc", d.UserCode).signIn(adele).press("next").Code).To(Equal(http.StatusOK))
	form = values("grant_type", oauth.GrantDeviceCode, "client_id", tool, "device_code", d.DeviceCode).Encode()
	r.g.Expect(atOnce(8, func() int { return post(form) })).To(Equal(1))

	out, refused := r.password(tool, "openid offline_access User.Read")
	r.g.Expect(refused).To(BeNil())
	form = values("grant_type", oauth.GrantRefresh, "client_id", tool, "refresh_token", out.RefreshToken, "scope", "User.Read").Encode()
	r.g.Expect(atOnce(8, func() int { return post(form) })).To(Equal(8), "a refresh token is not used up")
}

// TestApprovalBetweenTwoLooks: a client that polls at the moment of the approval
// gets its tokens, then or the next time.
func TestApprovalBetweenTwoLooks(t *testing.T) {
	r := newRig(t)
	for range 60 {
		d := r.deviceCode(deviceCodePath, "client_id", tool, "scope", "openid User.Read")
		page := r.open("/common/oauth2/deviceauth").press("next", "otc", d.UserCode).signIn(adele)
		form := values("grant_type", oauth.GrantDeviceCode, "client_id", tool, "device_code", d.DeviceCode).Encode()
		var wg sync.WaitGroup
		wg.Go(func() { page.press("next") })
		served := false
		for !served {
			rec := r.do(http.MethodPost, "/contoso.com/oauth2/v2.0/token", form, "Content-Type", formType)
			served = rec.Code == http.StatusOK
			if !served && !strings.Contains(rec.Body.String(), oauth.Pending) && !strings.Contains(rec.Body.String(), oauth.SlowDown) {
				t.Fatal(rec.Body.String())
			}
		}
		wg.Wait()
	}
}

// TestGuessesAtOnceAreCounted: the lock comes after as many wrong passwords as
// it is set to, also when they come together.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	r := newRig(t)
	var wrong atomic.Int32
	atOnce(64, func() int {
		if _, err := r.dir.Authenticate(tenantID, adele, "guess"); err != nil && strings.Contains(err.Error(), tenant.ErrPassword.Error()) {
			wrong.Add(1)
		}
		return 0
	})
	r.g.Expect(wrong.Load()).To(BeEquivalentTo(10))
	_, err := r.dir.Authenticate(tenantID, adele, password)
	r.g.Expect(err).To(MatchError(tenant.ErrLocked))
}

// TestAnswersGoToTheUsersOwnApplication: an address that another tenant's
// application of that id has gets nothing of this tenant's users.
func TestAnswersGoToTheUsersOwnApplication(t *testing.T) {
	r := newRig(t)
	r.must(r.dir.PutApp(tenant.App{TenantID: strangeID, ClientID: web, Secret: "x", Redirects: []tenant.Redirect{{Kind: tenant.RedirectWeb, URI: "https://evil.test/"}}}))
	path := "/common/oauth2/v2.0/authorize?" + values("client_id", web, "response_type", "code", "scope", "openid User.Read",
		"redirect_uri", "https://evil.test/", "login_hint", "x@fabrikam.com").Encode()
	page := r.open(path)
	r.g.Expect(page.Code).To(Equal(http.StatusOK), page.Body.String())
	page = page.signIn(adele)
	r.g.Expect(page.Code).To(Equal(http.StatusBadRequest))
	r.g.Expect(page.Header().Get("Location")).To(BeEmpty())
	r.g.Expect(page.Body.String()).To(ContainSubstring("AADSTS50011"))
}

// TestRefusalsReadTheSame whatever order a map has.
func TestRefusalsReadTheSame(t *testing.T) {
	r := newRig(t)
	form := "grant_type=password"
	for i := range 20 {
		form += fmt.Sprintf("&p%02d=1&p%02d=2", i, i)
	}
	for range 10 {
		rec := r.do(http.MethodPost, "/contoso.com/oauth2/v2.0/token", form, "Content-Type", formType)
		r.g.Expect(rec.Body.String()).To(ContainSubstring("p00"))
	}
}

// TestCertificatesKnownByThumbprintAreLookedAt: one that only its thumbprint is
// registered of has dates too.
func TestCertificatesKnownByThumbprintAreLookedAt(t *testing.T) {
	r := newRig(t)
	_, err := r.dir.UpdateApp(tenantID, daemon, func(a *tenant.App) error {
		a.Certificates = []tenant.AppCertificate{{Thumbprint: oauth.Thumbprint(r.cert)}}
		return nil
	})
	r.must(err)
	ask := func() *oauth.Error {
		jwt, err := oauth.SignClientAssertion(r.key(daemonKey), r.cert, "RS256", true, oauth.ClientAssertion{Audience: []string{"https://" + oauth.Host + "/" + tenantID + "/v2.0"},
			Issuer: daemon, Subject: daemon, Expires: r.now.Add(time.Minute).Unix()})
		r.must(err)
		_, refused := r.token("grant_type", oauth.GrantClient, "client_id", daemon, "scope", graphDefault, "client_assertion_type", oauth.AssertionTypeJWT, "client_assertion", jwt)
		return refused
	}
	r.g.Expect(ask()).To(BeNil())
	r.now = r.cert.NotAfter.Add(time.Hour)
	r.refused(ask(), oauth.InvalidClientAssertion)
}
