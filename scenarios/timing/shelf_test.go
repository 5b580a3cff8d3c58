package timing_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
)

// detectionFailed is what the management extension logs of an app that it
// cannot ask about.
const detectionFailed = "resulted in action status: Failed and detection state: NotComputed"

// unpackAfter pre-provisions a PC on a day and has its user start it so many
// days before or after six calendar months are over. It gives the user flow's
// error.
func unpackAfter(start, end time.Time, days int, options ...spec.Option) (*spec.World, *device.PC, error) {
	GinkgoHelper()
	w := spec.NewWorld(append(options, spec.Start(start))...)
	pc := w.NewRegisteredPC(spec.Edition(scenario.EditionEnterprise)) // supported for a year longer than Pro
	w.Provision(pc)
	Expect(w.Clock.Now()).To(BeTemporally("<", start.Add(3*time.Hour)))
	w.Ship(pc, time.Hour)
	w.WaitUntil(end.AddDate(0, 0, days))
	return w, pc, w.TryUnpack(pc, w.User("alex"))
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 9, 0, 0, 0, time.UTC) }

var _ = DescribeTable("a pre-provisioned PC may lie for six calendar months", Label("SR-30", "T02"),
	func(start, end time.Time) {
		By("a day before they are over")
		w, pc, err := unpackAfter(start, end, -1)
		Expect(err).NotTo(HaveOccurred())
		Expect(w.Texts(pc, "log.line", "message")).NotTo(ContainElement(ContainSubstring(detectionFailed)))

		By("a day after")
		w, pc, err = unpackAfter(start, end, +1)
		Expect(err).To(HaveOccurred())
		Expect(w.Texts(pc, "log.line", "message")).To(ContainElement(ContainSubstring(detectionFailed)))
	},
	Entry("over the new year", day(2026, time.September, 1), day(2027, time.March, 1)),
	Entry("from the end of August to the end of February", day(2026, time.August, 31), day(2027, time.February, 28)),
	Entry("over a leap day", day(2027, time.December, 15), day(2028, time.June, 15)),
)

var _ = It("may lie for as long as the timing profile says", Label("SR-30", "T02"), func() {
	shorter, start, end := spec.Timing(map[string]any{"ime.certificateLife": "2 months"}), day(2026, time.September, 1), day(2026, time.November, 1)
	_, _, err := unpackAfter(start, end, -1, shorter)
	Expect(err).NotTo(HaveOccurred())
	_, _, err = unpackAfter(start, end, +1, shorter)
	Expect(err).To(HaveOccurred())
})
