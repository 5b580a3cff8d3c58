package graph

import (
	"fmt"
	"slices"
	"strings"
)

// GrantControls are the built-in controls that are modelled, in the order in
// which a user has to fulfil them
// (learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-policies,
// "Phase 2: Enforcement"). No client here brings the last two.
var GrantControls = []string{ControlBlock, ControlMFA, ControlCompliantDevice, ControlDomainJoined, ControlApprovedApp, ControlCompliantApp}

var (
	policyStates   = []string{PolicyEnabled, PolicyDisabled, PolicyReportOnly}
	clientAppTypes = []string{ClientAppAll, ClientAppBrowser, ClientAppModern, ClientAppEAS, ClientAppOther}
	platforms      = []string{"all", "android", "iOS", "windows", "windowsPhone", "macOS", "linux"}
)

// Mistakes says what is wrong with a policy, as the service would refuse it.
func (p ConditionalAccessPolicy) Mistakes() []Mistake {
	var r Report
	c := p.Conditions
	if p.DisplayName == "" {
		r.wrong("displayName", "is missing")
	}
	r.member("state", p.State, policyStates)
	if c.Users == nil || len(c.Users.IncludeUsers)+len(c.Users.IncludeGroups)+len(c.Users.IncludeRoles) == 0 {
		r.wrong("conditions.users", "includes nobody")
	}
	switch a := c.Applications; {
	case a == nil || len(a.IncludeApplications)+len(a.IncludeUserActions) == 0:
		r.wrong("conditions.applications", "includes nothing")
	case len(a.IncludeApplications) > 0 && len(a.IncludeUserActions) > 0:
		r.wrong("conditions.applications", "has applications and user actions; a policy has one of the two")
	}
	for i, t := range c.ClientAppTypes {
		r.member(fmt.Sprintf("conditions.clientAppTypes[%d]", i), t, clientAppTypes)
	}
	if c.Platforms != nil {
		for i, t := range c.Platforms.IncludePlatforms {
			r.member(fmt.Sprintf("conditions.platforms.includePlatforms[%d]", i), t, platforms)
		}
	}
	p.grantMistakes(&r)
	return r.Mistakes
}

func (p ConditionalAccessPolicy) grantMistakes(r *Report) {
	g := p.GrantControls
	if g == nil {
		return
	}
	n := len(g.BuiltInControls) + len(g.TermsOfUse)
	switch {
	case n == 0 && len(g.CustomAuthenticationFactors) == 0 && g.AuthenticationStrength == nil:
		r.wrong("grantControls", "has no controls")
	case n > 1 && g.Operator != "AND" && g.Operator != "OR":
		r.wrong("grantControls.operator", "%q is neither AND nor OR", g.Operator)
	case n > 1 && slices.Contains(g.BuiltInControls, ControlBlock):
		r.wrong("grantControls.builtInControls", "has block beside other controls; it stands alone")
	}
}

func (r *Report) member(path, value string, known []string) {
	if !slices.Contains(known, value) {
		r.wrong(path, "%q is none of %s", value, strings.Join(known, ", "))
	}
}

// Limits are the paths of what a policy uses and this model does not have. Such
// a policy is left out as a whole: without its condition it would mean something
// else.
func (p ConditionalAccessPolicy) Limits() []string {
	var out []string
	add := func(is bool, path string) {
		if is {
			out = append(out, path)
		}
	}
	c := p.Conditions
	if l := c.Locations; l != nil {
		all := len(l.IncludeLocations) == 0 || slices.Contains(l.IncludeLocations, "All")
		add(!all || len(l.ExcludeLocations) > 0, "conditions.locations")
	}
	add(len(c.SignInRiskLevels) > 0, "conditions.signInRiskLevels")
	add(len(c.UserRiskLevels) > 0, "conditions.userRiskLevels")
	add(len(c.PrincipalRisk) > 0, "conditions.servicePrincipalRiskLevels")
	add(c.Devices != nil, "conditions.devices")
	if a := c.Applications; a != nil {
		add(slices.ContainsFunc(a.IncludeUserActions, func(x string) bool { return x != ActionRegisterDevice }), "conditions.applications.includeUserActions")
		add(slices.Contains(a.IncludeApplications, "Office365") || slices.Contains(a.ExcludeApplications, "Office365"), "conditions.applications (Office365)")
	}
	if u := c.Users; u != nil {
		add(slices.Contains(u.IncludeUsers, "GuestsOrExternalUsers"), "conditions.users.includeUsers (GuestsOrExternalUsers)")
	}
	g := p.GrantControls
	add(g == nil, "sessionControls without grantControls")
	if g != nil {
		add(slices.ContainsFunc(g.BuiltInControls, func(x string) bool { return !slices.Contains(GrantControls, x) }), "grantControls.builtInControls")
		add(len(g.CustomAuthenticationFactors) > 0, "grantControls.customAuthenticationFactors")
		add(g.AuthenticationStrength != nil, "grantControls.authenticationStrength")
	}
	return out
}
