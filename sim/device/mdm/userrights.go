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
	m, joining := t.w.DomainStaged()
	if !joining {
		m, joining = t.w.Domain()
	}
	if !strings.EqualFold(p.Area, areaUserRights) || t.sid != "" || !joining || !namesDomain(m, value) {
		return syncml.OK, true
	}
	_, err := adclient.Locate(t.w.Ctx, t.w.ADHost(), m.Domain, m.Site)
	if err == nil {
		processed(t.w, t.sid, t.uri, 1)
		return syncml.OK, true
	}
	code := hresult.TrustedRelationship
	t.w.Log(device.LogMDM, 809, "Error", fmt.Sprintf(
		"MDM PolicyManager: Merge string, Area: (%s), Policy: (%s), Result:(%s) The trust relationship between this workstation and the primary domain failed.", p.Area, p.Name, code.Hex()))
	t.w.Event("policy.failed", journal.F("uri", t.uri), journal.F("code", code.Hex()), journal.F("error", err.Error()))
	processed(t.w, t.sid, t.uri, uint32(code))
	return syncml.CommandFailed, false
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
