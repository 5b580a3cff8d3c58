package timing_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

const cleanupPath = "/beta/deviceManagement/managedDeviceCleanupRules"

func cleanup(days int) graph.CleanupRule {
	return graph.CleanupRule{DisplayName: "Stale PCs", Platform: graph.CleanupWindows, DaysInactive: days}
}

var _ = Describe("the rule that cleans up stale devices", Label("T32"), func() {
	It("takes from 30 to 270 days, and what the timing profile says", func() {
		w := spec.NewWorld()
		for days, taken := range map[int]bool{29: false, 30: true, 270: true, 271: false} {
			Expect(post(w, cleanupPath, cleanup(days), nil) == nil).To(Equal(taken), "%d days", days)
		}
		w = spec.NewWorld(spec.Timing(map[string]any{"intune.staleDevice": "10d..20d"}))
		for days, taken := range map[int]bool{9: false, 10: true, 20: true, 21: false} {
			Expect(post(w, cleanupPath, cleanup(days), nil) == nil).To(Equal(taken), "%d days", days)
		}
	})

	It("takes a PC out of the list when it has not called for so long, and shows it again when it calls", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(post(w, cleanupPath, cleanup(30), nil)).To(BeNil())
		m, listed := w.Managed(pc)
		Expect(listed).To(BeTrue())
		w.Ship(pc, time.Hour)

		w.WaitUntil(m.LastSyncDateTime.Add(30*day24 - time.Minute))
		_, listed = w.Managed(pc)
		Expect(listed).To(BeTrue())
		w.Wait(2 * time.Minute)
		_, listed = w.Managed(pc)
		Expect(listed).To(BeFalse())
		Expect(w.TryGraph(http.MethodGet, "/beta/deviceManagement/managedDevices/"+m.ID, nil, nil)).To(MatchError(ContainSubstring("404")))

		w.Unpack(pc, w.User("alex"))
		again, listed := w.Managed(pc)
		Expect(listed).To(BeTrue())
		Expect(again.ID).To(Equal(m.ID))
	})
})
