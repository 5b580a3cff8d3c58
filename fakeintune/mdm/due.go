package mdm

import (
	"slices"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
)

// items lists what a subject is to have by device management, and writes down
// where two configurations are of two minds.
func (c *conversation) items(sub delivery.Subject, due delivery.Due) ([]item, error) {
	all, err := c.s.items(sub, due)
	if err != nil {
		return nil, err
	}
	items, lost := oneANode(all)
	items, withheld := certificatesFirst(items)
	for _, i := range withheld {
		c.s.Tenants.Record(c.ctx, "mdm.profile.withheld", journal.F("id", c.client.Device.ID), journal.F("owner", i.owner), journal.F("uri", i.uri))
	}
	return items, c.update(c.conflicts(lost))
}

// items lists all that is meant for the subject, in the order in which it is
// sent: apps, trusted roots, settings and certificates, and network profiles,
// which want their certificates first.
func (s *Service) items(sub delivery.Subject, due delivery.Due) ([]item, error) {
	scope := csp.Device
	if sub.User != nil {
		scope = csp.User
	}
	items, err := s.apps(sub, due.Apps, scope)
	if err != nil {
		return nil, err
	}
	var roots, settled, networks []item
	for _, c := range due.Configurations {
		mine := scope == csp.Device || c.Via.Has(userWay)
		switch cfg := c.Configuration; {
		case cfg.CustomConfiguration != nil:
			settled = append(settled, settings(cfg, scope, mine)...)
		case cfg.SCEPCertificate != nil:
			if s.SCEP != nil && delivers(cfg, scope, mine) {
				one, err := s.enrolment(sub, cfg, scope)
				if err != nil {
					return nil, err
				}
				settled = append(settled, one)
			}
		case cfg.PKCSCertificate != nil:
			if delivers(cfg, scope, mine) {
				settled = append(settled, s.certificate(sub, cfg, scope))
			}
		case !mine:
			// below here nothing of the device's is the user's
		case cfg.TrustedRoot != nil:
			roots = append(roots, trustedRoot(cfg)...)
		case cfg.WiFi != nil:
			networks = append(networks, wifi(cfg, scope)...)
		case cfg.VPN != nil:
			networks = append(networks, vpn(cfg, scope)...)
		case cfg.EndpointProtection != nil:
			settled = append(settled, bitLocker(cfg)...)
		case cfg.UpdateRing != nil:
			settled = append(settled, updateRing(cfg)...)
		}
	}
	for _, p := range due.Settings {
		mine := scope == csp.Device || p.Via.Has(userWay)
		for _, i := range s.settingsOf(sub.Tenant, p.Policy) {
			if belongs(i.uri, scope, mine) {
				settled = append(settled, i)
			}
		}
	}
	return slices.Concat(items, roots, settled, networks), nil
}

// apps are those that device management installs, the management extension
// first.
func (s *Service) apps(sub delivery.Subject, due []delivery.App, scope csp.Scope) ([]item, error) {
	var items []item
	if scope == csp.Device && delivery.HasWin32(sub.Tenant) {
		items = append(items, s.agent)
	}
	for _, app := range due {
		var one item
		var err error
		switch {
		case app.WindowsMobileMSI != nil:
			one, err = s.appItem(sub.Tenant, scope, app.MobileApp)
		case app.OfficeSuiteApp != nil:
			one, err = office(app.MobileApp)
		case app.StoreApp != nil:
			one, err = s.storeApp(sub.Tenant, app.MobileApp, scope)
		default:
			continue // the management extension's business
		}
		if err != nil {
			return nil, err
		}
		one.tracked = app.Tracked
		items = append(items, one)
	}
	return items, nil
}

// belongs tells whether a node is set in a session: a device's session has no
// user, so it cannot set ./User nodes; what is meant for the user may be about
// the device.
func belongs(uri string, scope csp.Scope, mine bool) bool {
	path, err := csp.Parse(uri)
	if err != nil {
		return false // a device would answer 404
	}
	return (scope == csp.User || path.Scope == csp.Device) && (mine || path.Scope == csp.User)
}

// oneANode leaves one item a node. Configurations that say the same share it;
// of those that differ the oldest is sent, and the others are lost (which one
// Intune sends is not documented).
func oneANode(all []item) (items, lost []item) {
	at := make(map[string]int, len(all))
	items = make([]item, 0, len(all))
	for _, i := range all {
		n, taken := at[i.uri]
		switch {
		case !taken:
			at[i.uri] = len(items)
			items = append(items, i)
		case items[n].owner == i.owner:
		case items[n].digest == i.digest:
			items[n].also = append(items[n].also, i.owner)
		default:
			lost = append(lost, i)
		}
	}
	return items, lost
}

// certificatesFirst holds network profiles back whose certificate does not reach
// the subject (learn.microsoft.com, "Add Wi-Fi settings for Windows devices":
// assign the certificate profile to the same groups).
func certificatesFirst(items []item) (sent, withheld []item) {
	for _, i := range items {
		if i.needs != "" && !slices.ContainsFunc(items, func(o item) bool { return o.owner == i.needs && (o.pfx || o.enrol) }) {
			withheld = append(withheld, i)
			continue
		}
		sent = append(sent, i)
	}
	return sent, withheld
}

// conflicts brings the device's record up to what is lost, and forgets of the
// session's scope what no longer is.
func (c *conversation) conflicts(lost []item) []func(*tenant.ManagedDevice) {
	user := c.row.Session.User
	is := func(s tenant.SettingState) bool {
		return slices.ContainsFunc(lost, func(i item) bool { return i.owner == s.OwnerID && i.uri == s.URI })
	}
	var changes []func(*tenant.ManagedDevice)
	known := c.client.Device.Settings
	if slices.ContainsFunc(known, func(s tenant.SettingState) bool { return s.Conflict && s.User == user && !is(s) }) {
		changes = append(changes, func(m *tenant.ManagedDevice) {
			m.Settings = slices.DeleteFunc(slices.Clone(m.Settings), func(s tenant.SettingState) bool { return s.Conflict && s.User == user && !is(s) })
		})
	}
	for _, i := range lost {
		state := tenant.SettingState{OwnerID: i.owner, URI: i.uri, User: user, Conflict: true, At: c.s.Tenants.Now()}
		if !slices.ContainsFunc(known, func(s tenant.SettingState) bool {
			return s.OwnerID == state.OwnerID && s.URI == state.URI && s.User == user && s.Conflict
		}) {
			c.row.Session.Changed = true
			changes = append(changes, func(m *tenant.ManagedDevice) { m.SetSetting(state) })
		}
	}
	return changes
}

// reference is the id of a profile that another one needs; "" for none.
func reference(r *graph.ConfigurationReference) string {
	if r == nil {
		return ""
	}
	return r.ID
}
