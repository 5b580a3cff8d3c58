package statuspage_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

// failing has the Agent's installer fail the first so many times; it runs three
// times an evaluation. 0 is always.
func failing(times int) spec.Option {
	return spec.App("Agent", func(a *spec.AppResource) {
		if a.Windtunnel.ExitCode = 1603; times > 0 {
			a.Windtunnel.ExitCode = 0
			for range times {
				a.Windtunnel.ExitCodes = append(a.Windtunnel.ExitCodes, 1603)
			}
		}
	})
}

// offers sets what the page offers after a failure.
func offers(reset, retry, use, logs bool) spec.Option {
	return spec.StatusPage(func(p *graph.EnrollmentStatusPage) {
		p.AllowDeviceResetOnInstallFailure, p.BlockDeviceSetupRetryByUser = reset, !retry
		p.AllowDeviceUseOnInstallFailure, p.AllowLogCollectionOnInstallFailure = use, logs
	})
}

const continueAnyway = "Continue anyway"

// atFailure takes a user's PC to the page that says what failed.
func atFailure(w *spec.World) (*device.PC, device.Screen) {
	GinkgoHelper()
	pc := w.NewRegisteredPC(spec.At("home"))
	w.PowerOn(pc)
	w.Await(pc, oobe.ScreenLanguage)
	w.Press(pc, oobe.ButtonYes)
	w.Await(pc, oobe.ScreenSignIn)
	w.SignIn(pc, w.User("alex"))
	return pc, w.AwaitWhere(pc, "a failure or the desktop", func(s device.Screen) bool {
		return s.ID == oobe.ScreenDesktop || (len(s.Buttons) > 0 && s.Line(oobe.LabelError) != "")
	})
}

var _ = Describe("after a failure the page", func() {
	DescribeTable("offers its user what its profile allows:",
		func(reset, retry, use, logs bool) {
			w := spec.NewWorld(failing(0), offers(reset, retry, use, logs))
			_, s := atFailure(w)
			Expect(s.Has(oobe.ButtonReset)).To(Equal(reset), s.String())
			Expect(s.Has(oobe.ButtonTryAgain)).To(Equal(retry), s.String())
			Expect(s.Has(continueAnyway)).To(Equal(use), s.String())
			Expect(s.Has("Collect logs")).To(Equal(logs), s.String())
		},
		Entry("all", true, true, true, true),
		Entry("to reset", true, false, false, false),
		Entry("to try again", false, true, false, false),
		Entry("to use the PC anyway", false, false, true, false),
		Entry("logs, beside a reset", true, false, false, true),
	)

	It("says what the organisation wants said", func() {
		w := spec.NewWorld(failing(0), spec.StatusPage(func(p *graph.EnrollmentStatusPage) { p.CustomErrorMessage = "Call 4711." }))
		_, s := atFailure(w)
		Expect(s.String()).To(ContainSubstring("Call 4711."))
	})

	It("goes on from what failed when its user tries again", func() {
		w := spec.NewWorld(failing(3))
		pc, s := atFailure(w)
		Expect(s.Has(oobe.ButtonTryAgain)).To(BeTrue(), s.String())
		w.Press(pc, oobe.ButtonTryAgain)
		w.Await(pc, oobe.ScreenDesktop)
		Expect(w.Products(pc)).To(ContainElements("Agent", "Notes"))
	})

	It("goes on from what failed when the technician presses Retry", func() {
		w := spec.NewWorld(failing(3))
		pc := w.NewRegisteredPC()
		Expect(toEnd(w, pc).ID).To(Equal(oobe.ScreenFailure))
		w.Press(pc, oobe.ButtonRetry)
		w.Await(pc, oobe.ScreenSuccess)
		Expect(w.Products(pc)).To(ContainElement("Agent"))
		Expect(w.Events(pc, "mdm.enrolled")).To(HaveLen(1))
	})

	It("lets its user go on to the desktop where that is allowed", func() {
		w := spec.NewWorld(failing(0), offers(true, true, true, true))
		pc, s := atFailure(w)
		Expect(s.Has(continueAnyway)).To(BeTrue(), s.String())
		w.Press(pc, continueAnyway)
		w.AwaitWhere(pc, "the desktop, or the next failure", func(s device.Screen) bool { return s.ID == oobe.ScreenDesktop || s.Has(continueAnyway) })
		if pc.Screen().Has(continueAnyway) {
			w.Press(pc, continueAnyway)
			w.Await(pc, oobe.ScreenDesktop)
		}
	})

	It("starts over with Reset, and the second technician flow is refused until the record is gone", Label("SR-28", "SR-03"), func() {
		w := spec.NewWorld(failing(0))
		pc := w.NewRegisteredPC()
		Expect(toEnd(w, pc).ID).To(Equal(oobe.ScreenFailure))
		w.Press(pc, oobe.ButtonReset)
		w.Await(pc, oobe.ScreenLanguage)
		w.CutPower(pc)
		refused := spec.FailureOf(w.TryProvision(pc))
		Expect(refused).NotTo(BeNil())
		Expect(refused.Code).To(Equal("0x80180014"))
		w.CutPower(pc)

		d, ok := w.Managed(pc)
		Expect(ok).To(BeTrue())
		w.Graph(http.MethodDelete, "/v1.0/deviceManagement/managedDevices/"+d.ID, nil, nil)
		w.Reinstall(pc)
		w.Wait(time.Hour)
		enrolled := spec.FailureOf(w.TryProvision(pc))
		Expect(enrolled).NotTo(BeNil())
		Expect(enrolled.Phase).To(Equal("DeviceSetup.AppsSubcategory"), "it enrols, and gets as far as the app")
	})
})

var _ = Describe("which page a PC gets", func() {
	quiet := func(p *graph.EnrollmentStatusPage) { p.ShowInstallationProgress = false }
	shownIn := func(w *spec.World, pc *device.PC) bool {
		for _, e := range w.Events(pc, "esp.category") {
			if e.Text("category") == "DeviceSetup" {
				return true
			}
		}
		return false
	}
	group := func(t *scenario.Tenant, name string) graph.AssignmentTarget {
		for _, g := range t.Groups {
			if g.DisplayName == name {
				return graph.Group(g.ID)
			}
		}
		Fail(name)
		return graph.AssignmentTarget{}
	}
	forStaff := spec.Tenant(func(t *scenario.Tenant) {
		t.StatusPages[0].Assignments = []graph.Assignment{{Target: group(t, "Staff")}}
	})

	It("is one for its users where they are there: not in the technician flow, but in user-driven mode", Label("SR-09"), func() {
		w := spec.NewWorld(forStaff)
		prepared, alone := w.NewPC(spec.For("alex@contoso.com")), w.NewPC(spec.At("home"))
		w.Register(prepared, alone)
		w.ToSuccess(prepared)
		Expect(shownIn(w, prepared)).To(BeFalse())
		w.Unpack(alone, w.User("alex"))
		Expect(shownIn(w, alone)).To(BeTrue())
	})

	It("is that of the higher priority among those for the PC", func() {
		second := spec.Tenant(func(t *scenario.Tenant) {
			p := t.StatusPages[0]
			p.ID, p.DisplayName, p.Priority = "", "Quiet page", 2
			quiet(&p)
			t.StatusPages = append(t.StatusPages, p)
		})
		w := spec.NewWorld(second)
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		Expect(shownIn(w, pc)).To(BeTrue())

		w = spec.NewWorld(second, spec.Tenant(func(t *scenario.Tenant) { t.StatusPages[0].Priority, t.StatusPages[1].Priority = 2, 1 }))
		pc = w.NewRegisteredPC()
		w.ToSuccess(pc)
		Expect(shownIn(w, pc)).To(BeFalse())
	})

	It("is the default one where no other is for it", func() {
		w := spec.NewWorld(spec.Tenant(func(t *scenario.Tenant) {
			t.StatusPages[0].Assignments, t.StatusPages[0].Priority = nil, 0
			t.StatusPages[0].ConfigurationType = "defaultWindows10EnrollmentCompletionPageConfiguration"
		}))
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		Expect(shownIn(w, pc)).To(BeTrue())
	})
})

var _ = Describe("monthly quality updates", Label("T36"), func() {
	wanted := spec.StatusPage(func(p *graph.EnrollmentStatusPage) { p.InstallQualityUpdates = true })
	updated := func(w *spec.World, pc *device.PC) int { return len(w.Events(pc, "updates.installed")) }

	It("are installed after account setup where the page says so, in 20 to 40 minutes, and never in the technician flow", func() {
		w := spec.NewWorld(wanted)
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(updated(w, pc)).To(BeZero())
		w.Ship(pc, 48*time.Hour)
		w.Unpack(pc, w.User("alex"))
		Expect(updated(w, pc)).NotTo(BeZero())
		var through, desktop time.Time
		for _, e := range w.Events(pc, "esp.category", "desktop.reached") {
			if desktop = e.Time; e.Text("category") == "AccountSetup" && e.Text("state") == "succeeded" {
				through = e.Time
			}
		}
		Expect(desktop.Sub(through)).To(And(BeNumerically(">=", 20*time.Minute), BeNumerically("<=", 45*time.Minute)))
	})

	It("take as long as the timing profile says", func() {
		w := spec.NewWorld(wanted, spec.Timing(map[string]any{"esp.qualityUpdates": "70m..70m"}))
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("alex"))
		events := w.Events(pc, "esp.category", "desktop.reached")
		last := len(events) - 1
		Expect(events[last].Time.Sub(events[last-1].Time)).To(BeNumerically("~", 70*time.Minute, 5*time.Minute))
	})

	It("are not installed where the page does not say so", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("alex"))
		Expect(updated(w, pc)).To(BeZero())
	})
})
