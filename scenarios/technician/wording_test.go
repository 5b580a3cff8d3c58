package technician_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
)

// What the pages call things, as "Windows Autopilot for pre-provisioned
// deployment" on learn.microsoft.com has it.
var _ = DescribeTable("the technician's pages", func(build, option, goOn, begin string) {
	w := spec.NewWorld()
	pc := w.NewRegisteredPC(spec.Build(build))
	w.PowerOn(pc)
	w.Await(pc, oobe.ScreenLanguage, oobe.ScreenSignIn)
	w.Strike(pc, oobe.KeyWindows, 5)
	s := w.Await(pc, oobe.ScreenOptions)
	Expect(s.Line(oobe.FieldOption)).To(Equal(option))
	w.Fill(pc, goOn, map[string]string{oobe.FieldOption: option})
	s = w.Await(pc, oobe.ScreenLanding)
	Expect(s.Buttons).To(ConsistOf(oobe.ButtonRefresh, begin))
	Expect(w.Sites["bench"].Block(attestationHosts, vnet.Refuse)).To(Succeed())
	w.Press(pc, begin)
	s = w.Await(pc, oobe.ScreenFailure)
	if s.Has(oobe.ButtonDiagnostics) {
		Expect(begin).To(Equal(oobe.ButtonProvision))
		w.Press(pc, oobe.ButtonDiagnostics)
	} else {
		w.Strike(pc, oobe.KeyLogs, 1)
		w.Await(pc, oobe.ScreenExport)
		w.Press(pc, oobe.ButtonExport)
	}
	w.Wait(5 * time.Minute)
	Expect(w.Events(pc, "diagnostics.saved")).To(HaveLen(1))
	Expect(pc.Screen().ID).To(Equal(oobe.ScreenFailure))
},
	Entry("of Windows 10", "19045.5011", oobe.OptionProvision, oobe.ButtonContinue, oobe.ButtonProvision),
	Entry("of Windows 11", "26100.4652", oobe.OptionPreProvision, oobe.ButtonNext, oobe.ButtonNext),
)
