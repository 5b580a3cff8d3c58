package esp

import (
	"errors"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
)

// The page's time limit ends every wait but the one for a provider's list of
// apps: that one has none, unless the timing profile gives it one.
func TestWhatTheLimitEnds(t *testing.T) {
	const limit = 30 * time.Minute
	for _, c := range []struct {
		name    string
		unset   [2]string // key and name of what never comes
		wait    time.Duration
		late    time.Duration // when it comes after all; 0 is never
		want    hresult.Code
		took    time.Duration
		pending bool // another row waits too
	}{
		{"the server never finishes", [2]string{first, "ServerHasFinishedProvisioning"}, 0, 0, hresult.WaitTimeout, limit, false},
		{"no list of apps", [2]string{created, "TrackingPoliciesCreated"}, 0, 9 * time.Hour, 0, 9 * time.Hour, false},
		{"no list of apps, with a limit", [2]string{created, "TrackingPoliciesCreated"}, 2 * time.Hour, 9 * time.Hour, hresult.WaitTimeout, 2 * time.Hour, false},
		{"no list of apps, and a certificate is missing", [2]string{created, "TrackingPoliciesCreated"}, 0, 0, hresult.WaitTimeout, limit, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rig.New(t)
			r.Timing.ESP.TrackingPoliciesWait = c.wait
			r.Once(0, func(w *device.Windows) {
				prepared(w, 1)
				w.Registry().SetDWORD(sidecar+`\Win32App_a_1`, "InstallationState", appCompleted)
				w.Registry().Delete(c.unset[0], c.unset[1])
				if c.pending {
					w.Registry().SetDWORD(base+`\ExpectedSCEPCerts`+stamp, "./Device/Vendor/MSFT/ClientCertificateInstall/SCEP/a", 0)
				}
				if c.late != 0 {
					later(w, c.late, c.unset[0], c.unset[1], 1)
				}
				began := w.Clock.Now()
				r.Expect(codeOf(DeviceSetup(w, Plan{}))).To(gomega.Equal(c.want))
				r.Expect(w.Clock.Now().Sub(began)).To(gomega.BeNumerically("~", c.took, time.Minute))
				if c.want != 0 {
					r.Expect(rows(w)).To(gomega.ContainElement("Apps: Error (0x800705B4)"))
					v, _ := w.Registry().DWORD(first, "WasDeviceSuccessfullyProvisioned")
					r.Expect(v).To(gomega.Equal(uint32(provisioningFailed)))
				}
			})
		})
	}
}

// Every provider has to be there in its own time, and to list what it has; one
// that has no apps has no list.
func TestSeveralProviders(t *testing.T) {
	const other = providersKey + `\ConfigMgr`
	for _, c := range []struct {
		name   string
		writes []write
		want   hresult.Code
		took   time.Duration
		row    string
	}{
		{"the other is late", []write{{other, "InstallationState", 1}, {other, "Timeout", 3}}, hresult.WaitTimeout, 3 * time.Minute, ""},
		{"the other fails", []write{{other, "InstallationState", providerError}, {other, "LastError", 0x80070643}}, 0x80070643, 0, ""},
		{"the other fails without a code", []write{{other, "InstallationState", providerError}}, hresult.Fail, 0, ""},
		{"the other has no apps", []write{{other, "InstallationState", providerCompleted}, {other + `\TrackedResourceTypes`, "Apps", 0}}, 0, 0, "Apps: Complete (1 of 1 installed)"},
		{"the other does not list its apps", []write{{other, "InstallationState", providerCompleted}}, 0, 0, "Apps: Identifying"},
		{"the other has an app", []write{
			{other, "InstallationState", providerCompleted}, {setupKey("") + `\Apps\PolicyProviders\ConfigMgr`, "TrackingPoliciesCreated", 1},
			{setupKey("") + `\Apps\Tracking\ConfigMgr\one`, "InstallationState", appCompleted},
		}, 0, 0, "Apps: Complete (2 of 2 installed)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rig.New(t)
			r.Once(0, func(w *device.Windows) {
				prepared(w, 1)
				w.Registry().SetDWORD(sidecar+`\Win32App_a_1`, "InstallationState", appCompleted)
				for _, x := range c.writes {
					w.Registry().SetDWORD(x.key, x.name, x.value)
				}
				began := w.Clock.Now()
				r.Expect(codeOf(DevicePreparation(w, Plan{}))).To(gomega.Equal(c.want))
				r.Expect(w.Clock.Now().Sub(began)).To(gomega.BeNumerically("~", c.took, time.Second))
				if c.row == "" {
					return
				}
				state, text := apps(w, "", readSettings(w, "")).status("installed")
				r.Expect(RowApps + ": " + text).To(gomega.Equal(c.row))
				r.Expect(state).NotTo(gomega.Equal(failed))
			})
		})
	}
}

// What a person may do about a failure is what the settings say, and what
// Windows says as long as there are none. The way past the page opens late.
func TestOffers(t *testing.T) {
	for _, c := range []struct {
		mask    uint32
		visible bool
		want    Actions
	}{
		{0, true, Actions{}},
		{1, true, Actions{Reset: true}},
		{2, true, Actions{Retry: true}},
		{4, true, Actions{Continue: true}},
		{4, false, Actions{}},
		{7, true, Actions{Reset: true, Retry: true, Continue: true}},
	} {
		r := rig.New(t)
		r.Once(0, func(w *device.Windows) {
			reg := w.Registry()
			reg.SetString(device.KeyEnrollments, "Current", "{1}")
			r.Expect(Offers(w)).To(gomega.Equal(Actions{Reset: true, Retry: true, Logs: true}))
			reg.SetDWORD(first, "BlockInStatusPage", c.mask)
			if c.visible {
				r.OK(showContinue(w))
			}
			r.Expect(Offers(w)).To(gomega.Equal(c.want))
			reg.SetDWORD(first, "AllowCollectLogsButton", 1)
			reg.SetString(first, "CustomErrorText", "Call 4711.")
			c.want.Logs, c.want.Text = true, "Call 4711."
			r.Expect(Offers(w)).To(gomega.Equal(c.want))
		})
	}
}

// Whoever goes past the page is held by nothing any more.
func TestContinueAnyway(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		prepared(w, blockContinue)
		after(w, time.Minute, appError)
		r.Expect(codeOf(DeviceSetup(w, Plan{}))).To(gomega.Equal(hresult.AppNotDetected))
		locked := func() uint32 { v, _ := w.Registry().DWORD(setupKey("")+`\Apps`, "Locked"); return v }
		r.Expect(locked()).To(gomega.Equal(uint32(1)))
		ContinueAnyway(w)
		r.Expect(locked()).To(gomega.BeZero())
		r.Expect(w.Registry().String(device.KeyTracking, "Phase")).To(gomega.Equal("NotInEsp"))
		r.OK(DeviceSetup(w, Plan{}))
		r.Expect(r.Logged("esp.category", inProgress)).To(gomega.HaveLen(1), "it does not come back")
	})
}

func TestQualityUpdates(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		reg := w.Registry()
		reg.SetString(device.KeyEnrollments, "Current", "{1}")
		r.Expect(QualityUpdates(w)).To(gomega.BeFalse())
		reg.SetDWORD(first, "InstallQualityUpdates", 1)
		r.Expect(QualityUpdates(w)).To(gomega.BeFalse(), "the page holds nobody")
		reg.SetDWORD(first, "BlockInStatusPage", 1)
		r.Expect(QualityUpdates(w)).To(gomega.BeTrue())
		reg.SetDWORD(first, "SkipDeviceStatusPage", 0xFFFFFFFF)
		r.Expect(QualityUpdates(w)).To(gomega.BeFalse(), "the page is not shown")
	})
}

// The server may end the user's page over its head, either way.
func TestServerEndsAccountSetup(t *testing.T) {
	for outcome, want := range map[uint32]hresult.Code{provisioningSucceeded: 0, provisioningFailed: hresult.Fail} {
		r := rig.New(t)
		r.Once(0, func(w *device.Windows) {
			prepared(w, 1)
			w.Registry().SetDWORD(first+`\`+user, "ServerHasFinishedProvisioning", 1)
			later(w, time.Minute, first+`\`+user, "WasDeviceSuccessfullyProvisioned", outcome)
			later(w, time.Minute+time.Second, first+`\`+user, "IsSyncDone", 1)
			began := w.Clock.Now()
			r.Expect(codeOf(AccountSetup(w, Plan{UserSID: user}))).To(gomega.Equal(want))
			r.Expect(w.Clock.Now().Sub(began)).To(gomega.BeNumerically("~", time.Minute, 5*time.Second))
			state, steps := stored(w, "AccountSetup")
			r.Expect(state).To(gomega.Equal(map[bool]string{true: succeeded, false: failed}[want == 0]))
			r.Expect(steps[StepRegistration].State).To(gomega.Equal(notRequired))
			r.Expect(steps[StepToken].State).To(gomega.Equal(failed), "nobody has signed in")
		})
	}
}

// A failed setting stays failed, and names itself.
func TestFailedItemIsNamed(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		const uri = "./Device/Vendor/MSFT/WiFi/Profile/Office/WlanXml"
		prepared(w, 1)
		w.Registry().SetDWORD(base+`\ExpectedNetworkProfiles`+stamp, uri, 0x80070057)
		for range 2 {
			err := DeviceSetup(w, Plan{})
			var e *hresult.Error
			r.Expect(errors.As(err, &e)).To(gomega.BeTrue())
			r.Expect([]string{e.Op, e.Phase, e.Code.Hex()}).To(gomega.Equal([]string{RowConnections + ": " + uri, "DeviceSetup.NetworkConnectionsSubcategory", "0x80070057"}))
		}
	})
}
