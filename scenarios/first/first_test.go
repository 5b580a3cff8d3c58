package first_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/spec"
)

func TestFirst(t *testing.T) { spec.Run(t, "a first spec") }

var _ = It("hands a PC from the technician to its user", func() {
	w := spec.NewWorld()
	pc := w.NewRegisteredPC()

	w.Provision(pc) // Windows key five times, Provision, Reseal
	Expect(w.Products(pc)).To(ContainElement("Agent"))

	w.Ship(pc, 48*time.Hour)
	w.Unpack(pc, w.User("alex")) // sign-in, status page, desktop
	Expect(w.Products(pc)).To(ContainElement("Notes"))
})
