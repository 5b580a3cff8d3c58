package esp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
)

const first = device.KeyEnrollments + `\{1}\FirstSync`

// prepared is a PC whose server has sent everything, with one app to track.
func prepared(w *device.Windows, block uint32) {
	reg := w.Registry()
	reg.SetString(device.KeyEnrollments, "Current", "{1}")
	reg.SetDWORD(first, "ServerHasFinishedProvisioning", 1)
	reg.SetDWORD(first, "SyncFailureTimeout", 30)
	reg.SetDWORD(first, "BlockInStatusPage", block)
	reg.SetDWORD(providerKey, "InstallationState", providerCompleted)
	reg.SetDWORD(created, "TrackingPoliciesCreated", 1)
	reg.SetDWORD(sidecar+`\Win32App_a_1`, "InstallationState", 2)
}

// after has something happen to the tracked app.
func after(w *device.Windows, d time.Duration, state uint32) {
	w.Service("agent", func(ctx context.Context) {
		if w.Clock.Sleep(ctx, d, "agent") == nil {
			w.Registry().SetDWORD(sidecar+`\Win32App_a_1`, "InstallationState", state)
			w.Registry().SetDWORD(sidecar+`\Win32App_a_1`, "LastError", 0x87D1041C)
			w.Signal(SignalProgress).Broadcast()
		}
	})
}

// later writes a value that the page watches.
func later(w *device.Windows, d time.Duration, key, name string, v uint32) {
	w.Service(name, func(ctx context.Context) {
		if w.Clock.Sleep(ctx, d, name) == nil {
			w.Registry().SetDWORD(key, name, v)
			w.Signal(SignalProgress).Broadcast()
		}
	})
}

func rows(w *device.Windows) (out []string) {
	for _, r := range w.Screen().Rows {
		out = append(out, r.Name+": "+r.Status)
	}
	return out
}

func TestDeviceSetup(t *testing.T) {
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	for _, c := range []struct {
		name  string
		block uint32
		after time.Duration
		state uint32
		want  hresult.Code
		took  time.Duration
		row   string
		phase string
	}{
		{"installed", 1, minutes(10), appCompleted, 0, minutes(10), "Apps: Complete (1 of 1 installed)", "NotInEsp"},
		{"failed", 1, minutes(10), appError, hresult.AppNotDetected, minutes(10), "Apps: Error (0x87D1041C)", "DeviceSetup"},
		{"failed, not blocking", 0, minutes(10), appError, 0, minutes(10), "Apps: Error (0x87D1041C)", "NotInEsp"},
		{"timed out", 2, minutes(40), appCompleted, hresult.WaitTimeout, minutes(30), "Apps: Error (0x800705B4)", "DeviceSetup"},
		{"timed out, not blocking", 0, minutes(40), appCompleted, 0, minutes(30), "Apps: Error (0x800705B4)", "NotInEsp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rig.New(t)
			r.Once(0, func(w *device.Windows) {
				prepared(w, c.block)
				after(w, c.after, c.state)
				began := w.Clock.Now()
				err := DeviceSetup(w, Plan{})
				r.Expect(codeOf(err)).To(gomega.Equal(c.want))
				r.Expect(w.Clock.Now().Sub(began)).To(gomega.BeNumerically("~", c.took, time.Second))
				r.Expect(rows(w)).To(gomega.ContainElement(c.row))
				r.Expect(w.Registry().String(device.KeyTracking, "Phase")).To(gomega.Equal(c.phase))
				var e *hresult.Error
				if errors.As(err, &e) {
					r.Expect(e.Phase).To(gomega.Equal("DeviceSetup.AppsSubcategory"))
				}
				status := w.Registry().String(device.KeySettings, "DeviceSetupCategory.Status")
				r.Expect(status).To(gomega.ContainSubstring(`"categoryState":"` + map[bool]string{true: "succeeded", false: "failed"}[c.name == "installed"] + `"`))
				done, _ := w.Registry().DWORD(first, "IsSyncDone")
				r.Expect(done == 1).To(gomega.Equal(c.name == "installed"))
			})
		})
	}
}

// Whoever presses Retry wants another try, not the old error.
func TestRetryTracksAnew(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		prepared(w, 1)
		after(w, time.Minute, appError)
		r.Expect(codeOf(DeviceSetup(w, Plan{}))).To(gomega.Equal(hresult.AppNotDetected))
		after(w, time.Minute, appCompleted)
		r.OK(DeviceSetup(w, Plan{}))
	})
}

func TestSkippedPage(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		prepared(w, 1)
		w.Registry().SetDWORD(first, "SkipDeviceStatusPage", 0xFFFFFFFF)
		began := w.Clock.Now()
		r.OK(DeviceSetup(w, Plan{}))
		r.Expect(w.Clock.Now()).To(gomega.Equal(began))
		r.Expect(w.Screen().ID).NotTo(gomega.Equal("esp"))
		r.Expect(w.Registry().String(device.KeyTracking, "Phase")).To(gomega.Equal("NotInEsp"))
	})
}

// The provider may report while a session is under way: nothing is missed.
func TestWaitForProviders(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   uint32
		after   time.Duration
		minutes uint32 // of the provider's own timeout
		want    hresult.Code
		took    time.Duration
	}{
		{"completed", providerCompleted, 5 * time.Minute, 0, 0, 5 * time.Minute},
		{"not required", providerNotRequired, 5 * time.Minute, 0, 0, 5 * time.Minute},
		{"error", providerError, 5 * time.Minute, 0, hresult.InstallFailure, 5 * time.Minute},
		{"never", 1, 5 * time.Minute, 0, hresult.WaitTimeout, 15 * time.Minute},
		{"later than it said", providerCompleted, 5 * time.Minute, 3, hresult.WaitTimeout, 3 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rig.New(t)
			r.Once(0, func(w *device.Windows) {
				w.Registry().SetString(device.KeyEnrollments, "Current", "{1}")
				w.Registry().SetDWORD(providerKey, "InstallationState", 1)
				if c.minutes != 0 {
					w.Registry().SetDWORD(providerKey, "Timeout", c.minutes)
				}
				w.Service("agent", func(ctx context.Context) {
					_ = w.Clock.Sleep(ctx, c.after, "agent")
					w.Registry().SetDWORD(providerKey, "InstallationState", c.state)
					w.Registry().SetDWORD(providerKey, "LastError", uint32(hresult.InstallFailure))
					w.Signal(SignalProgress).Broadcast()
				})
				began := w.Clock.Now()
				err := DevicePreparation(w, Plan{})
				r.Expect(codeOf(err)).To(gomega.Equal(c.want))
				r.Expect(w.Clock.Now().Sub(began)).To(gomega.BeNumerically("~", c.took, time.Second))
				if c.want != 0 {
					r.Expect(rows(w)).To(gomega.Equal([]string{RowPreparing + ": Failed: " + c.want.Hex()}))
				}
			})
		})
	}
}

// A PC without a TPM waits for its attestation as long as Windows waits, and
// the rows after it are never reached.
func TestTechnicianWithoutTPM(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		began := w.Clock.Now()
		err := DevicePreparation(w, Plan{Technician: true})
		r.Expect(codeOf(err)).To(gomega.Equal(hresult.WaitTimeout))
		r.Expect(strings.Count(err.Error(), errAttestationWait.Error())).To(gomega.Equal(1), "%v", err)
		r.Expect(w.Clock.Now().Sub(began)).To(gomega.Equal(w.Timing.TPM.AttestationWait))
		r.Expect(rows(w)).To(gomega.Equal([]string{
			RowHardware + ": Failed: 0x800705B4", RowNetwork + ": Previous step failed", RowRegistering + ": Previous step failed", RowPreparing + ": Previous step failed",
		}))
		var e *hresult.Error
		r.Expect(errors.As(err, &e)).To(gomega.BeTrue())
		r.Expect(e.Phase).To(gomega.Equal("DevicePreparation.TpmAttestationSubcategory"))
	})
}

// The power goes while the page waits: that is no failure of any row.
func TestPowerCutOnThePage(t *testing.T) {
	r := rig.New(t)
	pc := r.PC(0, func(w *device.Windows) error {
		prepared(w, 1)
		return DeviceSetup(w, Plan{})
	})
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		_, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "esp" })
		r.OK(err)
		r.OK(r.Clock.Sleep(ctx, time.Minute, "wait"))
		pc.CutPower()
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
	r.Expect(r.Logged("esp.row", "failed")).To(gomega.BeEmpty())
	r.Expect(pc.Disk.Registry.String(device.KeySettings, "DeviceSetupCategory.Status")).NotTo(gomega.ContainSubstring("failed"))
}

// What the user's page tracks needs a token; without one the page goes on
// trying until its time is over.
func TestAccountSetupWithoutToken(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		prepared(w, 1)
		err := AccountSetup(w, Plan{UserSID: user})
		r.Expect(codeOf(err)).To(gomega.Equal(hresult.WaitTimeout))
		r.Expect(rows(w)).To(gomega.ContainElement("Apps: Error (0x800705B4)"))
	})
}
