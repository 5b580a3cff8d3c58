package hybrid_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

// computers are the names of the domain's computer objects, sorted.
func computers(w *spec.World) (names []string) {
	GinkgoHelper()
	w.InDomain(func(a *sim.DomainAdministrator) error {
		all, err := a.Computers("cn")
		for _, e := range all {
			names = append(names, e.Text("cn"))
		}
		return err
	})
	slices.Sort(names)
	return names
}

// joinLog are the identifiers of the events of the offline domain join.
func joinLog(w *spec.World, pc *device.PC) (ids []string) {
	for _, id := range w.Texts(pc, "eventlog", "id") {
		if slices.Contains([]string{"100", "107", "109", "110", "111"}, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

var _ = Describe("a technician's part that has to be done again", func() {
	It("takes the blob that came after the time, at Retry, as the same computer", func() {
		w := newWorld(stopped)
		pc := newPC(w)
		Expect(spec.FailureOf(w.TryProvision(pc)).Code).To(Equal("0x80070774"))
		Expect(computers(w)).To(BeEmpty())
		w.Connectors[0].Start()
		w.Wait(10 * time.Minute)
		w.Press(pc, oobe.ButtonRetry)
		w.Await(pc, oobe.ScreenSuccess)
		w.Reseal(pc)
		staged, ok := pc.DomainStaged()
		Expect(ok).To(BeTrue())
		Expect(computers(w)).To(Equal([]string{staged.Computer}))
		Expect(w.Impossible(pc)).To(BeEmpty())
		toOffice(w, pc)
	})

	It("asks anew at Retry, where the connector had failed for good", func() {
		w := withConnector(func(c *scenario.Connector) { c.Delegated = scenario.Units{} })
		pc := newPC(w)
		Expect(spec.FailureOf(w.TryProvision(pc)).Code).To(Equal("0x80070774"))
		w.InDomain(func(a *sim.DomainAdministrator) error { return a.Delegate(unit, "msaODJA$") })
		w.Press(pc, oobe.ButtonRetry)
		pressed := w.Clock.Now()
		w.AwaitEvent(pc, "device.domain.staged", nil)
		Expect(w.Clock.Now().Sub(pressed)).To(BeNumerically("<=", w.Timing.Hybrid.JoinRetry+2*w.Timing.ESP.SessionInterval))
		w.Await(pc, oobe.ScreenSuccess)
		Expect(computers(w)).To(HaveLen(1))
	})

	It("waits as long again at Retry, where nothing has changed", func() {
		w := newWorld(stopped)
		pc := newPC(w)
		Expect(w.TryProvision(pc)).NotTo(Succeed())
		w.Press(pc, oobe.ButtonRetry)
		w.AwaitEvent(pc, "domain.timeout", nil)
		w.Await(pc, oobe.ScreenFailure)
		waits, ends := w.Events(pc, "domain.wait"), w.Events(pc, "domain.timeout")
		Expect(ends[len(ends)-1].Time.Sub(waits[len(waits)-1].Time)).To(BeNumerically("~", 25*time.Minute, time.Second))
	})

	It("makes another computer after Reset, and leaves the one that there was", func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		before := computers(w)
		Expect(before).To(HaveLen(1))
		w.Reinstall(pc)
		Expect(w.Unblock(pc)).To(Succeed())
		w.Provision(pc)
		staged, ok := pc.DomainStaged()
		Expect(ok).To(BeTrue())
		Expect(before).NotTo(ContainElement(staged.Computer))
		Expect(computers(w)).To(ConsistOf(before[0], staged.Computer))
		Expect(w.Impossible(pc)).To(BeEmpty())
		toOffice(w, pc)
		Expect(w.Impossible(pc)).To(BeEmpty())
	})
})

var _ = Describe("the event log of an offline domain join", func() {
	It("has the beginning of the wait, the blob, and what the state is each time", func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		Expect(joinLog(w, pc)).To(Equal([]string{"109", "111", "107", "110"}))
	})

	It("has no controller in it once a wait, where there is none", func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		w.Ship(pc, 2*day)
		Expect(w.TryUnpack(pc, w.User("alex"))).NotTo(Succeed())
		Expect(joinLog(w, pc)[4:]).To(ContainElements("100", "109"))
	})

	It("H09: ends with the state 3 where no domain-join profile reaches the PC", func() {
		w := newWorld(func(s *scenario.Scenario) {
			s.Tenant.Configurations = slices.DeleteFunc(s.Tenant.Configurations, func(c graph.DeviceConfiguration) bool { return c.DomainJoin != nil })
		})
		pc := newPC(w)
		Expect(spec.FailureOf(w.TryProvision(pc)).Code).To(Equal("0x80070774"))
		Expect(joinLog(w, pc)).To(Equal([]string{"109", "111", "109"}))
		state, _ := pc.Disk.Registry.DWORD(device.KeyODJ, "State")
		Expect(device.ODJState(state)).To(Equal(device.ODJTimedOut))
		Expect(computers(w)).To(BeEmpty())
	})
})
