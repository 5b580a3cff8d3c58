package csp

import "strconv"

// Sidecar is the Intune Management Extension's name as a policy provider of the enrolment status page.
const Sidecar = "Sidecar"

// Tracking builds the nodes of EnrollmentStatusTracking for one scope and one policy provider (EnrollmentStatusTracking
// CSP). The agent writes them, the status page reads them.
type Tracking struct {
	Scope    Scope
	Provider string // [Sidecar]
}

func (t Tracking) root() string { return Join(t.Scope.vendor(), "EnrollmentStatusTracking") }

func (t Tracking) preparation(name string) string {
	return Join(t.root(), "DevicePreparation", "PolicyProviders", t.Provider, name)
}

// InstallationState of the provider itself: int, a [ProviderState].
func (t Tracking) InstallationState() string { return t.preparation("InstallationState") }

// LastError of the provider's installation: int, an HRESULT.
func (t Tracking) LastError() string { return t.preparation("LastError") }

// Timeout of the provider's installation: int, minutes.
func (t Tracking) Timeout() string { return t.preparation("Timeout") }

// TracksApps says whether the provider tracks apps: bool.
func (t Tracking) TracksApps() string {
	return Join(t.preparation("TrackedResourceTypes"), "Apps")
}

// TrackingPoliciesCreated says that the provider has listed what it tracks: bool.
func (t Tracking) TrackingPoliciesCreated() string {
	return Join(t.root(), "Setup", "Apps", "PolicyProviders", t.Provider, "TrackingPoliciesCreated")
}

// App is a node of one tracked app: "TrackingUri" (chr), "InstallationState" (int, an [AppState]), "RebootRequired" (int, a
// [RebootState]); no name gives the app's interior node.
func (t Tracking) App(app string, names ...string) string {
	return Join(Join(t.root(), "Setup", "Apps", "Tracking", t.Provider, app), names...)
}

// HasProvisioningCompleted is set by the status page when it is left: bool.
func (t Tracking) HasProvisioningCompleted() string {
	return Join(t.root(), "Setup", "HasProvisioningCompleted")
}

// Names of an app's nodes.
const (
	AppTrackingURI       = "TrackingUri"
	AppInstallationState = "InstallationState"
	AppRebootRequired    = "RebootRequired"
)

// Win32AppName is the name under which the Intune Management Extension tracks a Win32 app: its id and the version of its
// assignment.
func Win32AppName(id string, version int) string {
	return "Win32App_" + id + "_" + strconv.Itoa(version)
}

// ProviderState is the InstallationState of a policy provider.
type ProviderState int

// Its values.
const (
	ProviderNotInstalled ProviderState = 1
	ProviderNotRequired  ProviderState = 2
	ProviderCompleted    ProviderState = 3
	ProviderError        ProviderState = 4
)

// AppState is the InstallationState of a tracked app.
type AppState int

// Its values.
const (
	AppNotInstalled AppState = 1
	AppInProgress   AppState = 2
	AppCompleted    AppState = 3
	AppError        AppState = 4
)

// RebootState is the RebootRequired of a tracked app.
type RebootState int

// Its values.
const (
	RebootNotRequired RebootState = 1
	RebootSoft        RebootState = 2
	RebootHard        RebootState = 3
)

// Settled reports whether the state does not change any more by itself: completed or failed.
func (s AppState) Settled() bool { return s == AppCompleted || s == AppError }

// String is the name that the page gives.
func (s ProviderState) String() string {
	return stateName(int(s), "NotInstalled", "NotRequired", "Completed", "Error")
}

// String is the name that the page gives.
func (s AppState) String() string {
	return stateName(int(s), "NotInstalled", "InProgress", "Completed", "Error")
}

// String is the name that the page gives.
func (s RebootState) String() string {
	return stateName(int(s), "NotRequired", "SoftReboot", "HardReboot")
}

// stateName names states that count from 1.
func stateName(n int, names ...string) string {
	if n >= 1 && n <= len(names) {
		return names[n-1]
	}
	return strconv.Itoa(n)
}
