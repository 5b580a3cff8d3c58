package directory

import (
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
)

func (s *Service) allUsers(c *call) []graph.User {
	var all []graph.User
	for _, u := range s.dir.Users(c.tenant) {
		all = append(all, u.Resource)
	}
	return all
}

func (s *Service) users(c *call) error      { return list(s, c, "users", s.allUsers(c)) }
func (s *Service) countUsers(c *call) error { return count(s, c, s.allUsers(c)) }

func (s *Service) user(c *call) error {
	u, err := s.dir.User(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return one(s, c, "users", u.Resource)
}

// me is the user whom a delegated token is about; an application has none.
func (s *Service) me(c *call) error {
	u, err := s.dir.User(c.tenant, c.claims.ObjectID)
	if c.claims.Scopes == "" || err != nil {
		return &badRequest{graph.CodeBadRequest, "/me request is only valid with delegated authentication flow."}
	}
	switch path := strings.ToLower(c.r.URL.Path); {
	case strings.HasSuffix(path, "/memberof"):
		return s.memberOf(c, u.Resource.ID, strings.HasSuffix(path, "transitivememberof"))
	case strings.HasSuffix(path, "devices"):
		return s.devicesOf(c, u)
	}
	return one(s, c, "users", u.Resource)
}

// userOwn are members of a user that the service alone sets, or what has an
// operation of its own.
var userOwn = []string{"id", "assignedLicenses", "onPremisesDistinguishedName", "onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled"}

// checkUPN refuses a name whose domain is none of the tenant's.
func checkUPN(t tenant.Tenant, upn string) error {
	if name, domain, _ := strings.Cut(upn, "@"); name == "" || !t.Has(domain) || strings.EqualFold(domain, t.ID) {
		return &badRequest{graph.CodeBadRequest, "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization."}
	}
	return nil
}

func (s *Service) createUser(c *call) error {
	var u graph.User
	if err := c.decode(&u, userOwn...); err != nil {
		return err
	}
	for _, need := range []struct {
		name    string
		missing bool
	}{
		{"accountEnabled", u.AccountEnabled == nil}, {"displayName", u.DisplayName == ""}, {"mailNickname", u.MailNickname == ""},
		{"passwordProfile", u.PasswordProfile == nil || u.PasswordProfile.Password == ""}, {"userPrincipalName", u.UserPrincipalName == ""},
	} {
		if need.missing {
			return &badRequest{graph.CodeBadRequest, "A value is required for property '" + need.name + "' of resource 'User'."}
		}
	}
	t, err := s.dir.Tenant(c.tenant)
	if err != nil {
		return err
	}
	if err := checkUPN(t, u.UserPrincipalName); err != nil {
		return err
	}
	u.ID = s.NewID("user")
	force := u.PasswordProfile.ForceChangePasswordNextSignIn
	row, err := s.dir.PutUser(c.tenant, u, "")
	if err == nil && force {
		row, err = s.dir.UpdateUser(c.tenant, u.ID, func(u *tenant.User) error { u.ForceChange = true; return nil })
	}
	if err != nil {
		return err
	}
	s.Record(c.r.Context(), "entra.user.created", journal.F("upn", row.Resource.UserPrincipalName))
	service.WriteJSON(c.w, http.StatusCreated, row.Resource)
	return nil
}

func (s *Service) updateUser(c *call) error {
	var in graph.User
	if err := c.decode(&in, userOwn...); err != nil {
		return err
	}
	t, err := s.dir.Tenant(c.tenant)
	if err != nil {
		return err
	}
	_, err = s.dir.UpdateUser(c.tenant, c.arg("id"), func(u *tenant.User) error {
		next, err := merged(c, u.Resource)
		if err == nil {
			err = checkUPN(t, next.UserPrincipalName)
		}
		if err != nil {
			return err
		}
		password := next.PasswordProfile
		u.Resource, u.Resource.PasswordProfile = next, nil
		if password != nil {
			u.ForceChange, u.Expired = password.ForceChangePasswordNextSignIn, false
			if password.Password != "" {
				u.Password, u.Failed = password.Password, 0
			}
		}
		return nil
	})
	return c.done(err)
}

func (s *Service) deleteUser(c *call) error {
	u, err := s.dir.User(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	if err := s.dir.DeleteUser(c.tenant, u.Resource.ID); err != nil {
		return err
	}
	s.Record(c.r.Context(), "entra.user.deleted", journal.F("upn", u.Resource.UserPrincipalName))
	return c.done(nil)
}

// assignLicense adds and removes licences.
func (s *Service) assignLicense(c *call) error {
	var in struct {
		Add    []graph.AssignedLicense `json:"addLicenses"`
		Remove []string                `json:"removeLicenses"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	u, err := s.dir.UpdateUser(c.tenant, c.arg("id"), func(u *tenant.User) error {
		kept := slices.DeleteFunc(slices.Clone(u.Resource.AssignedLicenses), func(l graph.AssignedLicense) bool {
			return slices.ContainsFunc(in.Remove, func(id string) bool { return strings.EqualFold(id, l.SkuID) }) ||
				slices.ContainsFunc(in.Add, func(a graph.AssignedLicense) bool { return strings.EqualFold(a.SkuID, l.SkuID) })
		})
		u.Resource.AssignedLicenses = append(kept, in.Add...)
		return nil
	})
	if err != nil {
		return err
	}
	return one(s, c, "users", u.Resource)
}

func (s *Service) userMemberOf(c *call) error   { return s.ofUser(c, false) }
func (s *Service) userTransitive(c *call) error { return s.ofUser(c, true) }

func (s *Service) ofUser(c *call, transitive bool) error {
	u, err := s.dir.User(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return s.memberOf(c, u.Resource.ID, transitive)
}

func (s *Service) userDevices(c *call) error {
	u, err := s.dir.User(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return s.devicesOf(c, u)
}

func (s *Service) devicesOf(c *call, u tenant.User) error {
	var all []graph.Device
	for _, d := range s.dir.Devices(c.tenant) {
		if d.Owner == u.Resource.ID {
			all = append(all, d.Graph())
		}
	}
	return list(s, c, "devices", all)
}
