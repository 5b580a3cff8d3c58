package delivery

import (
	"context"
	"slices"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/graph"
)

// Subject is whom something is delivered to: a device, and in a user's session
// the user.
type Subject struct {
	Tenant *tenant.Tenant
	Device tenant.ManagedDevice
	User   *tenant.DirectoryUser // nil: the device itself
	// Technician: the device is pre-provisioned and has not been resealed since.
	Technician bool
}

// App is an app that is due.
type App struct {
	graph.MobileApp
	Via     tenant.Via
	Tracked bool // the status page waits for it
	// Attempt: the page waits for it to be tried, and not for it to succeed.
	Attempt bool
}

// audience is what assignments are evaluated for. The device's own audience
// includes the user who was assigned to it before anybody signed in: apps in
// device context that are meant for that user count as the device's.
func (s Subject) audience(ctx context.Context) tenant.Audience {
	user := s.assignedUser()
	if s.User != nil {
		user = s.User.ID
	}
	a := s.Tenant.Audience(ctx, s.Device.AzureADDeviceID, user)
	if s.Device.Hybrid && s.Device.RegistrationID != "" {
		s.registered(ctx, &a)
	}
	return a
}

// registered adds the groups of the object that the device was registered with
// Autopilot as: a hybrid device has another object than that one, and is both
// (learn.microsoft.com/autopilot/known-issues). That assignments go by both is
// our model.
func (s Subject) registered(ctx context.Context, a *tenant.Audience) {
	r, err := s.Tenant.Registration(s.Device.RegistrationID)
	if err != nil || r.EntraDeviceID == "" || strings.EqualFold(r.EntraDeviceID, s.Device.AzureADDeviceID) {
		return
	}
	other := s.Tenant.Audience(ctx, r.EntraDeviceID, "").Device
	if a.Device == nil {
		a.Device = other
		return
	}
	both := *a.Device
	both.Groups = append(slices.Clone(both.Groups), other.Groups...)
	a.Device = &both
}

func (s Subject) assignedUser() string {
	if s.Device.RegistrationID == "" {
		return ""
	}
	r, err := s.Tenant.Registration(s.Device.RegistrationID)
	if err != nil {
		return ""
	}
	return r.UserPrincipalName
}

// Due is what a subject is to have.
type Due struct {
	Page graph.EnrollmentStatusPage // that applies
	Apps []App                      // required ones, those first that the page waits for
	// Counted are apps of the device that the page counts for its user too:
	// line-of-business apps for all devices (learn.microsoft.com, "Set up the
	// Enrollment Status Page", account setup tracking).
	Counted []App
	// Removals are the apps that are to be uninstalled.
	Removals []App
	// Configurations: a device's session gets what reaches the device, a user's
	// session what reaches the user and, of the device's, the settings of the
	// user's tree: the caller picks.
	Configurations []tenant.ConfigurationTarget
	Settings       []tenant.SettingsTarget // of the settings catalogue, in the same way
}

// Due evaluates the tenant's assignments for the subject. underPage says that
// the status page is up.
func (s Subject) Due(ctx context.Context, underPage bool) Due {
	a := s.audience(ctx)
	d, targets := Due{Page: s.page(ctx, a.Device)}, s.Tenant.Targets(a)
	d.Apps, d.Removals = s.apps(targets.Apps, d.Page, underPage), s.removals(targets.Apps)
	d.Counted = s.counted(targets.Apps, d.Page)
	way := tenant.ViaDevice
	if s.User != nil {
		way |= tenant.ViaUser
	}
	d.Configurations = slices.DeleteFunc(targets.Configurations, func(c tenant.ConfigurationTarget) bool { return c.Via&way == 0 })
	d.Settings = slices.DeleteFunc(targets.Settings, func(c tenant.SettingsTarget) bool { return c.Via&way == 0 })
	return d
}

// page is the enrolment status page that applies. Pages for users count only
// where a user enrolled the device.
func (s Subject) page(ctx context.Context, device *tenant.DirectoryDevice) graph.EnrollmentStatusPage {
	var a tenant.Audience
	if !s.Device.Kind.Userless() {
		a = s.Tenant.Audience(ctx, "", s.Device.UserID)
	}
	a.Device = device
	return s.Tenant.StatusPage(a)
}

func (s Subject) apps(targets []tenant.AppTarget, page graph.EnrollmentStatusPage, underPage bool) []App {
	rule := s.Tenant.Service().Timing.Switches.ESP.UnlistedApps
	var tracked, others []App
	for _, t := range targets {
		if t.Intent != graph.IntentRequired || !s.takesApp(t) {
			continue
		}
		app := App{MobileApp: t.App, Via: t.Via}
		switch {
		case page.ShowInstallationProgress && listed(page, t.App.ID) && !s.overlooked(t):
			app.Tracked = true
			tracked = append(tracked, app)
		case !page.ShowInstallationProgress || s.unlisted(page, rule, underPage):
			app.Attempt = page.ShowInstallationProgress && s.Technician
			others = append(others, app)
		}
	}
	return append(tracked, others...)
}

// overlooked: the page of a PC that joins a domain does not wait for Win32 and
// line-of-business apps in user context that are assigned to the device
// (learn.microsoft.com, "Set up the Enrollment Status Page", account setup
// tracking).
func (s Subject) overlooked(t tenant.AppTarget) bool {
	return s.User != nil && s.Device.Hybrid && !t.Via.Has(tenant.ViaUser) && !t.App.DeviceContext() && t.App.StoreApp == nil
}

func (s Subject) counted(targets []tenant.AppTarget, page graph.EnrollmentStatusPage) []App {
	if s.User == nil || !page.ShowInstallationProgress {
		return nil
	}
	var out []App
	for _, t := range targets {
		if t.Intent == graph.IntentRequired && t.Via.Has(tenant.ViaDevice) && t.App.WindowsMobileMSI != nil && t.App.DeviceContext() &&
			listed(page, t.App.ID) && slices.ContainsFunc(t.App.Assignments, forAllDevices) {
			out = append(out, App{MobileApp: t.App, Via: t.Via, Tracked: true})
		}
	}
	return out
}

func forAllDevices(a graph.MobileAppAssignment) bool {
	return a.Intent == graph.IntentRequired && a.Target.ODataType == graph.TargetAllDevices
}

// takesApp: apps in device context go to the device, apps in user context and
// those of a user's groups to the user.
func (s Subject) takesApp(t tenant.AppTarget) bool {
	if s.User == nil {
		return t.App.DeviceContext()
	}
	return t.Via.Has(tenant.ViaUser) || !t.App.DeviceContext()
}

// listed: without a list, the page waits for every app.
func listed(p graph.EnrollmentStatusPage, app string) bool {
	return len(p.SelectedMobileAppIDs) == 0 ||
		slices.ContainsFunc(p.SelectedMobileAppIDs, func(id string) bool { return strings.EqualFold(id, app) })
}

// unlisted says whether an app that is not on the page's list is handed out
// now. In the technician flow that is the option "Only fail selected blocking
// apps in technician phase"; where nothing is pre-provisioned such apps wait
// until the page is gone.
func (s Subject) unlisted(p graph.EnrollmentStatusPage, rule timing.UnlistedApps, underPage bool) bool {
	if s.Technician {
		return p.AllowNonBlockingAppInstallation || rule == timing.UnlistedInstalled
	}
	return !underPage || s.Device.Kind == tenant.EnrolledWhiteGlove
}
