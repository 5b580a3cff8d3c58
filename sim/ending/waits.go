package ending

import (
	"slices"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/hosts"
)

// Wait is one of Windows' own endless waits.
type Wait struct {
	Rule   string // the rows of the known issues and timings that tell of it
	Why    string
	Screen string
	Source string // the page that describes it
	is     func(w *sim.World, pc *device.PC) bool
}

// waits are those that are known. Others are mistakes of ours.
var waits = []Wait{
	{
		Rule: "T14, S24, S25", Why: "the page waits for a policy provider's list of apps, the management extension's for one, for which it has no bound of its own; the page's own is switched off or as long",
		Screen: oobe.ScreenESP,
		Source: "https://learn.microsoft.com/troubleshoot/mem/intune/device-enrollment/understand-troubleshoot-esp",
		is: func(_ *sim.World, pc *device.PC) bool {
			return unlisted(pc) && status(pc, esp.RowApps) == "Identifying"
		},
	},
	{
		Rule: "S26", Why: "the server never says that it has sent all to a user without a licence",
		Screen: oobe.ScreenESP,
		Source: "https://learn.microsoft.com/autopilot/troubleshooting-faq",
		is: func(w *sim.World, pc *device.PC) bool {
			upn := pc.Disk.Registry.String(device.KeyOOBE, "UserUPN")
			for _, u := range w.Tenant.AllUsers() {
				if u.UserPrincipalName == upn {
					return len(u.AssignedLicenses) == 0 && status(pc, esp.RowApps) == "Identifying"
				}
			}
			return false
		},
	},
	{
		Rule: "NCSI", Why: "the page for networks does not go on where Windows believes that there is no internet: its connectivity test is blocked",
		Screen: oobe.ScreenNetwork,
		Source: "https://learn.microsoft.com/autopilot/requirements (networking: Network Connection Status Indicator)",
		is:     offline,
	},
	{
		Rule: "T39", Why: "nobody signs in to a domain whose clock is more than five minutes off the PC's; the logon screen says so and stays",
		Screen: oobe.ScreenLogon,
		Source: "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-10/security/threat-protection/security-policy-settings/maximum-tolerance-for-computer-clock-synchronization",
		is: func(_ *sim.World, pc *device.PC) bool {
			return pc.Screen().Line(oobe.LabelError) == hresult.TimeSkew.Hex()
		},
	},
}

// offline tells whether Windows could not do its connectivity test when it tried
// last.
func offline(_ *sim.World, pc *device.PC) (last bool) {
	for e := range pc.History {
		if e.Kind == "http.request" && e.Text("host") == hosts.NCSI {
			last = e.Text("status") != "200"
		}
	}
	return last
}

// Waits lists the endless waits that are known.
func Waits() []Wait { return append([]Wait(nil), waits...) }

// Endless finds the endless wait that a PC is in.
func Endless(w *sim.World, pc *device.PC) (Wait, bool) {
	for _, x := range waits {
		if pc.Behind().ID == x.Screen && x.is(w, pc) {
			return x, true
		}
	}
	return Wait{}, false
}

// unlisted tells whether a provider of policies has not listed its apps.
func unlisted(pc *device.PC) bool {
	r := pc.Disk.Registry
	providers := r.Subkeys(device.KeyTracking + `\Device\DevicePreparation\PolicyProviders`)
	return len(providers) == 0 || slices.ContainsFunc(providers, func(p string) bool {
		created, _ := r.DWORD(device.KeyTracking+`\Device\Setup\Apps\PolicyProviders\`+p, "TrackingPoliciesCreated")
		return created == 0
	})
}

func status(pc *device.PC, row string) string {
	for _, r := range pc.Behind().Rows {
		if r.Name == row {
			return r.Status
		}
	}
	return ""
}
