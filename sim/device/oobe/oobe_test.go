package oobe

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/internet"
	"windtunnel.test/sim/wire/hosts"
)

// see waits for a screen, and fails the test where it does not come.
func see(ctx context.Context, r *rig.Rig, pc *device.PC, id string) device.Screen {
	r.T.Helper()
	wait, cancel := r.Clock.WithTimeout(ctx, time.Hour, nil)
	defer cancel()
	s, err := pc.AwaitScreen(wait, func(s device.Screen) bool { return s.ID == id })
	r.Expect(err).NotTo(gomega.HaveOccurred(), "waiting for %s, there is\n%s", id, s)
	return s
}

// A wireless PC is set up as anybody's where no profile can be had: all first
// screens, the network, the licence, a local account, the desktop. Keys that a
// screen does not know do nothing, on the desktop least of all.
func TestConsumerSetup(t *testing.T) {
	r := rig.New(t)
	r.Net.Serve(hosts.NCSI, internet.NCSI{})
	pc := r.PC(0, Program)
	pc.Hardware.Wireless = true
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		for _, step := range []struct{ screen, button string }{
			{ScreenLanguage, ButtonYes}, {ScreenRegion, ButtonYes}, {ScreenKeyboard, ButtonYes}, {ScreenNetwork, ButtonConnect}, {ScreenEULA, ButtonAccept}, {ScreenLocal, ButtonNext},
		} {
			see(ctx, r, pc, step.screen)
			r.OK(pc.Strike(ctx, "Escape", 1))
			r.OK(pc.Strike(ctx, KeyWindows, 4))
			r.Expect(pc.NIC.IsUp()).To(gomega.Equal(step.screen == ScreenEULA || step.screen == ScreenLocal), step.screen)
			s := see(ctx, r, pc, step.screen)
			r.Expect(pc.Screen().ID).To(gomega.Equal(s.ID))
			r.OK(r.Clock.Sleep(ctx, time.Second, "look again"))
			r.OK(pc.Press(ctx, step.button, map[string]string{FieldLanguage: "de-DE", FieldUserName: "ada"}))
		}
		see(ctx, r, pc, ScreenDesktop)
		r.OK(pc.Strike(ctx, KeyWindows, 5))
		r.OK(r.Clock.Sleep(ctx, time.Hour, "nothing happens"))
		r.Expect(pc.Screen().ID).To(gomega.Equal(ScreenDesktop))
		r.OK(pc.Press(ctx, ButtonRestart, nil))
		see(ctx, r, pc, "firmware")
		see(ctx, r, pc, ScreenDesktop)
		r.OK(pc.Press(ctx, ButtonShutDown, nil))
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
	r.Expect(pc.Disk.Registry.String(device.KeyOOBE, FieldLanguage)).To(gomega.Equal("de-DE"))
	r.Expect(pc.Disk.Registry.String(device.KeyOOBE, "LocalAccount")).To(gomega.Equal("ada"))
	r.Expect(pc.Boots()).To(gomega.Equal(2))
}

// Five strikes open the options; without a network the landing page says
// 0x800C0003, and Reset makes the PC as new.
func TestOptionsWithoutNetwork(t *testing.T) {
	r := rig.New(t)
	r.Net.Serve(hosts.NCSI, http.NotFoundHandler())
	pc := r.PC(0, Program)
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		see(ctx, r, pc, ScreenLanguage)
		r.OK(pc.Strike(ctx, KeyWindows, 5))
		see(ctx, r, pc, ScreenOptions)
		r.OK(pc.Press(ctx, ButtonCancel, nil))
		see(ctx, r, pc, ScreenLanguage)
		r.OK(pc.Strike(ctx, KeyWindows, 5))
		see(ctx, r, pc, ScreenOptions)
		r.OK(pc.Strike(ctx, KeyWindows, 1))
		r.OK(r.Clock.Sleep(ctx, time.Minute, "nothing happens"))
		r.OK(pc.Press(ctx, ButtonNext, map[string]string{FieldOption: OptionPreProvision}))
		s := see(ctx, r, pc, ScreenFailure)
		r.Expect(s.Line(LabelError)).To(gomega.Equal("0x800C0003"))
		pc.Disk.Registry.SetString(device.KeyOOBE, FieldLanguage, "de-DE")
		r.OK(pc.Press(ctx, ButtonReset, nil))
		see(ctx, r, pc, "firmware")
		see(ctx, r, pc, ScreenLanguage)
		pc.CutPower()
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
	r.Expect(pc.Disk.Registry.Has(device.KeyOOBE)).To(gomega.BeFalse())
}
