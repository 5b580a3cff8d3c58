package invariant

import (
	"fmt"

	"windtunnel.test/sim/device"
)

var domainRules = []Invariant{
	{"blob-once", "a request for an offline domain join comes to one end", func(l *look) string {
		if l.Kind == "odj.ended" && l.all.blobs[l.Text("request")] && (l.Text("state") == "ready" || l.Text("state") == "failed") {
			return l.Text("request") + " has ended before"
		}
		return ""
	}},
	{"one-blob", "a PC that was given a computer of its domain is given no other, and the first was asked for; only the same blob may come again, when nobody heard that it had arrived", func(l *look) string {
		if l.pc == nil || l.Kind != "device.domain.staged" {
			return ""
		}
		switch {
		case l.m.staged != "" && l.m.staged != l.Text("computer"):
			return "it is " + l.m.staged + " already"
		case len(l.all.blobs) == 0:
			return "no connector has made one"
		}
		return ""
	}},
	{"one-computer-each", "two PCs are not the same computer of a domain", func(l *look) string {
		if l.pc == nil || l.Kind != "device.domain.joined" {
			return ""
		}
		if whose := l.all.names[l.Text("computer")]; whose != "" && whose != l.Device {
			return fmt.Sprintf("%s is %s", l.Text("computer"), whose)
		}
		return ""
	}},
	{"members-have-a-password", "a member of a domain has the password of its computer account", func(l *look) string {
		if l.pc == nil || l.Kind == "device.power.off" {
			return ""
		}
		if _, member := l.pc.Domain(); member && l.pc.Disk.Registry.String(device.KeyLSASecrets, "CurrVal") == "" {
			return "it has none"
		}
		return ""
	}},
}
