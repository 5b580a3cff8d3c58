package fakeentra_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/oauth"
)

// state is all that a directory holds of the tenant, as text: what is compared
// cannot be what was changed.
func (w *world) state() string {
	w.t.Helper()
	d := w.entra.Directory
	raw, err := json.Marshal([]any{d.Users(tenantID), d.Groups(tenantID), d.Devices(tenantID), d.Apps(tenantID), d.Policies(tenantID), d.Consents(tenantID)})
	must(w.t, err)
	return string(raw)
}

const blockAll = `{"displayName":"Block all","state":"disabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}}`

// TestRefusedChangesChangeNothing: one member could be taken and another could
// not, so none is; nor is one that is the service's own to set.
func TestRefusedChangesChangeNothing(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	var user graph.User
	g.Expect(w.graph(token, "POST", "/v1.0/users", `{"accountEnabled":true,"displayName":"Bob","mailNickname":"bob","userPrincipalName":"bob@contoso.com","passwordProfile":{"password":"first"}}`, &user)).To(Equal(http.StatusCreated))
	g.Expect(w.graph(token, "POST", "/v1.0/users/"+user.ID+"/assignLicense", `{"addLicenses":[{"skuId":"061f9ace-7d42-4136-88ac-31dc755f143f","disabledPlans":[]}],"removeLicenses":[]}`, nil)).To(Equal(http.StatusOK))
	var group graph.DirectoryGroup
	g.Expect(w.graph(token, "POST", "/v1.0/groups", `{"displayName":"G","groupTypes":["Unified"],"members@odata.bind":["https://graph.microsoft.com/v1.0/users/`+adele+`"]}`, &group)).To(Equal(http.StatusCreated))
	g.Expect(group.CreatedDateTime.Time).To(Equal(w.now))
	var policy graph.ConditionalAccessPolicy
	g.Expect(w.graph(token, "POST", "/v1.0/identity/conditionalAccess/policies", blockAll, &policy)).To(Equal(http.StatusCreated))
	var app graph.Application
	g.Expect(w.graph(token, "POST", "/v1.0/applications", `{"displayName":"A","identifierUris":["api://a"],"requiredResourceAccess":[{"resourceAppId":"00000003-0000-0000-c000-000000000000","resourceAccess":[{"id":"e1fe6dd8-ba31-4d61-89e7-88639da4683d","type":"Scope"}]}]}`, &app)).To(Equal(http.StatusCreated))
	device, err := w.entra.Directory.Register(tenant.Registration{TenantID: tenantID, ZTDID: ztdID, DisplayName: "SN"})
	g.Expect(err).NotTo(HaveOccurred())

	users, groups, apps := "/v1.0/users/"+user.ID, "/v1.0/groups/"+group.ID, "/v1.0/applications/"+app.ID
	policies, devices := "/v1.0/identity/conditionalAccess/policies/"+policy.ID, "/v1.0/devices/"+device.ObjectID
	before := w.state()
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{users, `{"accountEnabled":false,"userPrincipalName":"bob@evil.test"}`, http.StatusBadRequest},
		{users, `{"accountEnabled":false,"userPrincipalName":"bob@` + tenantID + `"}`, http.StatusBadRequest},
		{users, `{"accountEnabled":false,"userPrincipalName":"` + adele + `"}`, http.StatusBadRequest},
		{users, `{"department":"IT","assignedLicenses":[]}`, http.StatusBadRequest},
		{users, `{"department":"IT","id":"` + ztdID + `"}`, http.StatusBadRequest},
		{users, `{"onPremisesSecurityIdentifier":"S-1-5-21-1"}`, http.StatusBadRequest},
		{users, `{"onPremisesSyncEnabled":true}`, http.StatusBadRequest},
		{groups, `{"groupTypes":["DynamicMembership"],"membershipRule":"user.mood -eq \"good\""}`, http.StatusBadRequest},
		{groups, `{"description":"d","members":[]}`, http.StatusBadRequest},
		{groups, `{"description":"d","createdDateTime":"2020-01-01T00:00:00Z"}`, http.StatusBadRequest},
		{groups, `{"description":"d","members@odata.bind":["https://graph.microsoft.com/v1.0/users/nobody@contoso.com"]}`, http.StatusNotFound},
		{policies, `{"state":"enabled","conditions":{"users":{"includeUsers":["None"]},"locations":{"includeLocations":["x"]}}}`, http.StatusNotImplemented},
		{policies, `{"conditions":{"users":{"includeUsers":["None"]}},"grantControls":{"builtInControls":["block","mfa"]}}`, http.StatusBadRequest},
		{policies, `{"createdDateTime":"2020-01-01T00:00:00Z"}`, http.StatusBadRequest},
		{apps, `{"identifierUris":["api://b"],"keyCredentials":[{"key":"AAAA"}]}`, http.StatusBadRequest},
		{apps, `{"requiredResourceAccess":[{"resourceAppId":"x"}],"keyCredentials":[{"key":"AAAA"}]}`, http.StatusBadRequest},
		{apps, `{"appId":"` + appID + `"}`, http.StatusBadRequest},
		{apps, `{"identifierUris":["https://graph.microsoft.com"]}`, http.StatusBadRequest},
		{apps, `{"identifierUris":["api://` + appID + `"]}`, http.StatusBadRequest},
		{apps, `{"web":{"redirectUris":["javascript:alert(1)"]}}`, http.StatusBadRequest},
		{apps, `{"web":{"redirectUris":["https://a.test/#f"]}}`, http.StatusBadRequest},
		{apps, `{"displayName":"B"} {}`, http.StatusBadRequest},
		{devices, `{"displayName":"mine","isCompliant":true}`, http.StatusForbidden},
		{devices, `{"displayName":"mine","isManaged":true}`, http.StatusForbidden},
		{devices, `{"displayName":"mine","trustType":"ServerAd"}`, http.StatusNotImplemented},
	} {
		var e graph.Error
		g.Expect(w.graph(token, "PATCH", c.path, c.body, &e)).To(Equal(c.want), c.body)
		g.Expect(w.state()).To(Equal(before), c.body)
	}
	var created graph.User
	g.Expect(w.graph(token, "POST", "/v1.0/users", `{"id":"`+ztdID+`","accountEnabled":true,"displayName":"C","mailNickname":"c","userPrincipalName":"c@contoso.com","passwordProfile":{"password":"x"}}`, &created)).To(Equal(http.StatusBadRequest))
	g.Expect(w.state()).To(Equal(before))
}

// TestWhatIsNotThereIsAnAnswer: it was looked for, and nobody was turned away.
func TestWhatIsNotThereIsAnAnswer(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	for _, c := range [][3]string{{"GET", "devices"}, {"DELETE", "devices"}, {"PATCH", "devices", "{}"}, {"GET", "users"}, {"DELETE", "groups"}, {"GET", "applications"}, {"GET", "directoryObjects"}} {
		g.Expect(w.graph(token, c[0], "/v1.0/"+c[1]+"/"+ztdID, c[2], &graph.Error{})).To(Equal(http.StatusNotFound))
	}
	g.Expect(w.events.Find(func(e journal.Event) bool { return e.Kind == journal.Refused })).To(BeEmpty())
}

// TestDelegatedTokensDoWhatTheirUsersMay: consent for all users gives none of
// them more than their roles do, and a role gives no more than its own.
func TestDelegatedTokensDoWhatTheirUsersMay(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	const tool = "aaaaaaaa-0000-4000-8000-0000000000ff"
	d := w.entra.Directory
	must(t, d.PutApp(tenant.App{TenantID: tenantID, ClientID: tool, Name: "Tool", Public: true}))
	must(t, d.Consent(tenant.Consent{TenantID: tenantID, ClientID: tool, Resource: oauth.ResourceGraph,
		Scopes: []string{"User.Read", "User.Read.All", "User.ReadWrite.All", "Group.ReadWrite.All", "Policy.ReadWrite.ConditionalAccess", "AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"}}))
	_, err := d.PutUser(tenantID, graph.User{UserPrincipalName: "bob@contoso.com", DisplayName: "Bob"}, password)
	must(t, err)
	roles := func(r ...string) {
		_, err := d.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.Roles = r; return nil })
		must(t, err)
	}
	token := func(client string) string {
		out, refused, _ := w.token("/contoso.com/oauth2/v2.0/token", oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: client,
			Username: adele, Password: password, Scope: "https://graph.microsoft.com/.default"}.Form())
		g.Expect(refused).To(BeNil())
		return out.AccessToken
	}
	ask := func(client, method, path, body string) int {
		return w.graph(token(client), method, "/v1.0/"+path, body, nil)
	}
	patch := func(client string) int {
		return ask(client, "PATCH", "users/bob@contoso.com", `{"department":"IT"}`)
	}
	for _, client := range []string{tool, tenant.AppGraphPS} {
		roles()
		g.Expect(ask(client, "GET", "users/bob@contoso.com", "")).To(Equal(http.StatusOK))
		g.Expect(patch(client)).To(Equal(http.StatusForbidden), "an ordinary user changes nobody")
		w.refused("directory", "permission")
		roles("User Administrator")
		g.Expect(patch(client)).To(Equal(http.StatusNoContent))
		g.Expect(ask(client, "POST", "identity/conditionalAccess/policies", blockAll)).To(Equal(http.StatusForbidden))
		g.Expect(ask(client, "POST", "applications", `{"displayName":"x"}`)).To(Equal(http.StatusForbidden))
		roles("Intune Administrator")
		g.Expect(ask(client, "POST", "groups", `{"displayName":"x"}`)).To(Equal(http.StatusCreated))
		g.Expect(patch(client)).To(Equal(http.StatusForbidden))
		roles("Conditional Access Administrator")
		g.Expect(ask(client, "POST", "identity/conditionalAccess/policies", blockAll)).To(Equal(http.StatusCreated))
		roles("Application Administrator")
		g.Expect(ask(client, "POST", "applications", `{"displayName":"x"}`)).To(Equal(http.StatusCreated))
		g.Expect(ask(client, "POST", "servicePrincipals/appId="+tool+"/appRoleAssignments", `{}`)).To(Equal(http.StatusForbidden))
		roles("Global Administrator")
		g.Expect(patch(client)).To(Equal(http.StatusNoContent))
	}
}

// TestBodiesOfEveryEndpoint: another content type, half a body, far too much of
// it. What is documented for each comes back, and nothing changes.
func TestBodiesOfEveryEndpoint(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	graphToken, drsToken := "Bearer "+w.appToken("contoso.com"), "Bearer "+w.userToken(oauth.ResourceDRS)
	before := w.state()
	huge := `{"x":"` + strings.Repeat("x", 2<<20) + `"}`
	for _, e := range []struct {
		h                  http.Handler
		url, token         string
		media, half, large int
	}{
		{w.entra.Graph, "https://" + graph.Host + "/v1.0/users", graphToken, 415, 400, 413},
		{w.entra.Graph, "https://" + graph.Host + "/v1.0/groups", graphToken, 415, 400, 413},
		{w.entra.Graph, "https://" + graph.Host + "/v1.0/applications", graphToken, 415, 400, 413},
		{w.entra.Graph, "https://" + graph.Host + "/v1.0/identity/conditionalAccess/policies", graphToken, 415, 400, 413},
		{w.entra.STS, "https://" + oauth.Host + "/common/oauth2/token", "", 400, 400, 400},
		{w.entra.STS, "https://" + oauth.Host + "/common/oauth2/v2.0/token", "", 400, 400, 400},
		{w.entra.STS, "https://" + oauth.Host + "/common/oauth2/v2.0/devicecode", "", 400, 400, 400},
		{w.entra.STS, "https://" + oauth.Host + "/common/oauth2/v2.0/authorize", "", 400, 400, 400},
		{w.entra.STS, "https://" + oauth.Host + "/common/login", "", 400, 400, 400},
		{w.entra.STS, "https://" + oauth.Host + "/common/GetCredentialType", "", 400, 400, 400},
		{w.entra.STS, "https://" + oauth.Host + "/webapp/bulkaadjtoken/begin", drsToken, 200, 200, 200}, // the error is inside
		{w.entra.DRS, "https://" + drs.Host + "/EnrollmentServer/device/?api-version=1.0", drsToken, 400, 400, 400},
		{w.entra.MSA, "https://" + hosts.MSA + msa.PathDeviceAdd, "", 200, 200, 200}, // so here
		{w.entra.MSA, "https://" + hosts.MSA + msa.PathTicket, "", 200, 200, 200},
		{w.entra.AIK, aik.URL(aik.Host("ifx", w.vendor.Cert.SubjectKeyId), "PKIOperation"), "", 400, 400, 400},
		{w.entra.Health, attestURL, "", 400, 400, 400},
	} {
		for kind, c := range map[string]struct {
			media, body string
			want        int
		}{
			"media": {"text/xml", `{}`, e.media}, "half": {"application/json", `{"x":`, e.half}, "large": {"application/json", huge, e.large},
		} {
			r := httptest.NewRequest("POST", e.url, strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.media)
			r.Header.Set("Authorization", e.token)
			status, body := w.do(e.h, r)
			g.Expect(status).To(Equal(c.want), "%s %s: %s", e.url, kind, body)
			g.Expect(len(body)).To(BeNumerically("<", 4096))
			g.Expect(w.state()).To(Equal(before), "%s %s", e.url, kind)
		}
	}
	for service, e := range map[string]struct {
		h   http.Handler
		url string
	}{
		"drs": {w.entra.DRS, "https://" + drs.Host + "/EnrollmentServer/device/?api-version=1.0"}, "msa": {w.entra.MSA, "https://" + hosts.MSA + msa.PathTicket},
		"health": {w.entra.Health, attestURL},
	} {
		r := httptest.NewRequest("POST", e.url, strings.NewReader(`{}`))
		r.Header.Set("Content-Type", "image/png")
		w.do(e.h, r)
		w.refused(service, "content type")
	}
}

// TestQuotaHoldsWhenManyJoinAtOnce: what is looked at and what is written is one.
func TestQuotaHoldsWhenManyJoinAtOnce(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	u, err := w.entra.Directory.User(tenantID, adele)
	must(t, err)
	contoso, err := w.entra.Directory.Tenant(tenantID)
	must(t, err)
	contoso.DevicesPerUser = 3
	must(t, w.entra.Directory.SetTenant(contoso))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, _ = w.entra.Directory.Join(tenant.Join{TenantID: tenantID, Trust: graph.TrustEntra, Owner: u.Resource.ID,
				Certify: func(d tenant.Device) (string, error) { return d.DeviceID, nil }})
		})
	}
	wg.Wait()
	g.Expect(w.entra.Directory.Devices(tenantID)).To(HaveLen(3))
}

// TestChangesAtOnceAreAllKept: one change of a resource does not undo another.
func TestChangesAtOnceAreAllKept(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	var group graph.DirectoryGroup
	g.Expect(w.graph(token, "POST", "/v1.0/groups", `{"displayName":"G"}`, &group)).To(Equal(http.StatusCreated))
	for range 20 {
		ref := `{"@odata.id":"https://graph.microsoft.com/v1.0/users/` + adele + `"}`
		changes := [][3]string{
			{"PATCH", "users/" + adele, `{"department":"IT"}`}, {"PATCH", "users/" + adele, `{"givenName":"Adele"}`}, {"PATCH", "users/" + adele, `{"surname":"Vance"}`},
			{"PATCH", "groups/" + group.ID, `{"description":"d"}`}, {"POST", "groups/" + group.ID + "/members/$ref", ref}, {"PATCH", "groups/" + group.ID, `{"mailNickname":"g"}`},
		}
		var wg sync.WaitGroup
		for _, c := range changes {
			wg.Go(func() { w.graph(token, c[0], "/v1.0/"+c[1], c[2], nil) })
		}
		wg.Wait()
		u, err := w.entra.Directory.User(tenantID, adele)
		must(t, err)
		row, err := w.entra.Directory.GroupByID(tenantID, group.ID)
		must(t, err)
		g.Expect([]string{u.Resource.Department, u.Resource.GivenName, u.Resource.Surname, row.Resource.Description, row.Resource.MailNickname}).To(Equal([]string{"IT", "Adele", "Vance", "d", "g"}))
		g.Expect(row.Members).To(Equal([]string{u.Resource.ID}))
		must(t, w.entra.Directory.SetMember(tenantID, group.ID, u.Resource.ID, false))
		_, err = w.entra.Directory.UpdateUser(tenantID, adele, func(u *tenant.User) error {
			u.Resource.Department, u.Resource.GivenName, u.Resource.Surname = "", "", ""
			return nil
		})
		must(t, err)
		g.Expect(w.graph(token, "PATCH", "/v1.0/groups/"+group.ID, `{"description":"","mailNickname":""}`, nil)).To(Equal(http.StatusNoContent))
	}
}

// TestAGroupIsFoundByItsIDFirst: no group takes another's place by its name.
func TestAGroupIsFoundByItsIDFirst(t *testing.T) {
	g := NewWithT(t)
	d := newWorld(t).entra.Directory
	const id = "bbbbbbbb-0000-4000-8000-000000000001"
	_, err := d.PutGroup(tenantID, graph.DirectoryGroup{DisplayName: id})
	must(t, err)
	_, err = d.PutGroup(tenantID, graph.DirectoryGroup{ID: id, DisplayName: "Administrators"})
	must(t, err)
	must(t, d.DeleteGroup(tenantID, id))
	g.Expect(d.Groups(tenantID)).To(HaveLen(1))
	g.Expect(d.Groups(tenantID)[0].Resource.DisplayName).To(Equal(id))
}

// TestTokensAreForClientsThatThereAre: a device's word does not make up an
// application, nor consent to one.
func TestTokensAreForClientsThatThereAre(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	token, key, refused := p.prtOf(adele, password)
	g.Expect(refused).To(BeNil())
	for client, want := range map[string]oauth.AADSTS{ztdID: oauth.AppNotFound, appID: oauth.ConsentRequired} {
		_, refused = p.usePRT(token, key, func(r *oauth.BoundRequest) { r.ClientID, r.Resource = client, oauth.ResourceGraph })
		g.Expect(refused).NotTo(BeNil())
		g.Expect(refused.Code()).To(Equal(want))
	}
	_, refused = p.sendDevice(oauth.DeviceRequest{ClientID: ztdID, GrantType: oauth.GrantDeviceToken, Resource: oauth.ResourceMDM, RequestNonce: p.challenge()}, p.cert)
	g.Expect(refused).NotTo(BeNil())
	g.Expect(refused.Code()).To(Equal(oauth.AppNotFound))
}
