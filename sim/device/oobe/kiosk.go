package oobe

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/journal"
)

// kioskAccount is the account of Assigned Access. The identifier is our model's.
var kioskAccount = device.Account{SID: "S-1-5-21-1000-1000-1000-1010", Name: device.KioskUser}

// kioskRestarts counts the starts of Windows in setup since which the kiosk's
// account is to be signed in.
const kioskRestarts = "KioskRestarts"

// kiosk tells whether Windows signs the account of Assigned Access in by itself:
// by what Winlogon reads.
func kiosk(w *device.Windows) bool {
	r := w.Registry()
	return r.String(device.KeyWinlogon, "DefaultUserName") == device.KioskUser && r.String(device.KeyWinlogon, "AutoAdminLogon") == "1"
}

// forgetKiosk is what some builds do when they start more than once in setup:
// what signs the kiosk's account in is lost (learn.microsoft.com, "Windows
// Autopilot known issues"; that it is the second start is our model).
func forgetKiosk(w *device.Windows) {
	if !kiosk(w) || !w.Has(defects.ForgetsKiosk) {
		return
	}
	n, _ := w.Registry().DWORD(device.KeyOOBE, kioskRestarts)
	w.Registry().SetDWORD(device.KeyOOBE, kioskRestarts, n+1)
	if n+1 < 2 {
		return
	}
	w.Registry().Delete(device.KeyWinlogon, "DefaultUserName")
	w.Registry().Delete(device.KeyWinlogon, "AutoAdminLogon")
	w.Event("kiosk.forgotten", journal.F("account", device.KioskUser))
}
