package spec

import (
	"fmt"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/vtpm"
)

// SwapBoard has a PC that is off repaired: another main board is put in, with
// another TPM and other identifiers, and the old serial number is written into its
// firmware. The disk stays. The chip of the new board has to be of a model that
// brings its EK certificate along.
func (w *World) SwapBoard(pc *device.PC) {
	ginkgo.GinkgoHelper()
	m := w.made[pc]
	chip, err := w.Lab.Deal(w.Clock, vtpm.ChipID{Model: m.chip.Model, N: spareChips + m.chip.N}, w.Seed)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	hardware := m.make.Build(w.Seed.Stream("hardware", fmt.Sprintf("%s, other board", pc.Name)))
	hardware.Serial = pc.Hardware.Serial
	gomega.Expect(pc.ReplaceBoard(hardware, chip)).To(gomega.Succeed())
}

// spareChips is where the numbers of the chips on spare boards begin.
const spareChips = 100
