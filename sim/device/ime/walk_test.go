package ime

import (
	"context"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

// walk has the agent work on a PC that loses power at its nth event, 0 for none,
// and is switched on again. It gives how many events there were.
func walk(t *testing.T, n int) int {
	var rules []fault.Rule
	if n > 0 {
		rules = []fault.Rule{{Name: "cut", When: fault.When{Layer: "event", Nth: n}, Do: fault.Action{CutPower: true}}}
	}
	g := newGate(t, rules...)
	g.alone = true
	g.offer("script", false, "takes 1m", `sets HKLM\SOFTWARE\Contoso Ready 1`)
	g.add("a", installer.Manifest{ExitCode: 3010}).relate("b", sidecar.Depends, sidecar.DependInstall)
	g.add("b", installer.Manifest{ExitCodes: []int{1618}})
	g.pack()
	pc := g.PC(1, func(w *device.Windows) error {
		w.Provide(device.ServiceIME, Service(w))
		if _, enrolled := w.Disk.Certs.Find(device.StoreMySystem, "mdm"); !enrolled {
			g.Enrol(w, "")
		}
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		w.InstallService(device.ServiceIME)
		w.StartServices()
		if err := w.Sleep(40*time.Minute, "the agent works"); err != nil {
			return err
		}
		for _, id := range []string{"a", "b"} {
			state, _, code := trackedAs(w, id)
			g.Expect(state).To(gomega.Equal(csp.AppCompleted), "app %s, cut at event %d", id, n)
			g.Expect(code).To(gomega.BeZero())
			g.Expect(w.Registry().Has(device.KeyUninstall + `\Product ` + id)).To(gomega.BeTrue())
			g.Expect(w.Disk.Files.List(folderStaging)).To(gomega.BeEmpty(), "content is tidied up, cut at event %d", n)
		}
		g.Expect(w.Registry().String(policyKey("", "script"), scriptState)).To(gomega.Equal("success"), "cut at event %d", n)
		return device.ErrShutdown
	})
	g.Actor(func(ctx context.Context) {
		for on := true; on; on = pc.Boots() < 2 && n > 0 && g.Logged("device.power.off", device.ErrPowerLost.Error()) != nil {
			g.OK(pc.PowerOn(ctx))
			g.OK(pc.AwaitOff(ctx))
		}
	})
	g.Drive()
	g.Expect(g.order()).To(gomega.Equal([]string{"+b", "+a"}), "cut at event %d", n)
	g.Expect(g.states()).To(gomega.HaveLen(1), "cut at event %d", n)
	return len(g.Memory.Timeline("PC-1"))
}

// Whenever the power goes, the agent gets to the same end.
func TestPowerLossAnywhere(t *testing.T) {
	events := walk(t, 0)
	for n := 1; n <= events; n++ {
		walk(t, n)
	}
}
