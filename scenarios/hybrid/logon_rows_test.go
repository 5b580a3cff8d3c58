package hybrid_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/installer"
)

// administrators has the profile make its users administrators.
func administrators(s *scenario.Scenario) {
	s.Tenant.Profiles[0].OutOfBoxExperienceSetting.UserType = "administrator"
}

// anotherAdministrator has the app Agent make an account that is one.
func anotherAdministrator(s *scenario.Scenario) {
	agent := spec.AppNamed(&s.Tenant, "Agent")
	agent.Windtunnel.Registry = append(agent.Windtunnel.Registry,
		installer.RegistryValue{Key: join.KeyAdministrators, Name: "S-1-5-21-7-7-7-1001", Value: "1", DWORD: true})
}

// clocks of the domain's servers are ahead by so much.
func ahead(d time.Duration) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		s.Domain.Controllers = []scenario.Controller{{Name: "dc1", Clock: scenario.SignedDuration(d)}}
		s.Connectors[0].Clock = scenario.SignedDuration(d)
	}
}

// unpackAs has somebody unpack a PC.
func unpackAs(w *spec.World, pc *device.PC, u sim.User) (err error) {
	GinkgoHelper()
	if u.Language == "" {
		u.Language = "en-US"
	}
	u.Stays = time.Hour
	user := w.NewUser(u)
	w.Do(func(ctx context.Context) { err = user.Unpack(ctx, pc) })
	return err
}

var _ = Describe("a hybrid PC's logon", func() {
	It("H07: is 0x80070774 to a PC with an assigned user where that blocks, and nothing else", func() {
		w := spec.NewWorld(spec.Hybrid(), spec.Timing(map[string]any{"hybrid.assignedUserBlocks": true}))
		Expect(spec.FailureOf(w.TryProvision(newPC(w, spec.For("alex@contoso.com")))).Code).To(Equal("0x80070774"))
		w.Provision(newPC(w))
		w = newWorld()
		w.Provision(newPC(w, spec.For("alex@contoso.com")))
	})

	It("H23: is not reached by builds that do not hear of the domain join, which say 0x80004005", func() {
		w := newWorld()
		Expect(spec.FailureOf(w.TryProvision(newPC(w, spec.Build("26100.4061")))).Code).To(Equal("0x80004005"))
		w.Provision(newPC(w, spec.Build("26100.6584")))
	})

	It("H23: finds the join on a retry, and says then that it was processed", func() {
		w := newWorld()
		pc := newPC(w, spec.Build("26100.4061"))
		Expect(w.TryProvision(pc)).NotTo(Succeed())
		w.Press(pc, oobe.ButtonRetry)
		w.Await(pc, oobe.ScreenSuccess)
		state, _ := pc.Disk.Registry.DWORD(device.KeyODJ, "State")
		Expect(device.ODJState(state)).To(Equal(device.ODJProcessed))
		w.Reseal(pc)
		Expect(w.Impossible(pc)).To(BeEmpty())
	})

	It("H25: makes no administrator where another one is there", func() {
		admin := func(changes ...func(*scenario.Scenario)) bool {
			w := newWorld(append(changes, administrators)...)
			pc := newPC(w)
			w.Provision(pc)
			toOffice(w, pc)
			return pc.Disk.Registry.HasValue(join.KeyAdministrators, w.SID(pc))
		}
		Expect(admin(anotherAdministrator)).To(BeFalse())
		Expect(admin()).To(BeTrue())
	})

	It("H26: makes no administrator on a German Windows before KB4505903", func() {
		admin := func(build, language string) bool {
			w := newWorld(administrators)
			pc := w.NewRegisteredPC(spec.Build(build), spec.At("office"))
			alex := w.User("alex")
			Expect(unpackAs(w, pc, sim.User{UPN: alex.UPN, Password: alex.Password, Language: language})).To(Succeed())
			return pc.Disk.Registry.HasValue(join.KeyAdministrators, w.SID(pc))
		}
		Expect(admin("18362.175", "de-DE")).To(BeFalse())
		Expect(admin("18362.267", "de-DE")).To(BeTrue())
		Expect(admin("18362.175", "en-US")).To(BeTrue())
	})

	It("H27: is refused where the clocks are more than five minutes apart", Label("T39"), func() {
		w := newWorld(ahead(10 * time.Minute))
		pc := newPC(w)
		w.Provision(pc)
		w.ShipTo(pc, "office", 2*day)
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		w.Await(pc, oobe.ScreenLogon)
		logOn(w, pc)
		Expect(w.Texts(pc, "logon.failed", "code")).To(ConsistOf("0x80090324"))

		w = newWorld(ahead(4 * time.Minute))
		pc = newPC(w)
		w.Provision(pc)
		toOffice(w, pc)
	})

	It("H37: leaves two objects in Entra ID, and one in Intune", func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		toOffice(w, pc)
		Expect(w.EntraDevices()).To(HaveLen(2))
		Expect(joinedObjects(w)).To(HaveLen(1))
		_, managed := w.Managed(pc)
		Expect(managed).To(BeTrue())
	})

	It("H39: brings no token where Entra ID knows another password, and sets up the user again at each logon", func() {
		w := newWorld(func(s *scenario.Scenario) {
			s.Domain.Accounts = []scenario.DomainAccount{{User: "alex@contoso.com", Password: "Domain-Only-1"}}
		})
		pc := newPC(w)
		w.Provision(pc)
		w.ShipTo(pc, "office", 2*day)
		forgetful := sim.User{UPN: "alex@contoso.com", Password: "forgotten", LogonPassword: "Domain-Only-1", OnFailure: "continue"}
		_ = unpackAs(w, pc, forgetful) // stuck or not, there is no token
		Expect(dsregcmd(pc)["AzureAdPrt"]).To(Equal("NO"))
		Expect(w.Texts(pc, "account.work.failed", "code")).To(ContainElement("0xC000006D"))
	})
})
