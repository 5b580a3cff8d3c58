package health_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

// forgiving is the drive's encryption asked for, with so many hours until a PC that
// does not meet it counts as noncompliant.
func forgiving(hours int) spec.Option {
	return spec.Tenant(func(t *scenario.Tenant) {
		t.Policies[0].BitLockerEnabled, t.Policies[0].OSMinimumVersion = true, ""
		t.Policies[0].ScheduledActionsForRule = []graph.ScheduledActionRule{{
			RuleName: "PasswordRequired", Actions: []graph.ScheduledAction{{ActionType: "block", GracePeriodHours: hours}},
		}}
	})
}

// seen is what Intune says of a PC's compliance.
func seen(w *spec.World, pc *device.PC) string {
	GinkgoHelper()
	m, ok := w.Managed(pc)
	Expect(ok).To(BeTrue())
	return string(m.ComplianceState)
}

// A drive that was encrypted in the present start is attested after the next one
// only; a quarter of a day of grace is known to be enough
// (learn.microsoft.com, "Windows Autopilot known issues").
var _ = Describe("a compliance policy with a grace period", Label("T31"), func() {
	It("leaves a PC that does not meet it in grace, and Entra ID lets it pass meanwhile", func() {
		w := spec.NewWorld(forgiving(6))
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		w.Wait(time.Hour)
		Expect(seen(w, pc)).To(Equal("inGracePeriod"))
		Expect(*w.EntraDevice(pc).IsCompliant).To(BeTrue())
		w.Reseal(pc)
		w.Ship(pc, 2*time.Hour)
		w.Unpack(pc, w.User("alex"))
		w.Wait(time.Hour)
		Expect(seen(w, pc)).To(Equal("compliant"), "it has started since")
	})

	It("is over for a PC that stays on for longer", func() {
		w := spec.NewWorld(forgiving(6))
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		w.Wait(5 * time.Hour)
		Expect(seen(w, pc)).To(Equal("inGracePeriod"))
		w.Wait(10 * time.Hour)
		Expect(seen(w, pc)).To(Equal("noncompliant"))
		Expect(*w.EntraDevice(pc).IsCompliant).To(BeFalse())
	})

	It("is none with zero hours", func() {
		w := spec.NewWorld(forgiving(0))
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		w.Wait(time.Hour)
		Expect(seen(w, pc)).To(Equal("noncompliant"))
	})
})

var _ = Describe("a PC that has not reported for a month", Label("T30"), func() {
	It("counts as noncompliant, and not a day before", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.Ship(pc, 24*time.Hour)
		w.Unpack(pc, w.User("alex"))
		w.Wait(10 * time.Hour) // the user goes home
		Expect(pc.On()).To(BeFalse())
		Expect(seen(w, pc)).To(Equal("compliant"))
		w.Wait(29 * 24 * time.Hour)
		Expect(seen(w, pc)).To(Equal("compliant"))
		w.Wait(2 * 24 * time.Hour)
		Expect(seen(w, pc)).To(Equal("noncompliant"))
	})

	It("counts so as late as the timing profile says", func() {
		w := spec.NewWorld(spec.Timing(map[string]any{"compliance.validity": "40d"}))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.Ship(pc, 24*time.Hour)
		w.Unpack(pc, w.User("alex"))
		w.Wait(10 * time.Hour)
		w.Wait(31 * 24 * time.Hour)
		Expect(seen(w, pc)).To(Equal("compliant"))
		w.Wait(10 * 24 * time.Hour)
		Expect(seen(w, pc)).To(Equal("noncompliant"))
	})
})
