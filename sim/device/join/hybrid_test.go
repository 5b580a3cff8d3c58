package join_test

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
)

// estate is an office with a domain and Entra ID on one network.
type estate struct {
	*office
	cloud *cloud
}

func newEstate(t *testing.T, rules ...fault.Rule) *estate {
	c := world(t, rules...)
	o := officeOn(c.Rig, fakead.Options{})
	o.OK(o.forest.SetSCP(contoso.Domain, contoso.ID))
	return &estate{o, c}
}

// synced brings the computer to Entra ID with a certificate, as a directory sync
// does, and gives its objectGUID.
func (e *estate) synced(certificate []byte) string {
	a, ok := e.forest.Primary().AccountBySAM("PC-1$")
	e.Expect(ok).To(gomega.BeTrue())
	_, _, err := e.cloud.entra.Directory.SyncComputer(tenant.SyncedComputer{TenantID: contoso.ID, GUID: a.GUID.String(), SID: a.SID.String(), Name: "PC-1",
		Certificate: certificate, Enabled: true})
	e.OK(err)
	return a.GUID.String()
}

// claim is the certificate that the computer shows to the directory.
func claim(w *device.Windows) (certificate []byte, subject string) {
	c, ok := w.Disk.Certs.Find(device.StoreMySystem, "hybrid-claim")
	if !ok {
		return nil, ""
	}
	parsed, err := c.Parse()
	if err != nil {
		return c.DER, err.Error()
	}
	return c.DER, parsed.Subject.CommonName
}

// A computer claims its device object once that is there, and leaves nothing of
// it behind when it leaves Entra ID.
func TestRegisterHybrid(t *testing.T) {
	e := newEstate(t)
	e.memberWith(1, true, machinePassword, func(w *device.Windows) {
		err := join.RegisterHybrid(w)
		e.Expect(codeOf(err)).To(gomega.Equal(hresult.JoinDirectoryFailure), "%v", err)
		state := join.Hybrid(w)
		e.Expect([]any{state.Member, state.Registered, state.Phase, state.Code, state.ServerCode}).
			To(gomega.Equal([]any{true, false, join.PhaseJoin, hresult.JoinDirectoryFailure, "DirectoryError"}))
		certificate, subject := claim(w)
		guid := e.synced(certificate)
		e.Expect(subject).To(gomega.Equal(guid))
		e.OK(join.RegisterHybrid(w))
		state = join.Hybrid(w)
		e.Expect([]any{state.Registered, state.DeviceID, state.Phase}).To(gomega.Equal([]any{true, guid, ""}))
		e.OK(join.RegisterHybrid(w)) // nothing is left to do
		e.OK(join.Unjoin(w))
		certificate, _ = claim(w)
		e.Expect(certificate).To(gomega.BeNil())
		e.Expect(w.Disk.Keys.Containers()).To(gomega.BeEmpty())
		e.Expect(w.Registry().Subkeys(join.KeyDiagnostics)).To(gomega.BeEmpty())
	})
	e.Expect(e.Logged("hybrid.registered", "")).To(gomega.HaveLen(1))
	e.Expect(e.Logged("hybrid.certificate.written", "")).To(gomega.HaveLen(1), "the second run used the first one's")
}

// A session between the registration and the user's answer has a token of the
// device itself; the user's sessions after it have the user's.
func TestWorkAccountOutlivesDeviceToken(t *testing.T) {
	const resource = "https://enrollment.manage.microsoft.com/"
	e := newEstate(t)
	e.memberWith(1, true, machinePassword, func(w *device.Windows) {
		e.Expect(join.RegisterHybrid(w)).NotTo(gomega.Succeed())
		certificate, _ := claim(w)
		e.synced(certificate)
		e.OK(join.RegisterHybrid(w))
		kind := func() string {
			token, err := join.TokenFor(w, resource)
			e.OK(err)
			return token.Kind
		}
		e.Expect(kind()).To(gomega.Equal("device"))
		e.OK(join.AddWorkAccount(w, "S-1-5-21-1-2-3-1104", "ada@contoso.com", "secret"))
		e.Expect(kind()).To(gomega.Equal("user"))
	})
}

// A computer whose object was made anew has another objectGUID, and shows the
// directory another certificate.
func TestNewComputerObjectNewCertificate(t *testing.T) {
	e := newEstate(t)
	e.memberWith(1, true, machinePassword, func(w *device.Windows) {
		e.Expect(join.RegisterHybrid(w)).NotTo(gomega.Succeed())
		first, before := claim(w)
		dc := e.forest.Primary()
		a, _ := dc.AccountBySAM("Administrator")
		e.OK(dc.Delete(w.Ctx, dc.Identify(a), "CN=PC-1,CN=Computers,DC=corp,DC=contoso,DC=com", false))
		e.member(w, true, machinePassword)
		e.Expect(join.RegisterHybrid(w)).NotTo(gomega.Succeed())
		second, after := claim(w)
		e.Expect(after).NotTo(gomega.Equal(before))
		e.Expect(after).To(gomega.Equal(e.synced(second)))
		e.Expect(second).NotTo(gomega.Equal(first))
		e.OK(join.RegisterHybrid(w))
	})
}

// The network's own code stands behind the one of a discovery that failed.
func TestDiscoveryHasItsSubError(t *testing.T) {
	for _, c := range []struct {
		host       string
		code       hresult.Code
		test, text string
	}{
		{"enterpriseregistration.windows.net", hresult.AutoJoinDiscoveryFailed, "DRS Discovery Test", "FAIL [0x801c0021/0x80072efd]"},
		{"login.microsoftonline.com", hresult.AutoJoinRealmDiscovery, "DRS Discovery Test", "FAIL [0x801c003d/0x80072efd]"},
	} {
		e := newEstate(t, fault.Rule{Name: "closed", When: fault.When{Host: c.host}, Do: fault.Action{Refuse: true}})
		e.memberWith(1, true, machinePassword, func(w *device.Windows) {
			e.Expect(codeOf(join.RegisterHybrid(w))).To(gomega.Equal(c.code))
			r := w.Registry()
			e.Expect(r.String(join.KeyDiagnostics, c.test)).To(gomega.Equal(c.text))
			e.Expect(r.String(join.KeyDiagnostics, "AD Configuration Test")).To(gomega.Equal("PASS"))
			e.Expect(r.String(join.KeyDiagnostics, "Token acquisition Test")).To(gomega.Equal("SKIPPED"))
			e.Expect(r.String(join.KeyDiagnostics, "Phase")).To(gomega.Equal(join.PhaseDiscover))
		})
	}
}

// How an attempt at a primary refresh token failed is kept for dsregcmd until
// one succeeds.
func TestFailedTokenIsKept(t *testing.T) {
	r := world(t)
	r.Boot(r.registered(func(w *device.Windows) error {
		s, err := join.SignIn(w, "ada@contoso.com", "secret")
		r.OK(err)
		r.OK(join.JoinAsUser(w, contoso, s))
		r.Expect(join.AcquirePRT(w, s, "wrong")).NotTo(gomega.Succeed())
		kept := func(name string) string { return w.Registry().String(join.KeyPRTAttempt, name) }
		r.Expect([]string{kept("Status"), kept("User"), kept("HttpStatus"), kept("ServerErrorCode")}).
			To(gomega.Equal([]string{"0xc000006d", "ada@contoso.com", "400", "invalid_grant"}))
		r.Expect(kept("ServerErrorDescription")).To(gomega.HavePrefix("AADSTS50126"))
		r.Expect(w.Registry().String(join.KeyDeviceAuth, "Status")).To(gomega.Equal("SUCCESS"))
		r.OK(join.AcquirePRT(w, s, "secret"))
		r.Expect(kept("Time")).To(gomega.BeEmpty())

		_, err = r.entra.Directory.Update(contoso.ID, join.Status(w).DeviceID, func(d *tenant.Device) error { d.Enabled = false; return nil })
		r.OK(err)
		r.Expect(join.AcquirePRT(w, s, "secret")).NotTo(gomega.Succeed())
		r.Expect(w.Registry().String(join.KeyDeviceAuth, "Status")).To(gomega.HavePrefix("FAILED. Device is either"))
		return device.ErrShutdown
	}))
}
