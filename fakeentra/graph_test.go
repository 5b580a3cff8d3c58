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

	"windtunnel.test/fakeentra/directory"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// graph calls the directory's part of Graph and decodes the answer.
func (w *world) graph(token, method, path, body string, into any) int {
	w.t.Helper()
	r := httptest.NewRequest(method, "https://"+graph.Host+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	status, answer := w.do(w.entra.Graph, r)
	if into != nil {
		must(w.t, json.Unmarshal(answer, into))
	}
	return status
}

func TestGraphReads(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	token := w.appToken("contoso.com")
	var orgs graph.Collection[graph.Organization]
	g.Expect(w.graph(token, "GET", "/v1.0/organization", "", &orgs)).To(Equal(http.StatusOK))
	g.Expect(orgs.Value).To(HaveLen(1))
	g.Expect(orgs.Value[0].ID).To(Equal(tenantID))

	var users graph.Collection[graph.User]
	g.Expect(w.graph(token, "GET", "/beta/Users?$filter="+url.QueryEscape("userPrincipalName eq '"+adele+"'"), "", &users)).To(Equal(http.StatusOK))
	g.Expect(users.Value).To(HaveLen(1))
	g.Expect(users.Value[0].PasswordProfile).To(BeNil())
	var user graph.User
	g.Expect(w.graph(token, "GET", "/v1.0/users/"+adele, "", &user)).To(Equal(http.StatusOK))
	var e graph.Error
	g.Expect(w.graph(token, "GET", "/v1.0/users/adele@fabrikam.com", "", &e)).To(Equal(http.StatusNotFound))
	g.Expect(e.Error.Code).To(Equal(graph.CodeRequestNotFound))
	g.Expect(w.graph(token, "GET", "/v1.0/users?$filter=nonsense", "", &e)).To(Equal(http.StatusBadRequest))
	g.Expect(w.graph(token, "GET", "/v1.0/teams", "", &e)).To(Equal(http.StatusNotImplemented))
	g.Expect(w.graph(token, "PUT", "/v1.0/devices", "", &e)).To(Equal(http.StatusMethodNotAllowed))
}

func TestGraphDevices(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	token := p.appToken("contoso.com")
	var list graph.Collection[graph.Device]
	g.Expect(p.graph(token, "GET", "/v1.0/devices?$filter="+url.QueryEscape("deviceId eq '"+p.device+"'"), "", &list)).To(Equal(http.StatusOK))
	g.Expect(list.Value).To(HaveLen(1))
	d := list.Value[0]
	g.Expect(d.PhysicalIDs).To(ContainElement(HavePrefix(graph.PhysicalZTDID)))
	g.Expect(d.IsCompliant).To(BeNil())

	_, err := p.entra.Directory.SetCompliance(tenantID, p.device, tenant.Yes, tenant.Yes)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.graph(token, "PATCH", "/v1.0/devices/"+d.ID, `{"displayName":"AP-0001"}`, nil)).To(Equal(http.StatusNoContent))
	g.Expect(p.graph(token, "GET", "/v1.0/devices(deviceId='"+p.device+"')", "", &d)).To(Equal(http.StatusOK))
	g.Expect(*d.IsCompliant).To(BeTrue())
	g.Expect([]string{d.ManagementType, d.DisplayName}).To(Equal([]string{"MDM", "AP-0001"}))
	g.Expect(p.graph(token, "PATCH", "/v1.0/devices/"+d.ID, `{`, &graph.Error{})).To(Equal(http.StatusBadRequest))

	g.Expect(p.graph(token, "DELETE", "/v1.0/devices/"+d.ID, "", nil)).To(Equal(http.StatusNoContent))
	g.Expect(p.graph(token, "GET", "/v1.0/devices/"+d.ID, "", &graph.Error{})).To(Equal(http.StatusNotFound))
}

func TestLegacyComplianceAddress(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	out, refused, _ := p.token("/contoso.com/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantClient, ClientID: appID, ClientSecret: appSecret, Resource: oauth.ResourceAADGraph}.Form())
	g.Expect(refused).To(BeNil())
	patch := func(tenantName, token string) int {
		r := httptest.NewRequest("PATCH", "https://graph.windows.net/"+tenantName+"/devices/"+p.device+"?api-version=beta", strings.NewReader(`{"isManaged":true,"isCompliant":false}`))
		r.Header.Set("Authorization", token) // some clients leave the scheme out
		status, _ := p.do(p.entra.Graph, r)
		return status
	}
	g.Expect(patch("contoso.com", out.AccessToken)).To(Equal(http.StatusNoContent))
	g.Expect(patch("fabrikam.com", out.AccessToken)).To(Equal(http.StatusUnauthorized))
	p.refused("directory", "token")
	d, err := p.entra.Directory.Device(tenantID, p.device)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Compliant).To(Equal(tenant.No))
}

func TestGraphCallersThatAreRefused(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	foreign := p.appToken("fabrikam.com")
	var e graph.Error
	g.Expect(p.graph(foreign, "GET", "/v1.0/devices/"+p.device, "", &e)).To(Equal(http.StatusNotFound), "another tenant's token shows another tenant")
	g.Expect(p.graph("forged", "GET", "/v1.0/devices", "", &e)).To(Equal(http.StatusUnauthorized))
	p.refused("directory", "token")
	g.Expect(p.graph(p.userToken(oauth.ResourceMDM), "GET", "/v1.0/devices", "", &e)).To(Equal(http.StatusUnauthorized))
	g.Expect(p.graph(p.userToken(oauth.ResourceGraph), "DELETE", "/v1.0/devices/"+p.device, "", &e)).To(Equal(http.StatusForbidden))
	p.refused("directory", "permission")
	token := p.appToken("contoso.com")
	p.now = p.now.Add(2 * time.Hour)
	g.Expect(p.graph(token, "GET", "/v1.0/devices", "", &e)).To(Equal(http.StatusUnauthorized))
	var zero directory.Service
	status, _ := p.do(&zero, httptest.NewRequest("GET", "https://graph.microsoft.com/v1.0/devices", nil))
	g.Expect(status).To(Equal(http.StatusUnauthorized))
}

func TestGraphGroups(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0)
	object := p.register()
	token := p.appToken("contoso.com")
	var all, pilot graph.DirectoryGroup
	body := `{"displayName":"All Autopilot devices","groupTypes":["DynamicMembership"],"membershipRule":"(device.devicePhysicalIDs -any (_ -startsWith \"[ZTDId]\"))"}`
	g.Expect(p.graph(token, "POST", "/v1.0/groups", body, &all)).To(Equal(http.StatusCreated))
	g.Expect(p.graph(token, "POST", "/v1.0/groups", `{"displayName":"Pilot"}`, &pilot)).To(Equal(http.StatusCreated))
	g.Expect(p.graph(token, "POST", "/v1.0/groups", `{"displayName":"X","membershipRule":"user.mood -eq \"good\""}`, &graph.Error{})).To(Equal(http.StatusBadRequest))

	members := func(id string) (ids []string) {
		var list graph.Collection[graph.DirectoryObject]
		g.Expect(p.graph(token, "GET", "/v1.0/groups/"+id+"/members", "", &list)).To(Equal(http.StatusOK))
		for _, m := range list.Value {
			ids = append(ids, m.ID)
		}
		return ids
	}
	g.Expect(members(all.ID)).To(BeEmpty(), "rules take time")
	p.now = p.now.Add(10 * time.Minute)
	g.Expect(members(all.ID)).To(Equal([]string{object.ObjectID}))

	ref := `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + object.ObjectID + `"}`
	g.Expect(p.graph(token, "POST", "/v1.0/groups/"+pilot.ID+"/members/$ref", ref, nil)).To(Equal(http.StatusNoContent))
	var list graph.Collection[graph.DirectoryObject]
	g.Expect(p.graph(token, "GET", "/v1.0/devices/"+object.ObjectID+"/memberOf", "", &list)).To(Equal(http.StatusOK))
	g.Expect(list.Value).To(HaveLen(2))
	g.Expect(p.graph(token, "DELETE", "/v1.0/groups/"+pilot.ID+"/members/"+object.ObjectID+"/$ref", "", nil)).To(Equal(http.StatusNoContent))
	g.Expect(members(pilot.ID)).To(BeEmpty())
	g.Expect(p.graph(token, "DELETE", "/v1.0/groups/"+pilot.ID, "", nil)).To(Equal(http.StatusNoContent))
	g.Expect(p.graph(token, "GET", "/v1.0/groups/"+pilot.ID, "", &graph.Error{})).To(Equal(http.StatusNotFound))
	g.Expect(p.graph(token, "GET", "/v1.0/users/"+adele+"/memberOf", "", &list)).To(Equal(http.StatusOK))
}

func TestGraphPages(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	for i := range 5 {
		_, err := w.entra.Directory.PutUser(tenantID, graph.User{UserPrincipalName: string(rune('b'+i)) + "@contoso.com"}, password)
		g.Expect(err).NotTo(HaveOccurred())
	}
	token := w.appToken("contoso.com")
	path, seen := "/v1.0/users?$top=4&$count=true&$select=id,userPrincipalName", 0
	for pages := 0; path != ""; pages++ {
		var list graph.Collection[graph.User]
		g.Expect(w.graph(token, "GET", path, "", &list)).To(Equal(http.StatusOK))
		g.Expect(*list.Count).To(Equal(6))
		seen += len(list.Value)
		path = strings.TrimPrefix(list.NextLink, "https://"+graph.Host)
		g.Expect(pages).To(BeNumerically("<", 2))
	}
	g.Expect(seen).To(Equal(6))
}
