package tenant

import (
	"context"
	"fmt"
	"slices"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// Deployment is a row of the deployment report: an enrolment of a registered
// device, and how far its setup came. It stays when the device is deleted.
type Deployment struct {
	TenantID string
	graph.AutopilotEvent
	Kind EnrollmentKind

	DeviceReady  time.Time // everything for the device was handed out
	AccountBegun time.Time // a user's turn
	AccountReady time.Time

	// An app of the device, an app of a user: last time they were reported.
	DeviceFailed, AccountFailed bool
}

// begin writes the row of an enrolment, in its transaction.
func (t *Tenant) begin(tx *store.Tx, m ManagedDevice, r Registration) {
	now := t.s.Now()
	profile, _ := t.s.profiles.table.Get(tx, t.key(r.ProfileID))
	e := graph.AutopilotEvent{
		ID: t.s.Seed.UUID("autopilotEvent", t.ID, m.ID), DeviceID: m.ID, EventDateTime: graph.At(now),
		DeviceRegisteredDateTime: graph.At(r.Registered), EnrollmentStartDateTime: graph.At(now), DeploymentStartDateTime: graph.At(now),
		DeviceSerialNumber: m.SerialNumber, ManagedDeviceName: m.DeviceName, UserPrincipalName: m.UserPrincipalName, OSVersion: m.OSVersion,
		ProfileDisplayName: profile.Resource.DisplayName, EnrollmentState: graph.EnrollmentEnrolled, EnrollmentType: enrollmentType(m.Kind, profile.Resource),
	}
	if !r.LastContacted.IsZero() && r.LastContacted.Before(now) {
		e.DevicePreparationDuration = graph.Duration(now.Sub(r.LastContacted))
	}
	t.s.deployments.Put(tx, t.key(m.ID), Deployment{TenantID: t.ID, AutopilotEvent: e, Kind: m.Kind})
}

func enrollmentType(k EnrollmentKind, p graph.DeploymentProfile) graph.EnrollmentType {
	switch {
	case k == EnrolledWhiteGlove && p.Hybrid():
		return graph.EnrollmentTypeHybridWhiteGlove
	case k == EnrolledWhiteGlove:
		return graph.EnrollmentTypeWhiteGlove
	case k == EnrolledSelfDeploying:
		return graph.EnrollmentTypeSelfDeploying
	case p.Hybrid():
		return graph.EnrollmentTypeHybrid
	}
	return graph.EnrollmentTypeUser
}

// follow brings a deployment's row up to what a change of its device says.
func (t *Tenant) follow(tx *store.Tx, before, m ManagedDevice) {
	if m.RegistrationID == "" || before.DeviceSent == m.DeviceSent && len(before.UsersSent) == len(m.UsersSent) &&
		len(before.Apps) == len(m.Apps) && len(before.Settings) == len(m.Settings) && troubleOf(before) == troubleOf(m) &&
		before.UserPrincipalName == m.UserPrincipalName && before.OSVersion == m.OSVersion && before.DeviceName == m.DeviceName {
		return
	}
	d, ok := t.s.deployments.Get(tx, t.key(m.ID))
	if !ok {
		return
	}
	now := t.s.Now()
	if m.DeviceSent && d.DeviceReady.IsZero() {
		d.DeviceReady = now
	}
	users := len(m.UsersSent) > 0 || slices.ContainsFunc(m.Apps, func(a AppState) bool { return a.User != "" }) ||
		slices.ContainsFunc(m.Settings, func(s SettingState) bool { return s.User != "" })
	if users && d.AccountBegun.IsZero() {
		d.AccountBegun = now
	}
	if len(m.UsersSent) > 0 && d.AccountReady.IsZero() {
		d.AccountReady = now
	}
	failed := troubleOf(m)
	d.DeviceFailed, d.AccountFailed = failed.device, failed.account
	d.UserPrincipalName, d.OSVersion, d.ManagedDeviceName = m.UserPrincipalName, m.OSVersion, m.DeviceName
	d.TargetedAppCount, d.TargetedPolicyCount = len(m.Apps), policies(m)
	t.s.deployments.Put(tx, t.key(m.ID), d)
}

// troubles are whether an app failed that was for the device, and one that was
// for a user.
type troubles struct{ device, account bool }

func troubleOf(m ManagedDevice) (t troubles) {
	for _, a := range m.Apps {
		t.device = t.device || a.Error != 0 && a.User == ""
		t.account = t.account || a.Error != 0 && a.User != ""
	}
	return t
}

// trouble tells whether an app failed on a device.
func trouble(m ManagedDevice) bool { return troubleOf(m) != troubles{} }

func policies(m ManagedDevice) int {
	var owners []string
	for _, s := range m.Settings {
		if !slices.Contains(owners, s.OwnerID) {
			owners = append(owners, s.OwnerID)
		}
	}
	return len(owners)
}

// Events is the deployment report: what is not older than it keeps, the newest
// first.
func (t *Tenant) Events(ctx context.Context) []graph.AutopilotEvent {
	now, keep := t.s.Now(), t.s.Timing.Autopilot.ReportRetention
	var out []graph.AutopilotEvent
	for _, d := range list(t.s, t.s.deployments, byTenant, t.ID) {
		if now.Sub(d.EventDateTime.Time) < keep {
			out = append(out, t.shown(ctx, d, now))
		}
	}
	slices.SortStableFunc(out, func(a, b graph.AutopilotEvent) int { return b.EventDateTime.Compare(a.EventDateTime.Time) })
	return out
}

// Event finds a row of the report by its id; ErrNotFound.
func (t *Tenant) Event(ctx context.Context, id string) (graph.AutopilotEvent, error) {
	d, ok := first(t.s, t.s.deployments, byEvent, t.key(id))
	if !ok {
		return graph.AutopilotEvent{}, fmt.Errorf("autopilotEvents %q: %w", id, ErrNotFound)
	}
	return t.shown(ctx, d, t.s.Now()), nil
}

// shown is a row with the status page that its device gets.
func (t *Tenant) shown(ctx context.Context, d Deployment, now time.Time) graph.AutopilotEvent {
	e := d.event(now, t.s.Timing.Autopilot.ReportFailedAfter)
	m, err := t.Device(d.DeviceID)
	if err != nil {
		return e // deleted since
	}
	user := m.UserID
	if m.Kind.Userless() {
		user = ""
	}
	p := t.StatusPage(t.Audience(ctx, m.AzureADDeviceID, user))
	e.CompletionPageID, e.CompletionPageName = p.ID, p.DisplayName
	return e
}

// event gives the row as Graph shows it. A deployment that is still in progress
// after some hours is shown as failed (learn.microsoft.com/autopilot/known-issues,
// deployment report).
func (d Deployment) event(now time.Time, failedAfter time.Duration) graph.AutopilotEvent {
	e := d.AutopilotEvent
	start := e.EnrollmentStartDateTime.Time
	e.DeviceSetupStatus, e.AccountSetupStatus = graph.DeploymentInProgress, graph.DeploymentNotAttempted
	if !d.DeviceReady.IsZero() {
		e.DeviceSetupStatus, e.DeviceSetupDuration = graph.DeploymentSuccess, graph.Duration(d.DeviceReady.Sub(start))
		if !d.Kind.Userless() {
			e.AccountSetupStatus = graph.DeploymentInProgress
		}
	}
	end := d.DeviceReady
	if !d.AccountBegun.IsZero() {
		e.AccountSetupStatus, end = graph.DeploymentInProgress, time.Time{}
	}
	if !d.AccountReady.IsZero() {
		from := d.AccountBegun
		if !d.Kind.Userless() && !d.DeviceReady.IsZero() {
			from = d.DeviceReady
		}
		end = d.AccountReady
		e.AccountSetupStatus, e.AccountSetupDuration = graph.DeploymentSuccess, graph.Duration(max(0, end.Sub(from)))
	}
	if d.AccountFailed {
		e.AccountSetupStatus = graph.DeploymentFailure
	}
	if d.DeviceFailed {
		e.DeviceSetupStatus, e.DeviceSetupDuration = graph.DeploymentFailure, 0
		if d.AccountBegun.IsZero() {
			e.AccountSetupStatus = graph.DeploymentNotAttempted // nobody comes to it
		}
	}
	open := e.DeviceSetupStatus == graph.DeploymentInProgress || e.AccountSetupStatus == graph.DeploymentInProgress
	switch {
	case open && now.Sub(start) >= failedAfter:
		e.DeploymentState = graph.DeploymentFailure
		for _, part := range []*graph.DeploymentState{&e.DeviceSetupStatus, &e.AccountSetupStatus} {
			if *part == graph.DeploymentInProgress {
				*part = graph.DeploymentFailure
			}
		}
		return e
	case d.DeviceFailed, d.AccountFailed:
		e.DeploymentState = graph.DeploymentFailure
		return e
	case open:
		e.DeploymentState = graph.DeploymentInProgress
		return e
	}
	e.DeploymentState, e.DeploymentEndDateTime = graph.DeploymentSuccess, graph.At(end)
	e.DeploymentDuration = graph.Duration(end.Sub(start))
	e.DeploymentTotalDuration = e.DeploymentDuration + e.DevicePreparationDuration
	return e
}
