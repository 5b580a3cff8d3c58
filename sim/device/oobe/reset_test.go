package oobe

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/wire/hosts"
)

// inUse is the disk of a PC that somebody works on.
func inUse(d *device.Disk) {
	r := d.Registry
	r.SetString(device.KeyEnrollments, "Current", "{1}")
	r.SetString(device.KeyEnrollments+`\{1}`, "ProviderID", "MS DM Server")
	r.SetDWORD(device.KeyEnrollments+`\{1}\FirstSync`, "IsSyncDone", 1)
	r.SetString(device.KeyJoinInfo+`\AB`, "DeviceId", "1")
	r.SetString(device.KeyUninstall+`\Agent`, "Version", "1")
	r.SetString(device.KeyPolicyManager+`\device\Experience`, "AllowCortana", "0")
	r.SetString(device.KeyIdentityStore+`\PRT`, "UserUPN", "ada@contoso.com")
	r.SetDWORD(device.KeyServices+`\`+device.ServiceIME, "Start", device.StartAutomatic)
	r.SetString(device.KeyOOBE, "Stage", stageDone)
	r.SetString(device.KeyOOBE, "UserUPN", "ada@contoso.com")
	d.Files.Write(`C:\Program Files\Agent\agent.exe`, []byte("x"))
}

// Each way to reset a PC leaves what it says, wherever the power goes meanwhile.
func TestResets(t *testing.T) {
	for _, c := range []struct {
		kind     string
		enrolled bool
		apps     bool
		screen   string
	}{
		{resetWipe, false, false, ScreenLanguage},
		{resetKeepUser, true, false, ScreenLogon},
		{resetClean, true, false, ScreenLogon},
		{resetAutopilot, true, false, ScreenLanguage},
		{resetRetire, false, true, ScreenLogon},
	} {
		for cut := range 9 {
			t.Run(fmt.Sprintf("%s, power cut at event %d", c.kind, cut), func(t *testing.T) {
				var rules []fault.Rule
				if cut > 0 {
					rules = append(rules, fault.Rule{Name: "cut", When: fault.When{Layer: fault.Event, Nth: cut}, Do: fault.Action{CutPower: true}})
				}
				r := rig.New(t, rules...)
				r.Net.Serve(hosts.NCSI, http.NotFoundHandler())
				pc := r.PC(0, Program)
				inUse(pc.Disk)
				pc.Disk.Registry.SetString(device.KeyReset, "Pending", c.kind)
				r.Actor(func(ctx context.Context) {
					for pc.Screen().ID != c.screen {
						r.OK(pc.PowerOn(ctx))
						_, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == device.Off.ID || s.ID == c.screen })
						r.OK(err)
					}
					r.OK(r.Clock.Sleep(ctx, time.Second, "look"))
					pc.CutPower()
					r.OK(pc.AwaitOff(ctx))
				})
				r.Drive()
				reg := pc.Disk.Registry
				r.Expect(reg.Has(device.KeyReset)).To(gomega.BeFalse(), "it is done")
				r.Expect(reg.String(device.KeyEnrollments, "Current") != "").To(gomega.Equal(c.enrolled))
				r.Expect(reg.Has(device.KeyUninstall)).To(gomega.Equal(c.apps))
				r.Expect(reg.Has(device.KeyPolicyManager)).To(gomega.BeFalse())
				r.Expect(reg.Has(device.KeyServices + `\` + device.ServiceIME)).To(gomega.BeFalse())
				r.Expect(reg.Has(device.KeyEnrollments + `\{1}\FirstSync`)).To(gomega.BeFalse())
				r.Expect(reg.Has(device.KeyJoinInfo)).To(gomega.Equal(c.kind != resetWipe))
			})
		}
	}
}

// A power cut in the middle of Reseal leaves a PC that reseals itself when it is
// switched on again, and goes off.
func TestResealIsResumed(t *testing.T) {
	for cut := range 8 {
		t.Run(fmt.Sprintf("power cut at event %d", cut), func(t *testing.T) {
			var rules []fault.Rule
			if cut > 0 {
				rules = append(rules, fault.Rule{Name: "cut", When: fault.When{Layer: fault.Event, Nth: cut}, Do: fault.Action{CutPower: true}})
			}
			r := rig.New(t, rules...)
			pc := r.PC(0, Program)
			inUse(pc.Disk)
			setUpTo(pc, stageResealing)
			r.Actor(func(ctx context.Context) {
				for range 3 {
					if pc.Disk.Registry.String(device.KeyOOBE, "Stage") == stageResealed {
						return
					}
					r.OK(pc.PowerOn(ctx))
					r.OK(pc.AwaitOff(ctx))
				}
			})
			r.Drive()
			reg := pc.Disk.Registry
			r.Expect(reg.String(device.KeyOOBE, "Stage")).To(gomega.Equal(stageResealed))
			r.Expect(reg.String(device.KeyOOBE, "WhiteGloveStart")).To(gomega.BeEmpty())
			r.Expect(reg.String(device.KeyEnrollments, "Current")).To(gomega.Equal("{1}"), "it stays enrolled")
			r.Expect(reg.Has(device.KeyEnrollments + `\{1}\FirstSync`)).To(gomega.BeFalse())
		})
	}
}
