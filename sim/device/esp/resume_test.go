package esp

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/ppkg"
)

// setup runs device setup at every start until it is over, and gives how it ended.
func setup(r *rig.Rig, before func(w *device.Windows), over *error) *device.PC {
	return r.PC(0, func(w *device.Windows) error {
		before(w)
		err := DeviceSetup(w, Plan{})
		if cause := context.Cause(w.Ctx); cause != nil {
			return cause
		}
		if errors.Is(err, device.ErrReboot) {
			return err
		}
		*over = err
		return device.ErrShutdown
	})
}

// said lists what a step of the page said, in its order.
func said(r *rig.Rig, name string) (out []string) {
	for _, e := range r.Memory.Timeline("PC-1") {
		if e.Kind == "esp.row" && e.Text("row") == name {
			out = append(out, e.Text("state"))
		}
	}
	return out
}

// What is in force only after a restart gets one at the end of device setup, not
// one each, and not another when the page has come back.
func TestCoalescedRestart(t *testing.T) {
	r := rig.New(t)
	var over error
	pc := setup(r, func(w *device.Windows) {
		if w.Boot == 1 {
			prepared(w, 1)
			after(w, time.Minute, appCompleted)
			w.NeedRestart("./Device/Vendor/MSFT/Policy/Config/Update/ManagePreviewBuilds")
			w.NeedRestart("app one")
			return
		}
		w.NeedRestart("one more")
	}, &over)
	r.Boot(pc)
	r.OK(over)
	r.Expect(pc.Boots()).To(gomega.Equal(2))
	r.Expect(said(r, StepReboot)).To(gomega.Equal([]string{inProgress, succeeded}))
	r.Expect(said(r, RowApps)).To(gomega.Equal([]string{inProgress, succeeded}), "what was done is done")
	r.Expect(r.Logged("device.restart", "ManagePreviewBuilds")).To(gomega.HaveLen(1))
	r.Expect(said(r, StepSave)).To(gomega.Equal([]string{succeeded}))
}

// Nothing wants a restart: there is none. The silent steps have their order, the
// category after this one is announced, and the first sync is done.
func TestEndOfDeviceSetup(t *testing.T) {
	r := rig.New(t)
	var over error
	pc := setup(r, func(w *device.Windows) {
		prepared(w, 1)
		after(w, time.Minute, appCompleted)
	}, &over)
	r.Boot(pc)
	r.OK(over)
	var order []string
	for _, e := range r.Memory.Timeline("PC-1") {
		if name := e.Text("row"); name == StepReboot || name == StepResults || name == StepSave || e.Text("state") == succeeded && e.Kind == "esp.category" {
			order = append(order, name+" "+e.Text("state"))
		}
	}
	r.Expect(order).To(gomega.Equal([]string{"RebootCoalescing notRequired", "SendResultsToMdmServer inProgress", "SendResultsToMdmServer failed", "SaveWhiteGloveSuccessResult succeeded", " succeeded"}))
	reg := pc.Disk.Registry
	r.Expect(reg.String(device.KeySettings, "AccountSetupCategory.Status")).To(gomega.And(
		gomega.ContainSubstring(`"categoryState":"notStarted"`), gomega.ContainSubstring(`"AccountSetup.AppsSubcategory":{"subcategoryState":"notStarted"`)))
	for name, want := range map[string]uint32{"IsSyncDone": 1, "WasDeviceSuccessfullyProvisioned": 1} {
		v, _ := reg.DWORD(first, name)
		r.Expect(v).To(gomega.Equal(want), name)
	}
	locked, _ := reg.DWORD(setupKey("")+`\Apps`, "Locked")
	completed, _ := reg.DWORD(setupKey(""), "HasProvisioningCompleted")
	r.Expect([]uint32{locked, completed}).To(gomega.Equal([]uint32{0, 1}))
	r.Expect(reg.HasValue(device.KeyTracking, "DeviceSetupElapsed")).To(gomega.BeFalse())
}

// A category that is through is not gone through again by whoever starts the PC.
func TestThrough(t *testing.T) {
	r := rig.New(t)
	var over error
	pc := setup(r, func(w *device.Windows) {
		if w.Boot == 1 {
			prepared(w, 1)
			after(w, time.Minute, appCompleted)
		}
	}, &over)
	r.Boot(pc)
	r.Boot(pc)
	r.OK(over)
	r.Expect(r.Logged("esp.category", inProgress)).To(gomega.HaveLen(1))
}

// An app that nothing goes on without a restart for gets it at once, once.
func TestHardRestart(t *testing.T) {
	r := rig.New(t)
	var over error
	var took time.Duration
	pc := setup(r, func(w *device.Windows) {
		if w.Boot == 1 {
			prepared(w, 1)
			w.Registry().SetDWORD(sidecar+`\Win32App_b_1`, "InstallationState", 1)
			w.Registry().SetDWORD(sidecar+`\Win32App_b_1`, "RebootRequired", 3)
			began := w.Clock.Now()
			w.Service("watch", func(ctx context.Context) {
				_ = w.Clock.Sleep(ctx, time.Hour, "watch")
				took = w.Clock.Now().Sub(began)
			})
			return
		}
		hard, _ := w.Registry().DWORD(sidecar+`\Win32App_b_1`, "RebootRequired")
		r.Expect(hard).To(gomega.Equal(uint32(1)))
		after(w, time.Minute, appCompleted)
		w.Registry().SetDWORD(sidecar+`\Win32App_b_1`, "InstallationState", appCompleted)
	}, &over)
	r.Boot(pc)
	r.OK(over)
	r.Expect(pc.Boots()).To(gomega.Equal(2))
	r.Expect(took).To(gomega.BeNumerically("<", time.Minute))
	r.Expect(r.Logged("device.restart", "Win32App_b_1")).To(gomega.HaveLen(1))
}

// The page's time is counted over starts of Windows: in the processor's ticks
// not while the PC is off, by the PC's clock all the time.
func TestTimeoutOverRestarts(t *testing.T) {
	for _, c := range []struct {
		name  string
		ticks bool
		took  time.Duration // of the second boot
	}{{"ticks", true, 10 * time.Minute}, {"clock", false, 0}} {
		t.Run(c.name, func(t *testing.T) {
			r := rig.New(t)
			r.Timing.ESP.TimeoutByTicks = c.ticks
			var over error
			var began, ended time.Time
			pc := setup(r, func(w *device.Windows) {
				if began = w.Clock.Now(); w.Boot == 1 {
					prepared(w, 1)
				}
			}, &over)
			r.Actor(func(ctx context.Context) {
				r.OK(pc.PowerOn(ctx))
				_, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "esp" })
				r.OK(err)
				r.OK(r.Clock.Sleep(ctx, 20*time.Minute+30*time.Second, "wait"))
				pc.CutPower()
				r.OK(pc.AwaitOff(ctx))
				r.OK(r.Clock.Sleep(ctx, 3*time.Hour, "off"))
				r.OK(pc.PowerOn(ctx))
				_, err = pc.AwaitScreen(ctx, func(s device.Screen) bool { return len(s.Rows) == 4 && s.Rows[3].Status == "Error (0x800705B4)" })
				r.OK(err)
				ended = r.Clock.Now()
				r.OK(pc.AwaitOff(ctx))
			})
			r.Drive()
			r.Expect(codeOf(over)).To(gomega.Equal(hresult.WaitTimeout))
			r.Expect(ended.Sub(began)).To(gomega.BeNumerically("~", c.took, time.Minute))
			r.Expect(pc.Disk.Registry.HasValue(device.KeyTracking, "DeviceSetupElapsed")).To(gomega.BeFalse(), "another try begins anew")
		})
	}
}

// Rows of device preparation that were done before the power went are not done
// again; after a failure they are.
func TestPreparationGoesOn(t *testing.T) {
	r := rig.New(t)
	calls := map[string]int{}
	pc := r.PC(0, func(w *device.Windows) error {
		p := open(w, "DevicePreparation", RowHardware, RowNetwork)
		err := p.run(
			step{RowHardware, func(*device.Windows) error { calls["hardware"]++; return nil }},
			step{RowNetwork, func(w *device.Windows) error {
				if calls["network"]++; w.Boot == 1 {
					return w.Sleep(time.Hour, "for ever")
				}
				return hresult.New("network", hresult.Fail, nil)
			}},
		)
		if cause := context.Cause(w.Ctx); cause != nil {
			return cause
		}
		r.Expect(codeOf(err)).To(gomega.Equal(hresult.Fail))
		return device.ErrShutdown
	})
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		_, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "esp" && s.Rows[1].Working })
		r.OK(err)
		pc.CutPower()
		r.OK(pc.AwaitOff(ctx))
		for range 2 {
			r.OK(pc.PowerOn(ctx))
			r.OK(pc.AwaitOff(ctx))
		}
	})
	r.Drive()
	r.Expect(calls).To(gomega.Equal(map[string]int{"hardware": 2, "network": 3}))
}

// The row that is named after the network applies what the factory left, and
// restarts Windows where a package wants that.
func TestPackages(t *testing.T) {
	r := rig.New(t)
	body, err := ppkg.Package{Name: "Contoso", Settings: []ppkg.Setting{{URI: "./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana", Format: "int", Value: "0"}}, Restart: true}.Encode()
	r.OK(err)
	var took time.Duration
	pc := r.PC(0, func(w *device.Windows) error {
		if w.Boot == 1 {
			w.Disk.Files.Write(ppkg.Folder+`\Contoso`+ppkg.Extension, body)
		}
		began := w.Clock.Now()
		p := open(w, "DevicePreparation", RowNetwork)
		if err := p.run(step{RowNetwork, applyPackages}); err != nil {
			return err
		}
		took = w.Clock.Now().Sub(began)
		return device.ErrShutdown
	})
	r.Boot(pc)
	r.Expect(pc.Boots()).To(gomega.Equal(2))
	r.Expect(took).To(gomega.Equal(r.Timing.OOBE.PPKGMinimum))
	r.Expect(pc.Disk.Registry.String(device.KeyPolicyManager+`\device\Experience`, "AllowCortana")).To(gomega.Equal("0"))
	r.Expect(said(r, RowNetwork)).To(gomega.Equal([]string{inProgress, succeeded}))
}

// The row about enrolment says at which stage it failed, as people search for it.
func TestStageOfFailure(t *testing.T) {
	for stage, text := range map[int]string{stageJoin: "Failed: 3, 0x801C03EA", stageTicket: "Failed: 5, 0x801C03EA", stageEnrol: "Failed: 6, 0x801C03EA"} {
		r := rig.New(t)
		r.Once(0, func(w *device.Windows) {
			p := open(w, "DevicePreparation", RowRegistering, RowPreparing)
			err := p.run(step{RowRegistering, func(*device.Windows) error { return at(stage, hresult.New("join", 0x801C03EA, nil)) }})
			r.Expect(codeOf(err)).To(gomega.Equal(hresult.Code(0x801C03EA)))
			r.Expect(rows(w)).To(gomega.Equal([]string{RowRegistering + ": " + text, RowPreparing + ": Previous step failed"}))
			state, subs := stored(w, "DevicePreparation")
			r.Expect([]string{state, subs["MdmEnrollmentSubcategory"].Text}).To(gomega.Equal([]string{failed, text}))
		})
	}
}
