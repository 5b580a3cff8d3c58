package mdm

import (
	"fmt"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// Events of the channel DeviceManagement-Enterprise-Diagnostics-Provider/Admin
// beside those of the jobs. Ids and wording follow what administrators publish
// of them; Microsoft has no table.

// logSession notes the begin of a session.
func (r *runner) logSession() {
	id := r.w.Registry().String(device.KeyEnrollments, "Current")
	r.w.Log(device.LogMDM, 208, "Information", fmt.Sprintf(
		"MDM Session: OMA-DM session started for EnrollmentID (%s) with server: (%s), Server version: (1.0), Client version: (1.2), PushRouterOrigin: (0x0), UserAgentOrigin: (0x%X), Initiator: (0x0), Mode: (0x2), SessionID: (0x%s), Authentication Type: (0x1).",
		id, csp.Provider, r.s.Origin, r.sessionID), id, csp.Provider, r.sessionID)
}

// logEnd notes its end.
func (r *runner) logEnd(err error) {
	code, level := hresult.OK, "Information"
	if err != nil {
		code, level = codeOf(err), "Error"
	}
	r.w.Log(device.LogMDM, 209, level, "MDM Session: OMA-DM session ended with status: ("+code.String()+").", code.Hex())
}

// logFailure notes a command that a provider did not take.
func (r *runner) logFailure(verb syncml.Verb, t target, code syncml.StatusCode) {
	id := r.w.Registry().String(device.KeyEnrollments, "Current")
	name := ""
	if s := t.path.Segments; len(s) > 2 && s[0] == "Vendor" {
		name = s[2]
	} else {
		name = s[0]
	}
	r.w.Log(device.LogMDM, 404, "Error", fmt.Sprintf(
		"MDM ConfigurationManager: Command failure status. Configuration Source ID: (%s), Enrollment Name: (MDMDeviceWithAAD), Provider Name: (%s), Command Type: (%s), CSP URI: (%s), Result: (%d %s).",
		id, name, verb, t.uri, int(code), code), t.uri, decimal(uint32(code)))
}

// logPolicy notes a policy that was set: as a number, or as a text.
func logPolicy(t target, p csp.Policy, value string) {
	id, who := t.w.Registry().String(device.KeyEnrollments, "Current"), "Device"
	if t.sid != "" {
		who = t.sid
	}
	event, kind, form := 814, "string", "String"
	if isNumber(value) {
		event, kind, form = 813, "int", "Int"
	}
	t.w.Log(device.LogMDM, event, "Information", fmt.Sprintf(
		"MDM PolicyManager: Set policy %s, Policy: (%s), Area: (%s), EnrollmentID requesting merge: (%s), Current User: (%s), %s: (%s), Enrollment Type: (0x6), Scope: (0x0).",
		kind, p.Name, p.Area, id, who, form, value), p.Name, p.Area, value)
}
