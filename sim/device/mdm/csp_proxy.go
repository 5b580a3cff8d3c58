package mdm

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/syncml"
)

// proxy is the NetworkProxy CSP: the proxy of the whole PC, which its services
// use from then on.
var proxy = &provider{
	set: func(t target, _ syncml.Verb, value string) syncml.StatusCode {
		if segment(t.path, 0) != "ProxyServer" || segment(t.path, 1) == "" || segment(t.path, 2) != "" {
			if segment(t.path, 1) == "" && segment(t.path, 0) != "ProxyServer" {
				t.w.Registry().SetString(device.KeyProxy, segment(t.path, 0), value)
				return syncml.OK
			}
			return syncml.CommandNotAllowed
		}
		t.w.Registry().SetString(device.KeyProxy, segment(t.path, 1), value)
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		name := segment(t.path, 1)
		if name == "" {
			name = segment(t.path, 0)
		}
		if v := t.w.Registry().String(device.KeyProxy, name); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
	del: func(t target) syncml.StatusCode {
		if !t.w.Registry().Has(device.KeyProxy) {
			return syncml.NotFound
		}
		t.w.Registry().DeleteTree(device.KeyProxy)
		return syncml.OK
	},
}
