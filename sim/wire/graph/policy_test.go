package graph_test

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/graph"
)

// An export has members with nothing in them; they are no limits.
const exportedPolicy = `{"id":"p","displayName":"P","state":"enabled","templateId":null,
"conditions":{"userRiskLevels":[],"signInRiskLevels":[],"clientAppTypes":["all"],"servicePrincipalRiskLevels":[],"locations":null,"devices":null,"platforms":null,
"applications":{"includeApplications":["All"],"excludeApplications":[],"includeUserActions":[],"applicationFilter":null},
"users":{"includeUsers":["All"],"excludeUsers":[],"includeGroups":[],"excludeGroups":[],"includeRoles":[],"excludeRoles":[]}},
"grantControls":{"operator":"OR","builtInControls":["mfa"],"customAuthenticationFactors":[],"termsOfUse":[],"authenticationStrength":null},"sessionControls":null}`

func TestPoliciesOfExports(t *testing.T) {
	g := NewWithT(t)
	var p graph.ConditionalAccessPolicy
	g.Expect(json.Unmarshal([]byte(exportedPolicy), &p)).To(Succeed())
	g.Expect(p.Mistakes()).To(BeEmpty())
	g.Expect(p.Limits()).To(BeEmpty())
	p.Conditions.Locations = &graph.AccessLocations{IncludeLocations: []string{"All"}}
	g.Expect(p.Limits()).To(BeEmpty(), "all locations are no condition")
	p.Conditions.Locations.ExcludeLocations = []string{"AllTrusted"}
	p.GrantControls.BuiltInControls = []string{"passwordChange"}
	g.Expect(p.Limits()).To(Equal([]string{"conditions.locations", "grantControls.builtInControls"}))
	g.Expect(graph.ConditionalAccessPolicy{}.Mistakes()).NotTo(BeEmpty())
	g.Expect(graph.ConditionalAccessPolicy{}.Limits()).NotTo(BeEmpty())
}

func TestPermissionsByNameAndID(t *testing.T) {
	g := NewWithT(t)
	ids := map[string]bool{}
	for _, p := range graph.AllPermissions() {
		for kind, id := range map[string]string{graph.AccessRole: p.Role, graph.AccessScope: p.Scope} {
			if id == "" {
				continue
			}
			g.Expect(ids[id]).To(BeFalse(), "%s has an id of another", p.Value)
			ids[id] = true
			for _, name := range []string{p.Value, id} {
				found, ok := graph.FindPermission(name, kind)
				g.Expect(ok).To(BeTrue())
				g.Expect(found).To(Equal(p))
			}
		}
	}
	g.Expect(graph.RoleTemplate("intune administrator")).NotTo(BeEmpty())
	g.Expect(graph.DirectoryRoles()).To(ContainElement("Global Administrator"))
}
