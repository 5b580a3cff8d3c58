package reboots_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
)

// breaking settings stand in the way of the account under which setup runs: what
// they change in Windows keeps it from being signed in after a restart, or shows
// somebody a prompt (learn.microsoft.com, Autopilot FAQ, "policies that conflict").
var breaking = []struct {
	rule, name string
	options    []spec.Option
	image      func(d *device.Disk) // in the image that the maker put on the disk
}{
	{rule: "S17", name: "a device password policy", options: []spec.Option{spec.Policy(pcs, "./Device/Vendor/MSFT/Policy/Config/DeviceLock/DevicePasswordEnabled", 0), spec.Policy(pcs, "./Device/Vendor/MSFT/Policy/Config/DeviceLock/MinDevicePasswordLength", 8)}},
	{rule: "S18", name: "automatic sign-in switched off in the image", image: func(d *device.Disk) { d.Registry.SetString(device.KeyWinlogon, "AutoAdminLogon", "0") }},
	{rule: "S19", name: "a preferred tenant domain", options: []spec.Option{spec.Policy(pcs, "./Device/Vendor/MSFT/Policy/Config/Authentication/PreferredAadTenantDomainName", "contoso.com")}},
	{rule: "S20", name: "a message at sign-in", options: []spec.Option{
		spec.Policy(pcs, "./Device/Vendor/MSFT/Policy/Config/LocalPoliciesSecurityOptions/InteractiveLogon_MessageTitleForUsersAttemptingToLogOn", "Contoso"),
		spec.Policy(pcs, "./Device/Vendor/MSFT/Policy/Config/LocalPoliciesSecurityOptions/InteractiveLogon_MessageTextForUsersAttemptingToLogOn", "For members of staff only"),
	}},
}

var _ = Describe("a setting that breaks the flow:", func() {
	for _, b := range breaking {
		It(b.name+" ("+b.rule+") leaves the technician in front of a sign-in once the PC restarts in device setup", func() {
			w := spec.NewWorld(append(b.options, spec.Policy(pcs, previewBuilds, 1))...)
			pc := w.NewRegisteredPC()
			if b.image != nil {
				b.image(pc.Disk)
			}
			err := w.TryProvision(pc)
			Expect(err).To(HaveOccurred())
			Expect(pc.Screen().ID).To(HavePrefix("logon."), "%v\n%s", err, pc.Screen())
			Expect(w.Events(pc, "device.resealed")).To(BeEmpty())
			Expect(w.Impossible(pc)).To(BeEmpty())
		})

		It(b.name+" ("+b.rule+") breaks nothing where the PC does not restart", func() {
			w := spec.NewWorld(b.options...)
			pc := w.NewRegisteredPC()
			if b.image != nil {
				b.image(pc.Disk)
			}
			w.Provision(pc)
		})
	}

	It("AppLocker (S15) restarts the PC at once, in the middle of device setup", func() {
		w := spec.NewWorld(spec.Policy(pcs, "./Device/Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions/Grouping/EXE/Policy",
			`<RuleCollection Type="Exe" EnforcementMode="Enabled"></RuleCollection>`))
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Begin(pc)
		w.AwaitEvent(pc, "device.reboot", nil)
		Expect(w.Products(pc)).NotTo(ContainElement("Agent"), "nobody waited for the end of device setup")
		Expect(w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure, oobe.ScreenLogon).ID).NotTo(BeEmpty())
	})
})

// slowNotes has the user's app take longer than a PC waits for a hand on it.
var slowNotes = spec.App("Notes", func(a *spec.AppResource) { a.Windtunnel.Duration = 45 * time.Minute })

var _ = Describe("a PC that waits in account setup", func() {
	It("locks itself, goes on behind the lock, and shows the page again to whoever unlocks it", func() {
		w := spec.NewWorld(slowNotes)
		pc := w.NewRegisteredPC(spec.At("home"))
		alex := w.User("alex")
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		w.Await(pc, oobe.ScreenSignIn)
		w.SignIn(pc, alex)
		w.AwaitCategory(pc, "AccountSetup")
		s := w.Await(pc, oobe.ScreenLock, oobe.ScreenDesktop)
		Expect(s.ID).To(Equal(oobe.ScreenLock))
		w.Fill(pc, s.Buttons[0], map[string]string{oobe.FieldPassword: alex.Password})
		Expect(w.Await(pc, oobe.ScreenESP).Line("Category")).To(Equal("AccountSetup"))
		w.Await(pc, oobe.ScreenLock)
		w.Wait(2 * time.Hour)
		Expect(w.Products(pc)).To(ContainElement("Notes"), "work goes on behind the lock")
		w.Fill(pc, pc.Screen().Buttons[0], map[string]string{oobe.FieldPassword: alex.Password})
		w.Await(pc, oobe.ScreenDesktop)
	})

	It("is unlocked by its user, who is used to that", func() {
		w := spec.NewWorld(slowNotes)
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("alex"))
		Expect(w.Texts(pc, "screen.shown", "screen")).To(ContainElement(oobe.ScreenLock))
	})
})
