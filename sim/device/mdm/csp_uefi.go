package mdm

import (
	"strings"

	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/wire/syncml"
)

// firmware is the UEFI CSP, by which the Device Firmware Configuration Interface
// (DFCI) is managed. What the packages say to the firmware is not modelled; that
// they get to it is. Some builds of Windows Pro have no such node before
// somebody is at work (learn.microsoft.com, "Windows Autopilot known issues").
var firmware = func() *provider {
	kept := stored(`HKLM\SOFTWARE\Microsoft\PolicyManager\Uefi`)
	hidden := func(t target) bool {
		_, atWork := t.w.LoggedOn()
		if a, _ := t.w.LoggedOn(); a.Default {
			atWork = false
		}
		return !atWork && strings.EqualFold(t.w.Installation.Edition, "Pro") && t.w.Has(defects.RefusesFirmware)
	}
	return &provider{
		set: func(t target, verb syncml.Verb, value string) syncml.StatusCode {
			if hidden(t) {
				return syncml.NotFound
			}
			return kept.set(t, verb, value)
		},
		get: func(t target) (string, syncml.StatusCode) {
			if hidden(t) {
				return "", syncml.NotFound
			}
			return kept.get(t)
		},
		del: kept.del,
	}
}()
