package tenant

import (
	"context"
	"errors"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// tables are all that the service knows.
type tables struct {
	accounts      *store.Table[account]
	imports       *store.Table[Import]
	registrations *store.Table[Registration]
	devices       *store.Table[ManagedDevice]
	contents      *store.Table[Content]
	deployments   *store.Table[Deployment]
	uploads       *store.Table[Upload]
	blocks        *store.Table[block]
	logs          *store.Table[LogCollection]
	domainJoins   *store.Table[DomainJoin]
	connectors    *store.Table[Connector]

	profiles       *kind[graph.DeploymentProfile]
	statusPages    *kind[graph.EnrollmentStatusPage]
	apps           *kind[graph.MobileApp]
	configurations *kind[graph.DeviceConfiguration]
	policies       *kind[graph.CompliancePolicy]

	restrictions     *kind[graph.EnrollmentRestriction]
	scripts          *kind[graph.DeviceManagementScript]
	cleanupRules     *kind[graph.CleanupRule]
	settingsPolicies *kind[graph.ConfigurationPolicy]
}

// Names of the indexes.
const (
	byTenant       = "tenant"
	byHardware     = "hardware"
	bySerial       = "serial"
	byEntraDevice  = "entraDevice"
	byThumbprint   = "thumbprint"
	byRegistration = "registration"
	byUser         = "user"
	byEvent        = "event"
	byApp          = "app"
	byUpload       = "upload"
	byDevice       = "device"
	byOpen         = "open"
)

func newTables(db *store.DB) tables {
	t := tables{
		accounts: store.NewTable[account](db, "intune.tenants"),
		imports: store.NewTable(db, "intune.imports",
			store.Index(byTenant, func(v Import) []string { return []string{v.TenantID} })),
		registrations: store.NewTable(db, "intune.registrations",
			store.Index(byTenant, func(v Registration) []string { return []string{v.TenantID} }),
			store.Index(byHardware, func(v Registration) []string { return v.Hardware.keys() }),
			store.Index(bySerial, func(v Registration) []string { return serials(v.Serial, v.Hardware.Serial) }),
			store.Index(byEntraDevice, func(v Registration) []string { return nonEmpty(v.EntraDeviceID) })),
		devices: store.NewTable(db, "intune.managedDevices",
			store.Index(byTenant, func(v ManagedDevice) []string { return []string{v.TenantID} }),
			store.Index(bySerial, func(v ManagedDevice) []string { return serials(v.SerialNumber) }),
			store.Index(byEntraDevice, func(v ManagedDevice) []string { return nonEmpty(v.AzureADDeviceID) }),
			store.Index(byThumbprint, func(v ManagedDevice) []string {
				return append(nonEmpty(v.Thumbprint), nonEmpty(v.PreviousThumbprint)...)
			}),
			store.Index(byUser, func(v ManagedDevice) []string { return nonEmpty(v.UserPrincipalName) }),
			store.Index(byRegistration, func(v ManagedDevice) []string { return nonEmpty(v.RegistrationID) })),
		contents: store.NewTable[Content](db, "intune.contents"),
		deployments: store.NewTable(db, "intune.autopilotEvents",
			store.Index(byTenant, func(v Deployment) []string { return []string{v.TenantID} }),
			store.Index(byEvent, func(v Deployment) []string { return []string{v.TenantID + "/" + v.ID} })),
		uploads: store.NewTable(db, "intune.uploads",
			store.Index(byApp, func(v Upload) []string { return []string{v.TenantID + "/" + v.AppID} })),
		blocks: store.NewTable(db, "intune.uploadBlocks",
			store.Index(byUpload, func(v block) []string { return []string{v.Upload} })),
	}
	t.logs = store.NewTable(db, "intune.logCollections",
		store.Index(byDevice, func(v LogCollection) []string { return []string{v.TenantID + "/" + v.DeviceID} }))
	t.domainJoins = store.NewTable(db, "intune.domainJoins",
		store.Index(byDevice, func(v DomainJoin) []string { return []string{v.TenantID + "/" + v.DeviceID} }),
		store.Index(byOpen, func(v DomainJoin) []string {
			if !v.open() {
				return nil
			}
			return []string{v.TenantID + "/" + v.Domain}
		}))
	t.connectors = store.NewTable(db, "intune.connectors",
		store.Index(byTenant, func(v Connector) []string { return []string{v.TenantID} }))
	t.profiles = newKind(db, "windowsAutopilotDeploymentProfiles", profileMeta)
	t.statusPages = newKind(db, "deviceEnrollmentConfigurations", statusPageMeta)
	t.apps = newKind(db, "mobileApps", appMeta)
	t.configurations = newKind(db, "deviceConfigurations", configurationMeta)
	t.policies = newKind(db, "deviceCompliancePolicies", policyMeta)
	t.restrictions = newKind(db, "deviceEnrollmentConfigurations.restrictions", restrictionMeta)
	t.scripts = newKind(db, "deviceManagementScripts", scriptMeta)
	t.cleanupRules = newKind(db, "managedDeviceCleanupRules", cleanupMeta)
	t.settingsPolicies = newKind(db, "configurationPolicies", settingsPolicyMeta)
	t.profiles.changed = func(ctx context.Context, t *Tenant) { t.EvaluateProfiles(ctx) }
	return t
}

// serials are index values: serial numbers are compared without letter case.
func serials(list ...string) []string {
	var out []string
	for _, s := range list {
		if s = foldSerial(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func foldSerial(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{strings.ToLower(s)}
}

// read gives one row.
func read[V any](s *Service, table *store.Table[V], key string) (v V, ok bool) {
	// Reading cannot fail: the function returns nil.
	_ = s.DB.View(func(tx *store.Tx) error {
		v, ok = table.Get(tx, key)
		return nil
	})
	return v, ok
}

// list gives the rows under an index value, by key.
func list[V any](s *Service, table *store.Table[V], index, value string) []V {
	var out []V
	_ = s.DB.View(func(tx *store.Tx) error {
		for _, v := range table.By(tx, index, value) {
			out = append(out, v)
		}
		return nil
	})
	return out
}

// window gives n of the rows under an index value, by key, from the skip-th on, of
// those that are wanted (nil: all).
func window[V any](s *Service, table *store.Table[V], index, value string, skip, n int, want func(*V) bool) []V {
	var out []V
	_ = s.DB.View(func(tx *store.Tx) error {
		for _, v := range table.By(tx, index, value) {
			switch {
			case len(out) == n:
				return nil
			case want != nil && !want(&v):
			case skip > 0:
				skip--
			default:
				out = append(out, v)
			}
		}
		return nil
	})
	return out
}

// number counts the rows that window is about.
func number[V any](s *Service, table *store.Table[V], index, value string, want func(*V) bool) (n int) {
	_ = s.DB.View(func(tx *store.Tx) error {
		for _, v := range table.By(tx, index, value) {
			if want == nil || want(&v) {
				n++
			}
		}
		return nil
	})
	return n
}

// first gives the first row under an index value.
func first[V any](s *Service, table *store.Table[V], index, value string) (v V, ok bool) {
	_ = s.DB.View(func(tx *store.Tx) error {
		_, v, ok = table.First(tx, index, value)
		return nil
	})
	return v, ok
}

// noDirectory knows nobody.
type noDirectory struct{}

func (noDirectory) EnsureAutopilotDevice(_ context.Context, _ string, d AutopilotDevice) (string, error) {
	return d.ZtdID, nil
}
func (noDirectory) DeleteAutopilotDevice(context.Context, string, string) error { return nil }
func (noDirectory) Device(context.Context, string, string) (DirectoryDevice, bool) {
	return DirectoryDevice{}, false
}
func (noDirectory) User(context.Context, string, string) (DirectoryUser, bool) {
	return DirectoryUser{}, false
}
func (noDirectory) SetCompliance(context.Context, string, string, bool, bool) error { return nil }

var errNoIssuer = errors.New("no issuer is known")

// noTokens accepts nothing.
type noTokens struct{}

func (noTokens) Verify(context.Context, string, string, time.Time) (Claims, error) {
	return Claims{}, errNoIssuer
}
func (noTokens) VerifyTicket(context.Context, string, time.Time) (TicketInfo, error) {
	return TicketInfo{}, errNoIssuer
}
