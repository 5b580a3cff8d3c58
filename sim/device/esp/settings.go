package esp

import (
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
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
	outcome  uint32        // WasDeviceSuccessfullyProvisioned
}

// Bits of BlockInStatusPage (DMClient CSP).
const (
	blockReset    = 1
	blockRetry    = 2
	blockContinue = 4
)

// Values of WasDeviceSuccessfullyProvisioned (DMClient CSP).
const (
	provisioningFailed     = 0
	provisioningSucceeded  = 1
	provisioningInProgress = 2
)

// Actions are what a person may do about a failure of the page.
type Actions struct {
	Reset    bool   // start over with a PC as new
	Retry    bool   // try again
	Continue bool   // use the PC anyway
	Logs     bool   // collect logs
	Text     string // the organisation's own words, "" for none
}

// Offers reads from the page's settings what it offers after a failure. As long
// as the server has not sent any, Windows offers what needs nobody's leave: to
// try again, to start over, and to look at the logs. The way past the page
// opens with the last silent step of device preparation; before it nobody gets
// on, whatever the settings say.
func Offers(w *device.Windows) Actions {
	r, key := w.Registry(), firstSync(w, "")
	mask, told := r.DWORD(key, "BlockInStatusPage")
	if !told {
		return Actions{Reset: true, Retry: true, Logs: true}
	}
	visible, _ := r.DWORD(device.KeyTracking, continueVisible)
	logs, _ := r.DWORD(key, "AllowCollectLogsButton")
	return Actions{
		Reset: mask&blockReset != 0, Retry: mask&blockRetry != 0, Continue: mask&blockContinue != 0 && visible != 0,
		Logs: logs != 0, Text: r.String(key, "CustomErrorText"),
	}
}

// continueVisible is where the silent step of device preparation leaves whether
// the page has a way past it (our model).
const continueVisible = "ContinueAnywayVisible"

// ContinueAnyway is the way past a page that has failed: it holds nobody any
// more, and what is pending goes on behind it.
func ContinueAnyway(w *device.Windows) { leave(w) }

// QualityUpdates tells whether the page's settings want monthly quality updates
// installed once it is through. Windows does that only where the page holds
// people until all is installed (learn.microsoft.com, "Set up the Enrollment
// Status Page"). The value's name is our model's.
func QualityUpdates(w *device.Windows) bool {
	wanted, _ := w.Registry().DWORD(firstSync(w, ""), "InstallQualityUpdates")
	set := readSettings(w, "")
	return wanted != 0 && set.block != 0 && !set.skip
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
	if v, ok := r.DWORD(firstSync(w, ""), "SyncFailureTimeout"); ok && v != 0 && !w.Has(defects.KeepsDefaultTime) {
		s.timeout = time.Duration(v) * time.Minute
	}
	s.block, _ = r.DWORD(firstSync(w, ""), "BlockInStatusPage")
	sent, _ := r.DWORD(key, "ServerHasFinishedProvisioning")
	s.sent = sent != 0
	done, _ := r.DWORD(key, "IsSyncDone")
	s.syncDone = done != 0
	s.outcome = provisioningInProgress
	if v, ok := r.DWORD(key, "WasDeviceSuccessfullyProvisioned"); ok {
		s.outcome = v
	}
	return s
}
