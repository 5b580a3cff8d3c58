package timing_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

// imported brings a PC's hash into Intune and has nobody press Sync.
func imported(options ...spec.Option) (*spec.World, *device.PC) {
	GinkgoHelper()
	w := spec.NewWorld(options...)
	pc := w.NewPC()
	w.Do(func(ctx context.Context) {
		Expect(w.World.Administrator().ImportCSV(ctx, w.HashCSV(pc))).To(Succeed())
	})
	return w, pc
}

// statusAt is what the list of devices says of a PC's profile.
func statusAt(w *spec.World, pc *device.PC) graph.AssignmentStatus {
	GinkgoHelper()
	d, ok := w.FindIdentity(pc)
	Expect(ok).To(BeTrue())
	return d.DeploymentProfileAssignmentStatus
}

var _ = Describe("a profile's way to a device", Label("T24"), func() {
	It("goes from no profile over a pending one to an assigned one with its date; how long it takes is our model", func() {
		w := spec.NewWorld(spec.Timing(map[string]any{"autopilot.assignmentDelay": "20m..20m", "autopilot.syncDuration": "1m..1m"}))
		pc := w.NewPC()
		w.Do(func(ctx context.Context) {
			admin := w.World.Administrator()
			Expect(admin.ImportCSV(ctx, w.HashCSV(pc))).To(Succeed())
			Expect(admin.Sync(ctx)).To(Succeed())
		})
		var seen []graph.AssignmentStatus
		var dated []bool
		for range 40 {
			w.Wait(time.Minute)
			d, ok := w.FindIdentity(pc)
			if s := d.DeploymentProfileAssignmentStatus; ok && (len(seen) == 0 || seen[len(seen)-1] != s) {
				seen, dated = append(seen, s), append(dated, !d.DeploymentProfileAssignedDateTime.IsZero())
			}
		}
		Expect(seen[len(seen)-2:]).To(Equal([]graph.AssignmentStatus{graph.AssignmentPending, graph.AssignmentInSync}))
		Expect(dated[len(dated)-2:]).To(Equal([]bool{false, true}))
	})
})

var _ = DescribeTable("a profile is pending for as long as the timing profile says", Label("T24"), func(delay time.Duration) {
	w, pc := imported(spec.Timing(map[string]any{"autopilot.assignmentDelay": fmt.Sprintf("%[1]s..%[1]s", delay), "autopilot.syncInterval": "10m"}))
	since := map[graph.AssignmentStatus]time.Time{}
	for range int(2*delay/time.Minute) + 60 {
		if d, known := w.FindIdentity(pc); known && since[d.DeploymentProfileAssignmentStatus].IsZero() {
			since[d.DeploymentProfileAssignmentStatus] = w.Clock.Now()
		}
		w.Wait(time.Minute)
	}
	Expect(since[graph.AssignmentInSync].Sub(since[graph.AssignmentPending])).To(BeNumerically("~", delay, time.Minute))
},
	Entry(nil, 20*time.Minute),
	Entry(nil, 40*time.Minute),
)

// "Every 12 hours" is widely repeated and not confirmed: the profile marks it as
// the community's.
var _ = Describe("the service's own sync", Label("T23"), func() {
	registered := func(within time.Duration, options ...spec.Option) bool {
		GinkgoHelper()
		w, pc := imported(options...)
		w.Wait(within)
		_, known := w.FindIdentity(pc)
		return known && statusAt(w, pc) == graph.AssignmentInSync
	}

	It("comes within 12 hours, and nobody has to press Sync", func() {
		Expect(registered(0)).To(BeFalse())
		Expect(registered(12*time.Hour + 30*time.Minute)).To(BeTrue())
	})

	It("has its interval from the timing profile", func() {
		Expect(registered(3*time.Hour, spec.Timing(map[string]any{"autopilot.syncInterval": "2h"}))).To(BeTrue())
	})
})
