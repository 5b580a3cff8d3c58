package mdm

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// tracking is the EnrollmentStatusTracking CSP. Its nodes are registry values
// of the same names: the agent and the status page use those directly.
var tracking = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		key, name, ok := trackingKey(t)
		switch {
		case !ok:
			return syncml.NotFound
		case name == "": // an interior node
			return syncml.OK
		case name == csp.AppTrackingURI:
			t.w.Registry().SetString(key, name, value)
		case !setDWORD(t.w, key, name, value):
			return syncml.BadRequest
		}
		if strings.HasPrefix(key, device.KeyTracking+`\Device\DevicePreparation`) {
			t.w.Signal("ime").Broadcast() // a management extension that runs already has to say so again
		}
		progress(t.w)
		if t.path.Segments[3] == "DevicePreparation" {
			t.w.Signal("ime").Broadcast() // the provider itself says whether it is there
		}
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		key, name, ok := trackingKey(t)
		if !ok {
			return "", syncml.NotFound
		}
		if v, is := t.w.Registry().DWORD(key, name); is {
			return decimal(v), syncml.OK
		}
		if v := t.w.Registry().String(key, name); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
}

// trackingKey turns a node into the registry value that it is. The last
// segment is the value's name, where it is one of the CSP's leaves.
func trackingKey(t target) (key, name string, ok bool) {
	segments := t.path.Segments[3:]
	if len(segments) == 0 {
		return "", "", false
	}
	if segments[0] != "DevicePreparation" && segments[0] != "Setup" {
		return "", "", false
	}
	scope := "Device"
	if t.sid != "" {
		scope = t.sid
	}
	key = device.KeyTracking + `\` + scope
	switch last := segments[len(segments)-1]; last {
	case "InstallationState", "LastError", "Timeout", "Apps", "TrackingPoliciesCreated", csp.AppTrackingURI, csp.AppRebootRequired, "HasProvisioningCompleted":
		if last == "Apps" && segments[0] == "Setup" {
			return key, "", true
		}
		return key + `\` + strings.Join(segments[:len(segments)-1], `\`), last, true
	}
	return key + `\` + strings.Join(segments, `\`), "", true
}
