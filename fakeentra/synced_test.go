package fakeentra_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/dirsync"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// raw is the one device that Graph finds by that id, member by member.
func (w *world) raw(deviceID string) map[string]any {
	w.t.Helper()
	var list graph.Collection[map[string]any]
	status := w.graph(w.appToken("contoso.com"), "GET", "/v1.0/devices?$filter="+url.QueryEscape("deviceId eq '"+deviceID+"'"), "", &list)
	NewWithT(w.t).Expect(status).To(Equal(http.StatusOK))
	NewWithT(w.t).Expect(list.Value).To(HaveLen(1))
	return list.Value[0]
}

// A synchronised computer is pending in Graph until it claims its object; Entra
// ID says nothing about its compliance before its management service does.
func TestGraphShowsSyncedComputers(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.synced()
	d := w.raw(computerGUID)
	g.Expect(d["registrationDateTime"]).To(BeNil(), "pending")
	g.Expect(d).To(HaveKeyWithValue("trustType", graph.TrustHybrid))
	g.Expect(d).To(HaveKeyWithValue("onPremisesSyncEnabled", true))
	g.Expect(d).To(HaveKeyWithValue("onPremisesSecurityIdentifier", computerSID))
	g.Expect(d).To(HaveKeyWithValue("accountEnabled", true))
	g.Expect(d["onPremisesLastSyncDateTime"]).NotTo(BeNil())
	g.Expect(d["isCompliant"]).To(BeNil())

	_, refused := w.claim(claimOf(t, pki.RSAKey(keyTransport), computerSID, w.now))
	g.Expect(refused).To(BeNil())
	d = w.raw(computerGUID)
	g.Expect(d["registrationDateTime"]).NotTo(BeNil())
	g.Expect(d).To(HaveKeyWithValue("profileType", "RegisteredDevice"))
	g.Expect(d).To(HaveKeyWithValue("trustType", graph.TrustHybrid))
	g.Expect(d["isCompliant"]).To(BeNil())
	_, err := w.entra.Directory.SetCompliance(tenantID, computerGUID, tenant.Yes, tenant.Yes)
	must(t, err)
	g.Expect(w.raw(computerGUID)).To(HaveKeyWithValue("isCompliant", true))
}

// A user of the directory is marked as one, with what it is there.
func TestGraphShowsSyncedUsers(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	must(t, w.entra.Directory.SyncUser(tenant.SyncedUser{TenantID: tenantID, UPN: adele, Anchor: "AAECAwQFBgcICQoLDA0ODw==", SAM: "adele",
		SID: "S-1-5-21-1-2-3-1105", DN: "CN=Adele,DC=corp,DC=contoso,DC=com"}))
	var user map[string]any
	g.Expect(w.graph(w.appToken("contoso.com"), "GET", "/v1.0/users/"+adele, "", &user)).To(Equal(http.StatusOK))
	for name, value := range map[string]any{
		"onPremisesSyncEnabled": true, "onPremisesImmutableId": "AAECAwQFBgcICQoLDA0ODw==", "onPremisesSamAccountName": "adele",
		"onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1105", "onPremisesDistinguishedName": "CN=Adele,DC=corp,DC=contoso,DC=com",
	} {
		g.Expect(user).To(HaveKeyWithValue(name, value))
	}
}

// Where a policy demands a hybrid joined device, the user of a computer that has
// claimed its object is let through, and nobody else.
func TestPolicyDemandsHybridDevice(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.put(policy("domain PCs", "OR", graph.ControlDomainJoined))
	user, err := w.entra.Directory.User(tenantID, adele)
	must(t, err)
	from := func(deviceID string) oauth.AADSTS {
		return w.entra.Directory.Decide(tenant.SignIn{TenantID: tenantID, UserID: user.Resource.ID, ClientID: oauth.ClientBroker, Resource: oauth.ResourceGraph,
			DeviceID: deviceID, Methods: []string{"pwd"}, Platform: "windows"}).Refused
	}
	g.Expect(from("")).To(Equal(oauth.DeviceNotJoined))
	w.synced()
	g.Expect(from(computerGUID)).To(Equal(oauth.DeviceNotJoined), "pending")
	_, refused := w.claim(claimOf(t, pki.RSAKey(keyTransport), computerSID, w.now))
	g.Expect(refused).To(BeNil())
	g.Expect(from(computerGUID)).To(BeZero())
	_, _, err = w.entra.Directory.SyncComputer(tenant.SyncedComputer{TenantID: tenantID, GUID: computerGUID, SID: computerSID, Name: "AP-1",
		Certificate: selfSigned(t, w.now, pki.RSAKey(keyTransport))})
	must(t, err)
	g.Expect(from(computerGUID)).To(Equal(oauth.DeviceNotJoined), "disabled in Active Directory")
}

// An Entra joined device is none of a domain.
func TestPolicyDemandsMoreThanEntraJoin(t *testing.T) {
	g, p := NewWithT(t), joined(t)
	p.put(policy("domain PCs", "OR", graph.ControlDomainJoined))
	token, key, refused := p.prtOf(adele, password)
	g.Expect(refused).To(BeNil())
	_, refused = p.usePRT(token, key, func(r *oauth.BoundRequest) { r.Resource = oauth.ResourceGraph })
	g.Expect(refused.Code()).To(Equal(oauth.DeviceNotJoined))
}

// A directory sync with the role learns which computers it has brought, and not
// which devices came otherwise.
func TestImportNamesSyncedComputers(t *testing.T) {
	g, p := NewWithT(t), joined(t)
	p.synced()
	ask := func() (int, dirsync.Import) {
		r := httptest.NewRequest(http.MethodGet, dirsync.ImportURL, nil)
		r.Header.Set("Authorization", "Bearer "+p.userToken(dirsync.Resource))
		status, body := p.do(p.entra.Provisioning, r)
		var out dirsync.Import
		must(t, json.Unmarshal(body, &out))
		return status, out
	}
	status, _ := ask()
	g.Expect(status).To(Equal(http.StatusForbidden))
	_, err := p.entra.Directory.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.Roles = []string{dirsync.Role}; return nil })
	must(t, err)
	status, out := ask()
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(out.Computers).To(Equal([]string{computerGUID}))
	status, _ = p.do(p.entra.Provisioning, httptest.NewRequest(http.MethodGet, dirsync.ImportURL, nil))
	g.Expect(status).To(Equal(http.StatusUnauthorized))
}

// Each kind of refused claim is an HTTP 400 with a body that tells why.
func TestRefusedClaimsAreBadRequests(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	for _, code := range []string{drs.DirectoryError, drs.AuthenticationError} {
		body, err := json.Marshal(claimOf(t, pki.RSAKey(keyForeign), computerSID, w.now))
		must(t, err)
		status, raw := w.do(w.entra.DRS, httptest.NewRequest(http.MethodPut, drs.SyncJoinURL(nil, computerGUID), bytes.NewReader(body)))
		g.Expect(status).To(Equal(http.StatusBadRequest))
		var answer drs.ErrorDetails
		must(t, json.Unmarshal(raw, &answer))
		g.Expect(answer.Code).To(Equal(code))
		w.synced() // now the object is there, and the key another
	}
}
