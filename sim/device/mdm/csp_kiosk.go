package mdm

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/wire/syncml"
)

// kiosk is the AssignedAccess CSP. Of what a configuration may say only the
// account that Windows makes and signs in by itself is acted on; which apps it
// may run is not modelled.
var kiosk = func() *provider {
	kept := stored(`HKLM\SOFTWARE\Microsoft\Windows\AssignedAccessCsp`)
	return &provider{
		set: func(t target, verb syncml.Verb, value string) syncml.StatusCode {
			before, _ := kept.get(t)
			code := kept.set(t, verb, value)
			if !code.Success() {
				return code
			}
			if before != value && strings.Contains(value, "AutoLogonAccount") { // one that is there is not made again
				t.w.Registry().SetString(device.KeyWinlogon, "AutoAdminLogon", "1")
				t.w.Registry().SetString(device.KeyWinlogon, "DefaultUserName", device.KioskUser)
			}
			if before != value && inSetup(t.w) && t.w.Has(defects.RestartsForKiosk) {
				t.then(t.uri)
			}
			return code
		},
		get: kept.get,
		del: func(t target) syncml.StatusCode {
			if t.w.Registry().String(device.KeyWinlogon, "DefaultUserName") == device.KioskUser {
				t.w.Registry().Delete(device.KeyWinlogon, "DefaultUserName")
				t.w.Registry().Delete(device.KeyWinlogon, "AutoAdminLogon")
			}
			return kept.del(t)
		},
	}
}()
