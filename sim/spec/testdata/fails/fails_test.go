// Package fails_test is a suite whose specs fail, so that what they print can be
// looked at.
package fails_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/spec"
)

func TestFails(t *testing.T) { spec.Run(t, "fails") }

var busy = fault.Rule{Name: "busy", When: fault.When{Host: "*.microsoftaik.azure.net"}, Do: fault.Action{Status: 503}}

var _ = It("is told with all that is known", spec.Faults(busy), func(w *spec.World) {
	pc := w.NewRegisteredPC()
	Expect(w.Technician().TryProvision(pc)).To(Succeed(), "the technician flow of %s", pc.Name)
})

var _ = Describe("with a range of seeds", func() {
	It("fails with some", func(w *spec.World) {
		Expect(uint64(w.Seed) % 7).To(BeNumerically("<", 4))
	})
	It("passes with all", func(w *spec.World) { Expect(w.PCs).To(BeEmpty()) })
})

var _ = It("ends at its timeout", Label("endless"), func(w *spec.World) {
	w.Do(func(ctx context.Context) {
		for w.Clock.Sleep(ctx, time.Nanosecond, "for ever") == nil {
		}
	})
}, SpecTimeout(300*time.Millisecond))

var _ = It("has two worlds", func(w *spec.World) {
	other := spec.NewWorld()
	w.NewPC()
	other.NewPC()
	other.NewPC()
	Expect(other.PCs).To(BeEmpty())
})
