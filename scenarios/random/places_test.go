package random_test

import (
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"pgregory.net/rapid"
)

// hostsOfClouds are what a firewall may block, and what may be out of order.
var hostsOfClouds = []string{
	"*.microsoftaik.azure.net", "ztd.dds.microsoft.com", "login.live.com", "login.microsoftonline.com", "enterpriseregistration.windows.net", "enrollment.manage.microsoft.com", "r.manage.microsoft.com",
	"*.manage.microsoft.com", "*.msua01.manage.microsoft.com", "www.msftconnecttest.com", "ekop.intel.com", "ftpm.amd.com", "time.windows.com",
}

// sites draws the bench, the office and somebody's home.
func sites(t *rapid.T, join string) list {
	var all list
	for _, name := range []string{"bench", "office", "home"} {
		s := obj{"name": name, "kind": name, "latency": number(t, "latency at "+name, 2, 120, "ms"), "bandwidth": pick(t, "bandwidth at "+name, "100Mbit", "1Gbit", "20Mbit"), "wired": name != "home"}
		if often(t, "loss at "+name, 30) {
			s["loss"] = pick(t, "loss", "0.2%", "1%")
		}
		if join == hybrid && name == "office" {
			s["seesDC"] = true
		}
		if often(t, "firewall at "+name, 15) {
			s["block"] = list{obj{"host": pick(t, "blocked", hostsOfClouds...), "mode": pick(t, "how", "refuse", "timeout", "nxdomain")}}
		}
		all = append(all, s)
	}
	return all
}

// people draws how those who handle PCs behave.
func people(t *rapid.T) obj {
	return obj{
		"technicians": list{obj{
			"site": "bench", "count": 2, "bench": rapid.IntRange(1, 2).Draw(t, "PCs at once"), "refreshes": rapid.IntRange(0, 2).Draw(t, "refreshes"),
			"patience": pick(t, "technician's patience", "4h", "6h"), "onFailure": pick(t, "technician's habit", "leave", "retry", "reset"),
		}},
		"users": obj{
			"group": staff, "preassigned": pick(t, "preassigned", "0%", "50%", "100%"), "language": pick(t, "language", "en-US", "de-DE"),
			"patience": pick(t, "user's patience", "4h", "6h"), "onFailure": pick(t, "user's habit", "leave", "retry", "reset", "continue"), "stays": pick(t, "stays", "2h", "8h"),
		},
	}
}

// faults draws what is out of order now and then.
func faults(t *rapid.T) list {
	var all list
	for i := range rapid.IntRange(0, 2).Draw(t, "faults") {
		kind := pick(t, "fault", "status", "status", "drop", "delay", "power", "tpm")
		when, do := obj{"device": "PC-*"}, obj{}
		switch kind {
		case "status":
			when["host"], when["share"] = pick(t, "host", append([]string{"*"}, hostsOfClouds...)...), 0.05
			do["status"] = pick(t, "status", 503, 429, 500)
			if often(t, "Retry-After", 50) && do["status"] != 500 {
				do["retryAfter"] = pick(t, "after", "10s", "2m")
			}
		case "drop":
			when["host"], when["share"] = pick(t, "host", hostsOfClouds...), 0.05
			do["drop"] = true
		case "delay":
			when["host"], when["share"] = pick(t, "host", hostsOfClouds...), 0.1
			do["delay"] = pick(t, "delay", "5s", "90s")
		case "power":
			when["event"], when["nth"] = "*", rapid.IntRange(1, 500).Draw(t, "at event")
			do["cutPower"] = true
		case "tpm":
			when["layer"], when["share"] = "tpm", 0.01
			do["tpmResponse"] = pick(t, "response", int(tpm2.TPMRCRetry), int(tpm2.TPMRCFailure))
		}
		all = append(all, obj{"name": fmt.Sprintf("%s %d", kind, i+1), "when": when, "do": do})
	}
	return all
}

// changes draws what an administrator or a network does meanwhile.
func changes(t *rapid.T) list {
	var all list
	if often(t, "firewall goes up", 20) {
		site, host, after := pick(t, "where", "bench", "office", "home"), pick(t, "blocked later", hostsOfClouds...), rapid.IntRange(1, 12).Draw(t, "hours")
		all = append(all,
			obj{"at": fmt.Sprintf("%dh", after), "do": obj{"block": obj{"site": site, "host": host}}},
			obj{"at": fmt.Sprintf("%dh", after+rapid.IntRange(1, 12).Draw(t, "hours more")), "do": obj{"unblock": obj{"site": site, "host": host}}})
	}
	return all
}
