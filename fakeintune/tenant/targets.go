package tenant

import (
	"context"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
)

// Via says by whom an assignment reaches a device.
type Via uint8

// Ways; a target can have both.
const (
	ViaDevice Via = 1 << iota // a group of the device, or all devices
	ViaUser                   // a group of the user, or all licensed users
)

// Has reports whether v includes the way.
func (v Via) Has(way Via) bool { return v&way != 0 }

// Audience is whom assignments are evaluated for. A nil Device or User is not
// there: nothing reaches the audience through it.
type Audience struct {
	Device *DirectoryDevice
	User   *DirectoryUser
}

// Audience asks the directory for a device object and a user; "" or an unknown
// name leaves that one out.
func (t *Tenant) Audience(ctx context.Context, entraDeviceID, user string) Audience {
	var a Audience
	if entraDeviceID != "" {
		if d, ok := t.s.Directory.Device(ctx, t.ID, entraDeviceID); ok {
			a.Device = &d
		} else {
			// A device whose object is gone is still one of all devices.
			a.Device = &DirectoryDevice{ID: entraDeviceID}
		}
	}
	if user != "" {
		if u, ok := t.s.Directory.User(ctx, t.ID, user); ok {
			a.User = &u
		}
	}
	return a
}

// AppTarget is an app that reaches an audience.
type AppTarget struct {
	App    graph.MobileApp
	Intent graph.Intent
	Via    Via // the ways that have this intent
}

// ConfigurationTarget is a device configuration that reaches an audience.
type ConfigurationTarget struct {
	Configuration graph.DeviceConfiguration
	Via           Via
}

// SettingsTarget is a policy of the settings catalogue that reaches an audience.
type SettingsTarget struct {
	Policy graph.ConfigurationPolicy
	Via    Via
}

// PolicyTarget is a compliance policy that reaches an audience.
type PolicyTarget struct {
	Policy graph.CompliancePolicy
	Via    Via
}

// ScriptTarget is a script that reaches an audience.
type ScriptTarget struct {
	Script graph.DeviceManagementScript
	Via    Via
}

// Targets is everything that reaches an audience, the oldest first in each
// list.
type Targets struct {
	Apps           []AppTarget
	Configurations []ConfigurationTarget
	Settings       []SettingsTarget
	Policies       []PolicyTarget
	Scripts        []ScriptTarget
}

// Targets evaluates all assignments. Excluded groups win over included ones of
// the same way only: excluding a user group from a device group's assignment,
// or the reverse, has no effect (learn.microsoft.com, "Include and exclude app
// assignments").
func (t *Tenant) Targets(a Audience) Targets {
	var out Targets
	for app := range t.Apps().All() {
		if intent, via := a.app(app); via != 0 {
			out.Apps = append(out.Apps, AppTarget{app, intent, via})
		}
	}
	for c := range t.Configurations().All() {
		if via := a.reach(targetsOf(c.Assignments)); via != 0 {
			out.Configurations = append(out.Configurations, ConfigurationTarget{c, via})
		}
	}
	for p := range t.SettingsPolicies().All() {
		if via := a.reach(targetsOf(p.Assignments)); via != 0 {
			out.Settings = append(out.Settings, SettingsTarget{p, via})
		}
	}
	for p := range t.CompliancePolicies().All() {
		if via := a.reach(targetsOf(p.Assignments)); via != 0 {
			out.Policies = append(out.Policies, PolicyTarget{p, via})
		}
	}
	for s := range t.Scripts().All() {
		if via := a.reach(targetsOf(s.Assignments)); via != 0 {
			out.Scripts = append(out.Scripts, ScriptTarget{s, via})
		}
	}
	return out
}

// intents from the strongest: when several assignments of an app reach one
// device this is which one counts (learn.microsoft.com, "How conflicts between
// app intents are resolved").
var intents = []graph.Intent{graph.IntentRequired, graph.IntentUninstall, graph.IntentAvailable, graph.IntentAvailableWithoutEnrollment}

func (a Audience) app(app graph.MobileApp) (graph.Intent, Via) {
	var excluded []graph.AssignmentTarget
	for _, as := range app.Assignments {
		if as.Target.ODataType == graph.TargetExclusion {
			excluded = append(excluded, as.Target)
		}
	}
	for _, intent := range intents {
		targets := slices.Clone(excluded)
		for _, as := range app.Assignments {
			if as.Intent == intent && as.Target.ODataType != graph.TargetExclusion {
				targets = append(targets, as.Target)
			}
		}
		if via := a.reach(targets); via != 0 {
			return intent, via
		}
	}
	return "", 0
}

func targetsOf(assignments []graph.Assignment) []graph.AssignmentTarget {
	out := make([]graph.AssignmentTarget, len(assignments))
	for i, a := range assignments {
		out[i] = a.Target
	}
	return out
}

// reach gives the ways by which targets lead to the audience.
func (a Audience) reach(targets []graph.AssignmentTarget) Via {
	var in, out Via
	for _, t := range targets {
		switch t.ODataType {
		case graph.TargetAllDevices:
			if a.Device != nil {
				in |= ViaDevice
			}
		case graph.TargetAllUsers:
			if a.User != nil && a.User.Licensed {
				in |= ViaUser
			}
		case graph.TargetGroup:
			in |= a.member(t.GroupID)
		case graph.TargetExclusion:
			out |= a.member(t.GroupID)
		}
	}
	return in &^ out
}

func (a Audience) member(group string) Via {
	var via Via
	same := func(id string) bool { return strings.EqualFold(id, group) }
	if a.Device != nil && slices.ContainsFunc(a.Device.Groups, same) {
		via |= ViaDevice
	}
	if a.User != nil && slices.ContainsFunc(a.User.Groups, same) {
		via |= ViaUser
	}
	return via
}
