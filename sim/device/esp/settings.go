package esp

import (
	"time"

	"windtunnel.test/sim/device"
)

// Names of the notifications between the page and the parts of Windows that
// it watches.
const (
	SignalProgress = "esp" // broadcast by the MDM client and the management extension
	SignalPhase    = "ime" // broadcast by the page when its category changes
)

// settings are the enrolment status page's own, as the MDM server wrote them
// to the DMClient CSP's FirstSyncStatus node.
type settings struct {
	skip     bool          // SkipDeviceStatusPage, SkipUserStatusPage
	timeout  time.Duration // TimeOutUntilSyncFailure
	block    uint32        // BlockInStatusPage: 0 does not hold the user, else 1 reset, 2 try again, 4 continue
	sent     bool          // ServerHasFinishedProvisioning
	syncDone bool          // IsSyncDone
}

// firstSync is the registry key of the first sync's state: the device's, or
// that of the user with this SID.
func firstSync(w *device.Windows, sid string) string {
	key := device.KeyEnrollments + `\` + w.Registry().String(device.KeyEnrollments, "Current") + `\FirstSync`
	if sid != "" {
		key += `\` + sid
	}
	return key
}

func readSettings(w *device.Windows, sid string) settings {
	r, key := w.Registry(), firstSync(w, sid)
	s := settings{timeout: w.Timing.ESP.Timeout}
	skip := "SkipDeviceStatusPage"
	if sid != "" {
		skip = "SkipUserStatusPage"
	}
	if v, ok := r.DWORD(firstSync(w, ""), skip); ok && v != 0 {
		s.skip = true
	}
	if v, ok := r.DWORD(firstSync(w, ""), "SyncFailureTimeout"); ok && v != 0 {
		s.timeout = time.Duration(v) * time.Minute
	}
	s.block, _ = r.DWORD(firstSync(w, ""), "BlockInStatusPage")
	sent, _ := r.DWORD(key, "ServerHasFinishedProvisioning")
	s.sent = sent != 0
	done, _ := r.DWORD(key, "IsSyncDone")
	s.syncDone = done != 0
	return s
}
