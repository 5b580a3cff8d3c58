package userflow_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/hosts"
)

// withoutSignInAssistant adds a device policy that disables wlidsvc.
func withoutSignInAssistant(t *scenario.Tenant) {
	for i := range t.Configurations {
		if c := &t.Configurations[i]; c.DisplayName == "Camera off" {
			setting := c.OmaSettings[0]
			setting.DisplayName, setting.OmaURI = "Sign-in assistant", "./Device/Vendor/MSFT/Policy/Config/Accounts/AllowMicrosoftAccountSignInAssistant"
			c.OmaSettings = append(c.OmaSettings, setting)
		}
	}
}

// endlessNotes has the user's app install for days, and the status page wait as
// long.
func endlessNotes(t *scenario.Tenant) {
	for i := range t.Apps {
		if t.Apps[i].DisplayName == "Notes" {
			t.Apps[i].Windtunnel.Duration = 72 * time.Hour
		}
	}
	t.StatusPages[0].InstallProgressTimeoutInMinutes = 7 * 24 * 60
}

var _ = Describe("user-driven mode", func() {
	It("takes a PC from its box to the desktop, joined to Entra ID", Label("SR-12", "SR-02"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("alex"))
		Expect(w.Products(pc)).To(ContainElements("Agent", "Notes"))
		Expect(w.Events(pc, "tpm.attest.start")).To(BeEmpty(), "no technician flow")
		Expect(w.Events(pc, "mdm.attest.failed")).To(BeEmpty(), "the AIK task ran before the enrolment")
		d := w.EntraDevice(pc)
		Expect(d.TrustType).To(Equal("AzureAd"))
		Expect(d.IsCompliant).NotTo(BeNil())
		managed, ok := w.Managed(pc)
		Expect(ok).To(BeTrue())
		Expect(managed.UserPrincipalName).To(Equal("alex@contoso.com"))
	})

	It("is what pre-provisioning is built on: both complete the Entra join", Label("SR-02"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.Ship(pc, 48*time.Hour)
		w.Unpack(pc, w.User("alex"))
		Expect(w.EntraDevice(pc).TrustType).To(Equal("AzureAd"))
		Expect(w.EntraDevices()).To(HaveLen(1), "one device object, whoever joined")
	})

	It("fails where device registration cannot be reached, and so does pre-provisioning", Label("SR-12"), func() {
		w := spec.NewWorld()
		for _, site := range []string{"bench", "home"} {
			Expect(w.Sites[site].Block(hosts.Registration, vnet.NoSuchName)).To(Succeed())
		}
		alone, prepared := w.NewPC(spec.At("home")), w.NewPC()
		w.Register(alone, prepared)
		user := spec.FailureOf(w.TryUnpack(alone, w.User("alex")))
		technician := spec.FailureOf(w.TryProvision(prepared))
		Expect(user).NotTo(BeNil())
		Expect(technician).NotTo(BeNil())
		Expect(technician.Code).To(Equal(user.Code))
		Expect(user.Code).To(Equal(hresult.InternetNameUnknown.Hex()))
	})

	It("refuses a user without an Intune licence", Label("SR-05"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		failure := spec.FailureOf(w.TryUnpack(pc, w.User("pat")))
		Expect(failure).NotTo(BeNil())
		Expect(failure.Screen).To(Equal(oobe.ScreenWrong))
		Expect(failure.Code).To(Equal(hresult.EnrollUserLicense.Hex()))
		Expect(w.Texts(pc, "refused", "check")).To(ContainElement("licence"))
	})

	It("shows a wrong password on the sign-in page, and goes on with the right one", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		alex := w.User("alex")
		Expect(w.Await(pc, oobe.ScreenSignIn).Line(oobe.LabelError)).To(BeEmpty())
		w.Fill(pc, oobe.ButtonNext, map[string]string{oobe.FieldEmail: alex.UPN, oobe.FieldPassword: "Moonless-Night-9"})
		s := w.Await(pc, oobe.ScreenSignIn)
		Expect(s.Line(oobe.LabelError)).NotTo(BeEmpty())
		Expect(w.Events(pc, "entra.join")).To(BeEmpty())
		w.Fill(pc, oobe.ButtonNext, map[string]string{oobe.FieldEmail: alex.UPN, oobe.FieldPassword: alex.Password})
		w.Await(pc, oobe.ScreenDesktop)
	})

	It("comes back after a power cut in account setup and ends at the desktop", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		w.Await(pc, oobe.ScreenSignIn)
		w.SignIn(pc, w.User("alex"))
		w.AwaitCategory(pc, "AccountSetup")
		w.CutPower(pc)
		w.Wait(time.Minute)
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLogon) // the credentials went with the power
		w.SignIn(pc, w.User("alex"))
		w.Await(pc, oobe.ScreenDesktop)
		Expect(w.Products(pc)).To(ContainElements("Agent", "Notes"))
		Expect(w.Events(pc, "mdm.enrolled")).To(HaveLen(1))
	})

	It("is given up by a user in front of whom nothing moves", func() {
		w := spec.NewWorld(spec.Tenant(endlessNotes), spec.Timing(map[string]any{"ime.installLimit": 96 * time.Hour, "user.patience": 2 * time.Hour}))
		pc := w.NewRegisteredPC(spec.At("home"))
		stuck := spec.StuckAt(w.TryUnpack(pc, w.User("alex")))
		Expect(stuck).NotTo(BeNil())
		Expect(stuck.Screen).To(Equal(oobe.ScreenESP))
		Expect(stuck.Row).To(Equal(esp.RowApps))
		Expect(stuck.After).To(BeNumerically("~", 2*time.Hour, 20*time.Minute), "who unlocks the PC now and then still waits for the same page")
	})
})
