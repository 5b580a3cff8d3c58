package timing_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
)

// busyService has the attestation service send the first request of each PC
// away for so long, as Windows' HTTP stack obeys it.
func busyService(d time.Duration) spec.Option {
	return spec.Faults(fault.Rule{
		Name: "busy", When: fault.When{Operation: "aik.*", Nth: 1}, Do: fault.Action{Status: http.StatusServiceUnavailable, RetryAfter: d},
	})
}

// attested is how long a PC's attestation takes while the service is busy for
// so long, in a world that is otherwise the same each time.
func attested(busy time.Duration, options ...spec.Option) (took time.Duration, end, code string) {
	GinkgoHelper()
	w := spec.NewWorld(append(options, spec.Variant("attestation"), busyService(busy))...)
	pc := w.NewRegisteredPC()
	w.ToLanding(pc)
	w.Begin(pc)
	s := w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
	begun := w.Events(pc, "tpm.attest.start")[0].Time
	if done := w.Events(pc, "tpm.attest.done"); len(done) > 0 {
		took = done[0].Time.Sub(begun)
	} else {
		took = w.Events(pc, "autopilot.failed")[0].Time.Sub(begun)
	}
	return took, s.ID, s.Line(oobe.LabelError)
}

var _ = Describe("the wait for attestation", Label("T06"), func() {
	// What the rest of it takes is the same whenever the service lets it begin. A
	// service says whole seconds.
	busyFor := func(whole time.Duration) time.Duration {
		took, _, _ := attested(time.Minute)
		return (whole - (took - time.Minute)).Truncate(time.Second)
	}

	It("is long enough for 6:59", func() {
		took, end, _ := attested(busyFor(6*time.Minute + 59*time.Second))
		Expect(took).To(And(BeNumerically(">", 6*time.Minute+58*time.Second), BeNumerically("<", 7*time.Minute)))
		Expect(end).To(Equal(oobe.ScreenSuccess))
	})

	It("is over at seven minutes, so that 7:01 comes too late", func() {
		took, end, code := attested(busyFor(7*time.Minute + 2*time.Second))
		Expect(took).To(BeNumerically("~", 7*time.Minute, 2*time.Second))
		Expect(end).To(Equal(oobe.ScreenFailure))
		Expect(code).To(Equal(hresult.WaitTimeout.Hex()))
	})

	It("is the timing profile's, and moves with it", func() {
		_, end, _ := attested(busyFor(7*time.Minute+2*time.Second), spec.Timing(map[string]any{"tpm.attestationWait": "8m"}))
		Expect(end).To(Equal(oobe.ScreenSuccess))
	})
})

// refused has the service refuse the first so many certificates of each PC.
func refused(times int) []spec.Option {
	var rules []fault.Rule
	for n := range times {
		rules = append(rules, fault.Rule{Name: "refusal " + string(rune('A'+n)), When: fault.When{Operation: "aik.GetCACaps", Nth: n + 1}, Do: fault.Action{Status: http.StatusBadRequest}})
	}
	return []spec.Option{spec.Faults(rules...)}
}

var _ = Describe("the tries of an attestation", Label("T07"), func() {
	provision := func(times int, options ...spec.Option) (code string, w *spec.World) {
		w = spec.NewWorld(append(options, refused(times)...)...)
		pc := w.NewRegisteredPC()
		if err := w.TryProvision(pc); err != nil {
			code = spec.FailureOf(err).Code
		}
		return code, w
	}

	It("are one and three more", func() {
		code, _ := provision(3)
		Expect(code).To(BeEmpty())
	})

	It("are as many as the timing profile says", func() {
		fewer := spec.Timing(map[string]any{"tpm.attestationRetries": 1})
		code, _ := provision(1, fewer)
		Expect(code).To(BeEmpty())
		code, _ = provision(2, fewer)
		Expect(code).To(Equal(hresult.TPMAttestationRetriesExceeded.Hex()))
	})

	It("are used up by a fourth refusal: 0x81039001", func() {
		code, w := provision(4)
		Expect(code).To(Equal(hresult.TPMAttestationRetriesExceeded.Hex()))
		failed := w.Events(w.PCs[0], "tpm.attest.failed")
		Expect(failed).To(HaveLen(4))
		Expect(failed[1].Time.Sub(failed[0].Time)).To(BeNumerically("~", w.Timing.TPM.AttestationRetryDelay, 5*time.Second), "the delay between tries is our model")
	})
})
