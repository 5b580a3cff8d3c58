package mdm

import (
	"fmt"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/odj"
	"windtunnel.test/sim/wire/syncml"
)

// domainJoin is the OfflineDomainJoin CSP. Microsoft has no page about it; that
// its node Blob is executed with base64 of an offline domain join blob was seen
// on the wire (Black Hat Europe 2024, "Unveiling the Power of Intune";
// github.com/secureworks/pytune). The blob is written down and in force from the next
// start of Windows. A server that sends it once more does no harm.
var domainJoin = &provider{
	exec: func(t target, value string) syncml.StatusCode {
		if t.uri != odjBlob || t.sid != "" {
			return syncml.CommandNotAllowed
		}
		blob, err := odj.ParseText(value)
		if err != nil {
			return syncml.BadRequest
		}
		join, err := odj.Decode(blob)
		if err == nil {
			err = t.w.StageDomainJoin(join)
		}
		if err != nil {
			t.w.Event("mdm.odj.refused", journal.F("error", err.Error()))
			return syncml.CommandFailed
		}
		t.w.Registry().SetString(device.KeyODJApplied, "Domain", join.DNSDomain.DNS)
		t.w.Log(device.LogMDM, 107, "Information", "AutoPilot: the offline domain join blob was applied successfully.")
		SetODJState(t.w, device.ODJProcessed)
		return syncml.OK
	},
}

var odjBlob = func() string {
	uri, err := csp.Canonical(csp.ODJBlob)
	if err != nil {
		panic("mdm: " + err.Error()) // a constant is wrong
	}
	return uri
}()

// ODJState is how far the offline domain join of this PC is.
func ODJState(w *device.Windows) device.ODJState {
	n, _ := w.Registry().DWORD(device.KeyODJ, "State")
	return device.ODJState(n)
}

// odjStates are the words of the Get-AutopilotDiagnostics script for the states.
var odjStates = map[device.ODJState]string{
	device.ODJNotConfigured: "offline domain join is not configured", device.ODJWaiting: "waiting for the offline domain join blob",
	device.ODJProcessed: "the offline domain join blob was processed", device.ODJTimedOut: "timed out waiting for the offline domain join blob or for connectivity",
}

// SetODJState writes the state down, and event 110 where it is another than
// before. Beginning to wait writes event 111 as well.
func SetODJState(w *device.Windows, s device.ODJState) {
	if n, ok := w.Registry().DWORD(device.KeyODJ, "State"); ok && n == uint32(s) {
		return
	}
	w.Registry().SetDWORD(device.KeyODJ, "State", uint32(s))
	if s == device.ODJWaiting {
		w.Log(device.LogMDM, 111, "Information", "AutoPilot: the wait for the offline domain join blob begins.")
	}
	w.Log(device.LogMDM, 110, "Information", fmt.Sprintf("AutoPilot: offline domain join state (%d): %s.", s, odjStates[s]), decimal(uint32(s)))
}
