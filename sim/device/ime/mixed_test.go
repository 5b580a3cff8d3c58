package ime

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/installer"
)

// mixed runs a line-of-business MSI beside the agent's, which is one too, on a PC
// that is unlike the others in how long the first one takes. Whoever is turned
// away tries again, and not for ever.
func mixed(t *testing.T, pc int) (win32 csp.AppState, lob, code string) {
	g := newGate(t)
	g.manifest.MSI, g.manifest.Duration = true, 2*time.Minute
	g.pack()
	g.Once(1, func(w *device.Windows) {
		g.Enrol(w, "")
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		w.Service("msi", func(ctx context.Context) {
			w := w.Under(ctx)
			m := installer.Manifest{Product: fmt.Sprintf("LOB on PC %d", pc), MSI: true, Duration: time.Minute, Spread: 14 * time.Minute}
			lob = "given up"
			for try := 0; try <= w.Timing.MDM.InstallRetries; try++ {
				if exit, err := w.RunInstaller(m, 1); err != nil || exit == 0 {
					lob = "installed"
					return
				}
				if w.Sleep(w.Timing.MDM.InstallRetryDelay, "again") != nil {
					return
				}
			}
		})
		w.Provide(device.ServiceIME, Service(w))
		w.InstallService(device.ServiceIME)
		g.OK(w.Sleep(50*time.Minute, "both work"))
		state, last := tracked(w)
		win32, code = csp.AppState(state), hresult.Code(last).Hex()
	})
	return win32, lob, code
}

// Line-of-business and Win32 apps meet on Windows Installer's lock on some PCs
// and not on others, and each PC does so again.
func TestMixingFailsOnSomePCs(t *testing.T) {
	g := gomega.NewWithT(t)
	const pcs = 50
	seen := map[csp.AppState]int{}
	for pc := range pcs {
		state, lob, code := mixed(t, pc)
		seen[state]++
		g.Expect(lob).To(gomega.Equal("installed"), "it came first")
		if state == csp.AppError {
			g.Expect(code).To(gomega.Equal(hresult.InstallAlreadyRunning.Hex()))
		}
		if pc%10 == 0 {
			again, _, _ := mixed(t, pc)
			g.Expect(again).To(gomega.Equal(state))
		}
	}
	g.Expect(seen).To(gomega.HaveKey(csp.AppCompleted))
	g.Expect(seen).To(gomega.HaveKey(csp.AppError))
	g.Expect(seen).To(gomega.HaveLen(2))
}
