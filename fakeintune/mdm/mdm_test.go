package mdm_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/mdm"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/syncml"
)

const (
	ada     = "ada@contoso.example"
	address = "https://" + hosts.OMADM + enroll.OMADMPath + "?mode=Maintenance&Platform=WoA"
)

// world is a rig with a tenant that has a bit of everything, and one device.
type world struct {
	*rig.Rig
	h         *mdm.Service
	ca        *authority.Authorities
	published map[string]int64
	ended     []mdm.Ended
}

func (w *world) Publish(path string, _ []byte, size int64) { w.published[path] = size }

func newWorld(t testing.TB) *world {
	t.Helper()
	return furnish(rig.New(t))
}

// furnish puts into a rig what these tests want of it.
func furnish(r *rig.Rig) *world {
	t := r.T
	t.Helper()
	w := &world{Rig: r, published: map[string]int64{}}
	w.Directory.Users[ada] = tenant.DirectoryUser{ID: "oid-" + ada, UPN: ada, Licensed: true, Enabled: true}
	w.Directory.Users["oid-"+ada] = w.Directory.Users[ada]
	var err error
	if w.ca, err = authority.New(r.Service); err != nil {
		t.Fatal(err)
	}
	if w.h, err = mdm.New(mdm.Options{Tenants: r.Service, Authorities: w.ca, Content: w, SessionEnded: func(_ context.Context, e mdm.Ended) { w.ended = append(w.ended, e) }}); err != nil {
		t.Fatal(err)
	}
	devices, users := []graph.Assignment{{Target: graph.AllDevices()}}, []graph.Assignment{{Target: graph.AllUsers()}}
	w.load(tenant.Resources{
		StatusPages: []graph.EnrollmentStatusPage{{ODataType: graph.TypeESP, DisplayName: "Page", ShowInstallationProgress: true, AllowDeviceResetOnInstallFailure: true,
			InstallProgressTimeoutInMinutes: 45, Assignments: devices}},
		Configurations: []graph.DeviceConfiguration{
			custom("device policies", devices, "./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana", "./Device/Vendor/MSFT/Policy/Config/Browser/AllowPopups", "./User/Vendor/MSFT/Policy/Config/Start/HideLock"),
			custom("user policies", users, "./User/Vendor/MSFT/Policy/Config/Start/HideSleep"),
			{ODataType: graph.TypePKCSCertificate, DisplayName: "wifi", Assignments: devices, CertificateProfile: &graph.CertificateProfile{}, PKCSCertificate: &graph.PKCSCertificate{CertificateStore: "machine"}},
		},
		Apps: []graph.MobileApp{
			{ODataType: graph.TypeWin32LobApp, DisplayName: "VPN"},
			{ODataType: graph.TypeMobileMSI, DisplayName: "Line of business", FileName: "lob one.msi", Size: 1 << 30, WindowsMobileMSI: &graph.WindowsMobileMSI{ProductCode: "{11111111-0000-4000-8000-000000000001}", ProductVersion: "2.0", UseDeviceContext: true},
				Assignments: []graph.MobileAppAssignment{{Intent: graph.IntentRequired, Target: graph.AllDevices()}}},
		},
	})
	return w
}

func custom(name string, to []graph.Assignment, uris ...string) graph.DeviceConfiguration {
	c := graph.DeviceConfiguration{ODataType: graph.TypeCustomConfiguration, DisplayName: name, Assignments: to, CustomConfiguration: &graph.CustomConfiguration{}}
	for _, uri := range uris {
		c.OmaSettings = append(c.OmaSettings, graph.OmaSetting{ODataType: "#microsoft.graph.omaSettingInteger", OmaURI: uri, Value: 1})
	}
	return c
}

func (w *world) load(r tenant.Resources) {
	w.T.Helper()
	w.Do(func(ctx context.Context) {
		if err := w.Tenant.Load(ctx, r); err != nil {
			w.T.Error(err)
		}
	})
}

// pc is the other end: a device that takes everything and remembers it.
type pc struct {
	w     *world
	id    string
	cert  *x509.Certificate
	nodes map[string]string
	count int
	order []string // what the last session set, asked and executed
}

func (w *world) enroll(kind tenant.EnrollmentKind, name string) *pc {
	w.T.Helper()
	p := &pc{w: w, nodes: map[string]string{}}
	w.Do(func(ctx context.Context) {
		cert, err := w.ca.MDM.Issue(w.Clock.Now(), &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: w.Clock.Now().AddDate(1, 0, 0)}, pki.Key(1, name).Public())
		if err != nil {
			w.T.Error(err)
			return
		}
		m, err := w.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: graph.ManagedDevice{AzureADDeviceID: "dev-" + name}, Kind: kind, Thumbprint: pki.Thumbprint(cert)})
		if err != nil {
			w.T.Error(err)
		}
		p.id, p.cert = m.ID, cert
	})
	return p
}

// sync runs a session and gives the status of the last answer.
func (p *pc) sync(init syncml.Initiation, token string) int {
	p.w.T.Helper()
	p.count, p.order = p.count+1, nil
	init.SessionID, init.Server, init.Device = string(rune('a'+p.count)), address, p.id
	init.DevInfo = syncml.DevInfo{DevID: p.id, Man: "Contoso", Mod: "Aero", DmV: "1.3", Lang: "en-US"}
	next := init.Message()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	for n := 1; n < 10; n++ {
		next.Number()
		rec := p.w.With(p.cert, p.w.h, http.MethodPost, address, header, next.Encode())
		if rec.Code != http.StatusOK {
			return rec.Code
		}
		m, err := syncml.Decode(rec.Body.Bytes())
		if err != nil {
			p.w.T.Fatal(err)
		}
		if m.EndsSession() {
			return rec.Code
		}
		next = p.answer(m, n+1)
	}
	p.w.T.Fatal("the session does not end")
	return 0
}

func (p *pc) answer(m *syncml.Message, msgID int) *syncml.Message {
	out := &syncml.Message{Final: true, Header: syncml.Header{SessionID: m.Header.SessionID, MsgID: msgID, Source: p.id, Target: address}}
	out.Append(syncml.HeaderStatus(m, syncml.OK))
	for i := range m.Commands {
		c := &m.Commands[i]
		if c.Verb == syncml.Status {
			continue
		}
		if c.Verb == syncml.Atomic {
			for _, inner := range c.Commands {
				uri, _ := csp.Canonical(inner.Items[0].Target)
				p.order = append(p.order, "Atomic "+string(inner.Verb)+" "+uri)
				p.nodes[uri] = inner.Items[0].Data
			}
			out.Append(syncml.StatusFor(m, c, syncml.OK))
			continue
		}
		uri, err := csp.Canonical(c.Items[0].Target)
		if err != nil {
			p.w.T.Error(err)
		}
		p.order = append(p.order, string(c.Verb)+" "+uri)
		switch c.Verb {
		case syncml.Get:
			value, ok := p.nodes[uri]
			if !ok {
				out.Append(syncml.StatusFor(m, c, syncml.NotFound))
				continue
			}
			out.Append(syncml.StatusFor(m, c, syncml.OK), syncml.ResultsFor(m, c, syncml.Item{Source: uri, Data: value}))
		case syncml.Exec:
			p.nodes[strings.Replace(uri, "/DownloadInstall", "/Status", 1)] = "70"
			p.nodes[uri] = c.Items[0].Data
			out.Append(syncml.StatusFor(m, c, syncml.AcceptedForProcessing))
		default:
			p.nodes[uri] = c.Items[0].Data
			out.Append(syncml.StatusFor(m, c, syncml.OK))
		}
	}
	return out
}

func (p *pc) node(scope csp.Scope, name string) string {
	uri, err := csp.Canonical(csp.FirstSyncStatus(scope, name))
	if err != nil {
		p.w.T.Fatal(err)
	}
	return p.nodes[uri]
}

func (p *pc) device() tenant.ManagedDevice {
	m, err := p.w.Tenant.Device(p.id)
	if err != nil {
		p.w.T.Fatal(err)
	}
	return m
}

var (
	bootstrap = syncml.Initiation{Login: syncml.LoginNone, BootstrapSync: syncml.BootstrapDevice}
	scheduled = syncml.Initiation{Login: syncml.LoginNone}
	userFirst = syncml.Initiation{Login: syncml.LoginUser, BootstrapSync: syncml.BootstrapUser}
)

const agentStatus = "./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7B5E9F4F3A-61A1-4E1B-9C53-0A8D4C6E2B71%7D/Status"

func TestFirstSessions(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	p.nodes[csp.DevDetailSMBIOSSerial] = "SER-1"
	canonical, _ := csp.Canonical(csp.DevDetailSMBIOSSerial)
	p.nodes[canonical] = "SER-1"
	g.Expect(w.h.Technician(p.device())).To(BeTrue())
	g.Expect(p.sync(bootstrap, "")).To(Equal(200))

	g.Expect(p.node(csp.Device, csp.TimeOutUntilSyncFailure)).To(Equal("45"))
	g.Expect(p.node(csp.Device, csp.BlockInStatusPage)).To(Equal("3"), "reset and try again")
	g.Expect(p.node(csp.Device, csp.SkipDeviceStatusPage)).To(Equal("false"))
	g.Expect(p.node(csp.Device, csp.ServerHasFinishedProvisioning)).To(Equal("true"))
	g.Expect(csp.SplitList(p.node(csp.Device, csp.ExpectedPolicies))).To(ConsistOf("./Device/Vendor/MSFT/Policy/Config/Browser/AllowPopups"))
	g.Expect(p.node(csp.Device, csp.ExpectedMSIAppPackages)).To(HaveSuffix("000000000001%7D/Status;1"), "the management extension is a provider, not an app")
	g.Expect(csp.SplitList(p.node(csp.Device, csp.ExpectedPFXCerts))).To(HaveLen(1))
	g.Expect(p.nodes).To(HaveKeyWithValue("./Device/Vendor/MSFT/EnrollmentStatusTracking/DevicePreparation/PolicyProviders/Sidecar/InstallationState", "1"))
	g.Expect(p.nodes).NotTo(HaveKey(ContainSubstring("./User")))
	g.Expect(w.published).To(HaveKey("/IntuneWindowsAgent.msi"))
	g.Expect(w.published).To(HaveLen(2))
	g.Expect(p.nodes).To(ContainElement(ContainSubstring("lob%20one.msi")))
	last := p.order[len(p.order)-1]
	g.Expect(last).To(HaveSuffix(csp.ServerHasFinishedProvisioning), "after everything else")

	m := p.device()
	g.Expect(m.DeviceSent).To(BeTrue())
	g.Expect(m.SerialNumber).To(Equal("SER-1"))
	g.Expect(m.Settings).To(HaveLen(3))
	g.Expect(w.ended).To(ConsistOf(mdm.Ended{Tenant: w.ended[0].Tenant, DeviceID: p.id, Complete: true, Changed: true, Technician: true}))

	g.Expect(p.sync(bootstrap, "")).To(Equal(200))
	g.Expect(p.order).To(HaveLen(3), "only the probe and the two open jobs: %v", p.order)
	g.Expect(p.order).To(ContainElement("Get " + agentStatus))
	g.Expect(p.device().Apps).To(HaveLen(2))
	g.Expect(p.sync(scheduled, "")).To(Equal(200))
	g.Expect(p.order).To(BeEmpty())
}

func TestChangesAreSentOnce(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	p.sync(bootstrap, "")
	p.sync(scheduled, "")
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{custom("late", []graph.Assignment{{Target: graph.AllDevices()}}, "./Device/Vendor/MSFT/Policy/Config/Camera/AllowCamera")}})
	p.sync(scheduled, "")
	g.Expect(p.order).To(ConsistOf("Replace ./Device/Vendor/MSFT/Policy/Config/Camera/AllowCamera"))
	p.sync(scheduled, "")
	g.Expect(p.order).To(BeEmpty())
	c := w.Tenant.Configurations().List()
	late := c[slices.IndexFunc(c, func(c graph.DeviceConfiguration) bool { return c.DisplayName == "late" })]
	w.Do(func(ctx context.Context) {
		_, err := w.Tenant.Configurations().Update(ctx, late.ID, func(c *graph.DeviceConfiguration) error {
			settings := slices.Clone(c.OmaSettings)
			settings[0].Value = 0
			c.CustomConfiguration = &graph.CustomConfiguration{OmaSettings: settings}
			return nil
		})
		g.Expect(err).NotTo(HaveOccurred())
	})
	p.sync(scheduled, "")
	g.Expect(p.order).To(HaveLen(1))
}

func TestResealedDeviceGetsEverythingAgain(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	p.sync(bootstrap, "")
	first := slices.Clone(p.order)
	for uri := range p.nodes {
		if strings.Contains(uri, "FirstSyncStatus") {
			delete(p.nodes, uri)
		}
	}
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{custom("late", []graph.Assignment{{Target: graph.AllDevices()}}, "./Device/Vendor/MSFT/Policy/Config/Camera/AllowCamera")}})
	p.sync(bootstrap, "")
	g.Expect(p.order).To(ContainElements(first))
	g.Expect(p.order).To(ContainElement("Replace ./Device/Vendor/MSFT/Policy/Config/Camera/AllowCamera"))
	g.Expect(p.node(csp.Device, csp.ServerHasFinishedProvisioning)).To(Equal("true"))
	g.Expect(w.h.Technician(p.device())).To(BeFalse())
}

func TestUserSession(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	p.sync(bootstrap, "")
	g.Expect(p.sync(userFirst, w.UserToken(rig.TenantID, ada, "dev-one"))).To(Equal(200))
	g.Expect(p.order[0]).To(Equal("Add ./User/Vendor/MSFT/DMClient/Provider/MS%20DM%20Server/FirstSyncStatus"))
	g.Expect(p.order).To(ContainElements("Replace ./User/Vendor/MSFT/Policy/Config/Start/HideLock", "Replace ./User/Vendor/MSFT/Policy/Config/Start/HideSleep"))
	g.Expect(p.order).NotTo(ContainElement(ContainSubstring("AllowCortana")))
	g.Expect(p.node(csp.User, csp.ServerHasFinishedProvisioning)).To(Equal("true"))
	m := p.device()
	g.Expect(m.UserPrincipalName).To(Equal(ada))
	g.Expect(m.UsersSent).To(ConsistOf("oid-" + ada))
	g.Expect(w.ended[len(w.ended)-1].User).To(Equal("oid-" + ada))
}

// A device token makes the session the device's, whoever sits in front of it.
func TestDeviceTokenInAUsersPlace(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.register("dev-one")
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	p.sync(bootstrap, "")
	g.Expect(p.sync(userFirst, w.DeviceToken(rig.TenantID, "dev-one"))).To(Equal(200))
	g.Expect(p.order).NotTo(ContainElement(ContainSubstring("./User")))
	g.Expect(p.device().UserPrincipalName).To(BeEmpty())
}

// A device that was unjoined and joined again can be another object.
func TestDeviceThatJoinedAnew(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.register("dev-new")
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	g.Expect(p.sync(userFirst, w.UserToken(rig.TenantID, ada, "dev-new"))).To(Equal(200))
	g.Expect(p.device().AzureADDeviceID).To(Equal("dev-new"))
}

func TestUnlicensedUser(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	u := w.Directory.Users[ada]
	u.Licensed = false
	w.Directory.Users[ada] = u
	p := w.enroll(tenant.EnrolledByUser, "one")
	g.Expect(p.sync(userFirst, w.UserToken(rig.TenantID, ada, "dev-one"))).To(Equal(200))
	g.Expect(p.order).To(BeEmpty())
	g.Expect(p.device().UsersSent).To(BeEmpty())
}

func TestPageIsNotShown(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	page := w.Tenant.StatusPages().List()[0]
	w.Do(func(ctx context.Context) { g.Expect(w.Tenant.StatusPages().Delete(ctx, page.ID)).To(Succeed()) })
	w.load(tenant.Resources{StatusPages: []graph.EnrollmentStatusPage{{ODataType: graph.TypeESP, DisplayName: "users only", ShowInstallationProgress: true, Assignments: []graph.Assignment{{Target: graph.AllUsers()}}}}})
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	p.sync(bootstrap, "")
	g.Expect(p.node(csp.Device, csp.SkipDeviceStatusPage)).To(Equal("true"), "a page for users does not count in the technician flow")
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(w *world, p *pc, other *pc) (token string)
		status int
		check  string
	}{
		{"no certificate", func(_ *world, p, _ *pc) string { p.cert = nil; return "" }, 401, "client certificate missing"},
		{"someone else's certificate", func(_ *world, p, other *pc) string { p.cert = other.cert; return "" }, 403, "SyncHdr source"},
		{"certificate of another authority", func(w *world, p, _ *pc) string {
			ca, err := pki.NewRoot(w.Clock.Now(), 9, "other", pki.Options{})
			if err != nil {
				w.T.Fatal(err)
			}
			p.cert, err = ca.Issue(w.Clock.Now(), &x509.Certificate{Subject: pkix.Name{CommonName: p.id}, NotAfter: w.Clock.Now().AddDate(1, 0, 0)}, pki.Key(1, "one").Public())
			if err != nil {
				w.T.Fatal(err)
			}
			return ""
		}, 403, "client certificate issuer"},
		{"expired certificate", func(w *world, _, _ *pc) string { w.Pass(366 * 24 * time.Hour); return "" }, 401, "client certificate validity"},
		{"deleted device", func(w *world, p, _ *pc) string {
			w.Do(func(ctx context.Context) {
				if err := w.Tenant.DeleteDevice(ctx, p.id); err != nil {
					w.T.Error(err)
				}
			})
			return ""
		}, 403, "client certificate device"},
		{"forged token", func(w *world, _, _ *pc) string { return w.ForgedDeviceToken(rig.TenantID, "dev-one") }, 401, "token"},
		{"token of another tenant", func(w *world, _, _ *pc) string { return w.UserToken(rig.OtherID, "eve@fabrikam.example", "") }, 401, "token tenant"},
		{"expired token", func(w *world, _, _ *pc) string {
			token := w.UserToken(rig.TenantID, ada, "dev-one")
			w.Pass(2 * time.Hour)
			return token
		}, 401, "token"},
		{"token of another managed device", func(w *world, _, _ *pc) string { return w.UserToken(rig.TenantID, ada, "dev-two") }, 401, "token device"},
		{"token of a device that does not exist", func(w *world, _, _ *pc) string { return w.UserToken(rig.TenantID, ada, "dev-nobody") }, 401, "token device"},
		{"token of an unknown user", func(w *world, _, _ *pc) string { return w.UserToken(rig.TenantID, "eve@contoso.example", "dev-one") }, 401, "token user"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			p, other := w.enroll(tenant.EnrolledByUser, "one"), w.enroll(tenant.EnrolledByUser, "two")
			token := tc.change(w, p, other)
			g.Expect(p.sync(userFirst, token)).To(Equal(tc.status))
			g.Expect(w.Refusals()).To(ConsistOf(tc.check + " " + http.StatusText(tc.status)))
			g.Expect(p.order).To(BeEmpty())
		})
	}
}

func TestSessionState(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p := w.enroll(tenant.EnrolledByUser, "one")
	send := func(m *syncml.Message) int {
		m.Number()
		return w.With(p.cert, w.h, http.MethodPost, address, nil, m.Encode()).Code
	}
	later := &syncml.Message{Final: true, Header: syncml.Header{SessionID: "a", MsgID: 2, Source: p.id, Target: address}}
	g.Expect(send(later)).To(Equal(400), "no session is open")
	g.Expect(w.With(p.cert, w.h, http.MethodPost, address, nil, []byte("<SyncML>")).Code).To(Equal(400))
	g.Expect(w.With(p.cert, w.h, http.MethodGet, address, nil, nil).Code).To(Equal(405))
	g.Expect(w.With(p.cert, w.h, http.MethodPost, "https://"+hosts.OMADM+"/other", nil, nil).Code).To(Equal(404))
	first := &syncml.Message{Final: true, Header: syncml.Header{SessionID: "a", MsgID: 1, Source: p.id, Target: address}}
	g.Expect(send(first)).To(Equal(400), "package 1 tells nothing")
}

func FuzzMessage(f *testing.F) {
	w := newWorld(f)
	p := w.enroll(tenant.EnrolledByUser, "one")
	init := syncml.Initiation{SessionID: "1", Server: address, Device: p.id, Login: syncml.LoginNone}
	f.Add(init.Message().Encode())
	f.Add([]byte("<SyncML/>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		w.T = t
		w.With(p.cert, w.h, http.MethodPost, address, nil, body)
	})
}

// register makes a device object of that id.
func (w *world) register(id string) {
	w.T.Helper()
	w.Do(func(ctx context.Context) {
		if _, err := w.Directory.EnsureAutopilotDevice(ctx, rig.TenantID, tenant.AutopilotDevice{ZtdID: strings.TrimPrefix(id, "dev-")}); err != nil {
			w.T.Error(err)
		}
	})
}
