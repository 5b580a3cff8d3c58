package ime

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/wire/odj"
	"windtunnel.test/sim/wire/sidecar"
)

// On a domain's PC account setup does not wait for a user's apps that are
// targeted at the device; elsewhere it does.
func TestUntrackedOnDomainMembers(t *testing.T) {
	r := rig.New(t)
	app := func(target sidecar.TargetType, context sidecar.InstallContext) sidecar.App {
		return sidecar.App{TargetType: target, InstallContext: context, ESPConfiguration: true}
	}
	tracked := func(w *device.Windows, phase sidecar.ESPPhase) (on []bool) {
		apps := []sidecar.App{app(sidecar.TargetDevice, sidecar.ContextUser), app(sidecar.TargetUser, sidecar.ContextUser), app(sidecar.TargetDevice, sidecar.ContextSystem)}
		(&agent{w: w}).untracked(scope{phase: phase, esp: true}, apps)
		for _, a := range apps {
			on = append(on, a.ESPConfiguration)
		}
		return on
	}
	pc := r.PC(0, func(w *device.Windows) error {
		if w.Boot == 1 {
			r.OK(w.StageDomainJoin(odj.Win7{MachineName: "PC-1", DNSDomain: odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.com"}}))
			r.Expect(tracked(w, sidecar.ESPAccountSetup)).To(gomega.Equal([]bool{true, true, true}))
			return device.ErrReboot
		}
		r.Expect(tracked(w, sidecar.ESPAccountSetup)).To(gomega.Equal([]bool{false, true, true}))
		r.Expect(tracked(w, sidecar.ESPDeviceSetup)).To(gomega.Equal([]bool{true, true, true}))
		return device.ErrShutdown
	})
	r.Boot(pc)
}
