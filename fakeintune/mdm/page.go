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
		QualityUpdates: p.InstallQualityUpdates,
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

// expected lists what the page is to wait for, by what the nodes are.
func expected(items []item) csp.Expected {
	var e csp.Expected
	for _, i := range items {
		switch {
		case i.job != "" && !i.tracked: // an app that the page does not wait for
		case is(csp.ParsePFX(i.uri)):
			e.PFXCerts = append(e.PFXCerts, i.uri)
		case is(csp.ParseSCEP(i.uri)):
			if cert := scepNode(i.uri); !slices.Contains(e.SCEPCerts, cert) {
				e.SCEPCerts = append(e.SCEPCerts, cert)
			}
		case is(csp.ParseWiFi(i.uri)), is(csp.ParseVPN(i.uri)):
			e.NetworkProfiles = append(e.NetworkProfiles, i.uri)
		case is(csp.ParseMSI(i.uri)), is(csp.ParseOffice(i.uri)):
			e.MSIs = append(e.MSIs, csp.Counted{URI: i.uri, Count: 1})
		case isModern(i.uri):
			e.ModernApps = append(e.ModernApps, csp.Counted{URI: i.uri, Count: 1})
		case tracked(i.uri):
			e.Policies = append(e.Policies, i.uri)
		}
	}
	return e
}

// is tells whether a node is one of a provider's.
func is[T any](_ T, _ string, ok bool) bool { return ok }

// scepNode is the interior node of a certificate's enrolment: the page's lists
// name that one, whichever of its nodes is set last.
func scepNode(uri string) string {
	s, _, _ := csp.ParseSCEP(uri)
	node, err := csp.Canonical(s.Node(""))
	if err != nil {
		return uri
	}
	return node
}

func isModern(uri string) bool {
	_, managed, _, ok := csp.ParseModernApp(uri)
	return ok && managed == ""
}
