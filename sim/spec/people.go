package spec

import (
	"context"
	"fmt"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
)

// Technician is somebody at the bench. Whatever a technician does is done on a
// PC's screen and keys, as the page Windows Autopilot for pre-provisioned
// deployment says: https://learn.microsoft.com/autopilot/pre-provision
type Technician struct {
	w     *World
	habit sim.Technician
}

// Technician is somebody who pre-provisions PCs; habits change what such a
// person does beside what the page says.
func (w *World) Technician(habits ...func(*sim.Technician)) *Technician {
	t := &Technician{w: w}
	for _, h := range habits {
		h(&t.habit)
	}
	return t
}

// Provision takes a PC that is off through the technician flow to resealed and
// off.
func (t *Technician) Provision(pc *device.PC) {
	ginkgo.GinkgoHelper()
	gomega.Expect(t.TryProvision(pc)).To(gomega.Succeed(), "the technician flow of %s", pc.Name)
}

// TryProvision is Provision for a PC that may not get there: its error is a
// *sim.Failed or a *sim.Stuck. The PC is left as it is then.
func (t *Technician) TryProvision(pc *device.PC) error {
	ginkgo.GinkgoHelper()
	person := t.w.NewTechnician("technician of "+pc.Name, t.habit)
	return t.w.try(func(ctx context.Context) error { return person.Provision(ctx, pc) })
}

// ToLanding takes a PC that is off, with a cable, to the configuration screen.
func (t *Technician) ToLanding(pc *device.PC) device.Screen {
	ginkgo.GinkgoHelper()
	return t.w.ToLanding(pc)
}

// Refresh presses Refresh on the configuration screen, and gives the screen that
// comes once the profile was read again.
func (t *Technician) Refresh(pc *device.PC) device.Screen {
	ginkgo.GinkgoHelper()
	before := pc.Screen().Shown
	t.w.Press(pc, oobe.ButtonRefresh)
	return t.w.AwaitWhere(pc, "the configuration screen, or why there is none", func(s device.Screen) bool {
		return s.Shown > before && (s.ID == oobe.ScreenLanding || s.ID == oobe.ScreenFailure)
	})
}

// Begin presses what the configuration screen calls the button that starts the
// technician flow: Provision on Windows 10, Next on Windows 11.
func (t *Technician) Begin(pc *device.PC) {
	ginkgo.GinkgoHelper()
	t.w.Begin(pc)
}

// Reseal presses Reseal on the success page and waits until the PC is off.
func (t *Technician) Reseal(pc *device.PC) {
	ginkgo.GinkgoHelper()
	t.w.Reseal(pc)
}

// Press presses a button of the present screen and lets Windows react.
func (t *Technician) Press(pc *device.PC, button string) {
	ginkgo.GinkgoHelper()
	t.w.Press(pc, button)
}

// Read reads the present screen.
func (t *Technician) Read(pc *device.PC) device.Screen { return t.w.Read(pc) }

// Person is an account of the tenant and its password, and who owns it.
type Person struct {
	UPN, Password string
	w             *World
}

// String is the account's name.
func (p Person) String() string { return p.UPN }

// Unpack has a user take a PC that is off to the desktop. The user stays there
// for the rest of the day, and then shuts it down.
func (p Person) Unpack(pc *device.PC) {
	ginkgo.GinkgoHelper()
	p.w.Unpack(pc, p)
}

// TryUnpack is Unpack for a PC that may not get there: its error is a
// *sim.Failed or a *sim.Stuck.
func (p Person) TryUnpack(pc *device.PC) error {
	ginkgo.GinkgoHelper()
	return p.w.TryUnpack(pc, p)
}

// SignIn waits for a page that asks who is there, and fills it in. A PC that is
// off is switched on first, and what OOBE asks before is answered.
func (p Person) SignIn(pc *device.PC) {
	ginkgo.GinkgoHelper()
	if !pc.On() {
		p.w.PowerOn(pc)
	}
	for range 10 { // more first pages there are not
		s := p.w.AwaitWhere(pc, "a page to sign in at", func(s device.Screen) bool { return len(s.Buttons) > 0 })
		switch s.ID {
		case oobe.ScreenSignIn:
			p.w.SignIn(pc, p)
			return
		case oobe.ScreenLogon, oobe.ScreenLock:
			p.w.Fill(pc, s.Buttons[0], map[string]string{nameField(s): p.UPN, oobe.FieldPassword: p.Password})
			return
		case oobe.ScreenLanguage:
			p.w.Fill(pc, oobe.ButtonYes, map[string]string{oobe.FieldLanguage: "en-US"})
		case oobe.ScreenRegion, oobe.ScreenKeyboard:
			p.w.Press(pc, oobe.ButtonYes)
		case oobe.ScreenNetwork:
			p.w.Press(pc, oobe.ButtonConnect)
		default:
			ginkgo.Fail(fmt.Sprintf("%s does not ask who is there, but shows\n%s", pc.Name, s))
		}
	}
	ginkgo.Fail(fmt.Sprintf("%s never asks who is there; it shows\n%s", pc.Name, pc.Screen()))
}

// nameField is what a page calls the field for the account's name.
func nameField(s device.Screen) string {
	for _, f := range s.Inputs {
		if f == oobe.FieldUserName {
			return f
		}
	}
	return oobe.FieldEmail
}

// Press presses a button of the present screen and lets Windows react.
func (p Person) Press(pc *device.PC, button string) {
	ginkgo.GinkgoHelper()
	p.w.Press(pc, button)
}

// Read reads the present screen.
func (p Person) Read(pc *device.PC) device.Screen { return p.w.Read(pc) }
