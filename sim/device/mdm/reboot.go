package mdm

import (
	"context"
	"encoding/json"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/syncml"
)

// rebootURI is a node that is in force only after a restart. A command that
// touches one makes Windows write event 2800, and during device setup restart
// once at its end (learn.microsoft.com, "Troubleshoot the Enrollment Status
// Page").
type rebootURI struct {
	uri    string // canonical, or what the node's begins with where it ends with a slash
	forced bool   // Windows does not wait for the end of device setup
	source string
}

const (
	pageESP     = "learn.microsoft.com/troubleshoot/mem/intune/device-enrollment/understand-troubleshoot-esp"
	pageFAQ     = "learn.microsoft.com/autopilot/troubleshooting-faq"
	pageGuard   = "learn.microsoft.com/windows/client-management/mdm/policy-csp-deviceguard"
	pageOptions = "learn.microsoft.com/windows/client-management/mdm/policy-csp-localpoliciessecurityoptions"
)

// rebootURIs are those with a source. Windows' own list is not published.
var rebootURIs = []rebootURI{
	{uri: policyRoot + "Update/ManagePreviewBuilds", source: pageESP},
	{uri: policyRoot + "ServiceControlManager/SvchostProcessMitigation", source: "community: seen in event 2800"},
	{uri: policyRoot + "DeviceGuard/EnableVirtualizationBasedSecurity", source: pageFAQ},
	{uri: policyRoot + "DeviceGuard/RequirePlatformSecurityFeatures", source: pageGuard},
	{uri: policyRoot + "DeviceGuard/LsaCfgFlags", source: pageGuard},
	{uri: policyRoot + "VirtualizationBasedTechnology/HypervisorEnforcedCodeIntegrity", source: pageGuard},
	{uri: policyRoot + "LocalPoliciesSecurityOptions/UserAccountControl_RunAllAdministratorsInAdminApprovalMode", source: pageOptions},
	{uri: policyRoot + "LocalPoliciesSecurityOptions/UserAccountControl_UseAdminApprovalMode", source: pageFAQ},
	{uri: "./Device/Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions/", forced: true, source: pageFAQ},
	{uri: "./Device/Vendor/MSFT/ApplicationControl/Policies/", forced: true, source: pageFAQ},
}

const policyRoot = "./Device/Vendor/MSFT/Policy/Config/"

// needsRestart finds a node's entry.
func needsRestart(uri string) (rebootURI, bool) {
	for _, r := range rebootURIs {
		if strings.EqualFold(r.uri, uri) || strings.HasSuffix(r.uri, "/") && len(uri) > len(r.uri) && strings.EqualFold(r.uri, uri[:len(r.uri)]) {
			return r, true
		}
	}
	return rebootURI{}, false
}

// touch is what one command did to a node that wants a restart.
type touch struct {
	rebootURI
	node    string
	changed bool // it has another value now
}

// restarts does what comes of the nodes that a command touched: an event for
// each, and a restart where that changes anything.
func (r *runner) restarts(touched []touch) {
	w := r.w
	for _, t := range touched {
		w.Registry().SetDWORD(device.KeyRebootURIs, t.node, 1)
		w.Log(device.LogMDM, 2800, "Warning", "The following URI has triggered a reboot: ("+t.node+")", t.node)
		if !t.changed {
			continue
		}
		switch {
		case t.forced:
			r.then(t.node)
		case inDeviceSetup(w):
			w.NeedRestart(t.node)
		}
	}
}

// then has Windows restart when the session is over, so that the server hears
// what became of its commands.
func (r *runner) then(why string) {
	if r.restart == "" {
		r.restart = why
	}
}

// inDeviceSetup tells whether the enrollment status page is in the category
// Device setup, by what the page writes into the registry. What its first session
// brought before the category was on the screen counts as well: the restart is made
// at the category's end.
func inDeviceSetup(w *device.Windows) bool {
	if w.Registry().String(device.KeyTracking, "Phase") == "DevicePreparation" {
		return true
	}
	var status struct {
		State string `json:"categoryState"`
	}
	text := w.Registry().String(device.KeySettings, "DeviceSetupCategory.Status")
	return text != "" && json.Unmarshal([]byte(text), &status) == nil && status.State == "inProgress"
}

// restartNow restarts Windows in the name of a node; the boot is over then.
func restartNow(w *device.Windows, why string) error {
	w.Event("mdm.restart", journal.F("why", why))
	w.Restart(why)
	return context.Cause(w.Ctx)
}

// current is a node's value, for telling whether a command changed it.
func current(p *provider, t target) string {
	if p.get == nil {
		return ""
	}
	value, _ := p.get(t)
	return value
}

// launchRestrictions is the AppLocker CSP, and appControl the one of App
// Control for Business (WDAC). What a policy lets run is not modelled; that it
// restarts Windows at once is.
var (
	launchRestrictions = stored(`HKLM\SOFTWARE\Microsoft\PolicyManager\AppLocker`)
	appControl         = stored(`HKLM\SOFTWARE\Microsoft\PolicyManager\ApplicationControl`)
)

// stored is a provider whose leaves are registry values. A leaf's last segment
// is the value's name.
func stored(base string) *provider {
	place := func(t target) (key, name string, ok bool) {
		s := t.path.Segments[3:]
		if len(s) == 0 {
			return "", "", false
		}
		return scopeKey(base, t.sid) + `\` + strings.Join(s[:len(s)-1], `\`), s[len(s)-1], true
	}
	return &provider{
		set: func(t target, verb syncml.Verb, value string) syncml.StatusCode {
			key, name, ok := place(t)
			if !ok {
				return syncml.CommandNotAllowed
			}
			if verb == syncml.Add && t.w.Registry().HasValue(key, name) {
				return syncml.AlreadyExists
			}
			if t.format != syncml.Node {
				t.w.Registry().SetString(key, name, value)
				t.w.Event("node.set", journal.F("uri", t.uri))
			}
			return syncml.OK
		},
		get: func(t target) (string, syncml.StatusCode) {
			if key, name, ok := place(t); ok && t.w.Registry().HasValue(key, name) {
				return t.w.Registry().String(key, name), syncml.OK
			}
			return "", syncml.NotFound
		},
		del: func(t target) syncml.StatusCode {
			key, name, ok := place(t)
			r := t.w.Registry()
			switch {
			case ok && r.HasValue(key, name):
				r.Delete(key, name)
			case ok && r.Has(key+`\`+name):
				r.DeleteTree(key + `\` + name)
			default:
				return syncml.NotFound
			}
			t.w.Event("node.deleted", journal.F("uri", t.uri))
			return syncml.OK
		},
	}
}
