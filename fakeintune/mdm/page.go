package mdm

import (
	"slices"
	"strings"

	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
)

// firstSync is the status page's settings, in the terms of the DMClient CSP.
func firstSync(p graph.EnrollmentStatusPage) csp.FirstSync {
	f := csp.FirstSync{
		Timeout: p.InstallProgressTimeoutInMinutes, CollectLogs: p.AllowLogCollectionOnInstallFailure, ErrorText: p.CustomErrorMessage,
		SkipDevice: !p.ShowInstallationProgress, SkipUser: !p.ShowInstallationProgress,
	}
	if !p.BlockDeviceSetupRetryByUser {
		f.Block |= csp.AllowTryAgain
	}
	if p.AllowDeviceResetOnInstallFailure {
		f.Block |= csp.AllowReset
	}
	if p.AllowDeviceUseOnInstallFailure {
		f.Block |= csp.AllowContinue
	}
	return f
}

// trackedAreas are the policies that the page waits for; others are applied and
// not tracked (learn.microsoft.com, "Set up the Enrollment Status Page", device
// setup tracking).
var trackedAreas = []string{"Browser", "KioskBrowser", "AssignedAccess"}

// tracked tells whether the page waits for a setting.
func tracked(uri string) bool {
	p, config, ok := csp.ParsePolicy(uri)
	return ok && config && (slices.Contains(trackedAreas, p.Area) || strings.HasPrefix(strings.ToLower(p.Area), "microsoft_edge"))
}

// expected lists what the page is to wait for.
func expected(items []item) csp.Expected {
	var e csp.Expected
	for _, i := range items {
		switch {
		case i.pfx:
			e.PFXCerts = append(e.PFXCerts, i.uri)
		case i.msi.ProductCode != "":
			e.MSIs = append(e.MSIs, csp.Counted{URI: i.uri, Count: 1})
		case tracked(i.uri):
			e.Policies = append(e.Policies, i.uri)
		}
	}
	return e
}
