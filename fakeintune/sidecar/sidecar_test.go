package sidecar_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/sidecar"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	wire "windtunnel.test/sim/wire/sidecar"
)

const ada = "ada@contoso.example"

type world struct {
	*rig.Rig
	h         *sidecar.Service
	ca        *authority.Authorities
	device    tenant.ManagedDevice
	mdm       *x509.Certificate
	published map[string][]byte
	sizes     map[string]int64
}

func (w *world) Publish(path string, body []byte, size int64) {
	w.published[path], w.sizes[path] = body, size
}

func newWorld(t testing.TB) *world {
	t.Helper()
	r := rig.New(t)
	w := &world{Rig: r, published: map[string][]byte{}, sizes: map[string]int64{}}
	w.Directory.Users[ada] = tenant.DirectoryUser{ID: "oid-" + ada, UPN: ada, Licensed: true, Enabled: true}
	w.Directory.Users["oid-"+ada] = w.Directory.Users[ada]
	var err error
	if w.ca, err = authority.New(r.Service); err != nil {
		t.Fatal(err)
	}
	w.h = sidecar.New(sidecar.Options{Tenants: r.Service, Authorities: w.ca, Content: w})
	app := func(name string, as graph.RunAs, to graph.AssignmentTarget) graph.MobileApp {
		return graph.MobileApp{ODataType: graph.TypeWin32LobApp, DisplayName: name, Size: 1 << 20,
			Assignments: []graph.MobileAppAssignment{{Intent: graph.IntentRequired, Target: to}},
			Win32LobApp: &graph.Win32LobApp{InstallExperience: &graph.InstallExperience{RunAsAccount: as}, SetupFilePath: "setup.exe", Rules: []graph.Rule{
				{ODataType: graph.RuleRegistry, RuleType: graph.RuleTypeDetection, KeyPath: `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\` + name, OperationType: "exists"},
				{ODataType: graph.RuleFile, RuleType: graph.RuleTypeDetection, Path: `C:\Program Files\` + name, FileOrFolderName: "a.exe", OperationType: "exists"}}}}
	}
	w.Do(func(ctx context.Context) {
		if err := w.Tenant.Load(ctx, tenant.Resources{Apps: []graph.MobileApp{
			app("VPN", graph.RunAsSystem, graph.AllDevices()), app("Notes", graph.RunAsUser, graph.AllUsers()), app("Tools", graph.RunAsSystem, graph.AllUsers()),
		}}); err != nil {
			t.Error(err)
		}
		w.mdm, err = w.ca.MDM.Issue(w.Clock.Now(), &x509.Certificate{Subject: pkix.Name{CommonName: "one"}, NotAfter: w.Clock.Now().AddDate(1, 0, 0)}, pki.RSAKey(3).Public())
		if err != nil {
			t.Error(err)
		}
		w.device, err = w.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: graph.ManagedDevice{AzureADDeviceID: "dev-one"}, Kind: tenant.EnrolledWhiteGlove, Thumbprint: pki.Thumbprint(w.mdm)})
		if err != nil {
			t.Error(err)
		}
	})
	return w
}

const gateway = "https://" + hosts.SideCar + sidecar.Path

// agent gets the management extension's certificate.
func (w *world) agent() *x509.Certificate {
	w.T.Helper()
	rec := w.With(w.mdm, w.h, http.MethodPost, gateway+wire.CertificatePath, nil, w.CSR(pki.Key(1, "agent")))
	cert, err := x509.ParseCertificate(rec.Body.Bytes())
	if err != nil {
		w.T.Fatal(rec.Code, rec.Body, err)
	}
	return cert
}

// session makes an exchange and gives the answer's payload.
func (w *world) session(cert *x509.Certificate, kind wire.ContentType, token string, payload any) (string, int) {
	w.T.Helper()
	s, err := wire.NewSession("0f0f0f0f-0000-4000-8000-000000000001", kind, "Schedule", wire.ClientInfo{}, payload)
	if err != nil {
		w.T.Fatal(err)
	}
	body, err := s.Encode()
	if err != nil {
		w.T.Fatal(err)
	}
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	rec := w.With(cert, w.h, http.MethodPut, gateway+wire.SessionPath(s.SessionID), header, body)
	if rec.Code != http.StatusOK {
		return "", rec.Code
	}
	answer, err := wire.DecodeSession(rec.Body.Bytes())
	if err != nil || answer.ResponsePayload == nil {
		w.T.Fatal(rec.Body, err)
	}
	return *answer.ResponsePayload, rec.Code
}

func (w *world) apps(token string, r wire.AppRequest) []wire.App {
	w.T.Helper()
	payload, code := w.session(w.agent(), wire.GetSelectedApp, token, r)
	if code != http.StatusOK {
		w.T.Fatal(code, w.Refusals())
	}
	apps, err := wire.DecodeApps(payload)
	if err != nil {
		w.T.Fatal(err)
	}
	return apps
}

func names(apps []wire.App) []string {
	var out []string
	for _, a := range apps {
		out = append(out, a.Name)
	}
	return out
}

func TestLocation(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	rec := w.With(w.mdm, w.h, http.MethodGet, "https://"+hosts.IntuneLocation+wire.DiscoveryPath, nil, nil)
	g.Expect(wire.DecodeServiceAddresses(rec.Body.Bytes())).To(Equal(gateway))
	g.Expect(w.With(nil, w.h, http.MethodGet, "https://"+hosts.IntuneLocation+wire.DiscoveryPath, nil, nil).Code).To(Equal(401))
	g.Expect(w.With(w.mdm, w.h, http.MethodGet, "https://"+hosts.IntuneLocation+"/other", nil, nil).Code).To(Equal(404))
	g.Expect(w.With(w.mdm, w.h, http.MethodPost, "https://"+hosts.IntuneLocation+wire.DiscoveryPath, nil, nil).Code).To(Equal(405))
}

func TestAgentCertificate(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	cert := w.agent()
	g.Expect(cert.NotAfter).To(Equal(cert.NotBefore.AddDate(0, 6, 0)), "six calendar months")
	_, code := w.session(cert, wire.GetSelectedApp, "", wire.AppRequest{})
	g.Expect(code).To(Equal(200))
	w.Pass(cert.NotAfter.Sub(w.Clock.Now()))
	_, code = w.session(cert, wire.GetSelectedApp, "", wire.AppRequest{})
	g.Expect(code).To(Equal(200))
	w.Pass(time.Second)
	_, code = w.session(cert, wire.GetSelectedApp, "", wire.AppRequest{})
	g.Expect(code).To(Equal(401))
	g.Expect(w.With(w.mdm, w.h, http.MethodPost, gateway+wire.CertificatePath, nil, []byte("x")).Code).To(Equal(400))
}

func TestApps(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	device := w.apps("", wire.AppRequest{ESPPhase: wire.ESPDeviceSetup})
	g.Expect(names(device)).To(Equal([]string{"VPN"}))
	g.Expect(device[0].ESPConfiguration).To(BeFalse(), "no page is shown")
	g.Expect(device[0].TargetType).To(Equal(wire.TargetDevice))
	g.Expect(device[0].DetectionRule.Value).To(HaveLen(2))
	d, err := device[0].DetectionRule.Value[0].Detection()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.(wire.RegistryDetection).DetectionType).To(Equal(1))
	meaning, _ := wire.Meaning(device[0].ReturnCodes.Value, 3010)
	g.Expect(meaning).To(Equal(wire.ReturnSoftReboot))

	user := w.apps(w.UserToken(rig.TenantID, ada, "dev-one"), wire.AppRequest{ESPPhase: wire.ESPAccountSetup, User: true})
	g.Expect(names(user)).To(Equal([]string{"Notes", "Tools"}))
	g.Expect(user[0].InstallContext).To(Equal(wire.ContextUser))
	g.Expect(w.apps(w.DeviceToken(rig.TenantID, "dev-one"), wire.AppRequest{ESPPhase: wire.ESPAccountSetup, User: true})).To(BeEmpty(), "a device's token names no user")
}

// What an agent downloads opens with the key of the MDM certificate only, and
// holds an installer that leaves what the detection rules look for.
func TestContent(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	cert := w.agent()
	app := w.apps("", wire.AppRequest{})[0]
	ask := func(blob []byte, id string) (string, int) {
		return w.session(cert, wire.GetContentInfo, "", wire.Content{ApplicationID: id, ApplicationVersion: 1, CertificateBlob: blob})
	}
	payload, code := ask(w.mdm.Raw, app.ID)
	g.Expect(code).To(Equal(200))
	c, err := wire.DecodeContent(payload)
	g.Expect(err).NotTo(HaveOccurred())
	location, sealed, err := c.Location()
	g.Expect(err).NotTo(HaveOccurred())
	path := strings.TrimPrefix(location, "https://"+hosts.ContentCDN)
	g.Expect(w.sizes).To(HaveKeyWithValue(path, int64(1<<20)))
	info, err := wire.OpenDecryptInfo(w.mdm, crypto.Decrypter(pki.RSAKey(3)), sealed)
	g.Expect(err).NotTo(HaveOccurred())
	plain, err := wire.DecryptContent(info, w.published[path])
	g.Expect(err).NotTo(HaveOccurred())
	setup, err := wire.ReadSetup(plain, app.SetupFile)
	g.Expect(err).NotTo(HaveOccurred())
	m, err := installer.Decode(setup)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.Product).To(Equal("VPN"))
	g.Expect(m.Files).To(ConsistOf(`C:\Program Files\VPN\a.exe`))

	delete(w.published, path)
	_, code = ask(w.mdm.Raw, app.ID)
	g.Expect(code).To(Equal(200))
	g.Expect(w.published).To(BeEmpty(), "once a version")

	_, code = ask(cert.Raw, app.ID)
	g.Expect(code).To(Equal(403), "content for a certificate that is not the device's")
	_, code = ask(w.mdm.Raw, "no")
	g.Expect(code).To(Equal(404))
	g.Expect(w.Refusals()).To(ConsistOf("content certificate Forbidden", "app Not Found"))
}

func TestReport(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	payload, err := wire.EncodeStatus([]wire.AppStatus{{ApplicationID: "a", EnforcementState: wire.EnforcementSuccess, Detected: true, TimestampUTC: "2026-09-01T10:00:00Z"}})
	g.Expect(err).NotTo(HaveOccurred())
	_, code := w.session(w.agent(), wire.StatusReport, "", json.RawMessage(payload))
	g.Expect(code).To(Equal(200))
	m, err := w.Tenant.Device(w.device.ID)
	g.Expect(err).NotTo(HaveOccurred())
	st, ok := m.App("a", "")
	g.Expect(ok).To(BeTrue())
	g.Expect(st.State).To(Equal(1000))
	g.Expect(st.At.Hour()).To(Equal(10))
}

func TestRefusals(t *testing.T) {
	user := wire.AppRequest{ESPPhase: wire.ESPAccountSetup, User: true}
	for _, tc := range []struct {
		name    string
		cert    func(*world) *x509.Certificate
		token   func(*world) string
		kind    wire.ContentType
		payload any
		status  int
		check   string
	}{
		{name: "no certificate", cert: func(*world) *x509.Certificate { return nil }, status: 401, check: "client certificate missing"},
		{name: "certificate of another authority", cert: func(w *world) *x509.Certificate { return w.foreign() }, status: 403, check: "client certificate issuer"},
		{name: "certificate that was replaced", cert: func(w *world) *x509.Certificate {
			old := w.agent()
			w.Pass(time.Hour)
			w.agent()
			return old
		}, status: 403, check: "client certificate device"},
		{name: "no token", payload: user, status: 401, check: "token"},
		{name: "forged token", token: func(w *world) string { return w.ForgedDeviceToken(rig.TenantID, "dev-one") }, payload: user, status: 401, check: "token"},
		{name: "token of another tenant", token: func(w *world) string { return w.UserToken(rig.OtherID, "eve@fabrikam.example", "") }, payload: user, status: 401, check: "token tenant"},
		{name: "token of another device", token: func(w *world) string { return w.UserToken(rig.TenantID, ada, "dev-two") }, payload: user, status: 401, check: "token device"},
		{name: "token of an unknown user", token: func(w *world) string { return w.UserToken(rig.TenantID, "eve@contoso.example", "dev-one") }, payload: user, status: 401, check: "token user"},
		{name: "unknown request", kind: "PolicyUpload", status: 501, check: "content type not modelled"},
		{name: "forged token for scripts", kind: wire.PolicyRequest, token: func(w *world) string { return w.ForgedDeviceToken(rig.TenantID, "dev-one") }, status: 401, check: "token"},
		{name: "an app that is not offered", kind: wire.RequestApplication, payload: wire.ApplicationRequest{ApplicationID: "x"}, status: 404, check: "app"},
		{name: "no app", kind: wire.RequestApplication, payload: wire.ApplicationRequest{}, status: 400, check: "payload"},
		{name: "unknown phase", payload: map[string]int{"EspPhase": 7}, status: 400, check: "payload"},
		{name: "report of nothing", kind: wire.StatusReport, payload: []wire.AppStatus{{}}, status: 400, check: "payload"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			var cert *x509.Certificate
			token, kind := "", tc.kind
			if tc.cert != nil {
				cert = tc.cert(w)
			} else {
				cert = w.agent()
			}
			if tc.token != nil {
				token = tc.token(w)
			}
			if kind == "" {
				kind = wire.GetSelectedApp
			}
			_, code := w.session(cert, kind, token, tc.payload)
			g.Expect(code).To(Equal(tc.status))
			g.Expect(w.Refusals()).To(ConsistOf(tc.check + " " + http.StatusText(tc.status)))
		})
	}
}

func FuzzSession(f *testing.F) {
	w := newWorld(f)
	cert := w.agent()
	f.Add(`{"SessionId":"a","RequestContentType":"GetSelectedApp","RequestPayload":"[]"}`, "a")
	f.Add(`{"SessionId":"a","RequestContentType":"GetContentInfo","RequestPayload":"{}"}`, "a")
	f.Fuzz(func(t *testing.T, body, id string) {
		w.T = t
		if strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("%?#\"", r) }) >= 0 {
			return
		}
		w.With(cert, w.h, http.MethodPut, gateway+wire.SessionPath(id), nil, []byte(body))
	})
}
