package directory

import (
	"strings"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
)

func (s *Service) theOrganization(c *call) (graph.Organization, error) {
	t, err := s.dir.Tenant(c.tenant)
	return graph.Organization{
		ID: t.ID, DisplayName: t.DisplayName, CountryLetterCode: t.Country, TenantType: "AAD",
		MobileDeviceManagementAuthority: "intune", VerifiedDomains: t.Domains,
	}, err
}

func (s *Service) organization(c *call) error {
	o, err := s.theOrganization(c)
	if err != nil {
		return err
	}
	return list(s, c, "organization", []graph.Organization{o})
}

func (s *Service) oneOrganization(c *call) error {
	o, err := s.theOrganization(c)
	if err == nil && !strings.EqualFold(o.ID, c.arg("id")) {
		err = tenant.ErrNoTenant
	}
	if err != nil {
		return err
	}
	return one(s, c, "organization", o)
}

// domain is the resource of that name.
type domain struct {
	ID                 string `json:"id"`
	AuthenticationType string `json:"authenticationType"`
	IsDefault          bool   `json:"isDefault"`
	IsInitial          bool   `json:"isInitial"`
	IsVerified         bool   `json:"isVerified"`
}

func (s *Service) domains(c *call) error {
	t, err := s.dir.Tenant(c.tenant)
	if err != nil {
		return err
	}
	var all []domain
	for _, d := range t.Domains {
		all = append(all, domain{d.Name, "Managed", d.IsDefault, d.IsInitial, true})
	}
	return list(s, c, "domains", all)
}

// registrationPolicy is deviceRegistrationPolicy: who may join and how often.
func (s *Service) registrationPolicy(c *call) error {
	t, err := s.dir.Tenant(c.tenant)
	if err != nil {
		return err
	}
	quota := t.DevicesPerUser
	if quota == 0 {
		quota = s.Timing.Entra.DevicesPerUser
	}
	if t.JoinDenied {
		t.Join = tenant.Allowed{Kind: tenant.AllowNone}
	}
	mfa := "notRequired"
	if t.JoinMFA {
		mfa = "required"
	}
	return one(s, c, "policies/deviceRegistrationPolicy", map[string]any{
		"id": "deviceRegistrationPolicy", "displayName": "Device Registration Policy", "userDeviceQuota": quota,
		"multiFactorAuthConfiguration": mfa,
		"azureADRegistration":          map[string]any{"isAdminConfigurable": false, "allowedToRegister": membership(t.Register)},
		"azureADJoin":                  map[string]any{"isAdminConfigurable": true, "allowedToJoin": membership(t.Join)},
	})
}

func membership(a tenant.Allowed) map[string]any {
	switch a.Kind {
	case tenant.AllowSelected:
		return map[string]any{"@odata.type": "#microsoft.graph.enumeratedDeviceRegistrationMembership", "users": a.Users, "groups": a.Groups}
	case tenant.AllowNone:
		return map[string]any{"@odata.type": "#microsoft.graph.noDeviceRegistrationMembership"}
	}
	return map[string]any{"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"}
}
