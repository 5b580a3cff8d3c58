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

func (s *Service) organization(c *call) error {
	t, err := s.dir.Tenant(c.tenant)
	if err != nil {
		return err
	}
	return list(s, c, "organization", []graph.Organization{{
		ID: t.ID, DisplayName: t.DisplayName, CountryLetterCode: t.Country, TenantType: "AAD",
		MobileDeviceManagementAuthority: "intune", VerifiedDomains: t.Domains,
	}})
}

func (s *Service) users(c *call) error {
	var all []graph.User
	for _, u := range s.dir.Users(c.tenant) {
		all = append(all, u.Resource)
	}
	return list(s, c, "users", all)
}

func (s *Service) user(c *call) error {
	u, err := s.dir.User(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return one(c, "users", u.Resource)
}

func (s *Service) userMemberOf(c *call) error {
	u, err := s.dir.User(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return s.memberOf(c, u.Resource.ID)
}

func (s *Service) memberOf(c *call, objectID string) error {
	in := s.dir.MemberOf(c.tenant, objectID)
	var all []graph.DirectoryObject
	for _, g := range s.dir.Groups(c.tenant) {
		if slices.Contains(in, g.Resource.ID) {
			all = append(all, groupObject(g))
		}
	}
	return list(s, c, "directoryObjects", all)
}

func groupObject(g tenant.Group) graph.DirectoryObject {
	return graph.DirectoryObject{ODataType: "#microsoft.graph.group", ID: g.Resource.ID, DisplayName: g.Resource.DisplayName}
}

func (s *Service) groups(c *call) error {
	var all []graph.DirectoryGroup
	for _, g := range s.dir.Groups(c.tenant) {
		all = append(all, g.Resource)
	}
	return list(s, c, "groups", all)
}

func (s *Service) group(c *call) error {
	g, err := s.dir.Group(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return one(c, "groups", g.Resource)
}

func (s *Service) createGroup(c *call) error {
	var g graph.DirectoryGroup
	if err := c.decode(&g); err != nil {
		return err
	}
	row, err := s.dir.PutGroup(c.tenant, g)
	if err != nil {
		return &badRequest{graph.CodeBadRequest, err.Error()}
	}
	s.Record(c.r.Context(), "entra.group.created", journal.F("group", row.Resource.ID))
	service.WriteJSON(c.w, http.StatusCreated, row.Resource)
	return nil
}

func (s *Service) deleteGroup(c *call) error {
	if err := s.dir.DeleteGroup(c.tenant, c.arg("id")); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// members are users, devices and groups by their kind.
func (s *Service) members(c *call) error {
	g, err := s.dir.Group(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	var all []graph.DirectoryObject
	for _, id := range s.dir.Members(g) {
		if o, ok := s.object(c.tenant, id); ok {
			all = append(all, o)
		}
	}
	return list(s, c, "directoryObjects", all)
}

func (s *Service) object(tenantID, id string) (graph.DirectoryObject, bool) {
	if d, err := s.dir.Device(tenantID, id); err == nil {
		return graph.DirectoryObject{ODataType: "#microsoft.graph.device", ID: d.ObjectID, DisplayName: d.DisplayName, DeviceID: d.DeviceID}, true
	}
	if u, err := s.dir.User(tenantID, id); err == nil {
		return graph.DirectoryObject{ODataType: "#microsoft.graph.user", ID: u.Resource.ID, DisplayName: u.Resource.DisplayName,
			UserPrincipalName: u.Resource.UserPrincipalName}, true
	}
	if g, err := s.dir.Group(tenantID, id); err == nil {
		return groupObject(g), true
	}
	return graph.DirectoryObject{}, false
}

func (s *Service) addMember(c *call) error {
	var ref struct {
		ID string `json:"@odata.id"`
	}
	if err := c.decode(&ref); err != nil {
		return err
	}
	return s.setMember(c, ref.ID[strings.LastIndex(ref.ID, "/")+1:], true)
}

func (s *Service) removeMember(c *call) error { return s.setMember(c, c.arg("member"), false) }

func (s *Service) setMember(c *call, id string, in bool) error {
	if _, ok := s.object(c.tenant, id); in && !ok {
		return tenant.ErrNoUser
	}
	if err := s.dir.SetMember(c.tenant, c.arg("id"), id, in); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
