package technician_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
)

// german presets the language in the deployment profile.
func german(t *scenario.Tenant) { t.Profiles[0].Locale = "de-DE" }

// opensTheOptions strikes the Windows key on the present screen, too few times
// and too many times, then five times, and cancels.
func opensTheOptions(w *spec.World, pc *device.PC) {
	GinkgoHelper()
	here := pc.Screen().ID
	for _, times := range []int{1, 4, 6, 10} {
		w.Strike(pc, oobe.KeyWindows, times)
		Expect(pc.Screen().ID).To(Equal(here), "after %d strikes", times)
	}
	w.Strike(pc, oobe.KeyWindows, 5)
	Expect(pc.Screen().ID).To(Equal(oobe.ScreenOptions), "after five strikes on %s", here)
	w.Press(pc, oobe.ButtonCancel)
	Expect(pc.Screen().ID).To(Equal(here), "after Cancel")
}

var _ = Describe("the first screens", func() {
	It("ask a PC with a cable for its language only", Label("SR-08", "SR-17"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		w.Await(pc, oobe.ScreenSignIn)
		Expect(w.Texts(pc, "screen.shown", "screen")).To(Equal([]string{"firmware", oobe.ScreenLanguage, oobe.ScreenSignIn}))
	})

	It("ask a PC without a cable for region, language and keyboard before the network", Label("SR-08"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.Wireless)
		w.PowerOn(pc)
		for _, id := range []string{oobe.ScreenLanguage, oobe.ScreenRegion, oobe.ScreenKeyboard} {
			w.Await(pc, id)
			Expect(w.Events(pc, "http.request")).To(BeEmpty(), "before the network was chosen")
			w.Press(pc, oobe.ButtonYes)
		}
		w.Await(pc, oobe.ScreenNetwork)
		w.Press(pc, oobe.ButtonConnect)
		w.Await(pc, oobe.ScreenSignIn)
	})

	It("all lead to the provisioning options by five strikes of the Windows key, and only by five", Label("SR-21", "SR-17"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.Wireless)
		w.PowerOn(pc)
		for _, id := range []string{oobe.ScreenLanguage, oobe.ScreenRegion, oobe.ScreenKeyboard} {
			w.Await(pc, id)
			opensTheOptions(w, pc)
			w.Press(pc, oobe.ButtonYes)
		}
		w.Await(pc, oobe.ScreenNetwork)
		opensTheOptions(w, pc)
		w.Press(pc, oobe.ButtonConnect)
		w.Await(pc, oobe.ScreenSignIn)
		opensTheOptions(w, pc)
	})

	It("offer the five strikes on the sign-in page where the profile presets the language", Label("SR-17"), func() {
		w := spec.NewWorld(spec.Tenant(german))
		pc := w.NewRegisteredPC()
		w.PowerOn(pc)
		Expect(w.Await(pc, oobe.ScreenLanguage, oobe.ScreenSignIn).ID).To(Equal(oobe.ScreenSignIn))
		opensTheOptions(w, pc)
	})

	It("need a network before the configuration screen can say anything", Label("SR-08"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.Wireless)
		s := w.ToLanding(pc)
		Expect(s.ID).To(Equal(oobe.ScreenFailure))
		Expect(s.Line(oobe.LabelError)).To(Equal("0x800C0003"))
	})
})
