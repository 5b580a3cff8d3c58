package fakeentra_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// ask calls the directory with headers; the body comes back as it is.
func (w *world) ask(token, method, path, body string, header ...string) (int, []byte) {
	w.t.Helper()
	r := httptest.NewRequest(method, "https://"+graph.Host+path, strings.NewReader(body))
	r.Header.Set("Authorization", token)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return w.do(w.entra.Graph, r)
}

// userGraph is a token of the user at Graph, through a client of Microsoft's.
func (w *world) userGraph(name string) string {
	w.t.Helper()
	out, refused, _ := w.token("/contoso.com/oauth2/v2.0/token", oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: tenant.AppGraphPS,
		Username: name, Password: password, Scope: "https://graph.microsoft.com/.default"}.Form())
	NewWithT(w.t).Expect(refused).To(BeNil())
	return out.AccessToken
}

func decoded[T any](t *testing.T, body []byte) (v T) {
	t.Helper()
	must(t, json.Unmarshal(body, &v))
	return v
}

func TestGraphUsers(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	full := `{"accountEnabled":true,"displayName":"Bob","mailNickname":"bob","userPrincipalName":"bob@contoso.com","passwordProfile":{"password":"first","forceChangePasswordNextSignIn":true},"usageLocation":"DE"}`
	status, body := w.ask(token, "POST", "/v1.0/users", full, "Content-Type", "application/json")
	g.Expect(status).To(Equal(http.StatusCreated))
	bob := decoded[graph.User](t, body)
	g.Expect(string(body)).NotTo(ContainSubstring("first"))
	_, err := w.entra.Directory.Authenticate(tenantID, "bob@contoso.com", "first")
	g.Expect(err).To(MatchError(tenant.ErrPasswordExpired))

	g.Expect(w.graph(token, "PATCH", "/V1.0/Users('"+bob.ID+"')", `{"department":"IT","passwordProfile":{"password":"second","forceChangePasswordNextSignIn":false}}`, nil)).To(Equal(http.StatusNoContent))
	_, err = w.entra.Directory.Authenticate(tenantID, "bob@contoso.com", "second")
	g.Expect(err).NotTo(HaveOccurred())
	var after graph.User
	g.Expect(w.graph(token, "GET", "/v1.0/users/bob@contoso.com", "", &after)).To(Equal(http.StatusOK))
	g.Expect([]string{after.DisplayName, after.Department, after.UsageLocation}).To(Equal([]string{"Bob", "IT", "DE"}), "what the change does not name stays")
	g.Expect(w.graph(token, "POST", "/v1.0/users/"+bob.ID+"/assignLicense", `{"addLicenses":[{"skuId":"061f9ace-7d42-4136-88ac-31dc755f143f","disabledPlans":[]}],"removeLicenses":[]}`, &after)).To(Equal(http.StatusOK))
	g.Expect(after.AssignedLicenses).To(HaveLen(1))

	for body, want := range map[string]int{
		full:                  http.StatusBadRequest, // it exists
		`{"displayName":"x"}`: http.StatusBadRequest,
		strings.Replace(full, "bob@contoso.com", "bob@fabrikam.com", 1): http.StatusBadRequest,
		strings.Replace(full, `"DE"`, `7`, 1):                           http.StatusBadRequest,
		strings.Replace(full, "usageLocation", "hobby", 1):              http.StatusNotImplemented,
		`[1]`: http.StatusBadRequest,
		`{`:   http.StatusBadRequest,
		`{"displayName":"` + strings.Repeat("x", 1<<20) + `"}`: http.StatusRequestEntityTooLarge,
	} {
		var e graph.Error
		g.Expect(w.graph(token, "POST", "/v1.0/users", body, &e)).To(Equal(want), "%.60s", body)
		g.Expect(e.Error.InnerError.RequestID).NotTo(BeEmpty())
	}
	status, _ = w.ask(token, "POST", "/v1.0/users", full, "Content-Type", "text/xml")
	g.Expect(status).To(Equal(http.StatusUnsupportedMediaType))
	g.Expect(w.graph(token, "DELETE", "/v1.0/users/"+bob.ID, "", nil)).To(Equal(http.StatusNoContent))
	g.Expect(w.graph(token, "GET", "/v1.0/users/"+bob.ID, "", nil)).To(Equal(http.StatusNotFound))
}

func TestGraphMe(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	mine := w.userGraph(adele)
	var me graph.User
	g.Expect(w.graph(mine, "GET", "/v1.0/me", "", &me)).To(Equal(http.StatusOK))
	g.Expect(me.UserPrincipalName).To(Equal(adele))
	var list graph.Collection[graph.DirectoryObject]
	g.Expect(w.graph(mine, "GET", "/v1.0/me/memberOf", "", &list)).To(Equal(http.StatusOK))
	g.Expect(w.graph(w.appToken("contoso.com"), "GET", "/v1.0/me", "", nil)).To(Equal(http.StatusBadRequest))

	// An ordinary user reads, and changes nothing; an administrator does.
	g.Expect(w.graph(mine, "GET", "/v1.0/groups", "", &list)).To(Equal(http.StatusOK))
	g.Expect(w.graph(mine, "POST", "/v1.0/groups", `{"displayName":"Mine"}`, nil)).To(Equal(http.StatusForbidden))
	_, err := w.entra.Directory.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.Roles = []string{"Intune Administrator"}; return nil })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(w.graph(w.userGraph(adele), "POST", "/v1.0/groups", `{"displayName":"Mine"}`, nil)).To(Equal(http.StatusCreated))
}

func TestGraphNestedGroups(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	var outer, inner graph.DirectoryGroup
	bind := `{"displayName":"Inner","members@odata.bind":["https://graph.microsoft.com/v1.0/users/` + adele + `"]}`
	g.Expect(w.graph(token, "POST", "/v1.0/groups", bind, &inner)).To(Equal(http.StatusCreated))
	g.Expect(w.graph(token, "POST", "/v1.0/groups", `{"displayName":"Outer","members@odata.bind":["https://graph.microsoft.com/v1.0/directoryObjects('`+inner.ID+`')"]}`, &outer)).To(Equal(http.StatusCreated))
	ids := func(path string) (out []string) {
		var list graph.Collection[graph.DirectoryObject]
		g.Expect(w.graph(token, "GET", path, "", &list)).To(Equal(http.StatusOK))
		for _, o := range list.Value {
			out = append(out, o.DisplayName)
		}
		return out
	}
	g.Expect(ids("/v1.0/groups/" + outer.ID + "/members")).To(Equal([]string{"Inner"}))
	g.Expect(ids("/v1.0/groups/" + outer.ID + "/transitiveMembers")).To(Equal([]string{"Inner", "Adele Vance"}))
	g.Expect(ids("/v1.0/groups/" + outer.ID + "/transitiveMembers/microsoft.graph.user")).To(Equal([]string{"Adele Vance"}))
	g.Expect(ids("/v1.0/users/" + adele + "/memberOf")).To(Equal([]string{"Inner"}))
	g.Expect(ids("/v1.0/users/" + adele + "/transitiveMemberOf")).To(ConsistOf("Inner", "Outer"))
	// Circles end.
	self := `{"@odata.id":"https://graph.microsoft.com/v1.0/groups/` + outer.ID + `"}`
	g.Expect(w.graph(token, "POST", "/v1.0/groups/"+inner.ID+"/members/$ref", self, nil)).To(Equal(http.StatusNoContent))
	g.Expect(ids("/v1.0/groups/" + outer.ID + "/transitiveMembers")).To(ContainElement("Adele Vance"))

	g.Expect(w.graph(token, "PATCH", "/v1.0/groups/"+inner.ID, `{"description":"d"}`, nil)).To(Equal(http.StatusNoContent))
	g.Expect(ids("/v1.0/groups/"+inner.ID+"/members")).To(HaveLen(2), "a change keeps the members")
	var one graph.DirectoryGroup
	g.Expect(w.graph(token, "GET", "/v1.0/groups/"+inner.ID+"?$expand=members", "", &one)).To(Equal(http.StatusOK))
	g.Expect(one.Members).To(HaveLen(2))
	for body, want := range map[string]int{
		self: http.StatusBadRequest, // there already
		`{"@odata.id":"https://graph.microsoft.com/v1.0/groups/` + inner.ID + `"}`:                          http.StatusBadRequest,
		`{"@odata.id":"https://evil.test/v1.0/groups/` + outer.ID + `"}`:                                    http.StatusBadRequest,
		`{"@odata.id":"https://graph.microsoft.com/v1.0/users/adele@fabrikam.com"}`:                         http.StatusNotFound,
		`{"@odata.id":"https://graph.microsoft.com/v1.0/users/00000000-0000-0000-0000-000000000000","x":1}`: http.StatusNotImplemented,
	} {
		g.Expect(w.graph(token, "POST", "/v1.0/groups/"+inner.ID+"/members/$ref", body, nil)).To(Equal(want), body)
	}
}

func TestGraphAdvancedQueries(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	status, body := w.ask(token, "GET", "/v1.0/users/$count", "", "ConsistencyLevel", "eventual")
	g.Expect([]any{status, string(body)}).To(Equal([]any{http.StatusOK, "1"}))
	for path, want := range map[string]int{
		`/v1.0/users?$search="displayName:adele"`:                                      http.StatusBadRequest,
		"/v1.0/users?$filter=" + url.QueryEscape("endswith(userPrincipalName,'.com')"): http.StatusBadRequest,
		"/v1.0/users/$count":             http.StatusBadRequest,
		"/v1.0/users?$top=1000":          http.StatusBadRequest,
		"/v1.0/users?$top=0":             http.StatusBadRequest,
		"/v1.0/users?$skip=1":            http.StatusBadRequest,
		"/v1.0/users?$expand=manager":    http.StatusBadRequest,
		"/v1.0/users?$skiptoken=5":       http.StatusBadRequest,
		"/v1.0/users?$apply=aggregate()": http.StatusBadRequest,
	} {
		path = strings.ReplaceAll(path, `"`, "%22")
		status, _ := w.ask(token, "GET", path, "")
		g.Expect(status).To(Equal(want), path)
	}
	for _, path := range []string{"/v1.0/users?$search=%22displayName:adele%22&$count=true", "/v1.0/users?$count=true&$filter=" + url.QueryEscape("endswith(userPrincipalName,'.com')")} {
		status, body := w.ask(token, "GET", path, "", "ConsistencyLevel", "eventual")
		g.Expect(status).To(Equal(http.StatusOK))
		g.Expect(decoded[graph.Collection[graph.User]](t, body).Value).To(HaveLen(1))
	}
}

// A page token is good for the request that it was given for, in its tenant.
func TestGraphPageTokensAreSealed(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	for _, name := range []string{"b", "c", "d"} {
		_, err := w.entra.Directory.PutUser(tenantID, userNamed(name), password)
		g.Expect(err).NotTo(HaveOccurred())
	}
	status, body := w.ask(w.appToken("contoso.com"), "GET", "/v1.0/users?$top=2", "")
	g.Expect(status).To(Equal(http.StatusOK))
	next, err := url.Parse(decoded[graph.Collection[graph.User]](t, body).NextLink)
	g.Expect(err).NotTo(HaveOccurred())
	follow := func(token, path string) int {
		status, _ := w.ask(token, "GET", path, "")
		return status
	}
	text := url.QueryEscape(next.Query().Get("$skiptoken"))
	g.Expect(follow(w.appToken("contoso.com"), next.RequestURI())).To(Equal(http.StatusOK))
	g.Expect(follow(w.appToken("fabrikam.com"), next.RequestURI())).To(Equal(http.StatusBadRequest), "another tenant's")
	g.Expect(follow(w.appToken("contoso.com"), "/v1.0/groups?$top=2&$skiptoken="+text)).To(Equal(http.StatusBadRequest), "another collection's")
	g.Expect(follow(w.appToken("contoso.com"), "/v1.0/users?$top=2&$filter="+url.QueryEscape("displayName eq 'b'")+"&$skiptoken="+text)).To(Equal(http.StatusBadRequest))
}

func TestGraphApplications(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	var app graph.Application
	g.Expect(w.graph(token, "POST", "/v1.0/applications", `{"displayName":"Tool","isFallbackPublicClient":true,"publicClient":{"redirectUris":["http://localhost"]}}`, &app)).To(Equal(http.StatusCreated))
	var secret graph.PasswordCredential
	g.Expect(w.graph(token, "POST", "/v1.0/applications/"+app.ID+"/addPassword", `{"passwordCredential":{"displayName":"one"}}`, &secret)).To(Equal(http.StatusOK))
	g.Expect(secret.EndDateTime.Time).To(Equal(w.now.AddDate(2, 0, 0)))
	status, body := w.ask(token, "GET", "/v1.0/applications(appId='"+app.AppID+"')", "")
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(string(body)).NotTo(ContainSubstring(secret.SecretText), "a secret is shown once")

	signIn := func() (*oauth.TokenResponse, *oauth.Error) {
		out, refused, _ := w.token("/contoso.com/oauth2/v2.0/token", oauth.TokenRequest{GrantType: oauth.GrantClient, ClientID: app.AppID,
			ClientSecret: secret.SecretText, Scope: oauth.ResourceGraph + "/.default"}.Form())
		return out, refused
	}
	out, refused := signIn()
	g.Expect(refused).To(BeNil())
	g.Expect(w.graph(out.AccessToken, "GET", "/v1.0/users", "", nil)).To(Equal(http.StatusForbidden), "nothing is granted yet")

	var sp, graphSP graph.ServicePrincipal
	g.Expect(w.graph(token, "GET", "/v1.0/servicePrincipals(appId='"+app.AppID+"')", "", &sp)).To(Equal(http.StatusOK))
	g.Expect(w.graph(token, "GET", "/v1.0/servicePrincipals/appId="+tenant.AppGraph, "", &graphSP)).To(Equal(http.StatusOK))
	role, _ := graph.FindPermission("User.Read.All", graph.AccessRole)
	grant := `{"principalId":"` + sp.ID + `","resourceId":"` + graphSP.ID + `","appRoleId":"` + role.Role + `"}`
	var made graph.AppRoleAssignment
	g.Expect(w.graph(token, "POST", "/v1.0/servicePrincipals/"+sp.ID+"/appRoleAssignments", grant, &made)).To(Equal(http.StatusCreated))
	g.Expect(w.graph(token, "POST", "/v1.0/servicePrincipals/"+sp.ID+"/appRoleAssignments", grant, nil)).To(Equal(http.StatusBadRequest))
	out, _ = signIn()
	g.Expect(w.graph(out.AccessToken, "GET", "/v1.0/users", "", nil)).To(Equal(http.StatusOK))
	g.Expect(w.graph(out.AccessToken, "POST", "/v1.0/servicePrincipals/"+sp.ID+"/appRoleAssignments", grant, nil)).To(Equal(http.StatusForbidden), "no application grants itself more")
	g.Expect(w.graph(token, "DELETE", "/v1.0/servicePrincipals/"+sp.ID+"/appRoleAssignments/"+made.ID, "", nil)).To(Equal(http.StatusNoContent))

	g.Expect(w.graph(token, "PATCH", "/v1.0/applications/"+app.ID, `{"displayName":"Tool 2","web":{"redirectUris":["https://tool.test/back"]}}`, nil)).To(Equal(http.StatusNoContent))
	row, err := w.entra.Directory.App(tenantID, app.AppID)
	g.Expect(err).NotTo(HaveOccurred())
	_, ok := row.Redirect("https://tool.test/back")
	g.Expect(ok).To(BeTrue())
	_, ok = row.Redirect("http://localhost:51234/")
	g.Expect(ok).To(BeTrue(), "ports of a loopback address do not matter")
	_, ok = row.Redirect("http://localhost.evil.test/")
	g.Expect(ok).To(BeFalse())
	g.Expect(w.graph(token, "PATCH", "/v1.0/servicePrincipals/"+sp.ID, `{"accountEnabled":false}`, nil)).To(Equal(http.StatusNoContent))
	_, refused = signIn()
	g.Expect(refused).NotTo(BeNil())
	g.Expect(w.graph(token, "PATCH", "/v1.0/servicePrincipals/"+sp.ID, `{"accountEnabled":true}`, nil)).To(Equal(http.StatusNoContent))
	g.Expect(w.graph(token, "POST", "/v1.0/applications/"+app.ID+"/removePassword", `{"keyId":"`+secret.KeyID+`"}`, nil)).To(Equal(http.StatusNoContent))
	_, refused = signIn()
	g.Expect(refused.Code()).NotTo(BeZero())
	g.Expect(w.graph(token, "DELETE", "/v1.0/applications/"+app.ID, "", nil)).To(Equal(http.StatusNoContent))
	g.Expect(w.graph(w.appToken("fabrikam.com"), "GET", "/v1.0/applications/"+app.ID, "", nil)).To(Equal(http.StatusNotFound))
}

func TestGraphEndpointsOfDeviceManagement(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	var list graph.Collection[graph.Endpoint]
	path := "/v1.0/MyOrganization/servicePrincipals/appId=" + tenant.AppIntune + "/endpoints"
	status, body := w.ask(w.userGraph(adele), "GET", path, "") // the token alone, without "Bearer "
	g.Expect(status).To(Equal(http.StatusOK))
	list = decoded[graph.Collection[graph.Endpoint]](t, body)
	var names []string
	for _, e := range list.Value {
		names = append(names, e.ProviderName)
		g.Expect(e.URI).To(HavePrefix("https://"))
	}
	g.Expect(names).To(ContainElements("WindowsEnrollment", "IWService", "TokenRenewalService"))
	g.Expect(w.graph(w.userGraph(adele), "GET", path+"/"+list.Value[0].ID, "", nil)).To(Equal(http.StatusOK))
	status, _ = w.ask("", "GET", path, "")
	g.Expect(status).To(Equal(http.StatusUnauthorized))
}

func TestGraphPolicies(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	body := `{"displayName":"Block all","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}}`
	var p graph.ConditionalAccessPolicy
	g.Expect(w.graph(token, "POST", "/v1.0/identity/conditionalAccess/policies", body, &p)).To(Equal(http.StatusCreated))
	_, refused, _ := w.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker,
		Username: adele, Password: password, Resource: oauth.ResourceMDM}.Form())
	g.Expect(refused.Code()).To(Equal(oauth.AccessBlocked))
	g.Expect(w.appToken("contoso.com")).NotTo(BeEmpty(), "applications are not subject to it")
	g.Expect(w.graph(token, "PATCH", "/v1.0/identity/conditionalAccess/policies/"+p.ID, `{"state":"disabled"}`, nil)).To(Equal(http.StatusNoContent))
	w.userToken(oauth.ResourceMDM)
	for change, want := range map[string]int{
		`{"state":"on"}`: http.StatusBadRequest,
		`{"conditions":{"locations":{"includeLocations":["x"]}}}`:  http.StatusNotImplemented,
		`{"conditions":{"userRiskLevels":["high"]}}`:               http.StatusNotImplemented,
		`{"grantControls":{"builtInControls":["passwordChange"]}}`: http.StatusNotImplemented,
		`{"grantControls":{"builtInControls":["block","mfa"]}}`:    http.StatusBadRequest,
	} {
		g.Expect(w.graph(token, "PATCH", "/v1.0/identity/conditionalAccess/policies/"+p.ID, change, nil)).To(Equal(want), change)
	}
	g.Expect(w.graph(w.appToken("fabrikam.com"), "GET", "/v1.0/identity/conditionalAccess/policies/"+p.ID, "", nil)).To(Equal(http.StatusNotFound))
	g.Expect(w.graph(token, "DELETE", "/v1.0/identity/conditionalAccess/policies/"+p.ID, "", nil)).To(Equal(http.StatusNoContent))
	var settings map[string]any
	g.Expect(w.graph(token, "GET", "/beta/policies/deviceRegistrationPolicy", "", &settings)).To(Equal(http.StatusOK))
	g.Expect(settings["userDeviceQuota"]).To(BeNumerically("==", 50))
}

// TestGraphKeepsTenantsApart: everything of one tenant is unknown to the other,
// whatever the way in, and nothing changes.
func TestGraphKeepsTenantsApart(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	w := p.world
	d, err := w.entra.Directory.Device(tenantID, p.device)
	g.Expect(err).NotTo(HaveOccurred())
	u, err := w.entra.Directory.User(tenantID, adele)
	g.Expect(err).NotTo(HaveOccurred())
	grp, err := w.entra.Directory.PutGroup(tenantID, graph.DirectoryGroup{DisplayName: "G"})
	g.Expect(err).NotTo(HaveOccurred())
	state := func() []any {
		dir := w.entra.Directory
		return []any{dir.Devices(tenantID), dir.Users(tenantID), dir.Groups(tenantID)}
	}
	before := state()
	token := w.appToken("fabrikam.com")
	for _, path := range []string{"devices/" + d.ObjectID, "devices(deviceId='" + d.DeviceID + "')", "users/" + u.Resource.ID, "users/" + adele, "groups/" + grp.Resource.ID, "directoryObjects/" + u.Resource.ID} {
		g.Expect(w.graph(token, "GET", "/v1.0/"+path, "", nil)).To(Equal(http.StatusNotFound), path)
		if strings.HasPrefix(path, "directoryObjects") {
			continue
		}
		g.Expect(w.graph(token, "DELETE", "/v1.0/"+path, "", nil)).To(Equal(http.StatusNotFound), path)
		g.Expect(w.graph(token, "PATCH", "/v1.0/"+path, `{"displayName":"mine"}`, nil)).To(Equal(http.StatusNotFound), path)
	}
	g.Expect(state()).To(Equal(before))
}

// FuzzGraphDirectory sends any path, query and body with a good token.
func FuzzGraphDirectory(f *testing.F) {
	w := newWorld(f)
	token := w.appToken("contoso.com")
	f.Add("GET", "users", "$filter=id eq 'x'&$top=1", "")
	f.Add("POST", "groups", "", `{"displayName":"g","membershipRule":"device.displayName -eq \"x\"","members@odata.bind":["x"]}`)
	f.Add("PATCH", "devices(deviceId='x')", "", `{"isManaged":true}`)
	f.Add("POST", "identity/conditionalAccess/policies", "", `{"displayName":"p","state":"enabled"}`)
	f.Add("POST", "applications", "$select=id", `{"displayName":"a","keyCredentials":[{"key":"AAAA"}]}`)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		w.t = t
		w.now = w.now.Add(time.Microsecond)
		r := &http.Request{Method: method, Host: graph.Host, URL: &url.URL{Path: "/v1.0/" + path, RawQuery: query}, Header: http.Header{"Authorization": {"Bearer " + token}},
			Body: http.NoBody}
		if body != "" {
			r.Body = httptest.NewRequest("POST", "/", strings.NewReader(body)).Body
		}
		if status, answer := w.do(w.entra.Graph, r); status >= 500 && status != http.StatusNotImplemented {
			t.Fatalf("%d: %s", status, answer)
		}
	})
}
