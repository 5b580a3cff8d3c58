package first_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/expect"
	"windtunnel.test/sim/spec"
)

func TestFirst(t *testing.T) { spec.Run(t, "a first spec") }

var _ = It("hands a PC from the technician to its user", func(w *spec.World) {
	technician, user := w.Technician(), w.User("alex")
	pc := w.NewRegisteredPC()

	technician.Provision(pc) // Windows key five times, Provision, Reseal
	Expect(pc).To(expect.HaveInstalled("Agent"))

	w.Ship(pc, 90*time.Minute)
	user.Unpack(pc) // sign-in, status page, desktop
	Expect(pc).To(expect.HaveInstalled("Notes"))
})
