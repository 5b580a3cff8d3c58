package tenant

import (
	"context"
	"errors"
	"fmt"

	"windtunnel.test/sim/wire/graph"
)

// Resources is what a customer configured, as Microsoft Graph shows it: members
// are named after Graph's collections, so that an export can be pasted in.
// Groups are named by id.
type Resources struct {
	Profiles           []graph.DeploymentProfile      `json:"windowsAutopilotDeploymentProfiles,omitempty"`
	StatusPages        []graph.EnrollmentStatusPage   `json:"deviceEnrollmentConfigurations,omitempty"`
	Apps               []graph.MobileApp              `json:"mobileApps,omitempty"`
	Configurations     []graph.DeviceConfiguration    `json:"deviceConfigurations,omitempty"`
	SettingsPolicies   []graph.ConfigurationPolicy    `json:"configurationPolicies,omitempty"`
	CompliancePolicies []graph.CompliancePolicy       `json:"deviceCompliancePolicies,omitempty"`
	Scripts            []graph.DeviceManagementScript `json:"deviceManagementScripts,omitempty"`
	Imports            []graph.ImportedDevice         `json:"importedWindowsAutopilotDeviceIdentities,omitempty"`
}

// Load puts resources in, in their order. All mistakes are reported, joined,
// each with the place of its resource; what was right is in.
func (t *Tenant) Load(ctx context.Context, r Resources) error {
	errs := []error{
		load(ctx, t.Apps(), r.Apps),
		load(ctx, t.Configurations(), r.Configurations),
		load(ctx, t.SettingsPolicies(), r.SettingsPolicies),
		load(ctx, t.CompliancePolicies(), r.CompliancePolicies),
		load(ctx, t.StatusPages(), r.StatusPages),
		load(ctx, t.Scripts(), r.Scripts),
		load(ctx, t.Profiles(), r.Profiles),
	}
	if len(r.Imports) > 0 {
		_, err := t.Import(ctx, r.Imports)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func load[T any](ctx context.Context, c Collection[T], resources []T) error {
	var errs []error
	for i, v := range resources {
		if _, err := c.Add(ctx, v); err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", c.Name(), i, err))
		}
	}
	return errors.Join(errs...)
}
