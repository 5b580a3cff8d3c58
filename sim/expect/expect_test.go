package expect_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/expect"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
)

func TestExpect(t *testing.T) { spec.Run(t, "matchers") }

var _ = Describe("A PC that was pre-provisioned and unpacked", func() {
	It("is as the matchers say", func(w *spec.World) {
		technician, user := w.Technician(), w.User("alex")
		pc := w.NewRegisteredPC()
		Expect(pc).NotTo(expect.TakeVirtual(time.Hour), "nobody has switched it on")
		technician.Provision(pc)
		Expect(pc).To(expect.BeResealed())
		Expect(pc).To(expect.BeJoined(expect.Nothing)) // resealing leaves the tenant
		Expect(pc).NotTo(expect.ReachDesktop())
		w.Ship(pc, 90*time.Minute)
		user.Unpack(pc)
		for name, m := range map[string]struct {
			is      types.GomegaMatcher
			not     types.GomegaMatcher
			instead string
		}{
			"desktop":   {expect.ReachDesktop(), expect.FailWith(hresult.Fail), "to fail with 0x80004005 (E_FAIL), but it did not fail."},
			"screen":    {expect.ReachScreen("autopilot.landing"), expect.ReachScreen("autopilot.failure"), "to reach the screen autopilot.failure, but the last was "},
			"resealed":  {expect.ReachScreen("*"), expect.BeResealed(), "to be resealed, but its setup is at "},
			"installed": {expect.HaveInstalled("Agent"), expect.HaveInstalled("Nothing"), "to have Nothing installed, but it has "},
			"logged":    {expect.HaveLogged("*Autopilot", 161), expect.HaveLogged("*Autopilot", 9), "to have logged event 9 in *Autopilot, but there are "},
			"joined":    {expect.BeJoined(expect.Entra), expect.BeJoined(expect.Hybrid), "to be joined to a domain and Entra ID, but it is joined to Entra ID."},
			"virtual":   {expect.TakeVirtual(365 * 24 * time.Hour), expect.TakeVirtual(time.Minute), "to take at most 1m00s, but it took "},
			"request":   {expect.SeeRequest("*.microsoftaik.azure.net", "aik.*"), expect.SeeRequest("contoso.com", "*"), "to ask contoso.com for *, but the last was "},
			"refused":   {expect.ReachDesktop(), expect.BeRefusedBy("vulnerable firmware"), `to be refused by the check "vulnerable firmware", but `},
		} {
			Expect(pc).To(m.is, name)
			Expect(pc).NotTo(m.not, name)
			said := m.not.FailureMessage(pc)
			Expect(said).To(HavePrefix("Expected "+pc.Name+" ("+pc.Hardware.Serial+") "), name)
			Expect(said).To(ContainSubstring(m.instead), name)
			Expect(said).To(ContainSubstring("The PC:\n"), name)
			Expect(said).To(ContainSubstring("What services wrote about it:\n"), name)
			Expect(said).To(ContainSubstring("On its screen:\n"), name)
			Expect(m.is.NegatedFailureMessage(pc)).To(ContainSubstring(" not to "), name)
		}
		for _, c := range []struct {
			of   types.GomegaMatcher
			says string
		}{
			{expect.ReachScreen("autopilot.failur"), `no screen is called "autopilot.failur"; did you mean "autopilot.failure"?`},
			{expect.HaveLogged("*Autopilots", 161), `no channel of the event log is called "*Autopilots"`},
		} {
			_, err := c.of.Match(pc)
			Expect(err).To(MatchError(c.says), "a name that nothing has would hold in the negative form")
		}
	})

	It("is compliant in the end, and not at first", func(w *spec.World) {
		pc := w.NewRegisteredPC()
		w.Technician().Provision(pc)
		w.Ship(pc, 2*time.Hour)
		w.User("alex").Unpack(pc)
		expect.Eventually(w, pc).Within(24 * time.Hour).ProbeEvery(time.Minute).Should(expect.BeCompliant())
	})
})

var _ = It("fails as the matchers say", func(w *spec.World) {
	pc := w.NewRegisteredPC(spec.WithTPM("infineon-slb9665-fw5.51"))
	Expect(w.TryProvision(pc)).To(HaveOccurred())
	Expect(pc).To(expect.FailWith(hresult.Code(0x81039024)))
	Expect(pc).To(expect.BeRefusedBy("vulnerable *"))
	Expect(pc).To(expect.ReachScreen("autopilot.failure"))
	Expect(pc).NotTo(expect.BeResealed())
	Expect(pc).NotTo(expect.BeCompliant())
	Expect(expect.FailWith(hresult.Fail).Match(pc)).To(BeFalse())
})

var _ = Describe("Virtual time", func() {
	It("passes until a PC is as wanted, and no longer", func(w *spec.World) {
		pc := w.NewRegisteredPC()
		w.PowerOn(pc)
		begin := w.Clock.Now()
		expect.Eventually(w, pc).Within(10 * time.Minute).Should(expect.ReachScreen("oobe.language"))
		Expect(w.Clock.Now().Sub(begin)).To(BeNumerically("<", 10*time.Minute))
		expect.Consistently(w, pc).Within(5 * time.Minute).ShouldNot(expect.ReachDesktop())
	})

	It("ends at the limit", func(w *spec.World) {
		pc := w.NewRegisteredPC()
		begin := w.Clock.Now()
		failed := ""
		expect.Eventually(quiet{w, &failed}, pc).Within(5 * time.Minute).Should(expect.ReachDesktop())
		Expect(failed).To(HavePrefix("Within 5m00s of virtual time: Expected "))
		Expect(w.Clock.Now().Sub(begin)).To(Equal(5 * time.Minute))
		expect.Consistently(quiet{w, &failed}, pc).Within(5 * time.Minute).Should(expect.ReachDesktop())
		Expect(failed).To(HavePrefix("After 0.0s of virtual time: Expected "))
	})

	It("refuses what is no PC", func() {
		_, err := expect.ReachDesktop().Match("PC-0001")
		Expect(err).To(MatchError("want a PC to reach the desktop, have a string"))
		_, err = expect.ReachDesktop().Match((*device.PC)(nil))
		Expect(err).To(HaveOccurred())
	})
})

// quiet keeps what would fail the spec.
type quiet struct {
	*spec.World
	failed *string
}

func (q quiet) Failed(message string) { *q.failed = message }
