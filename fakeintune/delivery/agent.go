package delivery

import (
	"slices"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

// ByAgent tells whether the management extension installs an app, and not
// device management.
func ByAgent(app graph.MobileApp) bool { return app.Win32LobApp != nil }

// Related are the apps that those of a list need or take the place of, and what
// these need in turn, that the list does not have itself. An app that is gone is
// left out.
func Related(t *tenant.Tenant, apps []App) []graph.MobileApp {
	seen := map[string]bool{}
	queue := make([]graph.MobileApp, len(apps))
	for i, app := range apps {
		seen[app.ID], queue[i] = true, app.MobileApp
	}
	var out []graph.MobileApp
	for len(queue) > 0 {
		app := queue[0]
		queue = queue[1:]
		for _, r := range app.Relationships {
			if !r.Child() || seen[r.TargetID] {
				continue
			}
			seen[r.TargetID] = true
			if child, err := t.Apps().Get(r.TargetID); err == nil && ByAgent(child) {
				out, queue = append(out, child), append(queue, child)
			}
		}
	}
	return out
}

// removals are the apps that are to go from the subject.
func (s Subject) removals(targets []tenant.AppTarget) []App {
	var out []App
	for _, t := range targets {
		if t.Intent == graph.IntentUninstall && s.takesApp(t) {
			out = append(out, App{MobileApp: t.App, Via: t.Via})
		}
	}
	return out
}

// HasWin32 tells whether a tenant has anything that needs the management
// extension: an app of its kinds, or a script.
func HasWin32(t *tenant.Tenant) bool {
	for a := range t.Apps().All() {
		if ByAgent(a) {
			return true
		}
	}
	return slices.ContainsFunc(t.Scripts().List(), func(s graph.DeviceManagementScript) bool { return len(s.Assignments) > 0 })
}
