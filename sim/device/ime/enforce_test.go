package ime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

// order lists what was done to products, in its order.
func (g *gate) order() []string {
	var out []string
	for _, e := range g.Memory.Timeline("PC-1") {
		if e.Kind == "product.installed" || e.Kind == "product.uninstalled" {
			name := e.Text("product")
			out = append(out, map[string]string{"product.installed": "+", "product.uninstalled": "-"}[e.Kind]+strings.TrimPrefix(name, "Product "))
		}
	}
	return out
}

func trackedAs(w *device.Windows, id string) (state csp.AppState, restart csp.RebootState, code hresult.Code) {
	key := device.KeyTracking + `\Device\Setup\Apps\Tracking\Sidecar\` + csp.Win32AppName(id, 1)
	s, _ := w.Registry().DWORD(key, "InstallationState")
	r, _ := w.Registry().DWORD(key, "RebootRequired")
	c, _ := w.Registry().DWORD(key, "LastError")
	return csp.AppState(s), csp.RebootState(r), hresult.Code(c)
}

func TestRelations(t *testing.T) {
	const install, detect = sidecar.DependInstall, sidecar.DependDetect
	for _, c := range []struct {
		name  string
		apps  func(g *gate)
		order []string
		state map[string]csp.AppState
	}{
		{"a dependency comes first", func(g *gate) {
			g.add("a", installer.Manifest{}).relate("b", sidecar.Depends, install)
			g.add("b", installer.Manifest{}).relate("c", sidecar.Depends, install)
			g.add("c", installer.Manifest{}).app.Intent = sidecar.NotTargeted
		}, []string{"+c", "+b", "+a"}, map[string]csp.AppState{"a": csp.AppCompleted}},
		{"one that is only looked for", func(g *gate) {
			g.add("a", installer.Manifest{}).relate("b", sidecar.Depends, detect)
			g.add("b", installer.Manifest{}).app.Intent = sidecar.NotTargeted
			g.add("z", installer.Manifest{})
		}, []string{"+z"}, map[string]csp.AppState{"a": csp.AppError, "z": csp.AppCompleted}},
		{"one that fails", func(g *gate) {
			g.add("a", installer.Manifest{}).relate("b", sidecar.Depends, install)
			g.add("b", installer.Manifest{ExitCode: 1603}).app.Intent = sidecar.NotTargeted
		}, nil, map[string]csp.AppState{"a": csp.AppError}},
		{"a circle", func(g *gate) {
			g.add("a", installer.Manifest{}).relate("b", sidecar.Depends, install)
			g.add("b", installer.Manifest{}).relate("a", sidecar.Depends, install)
		}, nil, map[string]csp.AppState{"a": csp.AppError, "b": csp.AppError}},
		{"two that need the same", func(g *gate) {
			g.add("a", installer.Manifest{}).relate("c", sidecar.Depends, install)
			g.add("b", installer.Manifest{}).relate("c", sidecar.Depends, install)
			g.add("c", installer.Manifest{}).app.Intent = sidecar.NotTargeted
		}, []string{"+c", "+a", "+b"}, map[string]csp.AppState{"a": csp.AppCompleted, "b": csp.AppCompleted}},
		{"a newer one updates", func(g *gate) {
			g.add("new", installer.Manifest{}).relate("old", sidecar.Supersedes, sidecar.SupersedeUpdate)
			g.add("old", installer.Manifest{})
		}, []string{"+new"}, map[string]csp.AppState{"new": csp.AppCompleted, "old": csp.AppCompleted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t)
			g.alone = true
			c.apps(g)
			g.run("DeviceSetup", 40*time.Minute, func(w *device.Windows) {
				for id, want := range c.state {
					state, _, code := trackedAs(w, id)
					g.Expect(state).To(gomega.Equal(want), id)
					g.Expect(code != 0).To(gomega.Equal(want == csp.AppError), id)
				}
			})
			g.Expect(g.order()).To(gomega.Equal(c.order))
			g.Expect(g.calls[sidecar.StatusReport]).To(gomega.BeNumerically("<=", 4), "reports go together")
		})
	}
}

// What an app replaces goes before it comes; an app that is to go goes.
func TestUninstall(t *testing.T) {
	g := newGate(t)
	g.alone = true
	g.add("old", installer.Manifest{})
	g.add("gone", installer.Manifest{})
	g.run("DeviceSetup", 10*time.Minute, func(w *device.Windows) {
		free := w.Disk.Room()
		g.more[0].app.Intent, g.more[1].app.Intent = sidecar.NotTargeted, sidecar.Uninstall
		g.add("new", installer.Manifest{}).relate("old", sidecar.Supersedes, sidecar.SupersedeReplace)
		g.pack()
		w.Signal("ime").Broadcast()
		g.OK(w.Sleep(10*time.Minute, "again"))
		g.Expect(w.Disk.Room()).To(gomega.Equal(free + 1<<20))
	})
	g.Expect(g.order()).To(gomega.Equal([]string{"+old", "+gone", "-old", "+new", "-gone"}))
}

// What wanted a restart while no status page was up, which nobody has made, does
// not keep a page waiting that comes up.
func TestRestartsThatNobodyMakes(t *testing.T) {
	g := newGate(t)
	g.alone = true
	g.add("hard", installer.Manifest{ExitCode: 1641})
	g.add("last", installer.Manifest{})
	g.pack()
	g.Boot(g.PC(1, func(w *device.Windows) error {
		w.Provide(device.ServiceIME, Service(w))
		g.Enrol(w, "")
		w.InstallService(device.ServiceIME)
		g.OK(w.Sleep(15*time.Minute, "no page is up"))
		g.Expect(g.order()).To(gomega.Equal([]string{"+hard"}))
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		w.Signal("ime").Broadcast()
		g.OK(w.Sleep(15*time.Minute, "the page waits"))
		for _, id := range []string{"hard", "last"} {
			state, _, _ := trackedAs(w, id)
			g.Expect(state).To(gomega.Equal(csp.AppCompleted), id)
		}
		return device.ErrShutdown
	}))
	g.Expect(g.order()).To(gomega.Equal([]string{"+hard", "+last"}))
}

// An app that wants a restart before anything else stops the others; after the
// restart they go on.
func TestRestarts(t *testing.T) {
	g := newGate(t)
	g.alone = true
	g.add("soft", installer.Manifest{ExitCode: 3010})
	g.add("hard", installer.Manifest{ExitCode: 1641})
	g.add("last", installer.Manifest{})
	g.pack()
	pc := g.PC(1, func(w *device.Windows) error {
		w.Provide(device.ServiceIME, Service(w))
		if w.Boot == 1 {
			g.Enrol(w, "")
			w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
			w.InstallService(device.ServiceIME)
		}
		w.StartServices()
		g.OK(w.Sleep(15*time.Minute, "the agent works"))
		if w.Boot == 1 {
			state, restart, _ := trackedAs(w, "soft")
			g.Expect(state).To(gomega.Equal(csp.AppCompleted))
			g.Expect(restart).To(gomega.Equal(csp.RebootSoft))
			_, restart, _ = trackedAs(w, "hard")
			g.Expect(restart).To(gomega.Equal(csp.RebootHard))
			g.Expect(w.RestartNeeded()).To(gomega.ConsistOf("app soft", "app hard"))
			g.Expect(g.order()).To(gomega.Equal([]string{"+soft", "+hard"}))
			return device.ErrReboot
		}
		for _, id := range []string{"soft", "hard", "last"} {
			state, restart, _ := trackedAs(w, id)
			g.Expect(state).To(gomega.Equal(csp.AppCompleted), id)
			g.Expect(restart).To(gomega.Equal(csp.RebootNotRequired), id)
		}
		return device.ErrShutdown
	})
	g.Boot(pc)
	g.Expect(g.order()).To(gomega.Equal([]string{"+soft", "+hard", "+last"}))
	g.Expect(g.Logged("log.line", "A restart is required to continue processing apps. Stop processing.")).NotTo(gomega.BeEmpty())
}

// Where the page blocks, the apps after one that failed are left.
func TestBlockingFailure(t *testing.T) {
	for _, block := range []uint32{0, 5} {
		g := newGate(t)
		g.alone = true
		g.add("bad", installer.Manifest{ExitCode: 7})
		g.add("next", installer.Manifest{})
		g.pack()
		g.Once(1, func(w *device.Windows) {
			g.Enrol(w, "")
			w.Registry().SetDWORD(device.KeyEnrollments+`\{1}\FirstSync`, "BlockInStatusPage", block)
			w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
			w.Provide(device.ServiceIME, Service(w))
			w.InstallService(device.ServiceIME)
			g.OK(w.Sleep(time.Hour, "the agent works"))
			state, _, code := trackedAs(w, "bad")
			g.Expect(state).To(gomega.Equal(csp.AppError))
			g.Expect(code).To(gomega.Equal(hresult.FromWin32(7)))
			next, _, _ := trackedAs(w, "next")
			g.Expect(next == csp.AppNotInstalled).To(gomega.Equal(block != 0))
		})
		g.Expect(g.Logged("log.line", "Admin did NOT set mapping for lpExitCode: 7")).To(gomega.HaveLen(3))
	}
}

// An app that the MDM client could not install stops the agent's too, until it
// is tried again.
func TestBlockingFailureElsewhere(t *testing.T) {
	g := newGate(t)
	g.alone = true
	g.add("next", installer.Manifest{})
	g.pack()
	g.Once(1, func(w *device.Windows) {
		g.Enrol(w, "")
		list := device.KeyESPInfo + `\ExpectedMSIAppPackages\2026-09-01 08.00.00`
		w.Registry().SetDWORD(list, "./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/x/Status", uint32(hresult.InstallFailure))
		w.Registry().SetDWORD(device.KeyEnrollments+`\{1}\FirstSync`, "BlockInStatusPage", 5)
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		w.Provide(device.ServiceIME, Service(w))
		w.InstallService(device.ServiceIME)
		g.OK(w.Sleep(time.Hour, "the agent waits"))
		state, _, _ := trackedAs(w, "next")
		g.Expect(state).To(gomega.Equal(csp.AppNotInstalled))
		w.Registry().SetDWORD(list, "./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/x/Status", 0)
		g.OK(w.Sleep(time.Hour, "somebody pressed Retry"))
		state, _, _ = trackedAs(w, "next")
		g.Expect(state).To(gomega.Equal(csp.AppCompleted))
	})
}

// An app that the page only wants tried is through for it once it has failed,
// and is not tried again under it, also where the power goes before the page
// hears of it.
func TestNonBlocking(t *testing.T) {
	g := newGate(t)
	g.alone = true
	g.add("side", installer.Manifest{ExitCode: 1603}).app.ESPNonBlocking = true
	g.add("next", installer.Manifest{})
	g.pack()
	g.Once(1, func(w *device.Windows) {
		g.Enrol(w, "")
		w.Registry().SetDWORD(device.KeyEnrollments+`\{1}\FirstSync`, "BlockInStatusPage", 5)
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		w.Provide(device.ServiceIME, Service(w))
		w.InstallService(device.ServiceIME)
		g.OK(w.Sleep(time.Hour, "the agent works"))
		for _, id := range []string{"side", "next"} {
			state, _, _ := trackedAs(w, id)
			g.Expect(state).To(gomega.Equal(csp.AppCompleted), id)
		}
		w.Registry().SetDWORD(device.KeyTracking+`\Device\Setup\Apps\Tracking\Sidecar\`+csp.Win32AppName("side", 1), csp.AppInstallationState, uint32(csp.AppInProgress))
		g.OK(w.Sleep(time.Hour, "a cut came between the last try and its outcome"))
		state, _, _ := trackedAs(w, "side")
		g.Expect(state).To(gomega.Equal(csp.AppCompleted))
	})
	g.Expect(g.Logged("log.line", "lpExitCode 1603")).To(gomega.HaveLen(3))
}

func TestHangs(t *testing.T) {
	g := newGate(t)
	g.manifest.Hangs = true
	g.run("DeviceSetup", 4*time.Hour, func(w *device.Windows) {
		_, code := tracked(w)
		g.Expect(hresult.Code(code)).To(gomega.Equal(hresult.WaitTimeout))
	})
	g.Expect(g.Logged("log.line", "Installation is timeout")).To(gomega.HaveLen(3))
}

// A failure of the first runs is mended by the next one.
func TestSecondTry(t *testing.T) {
	g := newGate(t)
	g.manifest.ExitCodes = []int{1603, 1618}
	g.run("DeviceSetup", 40*time.Minute, func(w *device.Windows) {
		state, _ := tracked(w)
		g.Expect(csp.AppState(state)).To(gomega.Equal(csp.AppCompleted))
	})
	g.Expect(g.attempts()).To(gomega.Equal(3))
}

// A requirement that is not met leaves a tracked app pending, or done, as the
// switch says.
func TestNotApplicable(t *testing.T) {
	for _, waits := range []bool{true, false} {
		g := newGate(t)
		g.Timing.Switches.ESP.NotApplicableWaits = waits
		least := 1 << 20
		g.app.RequirementRules = sidecar.Nest(sidecar.Requirements{MinimumMemoryMB: &least})
		g.run("DeviceSetup", 10*time.Minute, func(w *device.Windows) {
			state, _ := tracked(w)
			g.Expect(csp.AppState(state)).To(gomega.Equal(map[bool]csp.AppState{true: csp.AppNotInstalled, false: csp.AppCompleted}[waits]))
		})
		g.Expect(g.reports[0].EnforcementState).To(gomega.Equal(sidecar.EnforcementRequirementsNotMet))
		g.Expect(g.loads).To(gomega.BeZero())
	}
}

// Content that is not what was published is not run.
func TestAlteredContent(t *testing.T) {
	g := newGate(t)
	g.pack()
	g.Once(1, func(w *device.Windows) {
		g.content[40] ^= 1
		g.Enrol(w, "")
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		w.Provide(device.ServiceIME, Service(w))
		w.InstallService(device.ServiceIME)
		g.OK(w.Sleep(30*time.Minute, "the agent works"))
		_, code := tracked(w)
		g.Expect(hresult.Code(code)).To(gomega.Equal(hresult.InvalidData))
	})
	g.Expect(g.attempts()).To(gomega.BeZero())
	g.Expect(g.reports[0].EnforcementState).To(gomega.Equal(sidecar.EnforcementErrorDownloading))
}

func TestDiskFull(t *testing.T) {
	g := newGate(t)
	p := g.add("huge", installer.Manifest{})
	p.size, g.alone = 1<<50, true
	g.run("DeviceSetup", 30*time.Minute, func(w *device.Windows) {
		_, _, code := trackedAs(w, "huge")
		g.Expect(code).To(gomega.Equal(hresult.OutOfDisk))
	})
}

// A PC whose power goes in the middle of a download goes on with what is on the
// disk, and one whose power goes while an installer runs has nothing of it.
func TestPowerLoss(t *testing.T) {
	g := newGate(t)
	g.alone = true
	p := g.add("big", installer.Manifest{Duration: 10 * time.Minute})
	p.size = 1 << 30
	g.pack()
	var pc *device.PC
	pc = g.PC(1, func(w *device.Windows) error {
		w.Provide(device.ServiceIME, Service(w))
		if w.Boot == 1 {
			g.Enrol(w, "")
			w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
			w.InstallService(device.ServiceIME)
		}
		w.StartServices()
		switch w.Boot {
		case 1: // 107 s at 80 Mbit/s
			g.OK(w.Sleep(90*time.Second, "downloading"))
		case 2:
			g.OK(w.Sleep(4*time.Minute, "installing"))
			g.Expect(g.order()).To(gomega.BeEmpty())
		default:
			g.OK(w.Sleep(20*time.Minute, "the agent works"))
			state, _, _ := trackedAs(w, "big")
			g.Expect(state).To(gomega.Equal(csp.AppCompleted))
			return device.ErrShutdown
		}
		pc.CutPower()
		return w.Sleep(time.Second, "dark")
	})
	g.Actor(func(ctx context.Context) {
		for range 3 {
			g.OK(pc.PowerOn(ctx))
			g.OK(pc.AwaitOff(ctx))
		}
	})
	g.Drive()
	g.Expect(g.order()).To(gomega.Equal([]string{"+big"}))
	g.Expect(g.enrolled).To(gomega.Equal(1))
	g.Expect(g.calls[sidecar.GetContentInfo]).To(gomega.Equal(2), "content on the disk is not asked for again")
	var loaded int
	for _, e := range g.Memory.Timeline("PC-1") {
		if e.Kind == "http.transfer" {
			n, _ := e.Get("done")
			loaded += n.(int)
		}
	}
	g.Expect(loaded).To(gomega.BeNumerically("<", 1200<<20), "not twice")
}

// A package of a WinGet source comes from there, and needs no key.
func TestWinGet(t *testing.T) {
	g := newGate(t)
	g.alone = true
	p := g.add("store", installer.Manifest{})
	p.app.InstallerData = sidecar.Nest(&sidecar.WinGetPackage{PackageIdentifier: "9WZDNCRFJ3PZ", Source: "msstore", ProductCode: "9WZDNCRFJ3PZ"})
	p.app.DetectionRule = sidecar.Nested[[]sidecar.DetectionRule]{}
	p.manifest.Product = "9WZDNCRFJ3PZ"
	g.serveStore(p)
	g.run("DeviceSetup", 10*time.Minute, func(w *device.Windows) {
		state, _, _ := trackedAs(w, "store")
		g.Expect(state).To(gomega.Equal(csp.AppCompleted))
	})
	g.Expect(g.calls[sidecar.GetContentInfo]).To(gomega.BeZero())
}

// serveStore has the Store offer an app's installer.
func (g *gate) serveStore(p *parcel) {
	g.Serve(hosts.Store, func(w http.ResponseWriter, q *http.Request) {
		body, err := p.manifest.Encode()
		g.OK(err)
		if q.URL.Path == sidecar.PackagePath("9WZDNCRFJ3PZ") {
			sum := sha256.Sum256(body)
			body, err = sidecar.EncodePackage(sidecar.Package{Identifier: "9WZDNCRFJ3PZ", Versions: []sidecar.PackageVersion{{Version: "1.0",
				Installers: []sidecar.PackageInstaller{{URL: "https://" + hosts.Store + "/package", SHA256: hex.EncodeToString(sum[:])}}}}})
			g.OK(err)
		}
		_, _ = w.Write(body)
	})
}

// A package that restarts the PC by itself is there afterwards, and nobody heard
// how it ended; one that is told to leave that to others does so if it is an MSI.
func TestPackageRestarts(t *testing.T) {
	for _, c := range []struct {
		msi   bool
		boots int
	}{{false, 2}, {true, 1}} {
		g := newGate(t)
		g.manifest.Restarts, g.manifest.MSI = true, c.msi
		g.pack()
		boots := 0
		pc := g.PC(1, func(w *device.Windows) error {
			boots++
			w.Provide(device.ServiceIME, Service(w))
			if w.Boot == 1 {
				g.Enrol(w, "")
				w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
				w.InstallService(device.ServiceIME)
			}
			w.StartServices()
			if err := w.Sleep(20*time.Minute, "the agent works"); err != nil {
				return err
			}
			state, code := tracked(w)
			g.Expect(csp.AppState(state)).To(gomega.Equal(csp.AppCompleted))
			g.Expect(code).To(gomega.BeZero())
			return device.ErrShutdown
		})
		g.Boot(pc)
		g.Expect(boots).To(gomega.Equal(c.boots))
		g.Expect(g.Logged("log.line", "lpExitCode")).To(gomega.HaveLen(2 - c.boots))
		g.Expect(g.attempts()).To(gomega.Equal(1))
	}
}

// What an app says of restarts counts before its exit code.
func TestRestartBehaviour(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, c := range []struct {
		behaviour int
		kind      sidecar.ReturnCodeType
		want      csp.RebootState
	}{
		{restartByCode, sidecar.ReturnSuccess, csp.RebootNotRequired}, {restartByCode, sidecar.ReturnSoftReboot, csp.RebootSoft},
		{restartByCode, sidecar.ReturnHardReboot, csp.RebootHard}, {restartAllow, sidecar.ReturnHardReboot, csp.RebootNotRequired},
		{restartSuppress, sidecar.ReturnSoftReboot, csp.RebootNotRequired}, {restartForce, sidecar.ReturnSuccess, csp.RebootHard},
	} {
		g.Expect(restartOf(c.behaviour, c.kind)).To(gomega.Equal(c.want), "%+v", c)
	}
}
