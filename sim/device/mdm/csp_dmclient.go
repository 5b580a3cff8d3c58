package mdm

import (
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// timeLayout is how this package writes moments into the registry.
const timeLayout = time.RFC3339Nano

// firstSyncKey is where a scope's FirstSyncStatus node lives.
func firstSyncKey(w *device.Windows, sid string) string {
	return scopeKey(enrollmentKey(w)+`\FirstSync`, sid)
}

// firstSyncNames maps nodes to registry values where Windows names them
// differently.
var firstSyncNames = map[string]string{csp.TimeOutUntilSyncFailure: "SyncFailureTimeout"}

// latched nodes go from false to true once, and never back.
var latched = map[string]bool{csp.ServerHasFinishedProvisioning: true, csp.IsSyncDone: true}

// skips are true as 0xFFFFFFFF in the registry (learn.microsoft.com,
// "Troubleshoot the Enrollment Status Page").
var skips = map[string]bool{csp.SkipDeviceStatusPage: true, csp.SkipUserStatusPage: true}

// dmClient is the DMClient CSP: below FirstSyncStatus the contract between
// server and enrollment status page, beside it the account's own settings.
var dmClient = &provider{
	set: func(t target, verb syncml.Verb, value string) syncml.StatusCode {
		if segment(t.path, 2) != "FirstSyncStatus" {
			t.w.Registry().SetString(scopeKey(enrollmentKey(t.w)+`\DMClient`, t.sid), segment(t.path, 2), value)
			return syncml.OK
		}
		return setFirstSync(t, verb, value)
	},
	get: func(t target) (string, syncml.StatusCode) {
		if segment(t.path, 2) != "FirstSyncStatus" {
			if v := t.w.Registry().String(scopeKey(enrollmentKey(t.w)+`\DMClient`, t.sid), segment(t.path, 2)); v != "" {
				return v, syncml.OK
			}
			if segment(t.path, 2) == csp.EntDMID {
				return t.w.Registry().String(enrollmentKey(t.w), "EntDMID"), syncml.OK
			}
			return "", syncml.NotFound
		}
		return getFirstSync(t)
	},
	exec: func(t target, _ string) syncml.StatusCode {
		if segment(t.path, 2) != csp.Unenroll {
			return syncml.CommandNotAllowed
		}
		// The account goes at once, and what else the organization left when Windows
		// has restarted.
		t.w.Registry().SetString(device.KeyReset, "Pending", "retire")
		t.then(t.uri)
		Forget(t.w)
		return syncml.OK
	},
}

func setFirstSync(t target, verb syncml.Verb, value string) syncml.StatusCode {
	r, key, name := t.w.Registry(), firstSyncKey(t.w, t.sid), segment(t.path, 3)
	if name == "" { // the interior node: a user's has to be added before anything in it
		if verb == syncml.Add && r.Has(key) {
			return syncml.AlreadyExists
		}
		r.SetDWORD(key, "Added", 1)
		return syncml.OK
	}
	if t.sid != "" && !r.Has(key) {
		return syncml.NotFound
	}
	if strings.HasPrefix(name, "Expected") {
		expect(t, name, value)
		progress(t.w)
		return syncml.OK
	}
	if reg, ok := firstSyncNames[name]; ok {
		name = reg
	}
	if settled(r, key, name, value) {
		return syncml.CommandNotAllowed
	}
	switch {
	case name == csp.CustomErrorText:
		r.SetString(key, name, value)
		return syncml.OK
	case skips[name] && strings.EqualFold(value, "true"):
		r.SetDWORD(key, name, 0xFFFFFFFF)
		progress(t.w)
		return syncml.OK
	}
	if !setDWORD(t.w, key, name, value) {
		return syncml.BadRequest
	}
	progress(t.w)
	return syncml.OK
}

// settled tells whether a node has taken a value that it does not change for
// this one any more (DMClient CSP): a latch stays true, IsSyncDone is not set
// twice, and WasDeviceSuccessfullyProvisioned leaves 0 and 1 never.
func settled(r *device.Registry, key, name, value string) bool {
	now, there := r.DWORD(key, name)
	switch {
	case name == csp.WasDeviceSuccessfullyProvisioned:
		return there && now != uint32(csp.ProvisioningInProgress) && value != decimal(now)
	case !latched[name] || now == 0:
		return false
	}
	return name == csp.IsSyncDone || !strings.EqualFold(value, "true")
}

func getFirstSync(t target) (string, syncml.StatusCode) {
	name := segment(t.path, 3)
	if reg, ok := firstSyncNames[name]; ok {
		name = reg
	}
	v, ok := t.w.Registry().DWORD(firstSyncKey(t.w, t.sid), name)
	switch {
	case latched[name]:
		return boolean(v), syncml.OK
	case name == csp.CustomErrorText && t.w.Registry().HasValue(firstSyncKey(t.w, t.sid), name):
		return t.w.Registry().String(firstSyncKey(t.w, t.sid), name), syncml.OK
	case !ok:
		return "", syncml.NotFound
	case skips[name] || name == csp.AllowCollectLogsButton || name == csp.InstallQualityUpdates:
		return boolean(v), syncml.OK
	}
	return decimal(v), syncml.OK
}

// expect takes in a list of what the status page is to wait for. Items that
// were processed before their list came count as processed.
func expect(t target, list, value string) {
	r := t.w.Registry()
	key := scopeKey(device.KeyESPInfo, t.sid) + `\` + list
	r.DeleteTree(key)
	key += `\` + t.w.Clock.Now().UTC().Format("2006-01-02 15.04.05")
	for _, item := range csp.SplitList(value) {
		uri, _, _ := strings.Cut(item, ";")
		if c, err := csp.Canonical(uri); err == nil {
			uri = c
		}
		r.SetDWORD(key, uri, standing(t, uri))
	}
}

// standing is what has become of an item of a list already: what was
// remembered, or what the package's own status says, because Reseal forgets
// what was tracked, but not what was installed.
func standing(t target, uri string) uint32 {
	if strings.HasPrefix(uri, deviceNodes) {
		t.sid = "" // a user's list may name what is the device's
	}
	if done, known := t.w.Registry().DWORD(processedKey(t.sid), uri); known {
		return done
	}
	r := t.w.Registry()
	status := func(key string) uint32 { s, _ := r.DWORD(key, jobStatus); return s }
	done := false
	if m, _, ok := csp.ParseMSI(uri); ok {
		done = csp.MSIStatus(status(msiKey(t.sid, m.ProductCode))) == csp.MSIEnforced
	} else if s, _, ok := csp.ParseSCEP(uri); ok {
		done = csp.SCEPState(status(scepKey(t.sid, s.ID))) == csp.SCEPFinished
	} else if p, _, ok := csp.ParsePFX(uri); ok {
		done = r.String(pfxKey(t.sid, p.ID), csp.PFXThumbprint) != ""
	} else if a, _, _, ok := csp.ParseModernApp(uri); ok {
		done = csp.ModernState(status(modernJob(t.w, t.sid, a).key)) == csp.ModernInstalled
	} else if o, _, ok := csp.ParseOffice(uri); ok {
		key := officeJob(t.w, t.sid, o).key
		done = r.HasValue(key, jobStatus) && status(key) == 0
	}
	if done {
		return 1
	}
	return 0
}

// processedKey remembers what became of nodes that can stand on an expected
// list: 1 is success, another number the HRESULT of the failure. Our model.
func processedKey(sid string) string {
	return scopeKey(device.KeyESPInfo, sid) + `\Processed`
}

// deviceNodes is what the nodes of the device begin with.
const deviceNodes = "./Device/"

// processed records what became of a node, and ticks it off on the lists that
// it stands on: the scope's own, and for a node of the device those of users.
func processed(w *device.Windows, sid, uri string, result uint32) {
	r := w.Registry()
	r.SetDWORD(processedKey(sid), uri, result)
	tick(r, scopeKey(device.KeyESPInfo, sid), uri, result)
	if sid == "" && strings.HasPrefix(uri, deviceNodes) {
		for _, user := range r.Subkeys(device.KeyESPInfo) {
			if strings.HasPrefix(user, "S-") {
				tick(r, device.KeyESPInfo+`\`+user, uri, result)
			}
		}
	}
	progress(w)
}

func tick(r *device.Registry, base, uri string, result uint32) {
	for _, list := range r.Subkeys(base) {
		if !strings.HasPrefix(list, "Expected") {
			continue
		}
		for _, stamp := range r.Subkeys(base + `\` + list) {
			if _, on := r.DWORD(base+`\`+list+`\`+stamp, uri); on {
				r.SetDWORD(base+`\`+list+`\`+stamp, uri, result)
			}
		}
	}
}
