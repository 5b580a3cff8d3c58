package statuspage_test

import (
	. "github.com/onsi/ginkgo/v2"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
)

// hybridTable is the table for a PC that joins a domain. What differs are the
// apps that are a user's and assigned to the PC: account setup does not track
// them (learn.microsoft.com, "Set up the Enrollment Status Page"), and the user
// may be at the desktop before or after they are there.
var hybridTable = []row{
	{"a policy for the PC", policy("./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana", "0"), thePC, yes, yes, yes},
	{"a policy for some user", policy("./User/Vendor/MSFT/Policy/Config/Start/HideFrequentlyUsedApps", "1"), someUser, no, no, yes},
	{"a SCEP certificate for the PC", scepProfile("machine"), thePC, tracked, tracked, yes},
	{"a SCEP certificate for a user", scepProfile("user"), someUser, no, no, tracked},
	{"a Wi-Fi profile for a user", wifi("User"), someUser, no, no, tracked},
	{"a Win32 app in device context for the PC", win32("system"), thePC, tracked, tracked, yes},
	{"a Win32 app in device context for the assigned user", win32("system"), assignedUser, tracked, tracked, tracked},
	{"a Win32 app in device context for some user", win32("system"), someUser, no, no, tracked},
	{"a Win32 app in user context for the PC", win32("user"), thePC, no, no, unsaid},
	{"a Win32 app in user context for a user", win32("user"), someUser, no, no, tracked},
	{"a line-of-business app in device context for the PC", lob("true"), thePC, tracked, tracked, yes},
	{"a line-of-business app in device context for some user", lob("true"), someUser, no, no, tracked},
	{"a line-of-business app in user context for the PC", lob("false"), thePC, no, no, unsaid},
	{"a packaged app in user context for a user", packaged(), someUser, no, no, tracked},
}

// member is a PC for the row whose Windows hears of its domain join.
func (r row) member(w *spec.World) *device.PC {
	parts := []spec.Part{spec.Build("26100.7171")}
	if r.assigned {
		parts = append(parts, spec.For("alex@contoso.com"))
	}
	return w.NewRegisteredPC(parts...)
}

// toOffice pre-provisions a PC, assigns the item, and brings the PC to where the
// domain is.
func (r row) toOffice() (*spec.World, *device.PC) {
	GinkgoHelper()
	w := spec.NewWorld(append(r.options(false), spec.Hybrid())...)
	pc := r.member(w)
	w.Provision(pc)
	r.assign(w)
	w.ShipTo(pc, "office", shelf)
	return w, pc
}

var _ = Describe("what is applied when on a domain's PC, and what the page waits for:", Label("SR-02", "SR-18"), func() {
	for _, r := range hybridTable {
		Describe(r.name, func() {
			It(r.technician.String()+" at the end of the technician flow", func() {
				w := spec.NewWorld(append(r.options(true), spec.Hybrid())...)
				pc := r.member(w)
				w.ToSuccess(pc)
				r.is(w, pc, r.technician, "")
			})

			It(r.device.String()+" at the end of device setup in the user flow, assigned after the technician flow", func() {
				w, pc := r.toOffice()
				w.PowerOn(pc)
				w.Await(pc, oobe.ScreenLanguage)
				w.Press(pc, oobe.ButtonYes)
				w.AwaitEvent(pc, "esp.category", map[string]string{"category": "DeviceSetup", "state": "succeeded"})
				r.is(w, pc, r.device, "")
			})

			It(r.account.String()+" at the end of account setup, assigned after the technician flow", func() {
				w, pc := r.toOffice()
				w.Unpack(pc, w.User("alex"))
				r.is(w, pc, r.account, w.SID(pc))
			})
		})
	}
})
