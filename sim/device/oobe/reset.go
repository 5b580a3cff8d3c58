package oobe

import (
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/ppkg"
)

// Kinds of a reset, as KeyReset has them.
const (
	resetWipe      = "wipe"
	resetKeepUser  = "wipeKeepUserData"
	resetAutopilot = "autopilotReset"
	resetClean     = "clean"
	resetRetire    = "retire"
	resetImage     = "generalize"
)

// afterReset is set on a PC that an Autopilot Reset has left joined and
// enrolled: it goes to its next user, and cannot be pre-provisioned.
const afterReset = "AutopilotReset"

// reset has Windows give itself back its factory state. The TPM keeps its keys'
// seeds and Intune keeps its record: that is why a second try can be refused.
func reset(w *device.Windows) error {
	w.Registry().SetString(device.KeyReset, "Pending", resetWipe)
	return device.ErrReboot
}

// pendingReset does what a start of Windows has to do before anything else. It
// says what is to be done until it is done, so that a PC whose power goes
// meanwhile begins again.
func pendingReset(w *device.Windows) (done bool, err error) {
	kind := w.Registry().String(device.KeyReset, "Pending")
	if kind == "" {
		return false, nil
	}
	if kind == resetRetire {
		retire(w)
		return false, nil
	}
	if _, member := w.Domain(); member && kind == resetAutopilot {
		// "Windows Autopilot Reset doesn't support Microsoft Entra hybrid joined
		// devices" (learn.microsoft.com, "Windows Autopilot Reset").
		w.Event("reset.refused", journal.F("kind", kind))
		w.Registry().DeleteTree(device.KeyReset)
		return false, nil
	}
	if environment, set := w.Registry().DWORD(keyRecovery, "Enabled"); set && environment == 0 {
		w.Event("reset.refused", journal.F("kind", kind), journal.F("why", "there is no recovery environment"))
		w.Registry().DeleteTree(device.KeyReset)
		s := device.Screen{ID: ScreenNotice, Title: "Reset this PC", Lines: []device.Line{{Label: LabelMessage, Value: "Could not find the recovery environment."}}, Buttons: []string{ButtonOK}}
		_, err := w.Ask(s)
		return false, err
	}
	w.Event("reset.begun", journal.F("kind", kind))
	w.Show(device.Screen{ID: ScreenRecovery, Title: "Resetting this PC"})
	if err := w.Sleep(w.Draw(w.Timing.Device.Reset), "reset"); err != nil {
		return true, err
	}
	if lockedVBS(w) {
		w.Event("reset.failed", journal.F("kind", kind), journal.F("code", stopCode))
		w.Show(device.Screen{ID: ScreenStop, Title: "Your PC couldn't start properly", Lines: []device.Line{{Label: LabelError, Value: stopCode}, {Label: LabelReason, Value: "A required device isn't connected or can't be accessed."}}})
		for { // nobody has anything to do here but to take the power away
			if err := w.Sleep(24*time.Hour, "a PC that does not start"); err != nil {
				return true, err
			}
		}
	}
	switch kind {
	case resetKeepUser, resetClean:
		keep(w, false)
	case resetAutopilot:
		keep(w, true)
	case resetImage:
		if err := generalized(w); err != nil {
			return true, err
		}
	default:
		w.Event("device.reset")
		w.Disk.Wipe(w.Hardware)
		join.TakeTPMAnew(w.Disk)
		w.Wiped()
	}
	return true, device.ErrReboot
}

// keyRecovery: Enabled 0 is a Windows whose recovery environment was taken away
// or switched off with reagentc (our model of ReAgent.xml).
const keyRecovery = `HKLM\SYSTEM\CurrentControlSet\Control\WinRE`

// stopCode is that of a boot device that cannot be read.
const stopCode = "0xC000000F"

// lockedVBS tells whether this build does not start again after a reset: a
// policy has virtualization-based security or Credential Guard locked in UEFI
// (learn.microsoft.com, Policy CSP - DeviceGuard: LsaCfgFlags 1).
func lockedVBS(w *device.Windows) bool {
	flags, _ := w.Registry().DWORD(`HKLM\SYSTEM\CurrentControlSet\Control\Lsa`, "LsaCfgFlags")
	return flags == 1 && w.Has(defects.LockedReset)
}

// kept are the registry keys that a reset leaves which keeps the PC's place in
// its organization (learn.microsoft.com, "Windows Autopilot Reset": join,
// management, Wi-Fi, region, language and keyboard).
var kept = []string{
	device.KeyJoinInfo, device.KeyEnrollments, device.KeyTimeZone, device.KeyOOBE, device.KeyReset,
	`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList`,
	`HKLM\SYSTEM\CurrentControlSet\Control\BitLockerStatus`,
}

// keep resets Windows without taking it out of its organization. With anew set
// the accounts of its users go too, and somebody signs in as on the first day.
// Doing it twice does no harm; the order to do it goes last.
func keep(w *device.Windows, anew bool) {
	r := w.Registry()
	keys := kept
	if !anew {
		keys = append(keys[:len(keys):len(keys)], device.KeyIdentityStore, device.KeyDomain, device.KeySecurity, device.KeyTCPIP, device.KeyActiveName, device.KeyODJ)
	}
	for path, values := range r.All() {
		switch {
		case below(path, keys):
		case above(path, keys):
			for _, v := range values {
				r.Delete(path, v.Name)
			}
		default:
			r.DeleteTree(path)
		}
	}
	for _, name := range w.Disk.Files.List("") {
		if !strings.HasPrefix(name, strings.ToLower(ppkg.Folder)) {
			w.Disk.Files.Remove(name)
		}
	}
	enrollment := device.KeyEnrollments + `\` + r.String(device.KeyEnrollments, "Current")
	r.DeleteTree(enrollment + `\FirstSync`)
	if anew {
		for _, v := range []string{"UserSID", "UserUPN", "SignInError", "SignInReason", "WhiteGloveStart", "WhiteGloveSuccess", "LocalAccount"} {
			r.Delete(device.KeyOOBE, v)
		}
		r.SetDWORD(device.KeyOOBE, afterReset, 1)
		setStage(w, stageNew)
	}
	w.Wiped() // of its logs, at least
	w.Event("device.reset.kept", journal.F("accounts", !anew))
	r.DeleteTree(device.KeyReset)
}

// below tells whether a registry path is one of some keys, or below one.
func below(path string, keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return under(path, key) })
}

// above tells whether one of some keys is below a registry path.
func above(path string, keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return under(key, path) })
}

func under(path, key string) bool {
	return strings.HasPrefix(strings.ToLower(path)+`\`, strings.ToLower(key)+`\`)
}

// retire removes what an organization that no longer manages the PC left on it
// (learn.microsoft.com, "Remove devices by using wipe, retire"): policies,
// trackers and the management extension. The user's own things stay.
func retire(w *device.Windows) {
	r := w.Registry()
	mdm.Forget(w)
	for _, key := range []string{device.KeyPolicyManager, device.KeyIME, device.KeyTracking, device.KeySettings, device.KeyRebootURIs, device.KeyServices + `\` + device.ServiceIME} {
		r.DeleteTree(key)
	}
	w.Event("device.retired")
	r.DeleteTree(device.KeyReset)
}
