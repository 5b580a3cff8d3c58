package join_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/msa"
)

const resource = "https://enrollment.manage.microsoft.com/"

var contoso = join.Tenant{ID: "0f6c7d0e-1111-4222-8333-444455556666", Domain: "contoso.com"}

// cloud is a bench with Entra ID on its network.
type cloud struct {
	*rig.Rig
	entra *fakeentra.Entra
}

func world(t *testing.T, rules ...fault.Rule) *cloud {
	r := rig.New(t, rules...)
	o := fakeentra.Options{Options: service.Options{Clock: r.Clock, Journal: journal.New(r.Clock, r.Memory), Timing: r.Timing, Seed: rig.Seed}}
	for _, model := range vtpm.Models() {
		ca, err := vtpm.VendorCA(model)
		r.OK(err)
		o.VendorCAs, o.EKRoots = append(o.VendorCAs, ca.Cert), append(o.EKRoots, ca.Root().Cert)
	}
	entra := fakeentra.New(o)
	for _, h := range entra.Hosts() {
		var options []vnet.ServeOption
		if h.ClientCert {
			options = append(options, vnet.ClientCert(vnet.RequestClientCert))
		}
		r.Net.Serve(h.Name, h.Handler, options...)
	}
	_, err := entra.Directory.LoadOrganization(graph.Organization{ID: contoso.ID, DisplayName: "Contoso", TenantType: "AAD", MobileDeviceManagementAuthority: "intune",
		VerifiedDomains: []graph.VerifiedDomain{{Name: contoso.Domain, IsDefault: true, IsInitial: true, Type: "Managed"}}})
	r.OK(err)
	_, err = entra.Directory.PutUser(contoso.ID, graph.User{ID: "0f6c7d0e-aaaa-4222-8333-444455556666", UserPrincipalName: "ada@contoso.com", DisplayName: "Ada"}, "secret")
	r.OK(err)
	return &cloud{r, entra}
}

// registered is a PC that Autopilot knows, and that trusts Microsoft's AIK root.
func (c *cloud) registered(program device.Program) *device.PC {
	pc := c.PC(1, program)
	pc.Roots.AddCert(c.entra.AIK.Root())
	ek, err := service.EKHash(pc.Chip.EKPublic())
	c.OK(err)
	_, err = c.entra.Directory.Register(tenant.Registration{TenantID: contoso.ID, ZTDID: "9f1d0d41-0a3f-4fb2-8a75-6e3d9d8f2b11", DisplayName: pc.Hardware.Serial,
		HardwareID: msa.HardwareID(pc.Hardware.UUID, pc.Hardware.Serial), EKHash: ek})
	c.OK(err)
	return pc
}

func codeOf(err error) hresult.Code {
	code, _ := hresult.CodeOf(err)
	return code
}

// A device proves its TPM, joins with that proof, and gets tokens; then its
// user joins, gets a primary refresh token, and tokens by it. The device's
// token is used up first.
func TestIdentity(t *testing.T) {
	r := world(t)
	pc := r.registered(func(w *device.Windows) error {
		if w.Boot == 1 {
			r.Expect(join.Status(w)).To(gomega.Equal(join.State{}))
			r.Expect(codeOf(join.JoinAsDevice(w, contoso))).To(gomega.Equal(hresult.JoinServerNotAuthorized))
			plain, err := join.Ticket(w)
			r.OK(err)
			again, err := join.Ticket(w)
			r.OK(err)
			r.Expect(again).To(gomega.Equal(plain), "kept until it expires")
			r.OK(join.Attest(w))
			proved, err := join.Ticket(w)
			r.OK(err)
			r.Expect(proved).NotTo(gomega.Equal(plain))
			r.OK(join.JoinAsDevice(w, contoso))
			s := join.Status(w)
			r.Expect(s.Joined && s.TenantID == contoso.ID && !s.PRT).To(gomega.BeTrue())
			r.Expect(s.UserEmail).To(gomega.Equal("autopilot@contoso.com"))
			token, err := join.TokenFor(w, resource)
			r.OK(err)
			r.Expect(token.Kind).To(gomega.Equal("device"))
			return device.ErrReboot
		}
		r.OK(join.Attest(w)) // nothing is left to do
		first := join.Status(w)
		_, err := join.SignIn(w, "ada@contoso.com", "wrong")
		r.Expect(codeOf(err)).To(gomega.Equal(hresult.STATUSWrongSecret))
		session, err := join.SignIn(w, "ada@contoso.com", "secret")
		r.OK(err)
		r.OK(join.JoinAsUser(w, contoso, session))
		r.Expect(join.Status(w).UserEmail).To(gomega.Equal("ada@contoso.com"))
		r.OK(join.AcquirePRT(w, session, "secret"))
		r.Expect(join.Status(w).UserSID).To(gomega.Equal(session.SID))
		token, err := join.TokenFor(w, resource)
		r.OK(err)
		r.Expect(token.Kind).To(gomega.Equal("device"), "the broker still has the device's")
		r.OK(w.Sleep(90*time.Minute, "the wait that Microsoft wants"))
		token, err = join.TokenFor(w, resource)
		r.OK(err)
		r.Expect(token.Kind).To(gomega.Equal("user"))
		r.OK(join.Unjoin(w))
		r.OK(join.Unjoin(w))
		r.Expect(join.Status(w)).To(gomega.Equal(join.State{}))
		r.Expect(first.DeviceID).NotTo(gomega.BeEmpty())
		return device.ErrShutdown
	})
	r.Boot(pc)
	r.Expect(pc.Disk.Keys.Containers()).To(gomega.BeEmpty())
	r.Expect(r.Logged("aik.challenge", "")).To(gomega.HaveLen(1))
}

// A PC that lies on a shelf where time passes faster asks for a new token as
// one does that has lain there for as long as it should.
func TestTokensAge(t *testing.T) {
	r := world(t)
	r.Boot(r.registered(func(w *device.Windows) error {
		r.OK(join.Attest(w))
		r.OK(join.JoinAsDevice(w, contoso))
		join.Age(w.Disk, time.Hour) // nothing is kept yet
		first, err := join.TokenFor(w, resource)
		r.OK(err)
		join.Age(w.Disk, -time.Hour)
		join.Age(w.Disk, 50*time.Minute)
		kept, err := join.TokenFor(w, resource)
		r.OK(err)
		r.Expect(kept.Raw).To(gomega.Equal(first.Raw))
		r.Expect(kept.Expires).To(gomega.Equal(first.Expires.Add(-50 * time.Minute)))
		join.Age(w.Disk, 40*time.Minute)
		next, err := join.TokenFor(w, resource)
		r.OK(err)
		r.Expect(next.Raw).NotTo(gomega.Equal(first.Raw))
		r.Expect(next.Expires).To(gomega.BeTemporally(">", w.Now()))
		return device.ErrShutdown
	}))
}

func TestAttestationRetries(t *testing.T) {
	r := world(t, fault.Rule{Name: "down", When: fault.When{Host: "*.microsoftaik.azure.net"}, Do: fault.Action{Refuse: true}})
	r.Once(1, func(w *device.Windows) {
		began := w.Clock.Now()
		r.Expect(codeOf(join.Attest(w))).To(gomega.Equal(hresult.TPMAttestationRetriesExceeded))
		r.Expect(w.Clock.Now().Sub(began)).To(gomega.BeNumerically(">=", 3*w.Timing.TPM.AttestationRetryDelay))
	})
	r.Expect(r.Logged("eventlog", "id=177")).To(gomega.HaveLen(r.Timing.TPM.AttestationRetries))
	r.Expect(r.Logged("tpm.attest.failed", hresult.InternetCannotConnect.Hex())).To(gomega.HaveLen(1 + r.Timing.TPM.AttestationRetries))
}

// An authority that this Windows does not trust attests nothing.
func TestStrangeAuthority(t *testing.T) {
	r := world(t)
	r.Once(1, func(w *device.Windows) {
		r.Expect(codeOf(join.Attest(w))).To(gomega.Equal(hresult.TPMAttestationRetriesExceeded))
	})
	r.Expect(r.Logged("tpm.attest.failed", hresult.CertUntrustedRoot.Hex())).NotTo(gomega.BeEmpty())
}

func TestTicketNeedsItsService(t *testing.T) {
	r := world(t)
	r.Once(1, func(w *device.Windows) {
		w.Registry().SetDWORD(device.KeyServices+`\`+device.ServiceWLID, "Start", device.StartDisabled)
		_, err := join.Ticket(w)
		r.Expect(codeOf(err)).To(gomega.Equal(hresult.ServiceDisabled))
		r.Expect(r.Logged("http.request", "")).To(gomega.BeEmpty())
	})
}

// The power goes at any of the TPM's commands: the next boot finds a disk on
// which it can go on, and joins.
func TestJoinSurvivesPowerLoss(t *testing.T) {
	for n := 2; n <= 12; n += 2 {
		r := world(t, fault.Rule{Name: "cut", When: fault.When{Layer: fault.TPM, Nth: n}, Do: fault.Action{CutPower: true}})
		pc := r.registered(func(w *device.Windows) error {
			if err := join.Attest(w); err != nil {
				return err
			}
			if err := join.JoinAsDevice(w, contoso); err != nil {
				return err
			}
			r.Expect(join.Status(w).Joined).To(gomega.BeTrue())
			return device.ErrShutdown
		})
		r.Boot(pc)
		if len(r.Logged("fault.fired", "")) == 0 {
			break
		}
		r.Expect(r.Logged("device.power.off", "power lost")).To(gomega.HaveLen(1), "at command %d", n)
		r.Boot(pc)
		r.Expect(r.Logged("entra.join", "")).To(gomega.HaveLen(1), "after command %d", n)
	}
}
