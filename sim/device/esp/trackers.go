package esp

import (
	"fmt"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
)

// progress is what one tracker counts.
type progress struct {
	total, done int
	failure     hresult.Code // of the first failed item, 0 where none failed
	item        string       // which
	identifying bool         // it is not known yet what there is to track
}

func (p progress) finished() bool { return !p.identifying && p.done == p.total }

// status words the row: "Identifying", "2 of 5 applied", "No setup needed".
func (p progress) status(verb string) (state, text string) {
	switch {
	case p.failure != 0:
		return failed, fmt.Sprintf("Error (%s)", p.failure.Hex())
	case p.identifying:
		return inProgress, "Identifying"
	case p.total == 0:
		return notRequired, "No setup needed"
	case p.done == p.total:
		return succeeded, fmt.Sprintf("Complete (%d of %d %s)", p.done, p.total, verb)
	default:
		return inProgress, fmt.Sprintf("Working on it... (%d of %d %s)", p.done, p.total, verb)
	}
}

// listed counts the items of expected lists: value names are LocURIs, data is
// 0 while pending, 1 when processed, else the HRESULT of the failure.
func listed(w *device.Windows, sid string, lists ...string) progress {
	var p progress
	base := device.KeyESPInfo
	if sid != "" {
		base += `\` + sid
	}
	for _, list := range lists {
		for _, stamp := range w.Registry().Subkeys(base + `\` + list) {
			key := base + `\` + list + `\` + stamp
			for _, uri := range w.Registry().ValueNames(key) {
				p.total++
				switch v, _ := w.Registry().DWORD(key, uri); {
				case v == 1:
					p.done++
				case v != 0 && p.failure == 0:
					p.failure, p.item = hresult.Code(v), uri
				}
			}
		}
	}
	return p
}

// policies is the security policies row: always one item, done once the
// server has sent what it has and all of it was processed.
func policies(w *device.Windows, sid string, s settings) progress {
	p := listed(w, sid, "ExpectedPolicies")
	one := progress{total: 1, failure: p.failure, item: p.item}
	if s.sent && p.finished() {
		one.done = 1
	}
	return one
}

// apps counts MSI and Store packages that the MDM client installs and the
// Win32 apps that the management extension tracks.
func apps(w *device.Windows, sid string, s settings) progress {
	p := listed(w, sid, "ExpectedMSIAppPackages", "ExpectedModernAppPackages")
	key := trackingKey(sid) + `\Apps`
	if created, _ := w.Registry().DWORD(key+`\PolicyProviders\Sidecar`, "TrackingPoliciesCreated"); created == 0 {
		p.identifying = providerPresent(w)
	}
	p.identifying = p.identifying || !s.sent
	for _, app := range w.Registry().Subkeys(key + `\Tracking\Sidecar`) {
		p.total++
		switch state, _ := w.Registry().DWORD(key+`\Tracking\Sidecar\`+app, "InstallationState"); state {
		case appCompleted:
			p.done++
		case appError:
			if p.failure == 0 {
				code, _ := w.Registry().DWORD(key+`\Tracking\Sidecar\`+app, "LastError")
				p.failure, p.item = hresult.Code(code), app
				if code == 0 {
					p.failure = hresult.Fail
				}
			}
		}
	}
	return p
}

// trackingKey is where a scope's setup is tracked.
func trackingKey(sid string) string {
	scope := "Device"
	if sid != "" {
		scope = sid
	}
	return device.KeyTracking + `\` + scope + `\Setup`
}

// States of a tracked app (EnrollmentStatusTracking CSP).
const (
	appNotInstalled = 1
	appCompleted    = 3
	appError        = 4
)

// States of a policy provider (EnrollmentStatusTracking CSP).
const (
	providerNotRequired = 2
	providerCompleted   = 3
	providerError       = 4
)

const providerKey = device.KeyTracking + `\Device\DevicePreparation\PolicyProviders\Sidecar`

func providerPresent(w *device.Windows) bool {
	_, ok := w.Registry().DWORD(providerKey, "InstallationState")
	return ok
}
