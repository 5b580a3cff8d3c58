package mdm

import (
	"regexp"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

const keyBitLockerCSP = `HKLM\SOFTWARE\Microsoft\PolicyManager\BitLocker`

// bitLocker is the BitLocker CSP. Requiring encryption begins it at once where
// the PC can: with a TPM and secure boot, and without a question that nobody
// would answer.
var bitLocker = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		name := strings.Join(t.path.Segments[3:], "/")
		switch t.uri {
		case csp.BitLockerRequire, csp.BitLockerWarning, csp.BitLockerStandard, csp.BitLockerRotation:
			if !isNumber(value) {
				return syncml.BadRequest
			}
		case csp.BitLockerMethod:
			if !strings.Contains(value, "<disabled") {
				n, ok := methodOf(value)
				if !ok {
					return syncml.BadRequest
				}
				t.w.Registry().SetDWORD(device.KeyFVE, "EncryptionMethodWithXtsOs", n)
				t.w.SettleEncryption(n)
			} else {
				t.w.Registry().Delete(device.KeyFVE, "EncryptionMethodWithXtsOs")
			}
		default:
			return syncml.CommandNotAllowed
		}
		t.w.Registry().SetString(keyBitLockerCSP, name, value)
		t.w.Event("policy.applied", journal.F("uri", t.uri), journal.F("value", value), journal.F("scope", t.sid))
		if required(t.w) {
			t.w.EncryptDevice()
		}
		processed(t.w, t.sid, t.uri, 1)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		if t.uri == csp.BitLockerStatus {
			return strconv.Itoa(encryption(t.w)), syncml.OK
		}
		if v := t.w.Registry().String(keyBitLockerCSP, strings.Join(t.path.Segments[3:], "/")); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
	exec: func(t target, value string) syncml.StatusCode {
		r := t.w.Registry()
		switch on, _ := number(r.String(keyBitLockerCSP, "ConfigureRecoveryPasswordRotation")); {
		case t.uri != csp.BitLockerRotate:
			return syncml.CommandNotAllowed
		case on == 0 || !t.w.DriveEncrypted():
			return syncml.CommandFailed
		}
		r.SetString(keyBitLockerCSP, "Status/RotateRecoveryPasswordsRequestID", value)
		r.SetString(keyBitLockerCSP, "Status/RotateRecoveryPasswordsStatus", "0")
		t.w.Event("bitlocker.recovery.rotated", journal.F("request", value))
		return syncml.AcceptedForProcessing
	},
	del: func(t target) syncml.StatusCode {
		name := strings.Join(t.path.Segments[3:], "/")
		if !t.w.Registry().HasValue(keyBitLockerCSP, name) {
			return syncml.NotFound
		}
		t.w.Registry().Delete(keyBitLockerCSP, name)
		if t.uri == csp.BitLockerMethod {
			t.w.Registry().Delete(device.KeyFVE, "EncryptionMethodWithXtsOs")
		}
		return syncml.OK
	},
}

var dataItem = regexp.MustCompile(`<data\s+id="` + csp.BitLockerMethodID + `"\s+value="(\d+)"`)

// methodOf reads the system volume's method out of EncryptionMethodByDriveType.
func methodOf(value string) (uint32, bool) {
	m := dataItem.FindStringSubmatch(value)
	if m == nil {
		return 0, false
	}
	return number(m[1])
}

func required(w *device.Windows) bool {
	n, _ := number(w.Registry().String(keyBitLockerCSP, "RequireDeviceEncryption"))
	return n == 1
}

// encryption is DeviceEncryptionStatus: 0 where the PC is as the policies want
// it, else why it is not.
func encryption(w *device.Windows) (bits int) {
	r := w.Registry()
	if !required(w) {
		return 0
	}
	if !w.DriveEncrypted() {
		bits |= csp.BitLockerUnprotected
		if w.Chip == nil {
			bits |= csp.BitLockerNoTPM
		}
		return bits
	}
	want, set := r.DWORD(device.KeyFVE, "EncryptionMethodWithXtsOs")
	if used := w.EncryptionMethod(); set && used != want {
		bits |= csp.BitLockerWrongMethod
	}
	return bits
}
