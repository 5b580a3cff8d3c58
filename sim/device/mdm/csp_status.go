package mdm

import (
	"encoding/xml"
	"slices"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// deviceStatus is the DeviceStatus CSP: how the PC is, for reports and
// compliance. Antivirus and firewall are Windows' own and on.
var deviceStatus = &provider{
	get: func(t target) (string, syncml.StatusCode) {
		w := t.w
		switch t.uri {
		case csp.StatusSecureBoot:
			if w.Protection.SecureBootOff {
				return "2", syncml.OK
			}
			return "1", syncml.OK
		case csp.StatusEncryption:
			if w.DriveEncrypted() {
				return "1", syncml.OK
			}
			return "0", syncml.OK
		case csp.StatusTPM:
			if w.Chip == nil {
				return "Not available", syncml.OK
			}
			return w.Chip.Model().Family, syncml.OK
		case csp.StatusTPMManufacturer:
			if w.Chip == nil {
				return "", syncml.NotFound
			}
			return strings.TrimSpace(w.Chip.Model().Manufacturer), syncml.OK
		case csp.StatusOSEdition:
			return SKU(w.Installation.Edition), syncml.OK
		case csp.StatusOSMode, csp.StatusAntivirus, csp.StatusAntivirusAge, csp.StatusAntispyware, csp.StatusFirewall:
			return "0", syncml.OK
		case csp.StatusUAC:
			if lua, set := w.Registry().DWORD(device.KeyPoliciesSystem, "EnableLUA"); set && lua == 0 {
				return "1", syncml.OK
			}
			return "0", syncml.OK
		case csp.StatusBattery:
			return "255", syncml.OK // what a PC runs on is not modelled
		case csp.StatusVBS:
			if on, _ := w.Registry().DWORD(keyDeviceGuard, "EnableVirtualizationBasedSecurity"); on == 1 && !slices.Contains(w.RestartNeeded(), policyRoot+"DeviceGuard/EnableVirtualizationBasedSecurity") {
				return "0", syncml.OK // running
			}
			return "5", syncml.OK // not configured
		case csp.StatusDomain:
			return "", syncml.OK
		case csp.StatusNetwork:
			return w.Hardware.MAC, syncml.OK
		}
		return "", syncml.NotFound
	},
}

const keyNodeCache = `\NodeCache`

// nodeCache is the NodeCache CSP: what a server believes that nodes hold, so
// that it hears of those alone that hold something else.
var nodeCache = &provider{
	set: func(t target, verb syncml.Verb, value string) syncml.StatusCode {
		key, id, name, ok := cachePlace(t)
		r := t.w.Registry()
		switch {
		case !ok:
			return syncml.NotFound
		case id == "" && name == csp.CacheVersion:
			r.SetString(key, name, value)
		case id == "":
			return syncml.CommandNotAllowed
		case name == "":
			if verb == syncml.Add && r.Has(key) {
				return syncml.AlreadyExists
			}
			r.SetString(key, csp.CacheExpected, "")
		case name == csp.CacheURI, name == csp.CacheExpected:
			r.SetString(key, name, value)
		case name == csp.CacheAutoExpected:
			held, _ := read(t, r.String(key, csp.CacheURI))
			r.SetString(key, csp.CacheExpected, held)
		default:
			return syncml.CommandNotAllowed
		}
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		key, id, name, ok := cachePlace(t)
		r := t.w.Registry()
		switch {
		case !ok:
		case id == "" && name == csp.CacheChanged:
			return strings.Join(changedNodes(t, key), ";"), syncml.OK
		case id == "" && name == csp.CacheChangedData:
			var b strings.Builder
			b.WriteString("<Nodes>")
			for _, id := range changedNodes(t, key) {
				uri := r.String(key+`\Nodes\`+id, csp.CacheURI)
				held, _ := read(t, uri)
				b.WriteString(`<Node Id="` + escapeXML(id) + `" Uri="` + escapeXML(uri) + `">` + escapeXML(held) + "</Node>")
			}
			return b.String() + "</Nodes>", syncml.OK
		case r.HasValue(key, name):
			return r.String(key, name), syncml.OK
		}
		return "", syncml.NotFound
	},
	del: func(t target) syncml.StatusCode {
		key, _, name, ok := cachePlace(t)
		switch {
		case ok && name == "" && t.w.Registry().Has(key):
			t.w.Registry().DeleteTree(key)
		case ok && name == "Nodes" && t.w.Registry().Has(key+`\Nodes`):
			t.w.Registry().DeleteTree(key + `\Nodes`)
		default:
			return syncml.NotFound
		}
		return syncml.OK
	},
}

// cachePlace is the registry key of a node of the cache.
func cachePlace(t target) (key, id, name string, ok bool) {
	server, id, name, ok := csp.ParseNodeCache(t.uri)
	base := enrollmentKey(t.w)
	if !ok || base == "" {
		return "", "", "", false
	}
	key = scopeKey(base+keyNodeCache+`\`+strings.ReplaceAll(server, `\`, "_"), t.sid)
	if id != "" {
		key += `\Nodes\` + strings.ReplaceAll(id, `\`, "_")
	}
	return key, id, name, true
}

// changedNodes lists the cached nodes that hold something else than expected.
func changedNodes(t target, key string) (ids []string) {
	r := t.w.Registry()
	for _, id := range r.Subkeys(key + `\Nodes`) {
		node := key + `\Nodes\` + id
		if held, _ := read(t, r.String(node, csp.CacheURI)); held != r.String(node, csp.CacheExpected) {
			ids = append(ids, id)
		}
	}
	return ids
}

// read gets another node's value for a provider.
func read(t target, uri string) (string, syncml.StatusCode) {
	path, err := csp.Parse(uri)
	if err != nil {
		return "", syncml.NotFound
	}
	other := target{w: t.w, uri: path.String(), path: path}
	if path.Scope == csp.User {
		if other.sid = t.user; other.sid == "" {
			return "", syncml.CommandNotAllowed
		}
	}
	_, _, _, cache := csp.ParseNodeCache(uri)
	if p := find(path); p != nil && !cache && p.get != nil {
		return p.get(other)
	}
	return "", syncml.NotFound
}

// escapeXML writes text as character data.
func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}
