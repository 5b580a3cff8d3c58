package mdm

import (
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// Registry keys of Windows LAPS (learn.microsoft.com, "Configure policy settings
// for Windows LAPS").
const (
	keyLAPS      = `HKLM\SOFTWARE\Microsoft\Policies\LAPS`
	keyLAPSState = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\LAPS\State`
)

var lapsNumbers = map[string]bool{
	"BackupDirectory": true, "PasswordAgeDays": true, "PasswordLength": true, "PasswordComplexity": true, "PostAuthenticationActions": true, "PostAuthenticationResetDelay": true,
}

// laps is the LAPS CSP. Policies are taken in at any time, and acted on once
// the PC is somebody's: not in the technician flow (learn.microsoft.com,
// "Windows Autopilot - known issues").
var laps = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		name := segment(t.path, 1)
		switch {
		case segment(t.path, 0) != "Policies":
			return syncml.CommandNotAllowed
		case name == "":
			return syncml.OK
		case lapsNumbers[name]:
			n, ok := number(value)
			if !ok {
				return syncml.BadRequest
			}
			t.w.Registry().SetDWORD(keyLAPS, name, n)
		default:
			t.w.Registry().SetString(keyLAPS, name, value)
		}
		t.w.Event("policy.applied", journal.F("uri", t.uri), journal.F("value", value), journal.F("scope", t.sid))
		rotateLAPS(t.w, false)
		processed(t.w, t.sid, t.uri, 1)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		name, r := segment(t.path, 1), t.w.Registry()
		if t.uri == csp.LAPSResetStatus {
			n, _ := r.DWORD(keyLAPSState, "ResetPasswordStatus")
			return strconv.Itoa(int(int32(n))), syncml.OK
		}
		if n, ok := r.DWORD(keyLAPS, name); ok {
			return decimal(n), syncml.OK
		}
		if v := r.String(keyLAPS, name); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
	exec: func(t target, _ string) syncml.StatusCode {
		if t.uri != csp.LAPSReset {
			return syncml.CommandNotAllowed
		}
		code := rotateLAPS(t.w, true)
		t.w.Registry().SetDWORD(keyLAPSState, "ResetPasswordStatus", uint32(code))
		if code != hresult.OK {
			return syncml.CommandFailed
		}
		return syncml.AcceptedForProcessing
	},
	del: func(t target) syncml.StatusCode {
		name := segment(t.path, 1)
		switch {
		case t.uri == csp.LAPSPolicies && t.w.Registry().Has(keyLAPS):
			t.w.Registry().DeleteTree(keyLAPS)
		case name != "" && t.w.Registry().HasValue(keyLAPS, name):
			t.w.Registry().Delete(keyLAPS, name)
		default:
			return syncml.NotFound
		}
		return syncml.OK
	},
}

// rotateLAPS gives the local administrator a new password where the policy
// wants one: because there is none yet, because it is old, or because a server
// asked. How it gets to the directory is not modelled; that it was made is.
func rotateLAPS(w *device.Windows, asked bool) hresult.Code {
	r := w.Registry()
	directory, _ := r.DWORD(keyLAPS, "BackupDirectory")
	switch {
	case directory == csp.LAPSOff:
		return hresult.NotFound
	case directory == csp.LAPSEntra && len(r.Subkeys(device.KeyJoinInfo)) == 0, !hasPerson(w):
		return hresult.DeviceNotReady
	}
	days, set := r.DWORD(keyLAPS, "PasswordAgeDays")
	age := time.Duration(days) * day
	if !set {
		age = w.Timing.MDM.LAPSPasswordAge
	}
	if last, err := time.Parse(timeLayout, r.String(keyLAPSState, "LastPasswordUpdateTime")); err == nil && !asked && w.Now().Before(last.Add(age)) {
		return hresult.OK
	}
	managed := r.String(keyLAPS, "AdministratorAccountName")
	if managed == "" {
		managed = "Administrator"
	}
	now := w.Now().UTC()
	r.SetString(keyLAPSState, "PasswordExpiryTime", now.Add(age).Format(timeLayout))
	r.SetString(keyLAPSState, "LastPasswordUpdateTime", now.Format(timeLayout))
	// Event 10029 says that the directory has it: nothing here brings it there.
	w.Event("laps.rotated", journal.F("account", strings.ToLower(managed)), journal.F("asked", asked))
	return hresult.OK
}

// hasPerson tells whether a person has signed in to this PC's organisation:
// is logged on, or has joined the PC, as at the beginning of the user flow. In
// the technician flow the PC has joined by itself.
func hasPerson(w *device.Windows) bool {
	if account, on := w.LoggedOn(); on && !account.Default {
		return true
	}
	r := w.Registry()
	for _, thumbprint := range r.Subkeys(device.KeyJoinInfo) {
		who := r.String(device.KeyJoinInfo+`\`+thumbprint, "UserEmail")
		if who != "" && !strings.HasPrefix(who, "autopilot@") {
			return true
		}
	}
	return false
}
