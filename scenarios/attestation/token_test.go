package attestation_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	entra "windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
)

// Another customer of the same Entra ID, with an administrator's application
// of its own; the application of that id is in the attacked tenant as well.
const (
	fabrikam  = "99999999-9c0b-4b7e-8a64-0f2c51d7e9ab"
	scripts   = "11111111-2222-4333-8444-555555555555"
	password  = "Cloudy-Day-9"
	stranger  = "mallory@fabrikam.com"
	notCalled = "the administrator's scripts"
)

// addTenants registers the application, and brings the stranger's tenant in.
func addTenants(w *spec.World) {
	GinkgoHelper()
	d := w.Entra.Directory
	_, err := d.LoadOrganization(graph.Organization{ID: fabrikam, DisplayName: "Fabrikam", VerifiedDomains: []graph.VerifiedDomain{{Name: "fabrikam.com", IsDefault: true}}})
	Expect(err).NotTo(HaveOccurred())
	_, err = d.PutUser(fabrikam, graph.User{UserPrincipalName: stranger, DisplayName: "Mallory"}, password)
	Expect(err).NotTo(HaveOccurred())
	for _, t := range []string{fabrikam, w.Tenant.ID} {
		Expect(d.PutApp(entra.App{TenantID: t, ClientID: scripts, Name: notCalled, Secret: password})).To(Succeed())
	}
}

// appToken is a genuine token for Graph of a tenant's application.
func appToken(win *device.Windows, tenant string) string {
	GinkgoHelper()
	form := oauth.TokenRequest{GrantType: oauth.GrantClient, ClientID: scripts, ClientSecret: password, Scope: oauth.ResourceGraph + "/.default"}.Form()
	return tokenAt(win, tenant+"/oauth2/v2.0/token", form.Encode())
}

// userToken is a genuine token of the stranger for a resource.
func userToken(win *device.Windows, resource string) string {
	GinkgoHelper()
	form := oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker, Username: stranger, Password: password, Resource: resource, Scope: "openid"}.Form()
	return tokenAt(win, fabrikam+"/oauth2/token", form.Encode())
}

func tokenAt(win *device.Windows, path, form string) string {
	GinkgoHelper()
	resp := send(win, http.MethodPost, "https://"+hosts.Login+"/"+path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form))
	Expect(resp.Status).To(Equal(http.StatusOK), string(resp.Body))
	var t oauth.TokenResponse
	Expect(json.Unmarshal(resp.Body, &t)).To(Succeed())
	return t.AccessToken
}

// forgeries turn a genuine token into one that its issuer did not sign.
var forgeries = []struct {
	name  string
	forge func(win *device.Windows, genuine string) string
}{
	{"signed by the attacker's own key", func(win *device.Windows, genuine string) string {
		var claims oauth.Claims
		Expect(json.Unmarshal(part(genuine, 1), &claims)).To(Succeed())
		key := pki.RSAKey(keyOther)
		root, err := pki.NewRoot(win.Now(), 99, "rogue issuer", pki.Options{})
		Expect(err).NotTo(HaveOccurred())
		signer, err := oauth.NewSigner(key, root.Cert.Raw)
		Expect(err).NotTo(HaveOccurred())
		token, err := signer.Sign(claims)
		Expect(err).NotTo(HaveOccurred())
		_, rest, _ := strings.Cut(token, ".")
		signed, _, _ := strings.Cut(genuine, ".") // the header names the real issuer's key
		return signed + "." + rest
	}},
	{"with a claim changed", func(_ *device.Windows, genuine string) string {
		parts := strings.Split(genuine, ".")
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(part(genuine, 1)), `"exp":1`, `"exp":2`, 1)))
		return strings.Join(parts, ".")
	}},
	{"that says it needs no signature", func(_ *device.Windows, genuine string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + strings.Split(genuine, ".")[1] + "."
	}},
}

// part decodes a part of a token.
func part(token string, n int) []byte {
	GinkgoHelper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	Expect(err).NotTo(HaveOccurred())
	return b
}

// askGraph makes a call with a token and gives status and error code.
func askGraph(win *device.Windows, method, path, token string) (int, string) {
	GinkgoHelper()
	resp := send(win, method, "https://"+hosts.Graph+path, http.Header{"Authorization": {"Bearer " + token}}, nil)
	var e graph.Error
	if resp.Status/100 != 2 {
		Expect(json.Unmarshal(resp.Body, &e)).To(Succeed())
	}
	return resp.Status, e.Error.Code
}

var _ = Describe("an access token", func() {
	var (
		w       *spec.World
		rogue   *device.PC
		managed string // path of the PC's registration in Graph
		object  string // path of its device object
		mine    string // the device's own token for the MDM
		ztdID   string
		before  string
	)
	BeforeEach(func() {
		w = spec.NewWorld()
		addTenants(w)
		rogue = w.NewRegisteredPC()
		mine = joined(w, rogue)
		identity := w.Identity(rogue)
		ztdID = identity.ID
		managed = "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/" + ztdID
		for _, d := range w.Entra.Directory.Devices(w.Tenant.ID) {
			object = "/v1.0/devices/" + d.ObjectID
		}
		before = state(w)
	})

	for _, f := range forgeries {
		It(f.name+" opens nothing", func() {
			w.Boot(rogue, func(win *device.Windows) {
				admin := appToken(win, w.Tenant.ID)
				status, _ := askGraph(win, http.MethodGet, managed, admin)
				Expect(status).To(Equal(http.StatusOK), "the genuine token is good")
				for _, path := range []string{managed, object} {
					status, code := askGraph(win, http.MethodDelete, path, f.forge(win, admin))
					Expect(status).To(Equal(http.StatusUnauthorized))
					Expect(code).To(Equal(graph.CodeInvalidToken))
				}
				fault := newEnrolment(win, f.forge(win, mine), ztdID).send()
				Expect(fault).NotTo(BeNil(), "the device was enrolled")
				Expect(fault.Code()).To(Equal(hresult.EnrollAuthentication))

				alex := w.User("alex")
				session, err := join.SignIn(win, alex.UPN, alex.Password)
				Expect(err).NotTo(HaveOccurred())
				session.DRSToken = f.forge(win, session.DRSToken)
				code, _ := hresult.CodeOf(join.JoinAsUser(win, tenantOf(w), session))
				Expect(code).To(Equal(hresult.JoinAuthentication))
			})
			expectRefused(w, rogue,
				refused{"fakeintune/graph", "DELETE deviceManagement/windowsAutopilotDeviceIdentities/{id}", "token", "401 " + graph.CodeInvalidToken},
				refused{"directory", "graph.devices.delete", "token", graph.CodeInvalidToken},
				refused{"fakeintune/enroll", "enroll.enrol", "token", hresult.EnrollAuthentication.Hex()},
				refused{"drs", "drs.join", "token", hresult.JoinAuthentication.Hex()})
			Expect(state(w)).To(Equal(before))
		})
	}

	It("for one resource opens no other", func() {
		w.Boot(rogue, func(win *device.Windows) {
			status, code := askGraph(win, http.MethodDelete, managed, mine)
			Expect(status).To(Equal(http.StatusUnauthorized))
			Expect(code).To(Equal(graph.CodeInvalidToken))
			fault := newEnrolment(win, appToken(win, w.Tenant.ID), ztdID).send()
			Expect(fault).NotTo(BeNil(), "the device was enrolled")
			Expect(fault.Code()).To(Equal(hresult.EnrollAuthentication))
		})
		Expect(w.Texts(rogue, "refused", "check")).To(Equal([]string{"token", "token"}))
		Expect(state(w)).To(Equal(before))
	})

	It("of a foreign tenant that is no customer of Intune is refused everywhere", func() {
		w.Boot(rogue, func(win *device.Windows) {
			status, code := askGraph(win, http.MethodDelete, managed, appToken(win, fabrikam))
			Expect(status).To(Equal(http.StatusUnauthorized))
			Expect(code).To(Equal(graph.CodeInvalidToken))
			fault := newEnrolment(win, userToken(win, oauth.ResourceMDM), ztdID).send()
			Expect(fault).NotTo(BeNil(), "the device was enrolled")
			Expect(fault.Code()).To(Equal(hresult.EnrollAuthentication))
			code2, _ := hresult.CodeOf(join.JoinAsUser(win, tenantOf(w), &join.Session{UPN: stranger, DRSToken: userToken(win, drs.Resource)}))
			Expect(code2).To(Equal(hresult.JoinAuthorization))
		})
		expectRefused(w, rogue,
			refused{"fakeintune/graph", "DELETE deviceManagement/windowsAutopilotDeviceIdentities/{id}", "tenant", "401 " + graph.CodeInvalidToken},
			refused{"fakeintune/enroll", "enroll.enrol", "token tenant", hresult.EnrollAuthentication.Hex()},
			refused{"drs", "drs.join", "target domain", hresult.JoinAuthorization.Hex()})
		Expect(state(w)).To(Equal(before))
	})

	It("of a foreign tenant that is a customer sees nothing of this one", func() {
		_, err := w.Intune.Service().Add(fabrikam, "fabrikam.com")
		Expect(err).NotTo(HaveOccurred())
		w.Boot(rogue, func(win *device.Windows) {
			theirs := appToken(win, fabrikam)
			for _, path := range []string{managed, object} {
				for _, method := range []string{http.MethodGet, http.MethodDelete} {
					status, _ := askGraph(win, method, path, theirs)
					Expect(status).To(Equal(http.StatusNotFound), "%s %s", method, path)
				}
			}
			resp := send(win, http.MethodGet, "https://"+hosts.Graph+"/v1.0/deviceManagement/windowsAutopilotDeviceIdentities", http.Header{"Authorization": {"Bearer " + theirs}}, nil)
			var list graph.Collection[graph.AutopilotDevice]
			Expect(json.Unmarshal(resp.Body, &list)).To(Succeed())
			Expect(list.Value).To(BeEmpty())
			fault := newEnrolment(win, userToken(win, oauth.ResourceMDM), ztdID).send()
			Expect(fault).NotTo(BeNil(), "the device was enrolled")
			Expect(fault.Code()).To(BeElementOf(hresult.EnrollAuthorization, hresult.EnrollUserLicense))
		})
		Expect(w.Texts(rogue, "refused", "service")).To(Equal([]string{"fakeintune/enroll"}), "what does not exist is an answer, not a refusal")
		Expect(state(w)).To(Equal(before))
	})
})
