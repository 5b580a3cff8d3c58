package apps_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// large has the Agent weigh so much that the home's 100 Mbit/s carry it for some
// 13 minutes.
var large = []spec.Option{
	spec.App("Agent", func(a *spec.AppResource) { a.Size = 10_000_000_000 }),
	spec.StatusPage(func(p *graph.EnrollmentStatusPage) { p.InstallProgressTimeoutInMinutes = 240 }),
}

// atDownload takes a PC at a slow link to the middle of the Agent's download.
func atDownload(w *spec.World) *device.PC {
	GinkgoHelper()
	pc := w.NewRegisteredPC(spec.At("home"))
	w.ToLanding(pc)
	w.Begin(pc)
	w.AwaitCategory(pc, "DeviceSetup")
	w.AwaitEvent(pc, "app.install", map[string]string{"app": "Agent", "state": "InProgress"})
	w.Wait(7 * time.Minute)
	Expect(w.Products(pc)).NotTo(ContainElement("Agent"))
	return pc
}

var _ = Describe("a large app on a slow link", func() {
	// through is how long after a moment the technician flow is through.
	through := func(w *spec.World, pc *device.PC) time.Duration {
		GinkgoHelper()
		from := w.Clock.Now()
		w.Await(pc, oobe.ScreenSuccess)
		Expect(w.Products(pc)).To(ContainElement("Agent"))
		return w.Clock.Now().Sub(from)
	}

	It("takes as long as the link needs", func() {
		w := spec.NewWorld(large...)
		pc := atDownload(w)
		Expect(through(w, pc)).To(BeNumerically("~", 8*time.Minute, 3*time.Minute))
	})

	It("goes on where it stopped once the content network is reached again", func() {
		w := spec.NewWorld(large...)
		pc := atDownload(w)
		Expect(w.Sites["home"].Block(hosts.ContentCDN, vnet.Refuse)).To(Succeed())
		w.Wait(30 * time.Second)
		Expect(w.Sites["home"].Unblock(hosts.ContentCDN)).To(BeTrue())
		Expect(through(w, pc)).To(BeNumerically("<", 13*time.Minute), "half of it was there")
	})

	It("goes on where it stopped after the power went", func() {
		w := spec.NewWorld(large...)
		pc := atDownload(w)
		w.CutPower(pc)
		w.Wait(time.Minute)
		w.PowerOn(pc)
		Expect(through(w, pc)).To(BeNumerically("<", 13*time.Minute), "half of it was there")
	})
})
