package timing_test

import (
	"errors"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/spec"
)

// syncNow presses Sync on the Autopilot devices page. Graph's client obeys
// Retry-After, so that a sync that comes too early is taken later: when is how
// long after begun that was. A conflict is an error.
func syncNow(w *spec.World, begun time.Time) (when time.Duration, err error) {
	GinkgoHelper()
	err = w.TryGraph(http.MethodPost, "/beta/deviceManagement/windowsAutopilotSettings/sync", nil, nil)
	return w.Clock.Now().Sub(begun), err
}

var _ = Describe("the manual sync of Autopilot devices", Label("T22"), func() {
	// second has a sync done at once, and wants another so much later.
	second := func(gap time.Duration, options map[string]any) time.Duration {
		GinkgoHelper()
		options["autopilot.syncDuration"] = "30s"
		w := spec.NewWorld(spec.Timing(options))
		begun := w.Clock.Now()
		_, err := syncNow(w, begun)
		Expect(err).NotTo(HaveOccurred())
		w.WaitUntil(begun.Add(gap))
		when, err := syncNow(w, begun)
		Expect(err).NotTo(HaveOccurred())
		return when
	}

	It("is too early at 9:59: 429, and taken when Retry-After is over", func() {
		Expect(second(9*time.Minute+59*time.Second-100*time.Millisecond, map[string]any{})).To(BeNumerically(">=", 10*time.Minute))
	})

	It("is taken at once at 10:01", func() {
		Expect(second(10*time.Minute+time.Second, map[string]any{})).To(BeNumerically("~", 10*time.Minute+time.Second, time.Second))
	})

	It("has its gap from the timing profile", func() {
		Expect(second(10*time.Minute+time.Second, map[string]any{"autopilot.manualSyncGap": "20m"})).To(BeNumerically(">=", 20*time.Minute))
	})

	It("is refused while one is under way: 409", func() {
		w := spec.NewWorld(spec.Timing(map[string]any{"autopilot.syncDuration": "11m"}))
		begun := w.Clock.Now()
		_, err := syncNow(w, begun)
		Expect(err).NotTo(HaveOccurred())
		w.WaitUntil(begun.Add(10*time.Minute + time.Second))
		_, err = syncNow(w, begun)
		var refused *sim.GraphError
		Expect(errors.As(err, &refused)).To(BeTrue())
		Expect(refused.Status).To(Equal(http.StatusConflict))
	})
})
