package timing_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/hosts"
)

// sleepy is a PC that calls nobody for ten days: a year of it shows no more than
// a quick one's.
func sleepy(more map[string]any) spec.Option {
	values := map[string]any{"mdm.syncSchedule": "10d", "ime.checkInterval": "10d", "entra.prtRefresh": "10d"}
	for k, v := range more {
		values[k] = v
	}
	return spec.Timing(values)
}

// short has certificates live for fewer days than a year: which, does not
// matter for what is counted from their end.
var short = map[string]any{"mdm.certificateLife": "60d"}

// mdmEnd is when the PC's certificate for its sessions ends.
func mdmEnd(pc *device.PC) time.Time {
	GinkgoHelper()
	held, ok := pc.Disk.Certs.Find(device.StoreMySystem, "mdm")
	Expect(ok).To(BeTrue())
	cert, err := held.Parse()
	Expect(err).NotTo(HaveOccurred())
	return cert.NotAfter
}

// The life of a year is reported and not published; that Windows renews 42 days
// before the end and every four days then is from learn.microsoft.com,
// "Certificate renewal".
var _ = Describe("the certificate of an enrolment", Label("T29"), func() {
	It("lives for a year, and is renewed 42 days before its end, not before", func() {
		w, pc := atDesktop(sleepy(nil))
		end := mdmEnd(pc)
		Expect(end.Sub(w.Events(pc, "mdm.enrolled")[0].Time)).To(BeNumerically("~", 365*day24, time.Hour))
		w.WaitUntil(end.Add(-42*day24 - time.Minute))
		Expect(w.Events(pc, "mdm.renewed")).To(BeEmpty())
		w.Wait(2 * time.Minute)
		Expect(w.Events(pc, "mdm.renewed")).To(HaveLen(1))
		Expect(mdmEnd(pc)).To(BeTemporally(">", end.Add(300*day24)))
	})

	It("is renewed as early as the timing profile says", func() {
		w, pc := atDesktop(sleepy(map[string]any{"mdm.certificateRenewBefore": "60d", "mdm.certificateLife": "90d"}))
		w.WaitUntil(mdmEnd(pc).Add(-60*day24 + time.Minute))
		Expect(w.Events(pc, "mdm.renewed")).To(HaveLen(1))
	})

	It("is asked for every four days where the service cannot be reached", func() {
		w, pc := atDesktop(sleepy(short))
		Expect(w.Sites["home"].Block(hosts.Enrollment, vnet.Refuse)).To(Succeed())
		end := mdmEnd(pc)
		w.WaitUntil(end.Add(-30*day24 + time.Hour))
		failed := moments(w.Events(pc, "mdm.renewal.failed"), end.Add(-42*day24))
		Expect(failed).To(HaveExactElements(near(0), near(4*day24), near(8*day24), near(12*day24)))
	})

	// startedAgain has a PC lie, off, until so long before (negative) or after its
	// certificate's end, and be on for an hour.
	startedAgain := func(d time.Duration) (renewed int) {
		GinkgoHelper()
		w, pc := atDesktop(sleepy(short))
		end := mdmEnd(pc)
		w.CutPower(pc)
		w.WaitUntil(end.Add(d))
		w.PowerOn(pc)
		w.Wait(time.Hour)
		return len(w.Events(pc, "mdm.renewed"))
	}

	It("is renewed by a PC that is started a day before its end, and never by one that is started a day after it", func() {
		Expect(startedAgain(-day24)).To(Equal(1))
		Expect(startedAgain(day24)).To(BeZero())
	})
})

var _ = Describe("what an administrator had collected", Label("T35"), func() {
	// left is how many collections there are so long after one was asked for.
	left := func(age time.Duration, options ...spec.Option) int {
		GinkgoHelper()
		w := spec.NewWorld(options...)
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		m, ok := w.Managed(pc)
		Expect(ok).To(BeTrue())
		w.Graph(http.MethodPost, "/v1.0/deviceManagement/managedDevices/"+m.ID+"/createDeviceLogCollectionRequest", nil, nil)
		w.Wait(age)
		return len(w.Intune.Service().Tenants()[0].LogCollections(m.ID))
	}

	It("is kept for 28 days, and not longer", func() {
		Expect(left(28*day24 - time.Minute)).To(Equal(1))
		Expect(left(28*day24 + time.Minute)).To(BeZero())
	})

	It("is kept as long as the timing profile says", func() {
		Expect(left(28*day24+time.Minute, spec.Timing(map[string]any{"autopilot.diagnosticsRetention": "29d"}))).To(Equal(1))
	})
})
