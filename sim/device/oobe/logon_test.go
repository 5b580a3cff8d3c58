package oobe

import (
	"context"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
)

// What Winlogon finds in the registry decides whether setup's account is signed
// in after a restart in the middle of the technician flow.
func TestAutologon(t *testing.T) {
	text := func(key, name, value string) func(r *device.Registry) {
		return func(r *device.Registry) { r.SetString(key, name, value) }
	}
	number := func(key, name string, value uint32) func(r *device.Registry) {
		return func(r *device.Registry) { r.SetDWORD(key, name, value) }
	}
	for _, c := range []struct {
		name    string
		set     func(r *device.Registry)
		screens []string // in their order; all but the last are left by their first button
	}{
		{"nothing in the way", func(*device.Registry) {}, []string{ScreenFailure}},
		{"switched on", text(device.KeyWinlogon, "AutoAdminLogon", "1"), []string{ScreenFailure}},
		{"switched off", text(device.KeyWinlogon, "AutoAdminLogon", "0"), []string{ScreenLogon}},
		{"rules about passwords", number(device.KeyEAS, "MinDevicePasswordLength", 8), []string{ScreenLogon}},
		{"a preferred domain", text(keyAuthentication, "PreferredAadTenantDomainName", "contoso.com"), []string{ScreenLogon}},
		{"a message's title", text(device.KeyPoliciesSystem, "legalnoticecaption", "Contoso"), []string{ScreenNotice, ScreenLogon}},
		{"a message's text", text(device.KeyPoliciesSystem, "legalnoticetext", "Staff only"), []string{ScreenNotice, ScreenLogon}},
		{"a smart card", number(device.KeyPoliciesSystem, "scforceoption", 1), []string{ScreenLogon}},
		{"no smart card", number(device.KeyPoliciesSystem, "scforceoption", 0), []string{ScreenFailure}},
		{"consent on the secure desktop", number(device.KeyPoliciesSystem, "ConsentPromptBehaviorAdmin", 2), []string{ScreenConsent, ScreenFailure}},
		{"credentials on the secure desktop", number(device.KeyPoliciesSystem, "ConsentPromptBehaviorAdmin", 1), []string{ScreenConsent, ScreenConsent}},
		{"elevated without a prompt", number(device.KeyPoliciesSystem, "ConsentPromptBehaviorAdmin", 0), []string{ScreenFailure}},
		{"no UAC", func(r *device.Registry) {
			r.SetDWORD(device.KeyPoliciesSystem, "ConsentPromptBehaviorAdmin", 1)
			r.SetDWORD(device.KeyPoliciesSystem, "EnableLUA", 0)
		}, []string{ScreenFailure}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rig.New(t)
			pc := r.PC(0, Program)
			setUpTo(pc, stageTechnician)
			c.set(pc.Disk.Registry)
			r.Actor(func(ctx context.Context) {
				r.OK(pc.PowerOn(ctx))
				for i, id := range c.screens {
					s := see(ctx, r, pc, id)
					if i < len(c.screens)-1 {
						r.OK(pc.Press(ctx, s.Buttons[0], nil))
						r.OK(r.Clock.Sleep(ctx, time.Second, "reaction"))
					}
				}
				if pc.Screen().ID == ScreenLogon { // nobody has an account
					r.OK(pc.Press(ctx, ButtonNext, map[string]string{FieldEmail: "ada@contoso.com", FieldPassword: "secret"}))
					r.OK(r.Clock.Sleep(ctx, time.Hour, "nothing happens"))
					r.Expect(pc.Screen().Line(LabelError)).To(gomega.Equal("0xC000006D"))
				}
				pc.CutPower()
				r.OK(pc.AwaitOff(ctx))
			})
			r.Drive()
		})
	}
}

// setUpTo leaves a PC that is off where a technician's press of Provision does.
func setUpTo(pc *device.PC, stage string) {
	pc.Disk.Registry.SetString(device.KeyOOBE, "WhiteGloveStart", rig.Start.Format(time.RFC3339Nano))
	pc.Disk.Registry.SetString(device.KeyOOBE, "Stage", stage)
}

// A restart takes the user's credentials: rules about passwords then keep device
// setup from its end, other obstacles only ask for a sign-in. Nobody is known
// here, so that nobody gets past it.
func TestSecondSignIn(t *testing.T) {
	r := rig.New(t)
	pc := r.PC(0, Program)
	setUpTo(pc, stageUser)
	pc.Disk.Registry.SetString(device.KeyWinlogon, "AutoAdminLogon", "0")
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		s := see(ctx, r, pc, ScreenLogon)
		r.Expect(s.Line(FieldEmail)).To(gomega.BeEmpty())
		r.Expect(s.Inputs).To(gomega.ConsistOf(FieldEmail, FieldPassword))
		r.OK(pc.Press(ctx, ButtonNext, map[string]string{FieldEmail: "ada@contoso.com", FieldPassword: "secret"}))
		r.OK(r.Clock.Sleep(ctx, 10*time.Minute, "no network to ask"))
		r.Expect(pc.Screen().Line(LabelError)).NotTo(gomega.BeEmpty())
		pc.CutPower()
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
}

// Where a smart card is required no password gets anybody in.
func TestSmartCardRequired(t *testing.T) {
	r := rig.New(t)
	pc := r.PC(0, Program)
	setUpTo(pc, stageDone)
	pc.Disk.Registry.SetDWORD(device.KeyPoliciesSystem, "scforceoption", 1)
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		see(ctx, r, pc, ScreenLogon)
		r.OK(pc.Press(ctx, ButtonNext, map[string]string{FieldEmail: "ada@contoso.com", FieldPassword: "secret"}))
		r.OK(r.Clock.Sleep(ctx, time.Second, "reaction"))
		r.Expect(pc.Screen().Line(LabelReason)).To(gomega.ContainSubstring("smart card"))
		pc.CutPower()
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
}
