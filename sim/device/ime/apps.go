package ime

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/sidecar"
)

// apps asks for a scope's apps and brings the PC to what they are meant to be.
func (a *agent) apps(s scope) error {
	g, err := a.connect()
	if err != nil {
		return err
	}
	if g.certificateExpired() {
		return a.expired()
	}
	all, err := g.selectedApps(s)
	if err != nil {
		return err
	}
	if s.esp {
		a.track(s, all)
	}
	p := newPlan(all)
	graphs := p.subgraphs()
	for _, graph := range graphs {
		a.workload("[Win32App][V3Processor] Processing subgraph with app ids: %s", ids(graph))
		if err := a.subgraph(g, s, p, graph); err != nil {
			return err
		}
		if a.stopped {
			break
		}
	}
	if !a.stopped {
		a.workload("[Win32App][V3Processor] Done processing %d subgraphs", len(graphs))
	}
	a.flush(g)
	return nil
}

// subgraph works through apps that have to do with each other: those that are
// to go first, then those that are to come.
func (a *agent) subgraph(g *gateway, s scope, p plan, graph []sidecar.App) error {
	e := &evaluation{agent: a, g: g, s: s, plan: p, done: map[string]result{}}
	for _, intent := range []sidecar.Intent{sidecar.Uninstall, sidecar.Required} {
		for _, app := range graph {
			if app.Intent != intent || a.stopped {
				continue
			}
			if a.stopped = a.failedElsewhere(s); a.stopped {
				a.waiting = true // until somebody has that tried again
				continue
			}
			if _, err := e.app(app); err != nil {
				return err
			}
			a.stopped = a.stopped || a.given(s, app)
		}
	}
	return nil
}

// given tells whether the page has failed because of a tracked app: where it
// blocks, what is left is not installed any more.
func (a *agent) given(s scope, app sidecar.App) bool {
	if !s.esp || !app.ESPConfiguration || a.trackedState(s, app) != csp.AppError || !a.blocking() {
		return false
	}
	a.workload("[Win32App] App %s failed and blocks the enrollment status page. The apps after it are left.", app.ID)
	return true
}

// failedElsewhere tells the same of the apps that the MDM client installs: what
// is left is not installed because of them either.
func (a *agent) failedElsewhere(s scope) bool {
	if !s.esp || !a.blocking() {
		return false
	}
	r, base := a.w.Registry(), device.KeyESPInfo
	if s.sid != "" {
		base += `\` + s.sid
	}
	for _, list := range []string{csp.ExpectedMSIAppPackages, csp.ExpectedModernAppPackages} {
		for _, stamp := range r.Subkeys(base + `\` + list) {
			for _, uri := range r.ValueNames(base + `\` + list + `\` + stamp) {
				if v, _ := r.DWORD(base+`\`+list+`\`+stamp, uri); v > 1 { // 0 is pending, 1 installed, else it is the failure
					a.workload("[Win32App] %s failed and blocks the enrollment status page. The apps after it are left.", uri)
					return true
				}
			}
		}
	}
	return false
}

// blocking tells whether the status page holds the user when something fails.
func (a *agent) blocking() bool {
	r := a.w.Registry()
	block, _ := r.DWORD(device.KeyEnrollments+`\`+r.String(device.KeyEnrollments, "Current")+`\FirstSync`, "BlockInStatusPage")
	return block != 0
}

// track lists what the status page has to wait for, before anything of it is
// installed.
func (a *agent) track(s scope, apps []sidecar.App) {
	r, base := a.w.Registry(), a.trackingKey(s)
	var tracked []string
	for _, app := range apps {
		if app.Intent != sidecar.Required || !app.ESPConfiguration {
			continue
		}
		tracked = append(tracked, app.ID)
		key := a.trackedKey(s, app)
		if _, known := r.DWORD(key, csp.AppInstallationState); !known {
			r.SetDWORD(key, csp.AppInstallationState, uint32(csp.AppNotInstalled))
			r.SetDWORD(key, csp.AppRebootRequired, uint32(csp.RebootNotRequired))
		}
	}
	a.log("[Win32App][ESPAppLockInProcessor] Found %d apps which need to be installed for current phase of ESP. AppIds: %s", len(tracked), strings.Join(tracked, ", "))
	r.SetDWORD(base+`\PolicyProviders\Sidecar`, "TrackingPoliciesCreated", 1)
	a.w.Signal("esp").Broadcast()
	if s.phase == sidecar.ESPAccountSetup {
		a.log("[Win32App] In EspPhase: AccountSetup. All Win32App has been added. Set SidecarReady: True")
	}
}

func (a *agent) trackingKey(s scope) string {
	name := "Device"
	if s.sid != "" {
		name = s.sid
	}
	return device.KeyTracking + `\` + name + `\Setup\Apps`
}

func (a *agent) trackedKey(s scope, app sidecar.App) string {
	return a.trackingKey(s) + `\Tracking\` + csp.Sidecar + `\` + csp.Win32AppName(app.ID, app.Version)
}

func (a *agent) trackedState(s scope, app sidecar.App) csp.AppState {
	v, _ := a.w.Registry().DWORD(a.trackedKey(s, app), csp.AppInstallationState)
	return csp.AppState(v)
}

// restarted forgets what tracked apps wanted of a restart: the service runs
// anew, so it has been.
func (a *agent) restarted() {
	r := a.w.Registry()
	for _, scope := range r.Subkeys(device.KeyTracking) {
		key := device.KeyTracking + `\` + scope + `\Setup\Apps\Tracking\` + csp.Sidecar
		for _, app := range r.Subkeys(key) {
			if v, ok := r.DWORD(key+`\`+app, csp.AppRebootRequired); ok && v != uint32(csp.RebootNotRequired) {
				r.SetDWORD(key+`\`+app, csp.AppRebootRequired, uint32(csp.RebootNotRequired))
			}
		}
	}
}

// expired is what happens to every app once the agent's certificate is no
// longer valid: it cannot ask, so it does not know.
func (a *agent) expired() error {
	known := a.knownApps()
	if len(known) == 0 {
		known = []string{"00000000-0000-0000-0000-000000000000"}
	}
	for _, id := range known {
		a.workload("[Win32App][DetectionActionHandler] Detection for policy with id: %s resulted in action status: Failed and detection state: NotComputed.", id)
	}
	return fmt.Errorf("certificate of the management extension: %w", errCertificate)
}

func ids(apps []sidecar.App) string {
	list := make([]string, len(apps))
	for i, app := range apps {
		list[i] = app.ID
	}
	return strings.Join(list, ", ")
}
