package spec

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/ending"
)

// Impossible says what is true of a PC, by its disk and by what the services
// have of it, that cannot be true of a PC with Windows, whatever happened to it.
// It is for PCs that are at rest: off, at the desktop, or on a screen that waits
// for somebody. Nil is a PC as it may be.
func (w *World) Impossible(pc *device.PC) (found []string) {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.try(func(ctx context.Context) (err error) {
		found, err = ending.Impossible(ctx, w.World, pc)
		return err
	})).To(gomega.Succeed())
	return found
}
