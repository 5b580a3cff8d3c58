package directory

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

func (s *Service) servicePrincipal(a tenant.App) graph.ServicePrincipal {
	owner := a.TenantID
	if a.FirstParty {
		owner = tenant.MicrosoftTenant
	}
	p := graph.ServicePrincipal{
		ID: s.dir.PrincipalID(a.TenantID, a.ClientID), AppID: a.ClientID, DisplayName: a.Name, AppDisplayName: a.Name,
		AppOwnerOrganizationID: owner, AccountEnabled: !a.Disabled, ServicePrincipalType: "Application", SignInAudience: a.Resource().SignInAudience,
		ServicePrincipalNames: append([]string{a.ClientID}, a.Identifiers...), AppRoles: a.AppRoles, Oauth2PermissionScopes: a.Scopes,
	}
	if a.ClientID == tenant.AppGraph {
		p.AppRoles, p.Oauth2PermissionScopes = graphRoles()
	}
	return p
}

// graphRoles are the permissions that Graph offers.
func graphRoles() (roles []graph.AppRole, scopes []graph.PermissionScope) {
	for _, p := range graph.AllPermissions() {
		if p.Role != "" {
			roles = append(roles, graph.AppRole{ID: p.Role, Value: p.Value, DisplayName: p.Value, AllowedMemberTypes: []string{"Application"}, IsEnabled: true})
		}
		if p.Scope != "" {
			kind := "User"
			if p.Admin {
				kind = "Admin"
			}
			scopes = append(scopes, graph.PermissionScope{ID: p.Scope, Value: p.Value, Type: kind, IsEnabled: true})
		}
	}
	return roles, scopes
}

func (s *Service) principals(c *call) error {
	var all []graph.ServicePrincipal
	for _, a := range s.dir.Principals(c.tenant) {
		all = append(all, s.servicePrincipal(a))
	}
	return list(s, c, "servicePrincipals", all)
}

// findPrincipal takes an object id, or a client id given as
// servicePrincipals(appId='...') or servicePrincipals/appId=....
func (s *Service) findPrincipal(c *call) (tenant.App, error) {
	id := c.arg("id")
	if c.alternate("appId") {
		return s.dir.App(c.tenant, id)
	}
	for _, a := range s.dir.Principals(c.tenant) {
		if strings.EqualFold(s.dir.PrincipalID(c.tenant, a.ClientID), id) {
			return a, nil
		}
	}
	return tenant.App{}, tenant.ErrNoApp
}

func (s *Service) principal(c *call) error {
	a, err := s.findPrincipal(c)
	if err != nil {
		return err
	}
	return one(s, c, "servicePrincipals", s.servicePrincipal(a))
}

func (s *Service) updatePrincipal(c *call) error {
	var in struct {
		AccountEnabled *bool `json:"accountEnabled"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	a, err := s.findPrincipal(c)
	if err != nil {
		return err
	}
	if a.FirstParty {
		return &notModelled{"changes of Microsoft's own service principals"}
	}
	_, err = s.dir.UpdateApp(c.tenant, a.ClientID, func(a *tenant.App) error {
		if in.AccountEnabled != nil {
			a.Disabled = !*in.AccountEnabled
		}
		return nil
	})
	return c.done(err)
}

// endpointList are the addresses of the tenant's device management, which
// clients read before they enrol. Names and addresses as clients of the real
// service look for them; the ids are ours.
func (s *Service) endpointList(c *call) ([]graph.Endpoint, error) {
	a, err := s.findPrincipal(c)
	if err != nil {
		return nil, err
	}
	t, err := s.dir.Tenant(c.tenant)
	if err != nil {
		return nil, err
	}
	if a.ClientID != tenant.AppIntune {
		return []graph.Endpoint{}, nil
	}
	mdm := t.Addresses()
	var all []graph.Endpoint
	for _, e := range []struct{ name, uri string }{
		{"WindowsEnrollment", mdm.EnrollmentURL},
		{"IWService", "https://" + hosts.IntuneLocation + "/TrafficGateway/TrafficRoutingService/IWService/StatelessIWService"},
		{"TokenRenewalService", "https://" + hosts.IntuneLocation + "/OAuth/OAuthDiscoveryService.svc"},
		{"TermsOfUse", mdm.TermsURL},
		{"Compliance", mdm.ComplianceURL},
	} {
		if e.uri != "" && !mdm.Off {
			all = append(all, graph.Endpoint{ID: s.Seed.UUID("endpoint", c.tenant, e.name), Capability: e.name, ProviderID: tenant.AppIntune,
				ProviderName: e.name, ProviderResourceID: tenant.AppIntune, URI: e.uri})
		}
	}
	return all, nil
}

func (s *Service) endpoints(c *call) error {
	all, err := s.endpointList(c)
	if err != nil {
		return err
	}
	return list(s, c, "endpoints", all)
}

func (s *Service) endpoint(c *call) error {
	all, err := s.endpointList(c)
	if err != nil {
		return err
	}
	for _, e := range all {
		if strings.EqualFold(e.ID, c.arg("endpoint")) {
			return one(s, c, "endpoints", e)
		}
	}
	return errNoObject
}

// assignment is a permission of Graph that an application has.
func (s *Service) assignment(a tenant.App, p graph.Permission) graph.AppRoleAssignment {
	made := graph.At(a.Created)
	return graph.AppRoleAssignment{
		ID: assignmentID(a, p), AppRoleID: p.Role, PrincipalID: s.dir.PrincipalID(a.TenantID, a.ClientID), PrincipalDisplayName: a.Name,
		PrincipalType: "ServicePrincipal", ResourceID: s.dir.PrincipalID(a.TenantID, tenant.AppGraph), ResourceDisplayName: "Microsoft Graph",
		CreatedDateTime: &made,
	}
}

func assignmentID(a tenant.App, p graph.Permission) string {
	return base64.RawURLEncoding.EncodeToString([]byte(a.ClientID[:8] + p.Role))
}

func (s *Service) roleAssignments(c *call) error {
	a, err := s.findPrincipal(c)
	if err != nil {
		return err
	}
	var all []graph.AppRoleAssignment
	for _, name := range a.Granted() {
		if p, ok := graph.FindPermission(name, graph.AccessRole); ok {
			all = append(all, s.assignment(a, p))
		}
	}
	return list(s, c, "appRoleAssignments", all)
}

// assignRole grants an application permission of Graph.
func (s *Service) assignRole(c *call) error {
	var in graph.AppRoleAssignment
	if err := c.decode(&in); err != nil {
		return err
	}
	a, err := s.findPrincipal(c)
	if err != nil {
		return err
	}
	p, ok := graph.FindPermission(in.AppRoleID, graph.AccessRole)
	switch {
	case !strings.EqualFold(in.PrincipalID, s.dir.PrincipalID(c.tenant, a.ClientID)):
		return &badRequest{graph.CodeBadRequest, "principalId is not the service principal in the address."}
	case !strings.EqualFold(in.ResourceID, s.dir.PrincipalID(c.tenant, tenant.AppGraph)):
		return &notModelled{"application permissions of other resources than Microsoft Graph"}
	case !ok:
		return &badRequest{graph.CodeBadRequest, "Permission being assigned was not found on application."}
	case a.FirstParty:
		return &notModelled{"changes of Microsoft's own service principals"}
	}
	a, err = s.dir.UpdateApp(c.tenant, a.ClientID, func(a *tenant.App) error {
		if slices.Contains(a.Granted(), p.Value) {
			return &badRequest{graph.CodeBadRequest, "Permission being assigned already exists on the object."}
		}
		a.Roles = append(slices.Clone(a.Granted()), p.Value)
		return nil
	})
	if err != nil {
		return err
	}
	service.WriteJSON(c.w, http.StatusCreated, s.assignment(a, p))
	return nil
}

func (s *Service) unassignRole(c *call) error {
	a, err := s.findPrincipal(c)
	if err != nil {
		return err
	}
	for _, name := range a.Granted() {
		p, ok := graph.FindPermission(name, graph.AccessRole)
		if !ok || assignmentID(a, p) != c.arg("assignment") {
			continue
		}
		_, err := s.dir.UpdateApp(c.tenant, a.ClientID, func(a *tenant.App) error {
			a.Roles = slices.DeleteFunc(slices.Clone(a.Granted()), func(r string) bool { return r == name })
			return nil
		})
		return c.done(err)
	}
	return errNoObject
}
