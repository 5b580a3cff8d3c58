package hybrid_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakead/connect"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
)

// at is when the first event of a kind happened on a PC.
func at(w *spec.World, pc *device.PC, kind string) time.Time {
	GinkgoHelper()
	found := w.Events(pc, kind)
	Expect(found).NotTo(BeEmpty(), kind)
	return found[0].Time
}

// gaps are the times between events.
func gaps(events []journal.Event) (list []time.Duration) {
	for i := range events[1:] {
		list = append(list, events[i+1].Time.Sub(events[i].Time))
	}
	return list
}

// Actions on a world before anything of it runs.
func stopped(s *scenario.Scenario)   { s.Connectors[0].Stopped = true }
func notSynced(s *scenario.Scenario) { s.Connect.Stopped = true }

var _ = Describe("the times of a hybrid join", func() {
	It("gives the technician's blob 25 minutes, and says 0x80070774 then", Label("T08"), func() {
		w := newWorld(stopped)
		pc := newPC(w)
		failed := spec.FailureOf(w.TryProvision(pc))
		Expect(failed.Code).To(Equal("0x80070774"))
		Expect(at(w, pc, "domain.timeout").Sub(at(w, pc, "domain.wait"))).To(BeNumerically("~", 25*time.Minute, time.Second))
		state, _ := pc.Disk.Registry.DWORD(device.KeyODJ, "State")
		Expect(device.ODJState(state)).To(Equal(device.ODJTimedOut))
		w.Connectors[0].Start()
	})

	It("gives the user's search for a controller as long, and lets it be tried again where there is one", Label("T08"), func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		w.Ship(pc, 2*day) // home, from where there is no controller
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		s := w.Await(pc, oobe.ScreenWrong)
		Expect(s.Line(oobe.LabelError)).To(Equal("0x80070774"))
		waits := w.Events(pc, "domain.wait")
		Expect(at(w, pc, "domain.timeout").Sub(waits[len(waits)-1].Time)).To(BeNumerically("~", 25*time.Minute, time.Second))
		Expect(w.Events(pc, "domain.noController")).NotTo(BeEmpty())

		pc.NIC.Move(w.Sites["office"])
		w.Press(pc, oobe.ButtonTryAgain)
		w.Await(pc, oobe.ScreenLogon)
	})

	It("has the computer registered once the sync of every thirty minutes knows it", Label("T12"), func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		toOffice(w, pc)
		Expect(w.Texts(pc, "hybrid.failed", "code")).To(ContainElement("0x801C03F2"), "not synchronised yet")
		Expect(at(w, pc, "hybrid.registered").Sub(at(w, pc, "hybrid.certificate.written"))).To(BeNumerically("<", 35*time.Minute))
		Expect(gaps(w.EventsOf(w.Connect.Name(), connect.EventCycle))).To(HaveEach(BeNumerically("~", 30*time.Minute, time.Minute)))
	})

	It("tries the registration every four minutes, as long as the page's time and forty minutes", Label("T09", "T04"), func() {
		w := newWorld(notSynced)
		pc := newPC(w)
		w.Provision(pc)
		w.ShipTo(pc, "office", 2*day)
		err := w.TryUnpack(pc, w.User("alex"))
		Expect(spec.FailureOf(err).Code).To(Equal("0x800705B4"))
		failed := w.Events(pc, "user.failed")
		logons := w.Events(pc, "logon.kerberos")
		tries := gaps(w.Events(pc, "hybrid.failed"))
		Expect(len(tries)).To(BeNumerically(">", 20))
		exact := 0 // the task runs by itself as well, hourly
		for _, gap := range tries {
			if gap >= 4*time.Minute && gap < 4*time.Minute+time.Second {
				exact++
			}
		}
		Expect(exact).To(BeNumerically(">", 20))
		Expect(failed[len(failed)-1].Time.Sub(logons[0].Time)).To(BeNumerically("~", 100*time.Minute, 3*time.Minute))
	})
})

var _ = Describe("what is disputed about the technician's part, as switches", func() {
	turn := func(name string, more ...func(*scenario.Scenario)) *spec.World {
		GinkgoHelper()
		return spec.NewWorld(spec.Hybrid(more...), spec.Timing(map[string]any{"hybrid." + name: true}))
	}

	It("restarts after the blob, and goes on", func() {
		w := turn("technicianReboot")
		pc := newPC(w)
		w.Provision(pc)
		order := w.Order(pc, "device.domain.staged", "device.reboot", "device.domain.joined", "device.resealed")
		Expect(order).To(HaveExactElements("device.domain.staged", "device.reboot", "device.domain.joined", "device.resealed"))
		toOffice(w, pc)
	})

	It("looks for a controller, and fails without one", func() {
		w := turn("technicianDCCheck")
		Expect(spec.FailureOf(w.TryProvision(newPC(w))).Code).To(Equal("0x80070774"))
		near := newPC(w, spec.At("office"))
		w.Provision(near)
	})

	It("fails where a user is assigned", func() {
		w := turn("assignedUserBlocks")
		Expect(spec.FailureOf(w.TryProvision(newPC(w, spec.For("alex@contoso.com")))).Code).To(Equal("0x80070774"))
		w.Provision(newPC(w))
	})

	It("does none of it by default", Label("SR-10"), func() {
		w := newWorld()
		pc := newPC(w, spec.For("alex@contoso.com"))
		w.Provision(pc)
		Expect(w.Events(pc, "domain.noController", "domain.controller", "device.reboot")).To(BeEmpty())
	})
})
