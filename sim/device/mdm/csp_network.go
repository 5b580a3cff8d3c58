package mdm

import (
	"strings"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// Where profiles are kept (our model of the WLAN service's and the phone book's
// files).
const (
	keyWLAN = `HKLM\SOFTWARE\Microsoft\WlanSvc\Profiles`
	keyVPN  = `HKLM\SOFTWARE\Microsoft\RasMan\Profiles`
)

func profileKey(base, sid, name string) string {
	return scopeKey(base, sid) + `\` + strings.ReplaceAll(name, `\`, "_")
}

// wifi is the WiFi CSP: a profile that connects by itself makes its network one
// that Windows knows.
var wifi = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		p, name, ok := csp.ParseWiFi(t.uri)
		if !ok {
			return syncml.NotFound
		}
		key := profileKey(keyWLAN, t.sid, p.SSID)
		switch name {
		case "":
			return syncml.OK
		case csp.WiFiProxy, csp.WiFiCost:
			t.w.Registry().SetString(key, name, value)
			return syncml.OK
		case csp.WiFiXML:
		default:
			return syncml.CommandNotAllowed
		}
		profile, err := csp.ParseWLANProfile(value)
		if err != nil {
			profiled(t, p.Node(), uint32(hresult.InvalidData))
			return syncml.CommandFailed
		}
		t.w.Registry().SetString(key, "SSID", profile.SSID)
		t.w.Registry().SetString(key, name, value)
		if profile.Mode != "manual" {
			t.w.KnowNetwork(profile.SSID)
		}
		return installedProfile(t, "Wi-Fi", p.SSID, p.Node())
	},
	get: func(t target) (string, syncml.StatusCode) {
		p, name, ok := csp.ParseWiFi(t.uri)
		return profileValue(t, ok, profileKey(keyWLAN, t.sid, p.SSID), name)
	},
	del: func(t target) syncml.StatusCode {
		p, name, ok := csp.ParseWiFi(t.uri)
		key := profileKey(keyWLAN, t.sid, p.SSID)
		whole := ok && name == ""
		if whole && t.w.Registry().Has(key) {
			t.w.ForgetNetwork(t.w.Registry().String(key, "SSID")) // first: the profile says which
		}
		return removeProfile(t, whole, key, "Wi-Fi", p.SSID)
	},
}

// vpn is the VPNv2 CSP, as far as whole profiles go. Tunnels are not dialled.
var vpn = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		p, name, ok := csp.ParseVPN(t.uri)
		switch {
		case !ok:
			return syncml.NotFound
		case name == "":
			return syncml.OK
		case name != csp.VPNXML:
			return syncml.CommandNotAllowed
		}
		profile, err := csp.ParseVPNProfile(value)
		if err != nil {
			profiled(t, p.Node(), uint32(hresult.InvalidData))
			return syncml.CommandFailed
		}
		key := profileKey(keyVPN, t.sid, p.Name)
		t.w.Registry().SetString(key, "Server", profile.Native.Servers)
		t.w.Registry().SetString(key, name, value)
		return installedProfile(t, "VPN", p.Name, p.Node())
	},
	get: func(t target) (string, syncml.StatusCode) {
		p, name, ok := csp.ParseVPN(t.uri)
		return profileValue(t, ok, profileKey(keyVPN, t.sid, p.Name), name)
	},
	del: func(t target) syncml.StatusCode {
		p, name, ok := csp.ParseVPN(t.uri)
		return removeProfile(t, ok && name == "", profileKey(keyVPN, t.sid, p.Name), "VPN", p.Name)
	},
}

// installedProfile is the end of a profile's installation.
func installedProfile(t target, kind, name, node string) syncml.StatusCode {
	t.w.Event("profile.installed", journal.F("kind", kind), journal.F("name", name), journal.F("scope", t.sid))
	profiled(t, node, 1)
	return syncml.OK
}

// removeProfile deletes a profile; whole tells whether the node is a profile's
// own.
func removeProfile(t target, whole bool, key, kind, name string) syncml.StatusCode {
	if !whole || !t.w.Registry().Has(key) {
		return syncml.NotFound
	}
	t.w.Registry().DeleteTree(key)
	t.w.Event("profile.removed", journal.F("kind", kind), journal.F("name", name), journal.F("scope", t.sid))
	return syncml.OK
}

func profileValue(t target, ok bool, key, name string) (string, syncml.StatusCode) {
	if v := t.w.Registry().String(key, name); ok && name != "" && v != "" {
		return v, syncml.OK
	}
	return "", syncml.NotFound
}

// profiled ticks a profile off. Lists name it by its own node or by the one
// that has its document.
func profiled(t target, node string, result uint32) {
	processed(t.w, t.sid, t.uri, result)
	if c, err := csp.Canonical(node); err == nil && c != t.uri {
		processed(t.w, t.sid, c, result)
	}
}
