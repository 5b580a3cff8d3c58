package spec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/scenario"
)

// Provision has a technician take a PC that is off through the technician flow
// to resealed and off.
func (w *World) Provision(pc *device.PC) {
	ginkgo.GinkgoHelper()
	w.Technician().Provision(pc)
}

// TryProvision is Provision for a PC that may not get there: its error is a
// *sim.Failed or a *sim.Stuck. The PC is left as it is then.
func (w *World) TryProvision(pc *device.PC) error {
	ginkgo.GinkgoHelper()
	return w.Technician().TryProvision(pc)
}

// Ship takes a PC to its user's home. The way takes so long.
func (w *World) Ship(pc *device.PC, d time.Duration) {
	ginkgo.GinkgoHelper()
	gomega.Expect(pc.On()).To(gomega.BeFalse(), "%s is still on", pc.Name)
	pc.NIC.Move(w.Sites["home"])
	w.Wait(d)
}

// Unpack has a user take a PC that is off to the desktop. The user stays there
// for the rest of the day, and then shuts it down.
func (w *World) Unpack(pc *device.PC, who Person) {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.TryUnpack(pc, who)).To(gomega.Succeed(), "the user flow of %s", pc.Name)
}

var errLeft = errors.New("the user has left the PC")

// TryUnpack is Unpack for a PC that may not get there: its error is a
// *sim.Failed or a *sim.Stuck.
func (w *World) TryUnpack(pc *device.PC, who Person) (err error) {
	ginkgo.GinkgoHelper()
	user := w.NewUser(sim.User{UPN: who.UPN, Password: who.Password, Language: "en-US", Stays: 8 * time.Hour})
	w.Do(func(ctx context.Context) {
		there, leave := w.Clock.WithCancel(ctx)
		w.Clock.Go(ctx, "user of "+pc.Name, func(ctx context.Context) {
			err = user.Unpack(ctx, pc)
			leave(errLeft)
		})
		_, seen := pc.AwaitScreen(there, func(s device.Screen) bool { return s.ID == oobe.ScreenDesktop })
		if seen == nil {
			err = nil
		}
	})
	return err
}

// PowerOn presses the power button of a PC that is off.
func (w *World) PowerOn(pc *device.PC) {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.try(pc.PowerOn)).To(gomega.Succeed())
}

// CutPower takes a PC's power away and waits until it is off.
func (w *World) CutPower(pc *device.PC) {
	ginkgo.GinkgoHelper()
	pc.CutPower()
	gomega.Expect(w.try(pc.AwaitOff)).To(gomega.Succeed())
}

// patience is how long a spec waits for a screen.
const patience = 4 * time.Hour

// Await waits until one of these screens is shown and gives it.
func (w *World) Await(pc *device.PC, ids ...string) device.Screen {
	ginkgo.GinkgoHelper()
	for _, id := range ids {
		gomega.Expect(scenario.KnownScreen(id)).To(gomega.Succeed())
	}
	return w.AwaitWhere(pc, fmt.Sprintf("one of the screens %v", ids), func(s device.Screen) bool {
		for _, id := range ids {
			if s.ID == id {
				return true
			}
		}
		return false
	})
}

var errNotSeen = errors.New("not seen")

// AwaitWhere waits until the screen is as wanted and gives it; what says in
// words what that is.
func (w *World) AwaitWhere(pc *device.PC, what string, want func(device.Screen) bool) (s device.Screen) {
	ginkgo.GinkgoHelper()
	err := w.try(func(ctx context.Context) (err error) {
		ctx, cancel := w.Clock.WithTimeout(ctx, patience, errNotSeen)
		defer cancel()
		s, err = pc.AwaitScreen(ctx, want)
		return err
	})
	if errors.Is(err, errNotSeen) {
		ginkgo.Fail(fmt.Sprintf("%s does not show %s within %s, but\n%s", pc.Name, what, patience, pc.Screen()))
	}
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return s
}

// Press presses a button of the present screen and lets Windows react.
func (w *World) Press(pc *device.PC, button string) {
	ginkgo.GinkgoHelper()
	w.Fill(pc, button, nil)
}

// Fill types into the screen's fields and presses a button.
func (w *World) Fill(pc *device.PC, button string, typed map[string]string) {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.try(func(ctx context.Context) error { return pc.Press(ctx, button, typed) })).To(gomega.Succeed())
	w.Wait(reaction)
}

// reaction is how long a spec gives Windows to react before it looks again.
const reaction = time.Second

// Strike strikes a key so many times in a row and lets Windows react.
func (w *World) Strike(pc *device.PC, key string, times int) {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.try(func(ctx context.Context) error { return pc.Strike(ctx, key, times) })).To(gomega.Succeed())
	w.Wait(reaction)
}

// ToLanding takes a PC that is off, with a cable, to the configuration screen
// of the technician flow.
func (w *World) ToLanding(pc *device.PC) device.Screen {
	ginkgo.GinkgoHelper()
	w.PowerOn(pc)
	w.Await(pc, oobe.ScreenLanguage, oobe.ScreenSignIn)
	w.Strike(pc, oobe.KeyWindows, 5)
	s := w.Await(pc, oobe.ScreenOptions)
	w.Fill(pc, s.Buttons[0], map[string]string{oobe.FieldOption: s.Line(oobe.FieldOption)})
	return w.Await(pc, oobe.ScreenLanding, oobe.ScreenFailure)
}

// Begin presses what the configuration screen calls the button that starts the
// technician flow: Provision on Windows 10, Next on Windows 11.
func (w *World) Begin(pc *device.PC) {
	ginkgo.GinkgoHelper()
	buttons := pc.Screen().Buttons
	gomega.Expect(buttons).NotTo(gomega.BeEmpty())
	w.Press(pc, buttons[len(buttons)-1])
}

// ToSuccess takes a PC that is off to the end of the technician flow, before
// anybody presses Reseal.
func (w *World) ToSuccess(pc *device.PC) device.Screen {
	ginkgo.GinkgoHelper()
	w.ToLanding(pc)
	w.Begin(pc)
	s := w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
	gomega.Expect(s.ID).To(gomega.Equal(oobe.ScreenSuccess), s.String())
	return s
}

// Reseal presses Reseal on the success page and waits until the PC is off.
func (w *World) Reseal(pc *device.PC) {
	ginkgo.GinkgoHelper()
	w.Press(pc, oobe.ButtonReseal)
	gomega.Expect(w.try(pc.AwaitOff)).To(gomega.Succeed())
}

// Reinstall gives a PC that is off the disk that it left its maker with. What
// the TPM keeps and what the services know stays.
func (w *World) Reinstall(pc *device.PC) {
	ginkgo.GinkgoHelper()
	gomega.Expect(pc.On()).To(gomega.BeFalse(), "%s is still on", pc.Name)
	pc.Disk.Wipe(pc.Hardware)
	pc.Wiped()
}

// SignIn fills in the sign-in page.
func (w *World) SignIn(pc *device.PC, who Person) {
	ginkgo.GinkgoHelper()
	w.Fill(pc, oobe.ButtonNext, map[string]string{oobe.FieldEmail: who.UPN, oobe.FieldPassword: who.Password})
}

// AwaitCategory waits until the enrollment status page is at DevicePreparation,
// DeviceSetup or AccountSetup.
func (w *World) AwaitCategory(pc *device.PC, category string) device.Screen {
	ginkgo.GinkgoHelper()
	return w.AwaitWhere(pc, "the status page at "+category, func(s device.Screen) bool {
		return s.ID == oobe.ScreenESP && s.Line("Category") == category
	})
}
