package sts_test

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/sts"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

const (
	tenantID  = "3d1f6e5a-9c0b-4b7e-8a64-0f2c51d7e9ab"
	strangeID = "99999999-9c0b-4b7e-8a64-0f2c51d7e9ab"
	adele     = "adele@contoso.com"
	megan     = "megan@contoso.com"
	password  = "correct horse"

	daemon                = "aaaaaaaa-0000-4000-8000-000000000001" // secrets and a certificate
	tool                  = "aaaaaaaa-0000-4000-8000-000000000002" // public
	web                   = "aaaaaaaa-0000-4000-8000-000000000003" // confidential, signs users in
	spa                   = "aaaaaaaa-0000-4000-8000-000000000004" // single page
	api                   = "aaaaaaaa-0000-4000-8000-000000000005" // a resource, takes version 2
	daemonKey, strangeKey = 5, 6

	webAddress, spaAddress = "https://web.contoso.com/signin?x=1", "https://spa.contoso.com/"
)

// rig is a token service over a directory of its own, at a time that tests move.
type rig struct {
	t      testing.TB
	g      *WithT
	now    time.Time
	dir    *tenant.Directory
	sts    *sts.Service
	events *journal.Memory
	cert   *x509.Certificate
	cookie string // of the browser
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, g: NewWithT(t), now: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), events: journal.NewMemory(0)}
	clock := vclock.NewWall()
	o := service.Options{Clock: clock, Seed: 1, Journal: journal.New(clock, r.events), Now: func() time.Time { return r.now }}.WithDefaults()
	r.dir = tenant.New(o)
	r.sts = sts.New(sts.Options{Options: o, Directory: r.dir})
	r.cert = r.certificate(daemonKey)
	for id, domain := range map[string]string{tenantID: "contoso.com", strangeID: "fabrikam.com"} {
		_, err := r.dir.LoadOrganization(graph.Organization{ID: id, DisplayName: "<" + domain + ">", VerifiedDomains: []graph.VerifiedDomain{{Name: domain, IsDefault: true}}})
		r.must(err)
		for _, name := range []string{"adele", "megan"} {
			_, err = r.dir.PutUser(id, graph.User{UserPrincipalName: name + "@" + domain, DisplayName: name + " <b>", Mail: name + "@" + domain}, password)
			r.must(err)
		}
		sum := oauth.Thumbprint(r.cert)
		for _, a := range []tenant.App{
			{ClientID: daemon, Secret: "first", Secrets: []tenant.AppSecret{{Text: "second", Ends: r.now.Add(time.Hour)}, {Text: "old", Ends: r.now.Add(-time.Hour)}},
				Certificates: []tenant.AppCertificate{{Thumbprint: sum, DER: r.cert.Raw}}, Roles: []string{"User.Read.All"}},
			{ClientID: tool, Name: "Tool", Public: true, Redirects: []tenant.Redirect{{Kind: tenant.RedirectPublic, URI: "http://localhost"}, {Kind: tenant.RedirectPublic, URI: "myapp://auth"}}},
			{ClientID: web, Name: `Web "<script>`, Secret: "web secret", Redirects: []tenant.Redirect{{Kind: tenant.RedirectWeb, URI: webAddress}}},
			{ClientID: spa, Redirects: []tenant.Redirect{{Kind: tenant.RedirectSPA, URI: spaAddress}}},
			{ClientID: api, Secret: "api secret", Identifiers: []string{"api://contoso"}, TokenVersion: 2,
				Scopes: []graph.PermissionScope{{ID: "1", Value: "access", Type: "User", IsEnabled: true}, {ID: "2", Value: "manage", Type: "Admin", IsEnabled: true}}},
		} {
			a.TenantID = id
			r.must(r.dir.PutApp(a))
		}
		for _, client := range []string{tool, web, spa, api} {
			r.must(r.dir.Consent(tenant.Consent{TenantID: id, ClientID: client, Resource: oauth.ResourceGraph, Scopes: []string{"User.Read"}}))
		}
	}
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) certificate(key int) *x509.Certificate {
	r.t.Helper()
	ca, err := pki.NewRoot(r.now, vclock.Seed(key), "application", pki.Options{Key: pki.PooledRSA(key)})
	r.must(err)
	return ca.Cert
}

// do serves one request; header values come as name and value in turn.
func (r *rig) do(method, path string, body string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, "https://"+oauth.Host+path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	if r.cookie != "" {
		req.AddCookie(&http.Cookie{Name: "esctx", Value: r.cookie})
	}
	rec := httptest.NewRecorder()
	r.sts.ServeHTTP(rec, req)
	for _, c := range rec.Result().Cookies() {
		if c.Name == "esctx" {
			r.cookie = c.Value
		}
	}
	return rec
}

const formType = "application/x-www-form-urlencoded"

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// token posts a form to the token endpoint of version 2.
func (r *rig) token(pairs ...string) (oauth.TokenResponse, *oauth.Error) {
	r.t.Helper()
	return r.tokenAt("/contoso.com/oauth2/v2.0/token", values(pairs...))
}

func (r *rig) tokenAt(path string, form url.Values, header ...string) (out oauth.TokenResponse, refused *oauth.Error) {
	r.t.Helper()
	rec := r.do(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", formType}, header...)...)
	if rec.Code != http.StatusOK {
		refused = &oauth.Error{}
		r.must(json.Unmarshal(rec.Body.Bytes(), refused))
		r.g.Expect(rec.Code).To(Equal(refused.Status()))
		return out, refused
	}
	r.must(json.Unmarshal(rec.Body.Bytes(), &out))
	return out, nil
}

// refused expects a number, and that the journal has it.
func (r *rig) refused(e *oauth.Error, want oauth.AADSTS) {
	r.t.Helper()
	r.g.Expect(e).NotTo(BeNil())
	r.g.Expect(e.Code()).To(Equal(want), e.Description)
	list := r.events.Find(func(e journal.Event) bool { return e.Kind == journal.Refused })
	r.g.Expect(list).NotTo(BeEmpty())
	r.g.Expect(list[len(list)-1].Text("code")).To(Equal(fmt.Sprintf("AADSTS%d", want)))
}

// claims reads a token without a look at who may have made it.
func (r *rig) claims(token string) oauth.Claims {
	r.t.Helper()
	parts := strings.Split(token, ".")
	r.g.Expect(parts).To(HaveLen(3))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	r.must(err)
	var c oauth.Claims
	r.must(json.Unmarshal(payload, &c))
	return c
}

func (r *rig) key(n int) crypto.Signer { return pki.PooledRSA(n) }

// page is what a browser shows.
type page struct {
	*rig
	*httptest.ResponseRecorder
}

func (r *rig) open(path string) page { return page{r, r.do(http.MethodGet, path, "")} }

var hidden = regexp.MustCompile(`<input type="[^"]*"[^>]*? name="([^"]*)" value="([^"]*)"`)

func (p page) form() url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(p.Body.String(), -1) {
		v.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return v
}

// press sends the page's form with some fields filled in.
func (p page) press(button string, pairs ...string) page {
	p.t.Helper()
	v := p.form()
	for i := 0; i < len(pairs); i += 2 {
		p.g.Expect(v).To(HaveKey(pairs[i]), p.Body.String())
		v.Set(pairs[i], pairs[i+1])
	}
	v.Set("action", button)
	return page{p.rig, p.do(http.MethodPost, "/common/login", v.Encode(), "Content-Type", formType)}
}

func (p page) signIn(upn string) page {
	p.t.Helper()
	return p.press("next", "login", upn, "passwd", password)
}

// location is where the browser is sent to, with what is sent along.
func (p page) location() (*url.URL, url.Values) {
	p.t.Helper()
	p.g.Expect(p.Code).To(Equal(http.StatusFound), p.Body.String())
	u, err := url.Parse(p.Header().Get("Location"))
	p.must(err)
	if u.Fragment != "" {
		v, err := url.ParseQuery(u.EscapedFragment())
		p.must(err)
		return u, v
	}
	return u, u.Query()
}

// journal is all that was recorded, as text.
func (r *rig) journal() string {
	r.t.Helper()
	raw, err := json.Marshal(r.events.Find(func(journal.Event) bool { return true }))
	r.must(err)
	return string(raw)
}
