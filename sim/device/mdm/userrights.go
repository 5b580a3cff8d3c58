package mdm

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// areaUserRights has policies whose values are accounts.
const areaUserRights = "UserRights"

// mergesRights tells whether accounts can be merged into what is in force. A
// domain's are asked of a controller; without one the merge fails, and the
// status page with it (learn.microsoft.com, "Windows Autopilot known issues",
// pre-provisioning fails when a policy needs a domain controller).
func mergesRights(t target, p csp.Policy, value string) (syncml.StatusCode, bool) {
	m, joining := joiningDomain(t.w)
	if !strings.EqualFold(p.Area, areaUserRights) || t.sid != "" || !joining || !namesDomain(m, value) {
		return syncml.OK, true
	}
	if !merge(t.w, m, t.uri, p) {
		return syncml.CommandFailed, false
	}
	return syncml.OK, true
}

// mergeRights does the same at the end of a session for what came before the
// domain: its accounts were only names then (our model of when Windows looks at
// its policies again).
func mergeRights(w *device.Windows) {
	m, joining := joiningDomain(w)
	if !joining {
		return
	}
	r, key := w.Registry(), policyKey("", areaUserRights)
	for _, name := range r.ValueNames(key) {
		value := r.String(key, name)
		if r.String(keyMerged, name) == value || !namesDomain(m, value) {
			continue
		}
		p := csp.Policy{Scope: csp.Device, Area: areaUserRights, Name: name}
		if merge(w, m, canonicalPolicy(p), p) {
			r.SetString(keyMerged, name, value)
		}
	}
}

// keyMerged has the rights that were merged, as they were then.
const keyMerged = `HKLM\SOFTWARE\Microsoft\PolicyManager\Merged\UserRights`

func canonicalPolicy(p csp.Policy) string {
	uri, err := csp.Canonical(p.Config())
	if err != nil {
		return p.Config()
	}
	return uri
}

// joiningDomain is the domain that the PC is in, or will be in from the next
// start on.
func joiningDomain(w *device.Windows) (device.Membership, bool) {
	if m, staged := w.DomainStaged(); staged {
		return m, true
	}
	return w.Domain()
}

// merge asks a controller about a policy's accounts.
func merge(w *device.Windows, m device.Membership, uri string, p csp.Policy) bool {
	_, err := adclient.Locate(w.Ctx, w.ADHost(), m.Domain, m.Site)
	if err == nil {
		processed(w, "", uri, 1)
		return true
	}
	code := hresult.TrustedRelationship
	w.Log(device.LogMDM, 809, "Error", fmt.Sprintf(
		"MDM PolicyManager: Merge string, Area: (%s), Policy: (%s), Result:(%s) The trust relationship between this workstation and the primary domain failed.", p.Area, p.Name, code.Hex()))
	w.Event("policy.failed", journal.F("uri", uri), journal.F("code", code.Hex()), journal.F("error", err.Error()))
	processed(w, "", uri, uint32(code))
	return false
}

// namesDomain tells whether a list of accounts has one of the domain.
func namesDomain(m device.Membership, value string) bool {
	for _, a := range csp.SplitList(value) {
		domain, _, qualified := strings.Cut(strings.TrimSpace(a), `\`)
		sid := strings.TrimPrefix(strings.TrimSpace(a), "*")
		switch {
		case qualified && (strings.EqualFold(domain, m.NetBIOS) || strings.EqualFold(domain, m.Domain)),
			m.DomainSID != "" && strings.HasPrefix(sid, m.DomainSID+"-"):
			return true
		}
	}
	return false
}
