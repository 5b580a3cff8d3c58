package hybrid_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/ldap"
	"windtunnel.test/sim/wire/oauth"
)

// dsregcmd is what `dsregcmd /status` says on a PC now, by row.
func dsregcmd(pc *device.PC) map[string]string {
	GinkgoHelper()
	source, err := diag.Of(pc)
	Expect(err).NotTo(HaveOccurred())
	var b bytes.Buffer
	Expect(diag.Collect(&b, source)).To(Succeed())
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	Expect(err).NotTo(HaveOccurred())
	f, err := z.Open(diag.Join)
	Expect(err).NotTo(HaveOccurred())
	text, err := io.ReadAll(f)
	Expect(err).NotTo(HaveOccurred())
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, " : "); ok {
			rows[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return rows
}

// joins are the three lines that tell how a PC is joined.
func joins(pc *device.PC) string {
	GinkgoHelper()
	s := dsregcmd(pc)
	return s["AzureAdJoined"] + "/" + s["EnterpriseJoined"] + "/" + s["DomainJoined"]
}

// inTheOffice is a PC that was pre-provisioned and stands in the office.
func inTheOffice(w *spec.World) *device.PC {
	GinkgoHelper()
	pc := w.NewRegisteredPC(spec.Build("26100.7171"))
	w.Provision(pc)
	w.ShipTo(pc, "office", 2*day)
	return pc
}

// unpacking has alex unpack a PC while the spec goes on.
func unpacking(w *spec.World, pc *device.PC) {
	GinkgoHelper()
	alex := w.User("alex")
	user := w.NewUser(sim.User{UPN: alex.UPN, Password: alex.Password, Language: "en-US", Stays: 8 * time.Hour})
	w.Do(func(ctx context.Context) {
		w.Clock.Go(ctx, "user of "+pc.Name, func(ctx context.Context) { _ = user.Unpack(ctx, pc) })
	})
}

// registrationFails waits for a run of the task that fails in that phase.
func registrationFails(w *spec.World, pc *device.PC, phase, code string) map[string]string {
	GinkgoHelper()
	e := w.AwaitEvent(pc, "hybrid.failed", nil)
	Expect([]string{e.Text("phase"), e.Text("code")}).To(Equal([]string{phase, code}), e.Text("error"))
	Expect(joins(pc)).To(Equal("NO/NO/YES"))
	s := dsregcmd(pc)
	Expect(s["Error Phase"]).To(Equal(phase))
	Expect(strings.ToUpper(s["Client ErrorCode"])).To(Equal(strings.ToUpper(code)))
	return s
}

// registers waits until a PC is registered, and for its user's desktop.
func registers(w *spec.World, pc *device.PC) {
	GinkgoHelper()
	w.AwaitEvent(pc, "hybrid.registered", nil)
	w.Await(pc, oobe.ScreenDesktop)
	Expect(joins(pc)).To(Equal("YES/NO/YES"))
	Expect(dsregcmd(pc)).NotTo(HaveKey("Error Phase"))
}

var _ = Describe("registration of a PC of the domain", func() {
	It("H14: is refused until directory synchronisation has brought the computer", func() {
		w := newWorld(func(s *scenario.Scenario) { s.Connect.Stopped = true })
		pc := inTheOffice(w)
		unpacking(w, pc)
		s := registrationFails(w, pc, join.PhaseJoin, "0x801C03F2")
		Expect(s["AD Connectivity Test"]).To(Equal("PASS"))
		Expect(s["DRS Discovery Test"]).To(Equal("PASS"))
		Expect(s["Server ErrorCode"]).To(Equal("DirectoryError"))
		Expect(s["Server Message"]).To(ContainSubstring("not found"))
		registrationFails(w, pc, join.PhaseJoin, "0x801C03F2")
		w.Connect.Start()
		registers(w, pc)
	})

	It("H14: is refused for ever where the unit is not synchronised", func() {
		w := newWorld(func(s *scenario.Scenario) { s.Connect.OrganizationalUnits = []string{"CN=Users," + domainDN} })
		pc := inTheOffice(w)
		unpacking(w, pc)
		w.Wait(4 * time.Hour)
		Expect(w.Events(pc, "hybrid.registered")).To(BeEmpty())
		Expect(w.Texts(pc, "hybrid.failed", "code")).To(HaveEach("0x801C03F2"))
		Expect(joinedObjects(w)).To(BeEmpty())
	})

	It("H15: is refused while Entra ID has an older certificate of the computer's", func() {
		w := newWorld(func(s *scenario.Scenario) { s.Connect.Stopped = true })
		pc := inTheOffice(w)
		unpacking(w, pc)
		registrationFails(w, pc, join.PhaseJoin, "0x801C03F2")
		pc.Disk.Certs.Delete(device.StoreMySystem, "hybrid-claim") // somebody tidies up the computer's certificates
		w.AwaitEvent(pc, "hybrid.certificate.written", nil)
		first := registrationFails(w, pc, join.PhaseJoin, "0x801C03F2")
		Expect(first["Server ErrorCode"]).To(Equal("DirectoryError"))
		w.Connect.Start()
		w.SyncNow()
		w.Connect.Stop()
		pc.Disk.Certs.Delete(device.StoreMySystem, "hybrid-claim")
		s := registrationFails(w, pc, join.PhaseJoin, "0x801C0002")
		Expect(s["Server ErrorCode"]).To(Equal("AuthenticationError"))
		Expect(s["Server Message"]).To(ContainSubstring("verification of the target computer's SID"))
		w.Connect.Start()
		registers(w, pc)
	})

	It("H16: stops where no service connection point names the tenant", func() {
		w := newWorld(func(s *scenario.Scenario) { s.Domain.SCP = &scenario.ConnectionPoint{Missing: true} })
		pc := inTheOffice(w)
		unpacking(w, pc)
		s := registrationFails(w, pc, join.PhaseDiscover, "0x801C001D")
		Expect(s["AD Configuration Test"]).To(Equal("FAIL [0x801c001d]"))
		w.InDomain(func(a *sim.DomainAdministrator) error { return a.SetSCP(w.Tenant.Domain, w.Tenant.ID) })
		registers(w, pc)
	})

	It("H17: stops where the service connection point names a tenant that there is not", func() {
		w := newWorld(func(s *scenario.Scenario) {
			s.Domain.SCP = &scenario.ConnectionPoint{TenantDomain: "fabrikam.com", TenantID: "11111111-2222-4333-8444-555555555555"}
		})
		pc := inTheOffice(w)
		unpacking(w, pc)
		registrationFails(w, pc, join.PhaseDiscover, "0x801C003A")
		w.InDomain(func(a *sim.DomainAdministrator) error { return a.SetSCP(w.Tenant.Domain, w.Tenant.ID) })
		registers(w, pc)
	})

	DescribeTable("H18: stops where the registration service cannot be reached", func(mode vnet.BlockMode, code, cause string) {
		w := newWorld()
		pc := inTheOffice(w)
		Expect(w.Sites["office"].Block(hosts.Registration, mode)).To(Succeed())
		unpacking(w, pc)
		s := registrationFails(w, pc, join.PhaseDiscover, code)
		Expect(strings.ToUpper(s["DRS Discovery Test"])).To(ContainSubstring(strings.ToUpper(code)))
		failed := w.Events(pc, "hybrid.failed")
		Expect(failed[len(failed)-1].Text("error")).To(ContainSubstring(cause))
		Expect(w.Sites["office"].Unblock(hosts.Registration)).To(BeTrue())
		registers(w, pc)
	},
		Entry("refused", vnet.Refuse, "0x801C0021", "0x80072EFD"),
		Entry("no such name", vnet.NoSuchName, "0x801C0021", "0x80072EE7"),
		Entry("timed out", vnet.TimeOut, "0x801C0021", "0x80072EE2"),
	)

	It("H19: stops where the realm cannot be asked for", func() {
		w := newWorld()
		pc := inTheOffice(w)
		Expect(w.Sites["office"].Block(hosts.Login, vnet.Refuse)).To(Succeed())
		unpacking(w, pc)
		registrationFails(w, pc, join.PhaseDiscover, "0x801C003D")
		Expect(w.Sites["office"].Unblock(hosts.Login)).To(BeTrue())
		registers(w, pc)
	})

	It("H20: stops at a proxy that opens TLS", func() {
		w := newWorld()
		pc := inTheOffice(w)
		unpacking(w, pc)
		w.AwaitEvent(pc, "domain.controller", nil)
		ca, err := pki.NewRoot(w.Clock.Now().AddDate(-1, 0, 0), 0, "Proxy Root", pki.Options{})
		Expect(err).NotTo(HaveOccurred())
		w.Sites["office"].SetProxy(&vnet.ProxyConfig{TLSIntercept: ca})
		registrationFails(w, pc, join.PhaseDiscover, "0x80072F8F")
		w.Sites["office"].SetProxy(nil)
		registers(w, pc)
	})

	It("H21: is not modelled for a federated domain, and says so as Windows does where there is no WS-Trust", func() {
		w := newWorld()
		is := func(kind string) {
			t, err := w.Entra.Directory.Tenant(w.Tenant.ID)
			Expect(err).NotTo(HaveOccurred())
			t.Domains = slices.Clone(t.Domains)
			for i := range t.Domains {
				t.Domains[i].Type = kind
			}
			Expect(w.Entra.Directory.SetTenant(t)).To(Succeed())
		}
		pc := inTheOffice(w)
		is(oauth.RealmFederated)
		unpacking(w, pc)
		registrationFails(w, pc, join.PhaseAuth, "0xCAA90017")
		Expect(w.Texts(pc, "hybrid.failed", "error")).To(HaveEach(ContainSubstring("not modelled")))
		is(oauth.RealmManaged)
		registers(w, pc)
	})

	It("H22: is put off while the registration service is busy", func() {
		busy := fault.Rule{Name: "busy", When: fault.When{Layer: fault.HTTP, Operation: "drs.syncJoin", Until: 50 * time.Hour}, Do: fault.Action{Status: 503}}
		w := spec.NewWorld(spec.Hybrid(), spec.Faults(busy))
		pc := inTheOffice(w)
		unpacking(w, pc)
		registrationFails(w, pc, join.PhaseJoin, "0x801C0025")
		registers(w, pc)
	})

	It("H24: leaves two objects in Entra ID, and the hybrid one without a verdict until its user has signed in", Label("SR-19"), func() {
		w := newWorld()
		pc := inTheOffice(w)
		unpacking(w, pc)
		w.AwaitEvent(pc, "hybrid.registered", nil)
		own := func() graph.Device {
			for _, d := range w.EntraDevices() {
				if d.TrustType == graph.TrustHybrid {
					return d
				}
			}
			Fail("no hybrid device")
			return graph.Device{}
		}
		Expect(own().IsCompliant).To(BeNil())
		w.Await(pc, oobe.ScreenDesktop)
		w.Wait(time.Hour)
		Expect(w.EntraDevices()).To(HaveLen(2))
		Expect(joinedObjects(w)).To(HaveLen(1))
		e, ok := w.Computer(pc)
		Expect(ok).To(BeTrue())
		id, err := ldap.GUIDFromBytes(e.Bytes("objectGUID"))
		Expect(err).NotTo(HaveOccurred())
		Expect(own().DeviceID).To(Equal(strings.ToLower(id.String())))
		Expect(own().IsCompliant).To(HaveValue(BeTrue()))
	})

	It("shows in dsregcmd what the PC is a member of, at the bench, after the restart and in the end", func() {
		w := newWorld()
		pc := w.NewRegisteredPC(spec.Build("26100.7171"))
		Expect(joins(pc)).To(Equal("NO/NO/NO"))
		w.Provision(pc)
		Expect(joins(pc)).To(Equal("NO/NO/NO"))
		w.ShipTo(pc, "office", 2*day)
		unpacking(w, pc)
		w.AwaitEvent(pc, "device.domain.joined", nil)
		Expect(joins(pc)).To(Equal("NO/NO/YES"))
		registrationFails(w, pc, join.PhaseJoin, "0x801C03F2")
		registers(w, pc)
		Expect(dsregcmd(pc)["AzureAdPrt"]).To(Equal("YES"))
	})
})
