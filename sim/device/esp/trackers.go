package esp

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
)

// progress is what one tracker counts.
type progress struct {
	total, done int
	failure     hresult.Code // of the first failed item, 0 where none failed
	item        string       // which
	identifying bool         // it is not known yet what there is to track
	unlisted    bool         // because a provider has not listed its apps
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
	if uri, code := failedMerge(w); sid == "" && code != 0 && one.failure == 0 {
		one.failure, one.item = code, uri
	}
	if s.sent && p.finished() {
		one.done = 1
	}
	return one
}

// certificates counts SCEP and PFX profiles.
func certificates(w *device.Windows, sid string, set settings) progress {
	p := listed(w, sid, "ExpectedSCEPCerts", "ExpectedPFXCerts")
	p.identifying = !set.sent
	return p
}

// connections counts Wi-Fi and VPN profiles.
func connections(w *device.Windows, sid string, set settings) progress {
	p := listed(w, sid, "ExpectedNetworkProfiles")
	p.identifying = !set.sent
	return p
}

// apps counts MSI, Office and Store packages that the MDM client installs and
// the apps that policy providers track.
func apps(w *device.Windows, sid string, s settings) progress {
	r := w.Registry()
	p := listed(w, sid, "ExpectedMSIAppPackages", "ExpectedModernAppPackages")
	for _, provider := range providers(w) {
		if created, _ := r.DWORD(setupKey(sid)+`\Apps\PolicyProviders\`+provider, "TrackingPoliciesCreated"); created == 0 && listsApps(w, provider) {
			p.unlisted = s.sent
			p.identifying = true
		}
	}
	p.identifying = p.identifying || !s.sent
	for _, key := range trackedApps(w, sid) {
		p.total++
		switch state, _ := r.DWORD(key, "InstallationState"); state {
		case appCompleted:
			p.done++
		case appError:
			if p.failure == 0 {
				code, _ := r.DWORD(key, "LastError")
				p.failure, p.item = hresult.Code(code), key[strings.LastIndexByte(key, '\\')+1:]
				if code == 0 {
					p.failure = hresult.Fail
				}
			}
		}
	}
	return p
}

// trackedApps lists the keys of the apps that providers track in a scope.
func trackedApps(w *device.Windows, sid string) []string {
	base := setupKey(sid) + `\Apps\Tracking`
	var keys []string
	for _, provider := range w.Registry().Subkeys(base) {
		for _, app := range w.Registry().Subkeys(base + `\` + provider) {
			keys = append(keys, base+`\`+provider+`\`+app)
		}
	}
	return keys
}

// setupKey is where a scope's setup is tracked.
func setupKey(sid string) string {
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
