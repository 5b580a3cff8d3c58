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
		change, known := effectOf(p)
		if known && t.sid == "" && !change.takes(value) {
			return syncml.BadRequest
		}
		if code, merged := mergesRights(t, p, value); !merged {
			return code
		}
		t.w.Registry().SetString(policyKey(t.sid, p.Area), p.Name, value)
		t.w.Event("policy.applied", journal.F("uri", t.uri), journal.F("value", value), journal.F("scope", t.sid))
		if known && t.sid == "" {
			change.apply(t.w, value)
		}
		logPolicy(t, p, value)
		processed(t.w, t.sid, t.uri, 1)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		p, _, ok := csp.ParsePolicy(t.uri)
		if !ok || !t.w.Registry().HasValue(policyKey(t.sid, p.Area), p.Name) {
			return "", syncml.NotFound
		}
		return t.w.Registry().String(policyKey(t.sid, p.Area), p.Name), syncml.OK
	},
	del: func(t target) syncml.StatusCode {
		p, config, ok := csp.ParsePolicy(t.uri)
		if !ok || !config || !t.w.Registry().HasValue(policyKey(t.sid, p.Area), p.Name) {
			return syncml.NotFound
		}
		t.w.Registry().Delete(policyKey(t.sid, p.Area), p.Name)
		t.w.Event("policy.removed", journal.F("uri", t.uri), journal.F("scope", t.sid))
		if change, known := effectOf(p); known && t.sid == "" {
			change.remove(t.w)
		}
		return syncml.OK
	},
}

func policyKey(sid, area string) string {
	if sid == "" {
		sid = "device"
	}
	return device.KeyPolicyManager + `\` + sid + `\` + area
}
