package scenario_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/graph"
)

const accessFile = `
tenant:
  domain: contoso.com
  users:
    - {userPrincipalName: adele@contoso.com, passwordProfile: {password: p, forceChangePasswordNextSignIn: true}, windtunnel: {mfa: true}}
  groups: [{displayName: Pilot}]
  applications:
    - displayName: Tool
      secret: s
      requiredResourceAccess:
        - resourceAppId: 00000003-0000-0000-c000-000000000000
          resourceAccess: [{id: 19dbc75e-c2e2-444c-a770-ec69d8559fc7, type: Role}, {id: User.Read, type: Scope}, {id: 11111111-1111-1111-1111-111111111111, type: Role}]
        - {resourceAppId: 00000009-0000-0000-c000-000000000000, resourceAccess: []}
  conditionalAccessPolicies:
    value:
      - displayName: Kept
        state: enabled
        conditions: {users: {includeUsers: [adele@contoso.com], excludeGroups: [pilot]}, applications: {includeApplications: [All], excludeApplications: [tool]}, clientAppTypes: [all], signInRiskLevels: []}
        grantControls: {operator: OR, builtInControls: [mfa]}
      - displayName: With a place
        state: enabled
        conditions: {users: {includeUsers: [All]}, applications: {includeApplications: [All]}, clientAppTypes: [all], locations: {includeLocations: [x]}}
        grantControls: {operator: OR, builtInControls: [block]}
      - displayName: With a filter
        state: enabled
        conditions: {users: {includeUsers: [All]}, applications: {includeApplications: [All], applicationFilter: {mode: include}}, clientAppTypes: [all]}
        grantControls: {operator: OR, builtInControls: [block]}
sites: [{name: office}]
fleet: {groups: [{name: a, count: 1, flow: user-driven, destinations: office}]}
`

func TestAccessOfTheTenant(t *testing.T) {
	g := NewWithT(t)
	s, problems := scenario.Load("access.yaml", []byte(accessFile), scenario.Options{})
	g.Expect(problems).To(BeEmpty())
	u := s.Tenant.Users[0]
	g.Expect([]bool{u.Windtunnel.MFA, u.Windtunnel.ChangePassword}).To(Equal([]bool{true, true}))
	app := s.Tenant.Applications[0]
	g.Expect(app.AppID).NotTo(BeEmpty())
	role, _ := graph.FindPermission("Directory.ReadWrite.All", graph.AccessRole)
	g.Expect(app.RequiredResourceAccess[0].ResourceAccess[0].ID).To(Equal(role.Role))

	g.Expect(s.Tenant.AccessPolicies).To(HaveLen(1), "a policy without its condition would block more")
	p := s.Tenant.AccessPolicies[0].Conditions
	g.Expect(p.Users.IncludeUsers).To(Equal([]string{u.ID}))
	g.Expect(p.Users.ExcludeGroups).To(Equal([]string{s.Tenant.Groups[0].ID}))
	g.Expect(p.Applications.ExcludeApplications).To(Equal([]string{app.AppID}))
	const policies = "tenant.conditionalAccessPolicies.value"
	g.Expect(s.NotModelled).To(ConsistOf(policies+"[1].conditions.locations", policies+"[2].conditions.applications.applicationFilter",
		"tenant.applications[0].requiredResourceAccess[0].resourceAccess[2] (permission 11111111-1111-1111-1111-111111111111)",
		"tenant.applications[0].requiredResourceAccess[1] (permissions of 00000009-0000-0000-c000-000000000000)"))

	text, err := scenario.Marshal(s, "")
	g.Expect(err).NotTo(HaveOccurred())
	again, problems := scenario.Load("again.yaml", text, scenario.Options{})
	g.Expect(problems).To(BeEmpty(), string(text))
	g.Expect(again.Tenant.Applications[0].AppID).To(Equal(app.AppID))
	g.Expect(again.Tenant.AccessPolicies).To(Equal(s.Tenant.AccessPolicies))
	g.Expect(again.Tenant.Users).To(Equal(s.Tenant.Users))
	g.Expect(strings.Count(string(text), "secret: s")).To(Equal(1))
}

// A role that nobody can have would leave its policy without effect.
func TestRolesOfAccessPolicies(t *testing.T) {
	g := NewWithT(t)
	with := func(roles string) string {
		return strings.Replace(accessFile, "includeUsers: [adele@contoso.com]", "includeRoles: ["+roles+"]", 1)
	}
	_, problems := scenario.Load("access.yaml", []byte(with("Intune Administrater")), scenario.Options{})
	g.Expect(problems).To(HaveLen(1))
	g.Expect(problems[0].String()).To(And(ContainSubstring("includeRoles[0]"), ContainSubstring("Intune Administrator")))
	s, problems := scenario.Load("access.yaml", []byte(with("intune administrator, 62e90394-69f5-4237-9190-012177145e10, 11111111-1111-1111-1111-111111111111")), scenario.Options{})
	g.Expect(problems).To(BeEmpty())
	g.Expect(s.NotModelled).To(ContainElement(HaveSuffix("conditions.users.includeRoles[2] (a role that is not modelled)")))
}
