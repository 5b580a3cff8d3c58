package fakeentra_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/oauth"
)

const packagePID = "6f1f3d3e-1111-4222-8333-444455556666"

func (w *world) bulk(method, path, token, body string) oauth.BulkAnswer {
	w.t.Helper()
	r := httptest.NewRequest(method, "https://"+oauth.Host+"/webapp/bulkaadjtoken/"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	status, answer := w.do(w.entra.STS, r)
	NewWithT(w.t).Expect(status).To(Equal(http.StatusOK))
	var out oauth.BulkAnswer
	must(w.t, json.Unmarshal(answer, &out))
	return out
}

func TestBulkToken(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.userToken(oauth.ResourceDRS)
	ask := `{"pid":"` + packagePID + `","name":"Package","exp":"10/01/2026"}`
	begun := w.bulk("POST", "begin", token, ask)
	g.Expect(begun.State).To(Equal(oauth.BulkRunning))
	g.Expect(w.bulk("GET", "poll?flowtoken="+begun.FlowToken, token, "").State).To(Equal(oauth.BulkRunning))
	w.now = w.now.Add(time.Minute)
	done := w.bulk("GET", "poll?flowToken="+begun.FlowToken, token, "")
	g.Expect(done.State).To(Equal(oauth.BulkDone))
	var bprt oauth.TokenResponse
	g.Expect(json.Unmarshal([]byte(*done.ResultData), &bprt)).To(Succeed())
	g.Expect(w.bulk("GET", "poll?flowToken="+begun.FlowToken, token, "").State).To(Equal(oauth.BulkFailed), "it is fetched once")

	// The package joins more devices than a user may.
	contoso, err := w.entra.Directory.Tenant(tenantID)
	g.Expect(err).NotTo(HaveOccurred())
	contoso.DevicesPerUser = 1
	g.Expect(w.entra.Directory.SetTenant(contoso)).To(Succeed())
	out, refused, _ := w.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantRefresh, ClientID: tenant.AppBulkEnroll,
		RefreshToken: bprt.RefreshToken, Resource: oauth.ResourceDRS}.Form())
	g.Expect(refused).To(BeNil())
	p := w.pc(0)
	for range 3 {
		joined, refused := p.sendJoin(p.joinRequest(), "Authorization", "Bearer "+out.AccessToken)
		g.Expect(refused).To(BeNil())
		g.Expect(joined.User.UPN).To(Equal("package_" + packagePID + "@contoso.com"))
	}
	g.Expect(w.bulk("POST", "begin", out.AccessToken, ask).State).To(Equal(oauth.BulkFailed), "a package makes no packages")

	w.now = time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)
	_, refused, _ = w.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantRefresh, ClientID: tenant.AppBulkEnroll,
		RefreshToken: bprt.RefreshToken, Resource: oauth.ResourceDRS}.Form())
	g.Expect(refused.Code()).To(Equal(oauth.RefreshTokenInactive))
}

func TestBulkTokensThatAreRefused(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.userToken(oauth.ResourceDRS)
	good := `{"pid":"` + packagePID + `","name":"Package","exp":"2026-10-01 00:00:00"}`
	for body, check := range map[string]string{
		`{`: "body",
		`{"pid":"x","exp":"2026-10-01 00:00:00"}`:                  "package id",
		`{"pid":"` + packagePID + `","exp":"soon"}`:                "expiry",
		`{"pid":"` + packagePID + `","exp":"2030-01-01 00:00:00"}`: "expiry",
		`{"pid":"` + packagePID + `","exp":"2020-01-01 00:00:00"}`: "expiry",
		`{"pid":"` + strings.Repeat("x", 1<<15) + `"}`:             "body",
	} {
		g.Expect(w.bulk("POST", "begin", token, body).State).To(Equal(oauth.BulkFailed))
		w.refused("sts", check)
	}
	for _, bad := range []string{"", "forged", w.userToken(oauth.ResourceGraph)} {
		g.Expect(w.bulk("POST", "begin", bad, good).State).To(Equal(oauth.BulkFailed))
		w.refused("sts", "token")
	}
	begun := w.bulk("POST", "begin", token, good)
	w.now = w.now.Add(time.Minute)
	_, err := w.entra.Directory.PutUser(tenantID, userNamed("bob"), password)
	g.Expect(err).NotTo(HaveOccurred())
	other, refused, _ := w.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker,
		Username: "bob@contoso.com", Password: password, Resource: oauth.ResourceDRS}.Form())
	g.Expect(refused).To(BeNil())
	g.Expect(w.bulk("GET", "poll?flowToken="+begun.FlowToken, other.AccessToken, "").State).To(Equal(oauth.BulkFailed), "another user's flow token")
	contoso, err := w.entra.Directory.Tenant(tenantID)
	g.Expect(err).NotTo(HaveOccurred())
	contoso.Join = tenant.Allowed{Kind: tenant.AllowNone}
	g.Expect(w.entra.Directory.SetTenant(contoso)).To(Succeed())
	g.Expect(w.bulk("POST", "begin", token, good).State).To(Equal(oauth.BulkFailed))
	w.refused("sts", "join permission")
	p := w.pc(0)
	_, no := p.sendJoin(p.joinRequest(), "Authorization", "Bearer "+token)
	g.Expect(no.Code).To(Equal(drs.AuthorizationError))
}
