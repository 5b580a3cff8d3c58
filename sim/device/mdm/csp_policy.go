package mdm

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// policies is the Policy CSP: what is set at Config is in force at once and
// read at Result.
var policies = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		p, config, ok := csp.ParsePolicy(t.uri)
		if !ok {
			return syncml.NotFound
		}
		if !config {
			return syncml.CommandNotAllowed
		}
		t.w.Registry().SetString(policyKey(t.sid, p.Area), p.Name, value)
		t.w.Event("policy.applied", journal.F("uri", t.uri), journal.F("value", value), journal.F("scope", t.sid))
		enforce(t.w, p, value)
		processed(t.w, t.sid, t.uri, 1)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		p, _, ok := csp.ParsePolicy(t.uri)
		if !ok {
			return "", syncml.NotFound
		}
		if v := t.w.Registry().String(policyKey(t.sid, p.Area), p.Name); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
	del: func(t target) syncml.StatusCode {
		p, config, ok := csp.ParsePolicy(t.uri)
		if !ok || !config || t.w.Registry().String(policyKey(t.sid, p.Area), p.Name) == "" {
			return syncml.NotFound
		}
		t.w.Registry().Delete(policyKey(t.sid, p.Area), p.Name)
		return syncml.OK
	},
}

func policyKey(sid, area string) string {
	if sid == "" {
		sid = "device"
	}
	return device.KeyPolicyManager + `\` + sid + `\` + area
}

// enforce does what a policy does to Windows beyond being readable. Policies
// that are not here are in force for whoever reads them.
func enforce(w *device.Windows, p csp.Policy, value string) {
	if p.Area == "Accounts" && p.Name == "AllowMicrosoftAccountSignInAssistant" {
		// learn.microsoft.com, Policy CSP - Accounts: 0 disables wlidsvc, 1 leaves it to start when it is asked for.
		start := device.StartManual
		if value == "0" {
			start = device.StartDisabled
		}
		w.Registry().SetDWORD(device.KeyServices+`\`+device.ServiceWLID, "Start", start)
	}
}
