package directory

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
)

func (s *Service) allGroups(c *call) []graph.DirectoryGroup {
	var all []graph.DirectoryGroup
	expand := strings.Contains(strings.ToLower(c.r.URL.Query().Get("$expand")), "members")
	for _, g := range s.dir.Groups(c.tenant) {
		if expand {
			g.Resource.Members = s.objects(c, s.dir.Members(g), "")
		}
		all = append(all, g.Resource)
	}
	return all
}

func (s *Service) groups(c *call) error {
	c.expands = []string{"members"}
	return list(s, c, "groups", s.allGroups(c))
}

func (s *Service) countGroups(c *call) error { return count(s, c, s.allGroups(c)) }

func (s *Service) group(c *call) error {
	g, err := s.dir.GroupByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	c.expands = []string{"members"}
	if q, err := s.query(c); err == nil && q.Expands("members") {
		g.Resource.Members = s.objects(c, s.dir.Members(g), "")
	}
	return one(s, c, "groups", g.Resource)
}

// groupOwn are members of a group that the service alone sets, or what has
// operations of its own.
var groupOwn = []string{"id", "createdDateTime", "members", "onPremisesSyncEnabled"}

var (
	errOwnMembers = &badRequest{graph.CodeBadRequest, "A group with a membership rule cannot have members of its own."}
	errOwnMember  = &badRequest{graph.CodeBadRequest, "A group cannot be a member of itself."}
)

// createGroup also takes the members of members@odata.bind.
func (s *Service) createGroup(c *call) error {
	var g graph.DirectoryGroup
	if err := c.decode(&g, groupOwn...); err != nil {
		return err
	}
	if g.DisplayName == "" {
		return &badRequest{graph.CodeBadRequest, "A value is required for property 'displayName' of resource 'Group'."}
	}
	if g.Dynamic() && len(g.MembersBind) > 0 {
		return errOwnMembers
	}
	ids, err := s.bound(c, g.MembersBind)
	if err != nil {
		return err
	}
	g.ID, g.CreatedDateTime, g.MembersBind = s.NewID("group"), graph.At(s.Now()), nil
	for _, id := range ids {
		g.Members = append(g.Members, graph.DirectoryObject{ID: id})
	}
	row, err := s.dir.PutGroup(c.tenant, g)
	if err != nil {
		return err
	}
	s.Record(c.r.Context(), "entra.group.created", journal.F("group", row.Resource.ID))
	service.WriteJSON(c.w, http.StatusCreated, row.Resource)
	return nil
}

// bound are the ids of the objects that links name, each once.
func (s *Service) bound(c *call, links []string) (ids []string, err error) {
	for _, link := range links {
		o, err := s.referred(c, link)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, o.ID) {
			ids = append(ids, o.ID)
		}
	}
	return ids, nil
}

// updateGroup changes properties, and adds the members of members@odata.bind.
func (s *Service) updateGroup(c *call) error {
	var in graph.DirectoryGroup
	if err := c.decode(&in, groupOwn...); err != nil {
		return err
	}
	ids, err := s.bound(c, in.MembersBind)
	if err != nil {
		return err
	}
	_, err = s.dir.UpdateGroup(c.tenant, c.arg("id"), func(g *graph.DirectoryGroup) (err error) {
		if *g, err = merged(c, *g); err != nil {
			return err
		}
		g.MembersBind = nil
		switch {
		case g.Dynamic() && len(ids) > 0:
			return errOwnMembers
		case slices.Contains(ids, g.ID):
			return errOwnMember
		}
		return nil
	}, ids...)
	return c.done(err)
}

func (s *Service) deleteGroup(c *call) error {
	g, err := s.dir.GroupByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return c.done(s.dir.DeleteGroup(c.tenant, g.Resource.ID))
}

// members are users, devices and groups by their kind; a cast leaves one kind.
func (s *Service) members(c *call) error {
	g, err := s.dir.GroupByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return s.listObjects(c, s.dir.Members(g))
}

func (s *Service) transitiveMembers(c *call) error {
	g, err := s.dir.GroupByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return s.listObjects(c, s.dir.TransitiveMembers(g))
}

func (s *Service) countMembers(c *call) error {
	g, err := s.dir.GroupByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return count(s, c, s.objects(c, s.dir.Members(g), ""))
}

func (s *Service) listObjects(c *call, ids []string) error {
	cast := strings.ToLower(c.arg("cast"))
	if cast != "" && !slices.Contains([]string{"user", "group", "device"}, cast) {
		return &badRequest{graph.CodeBadRequest, "Resource not found for the segment '" + c.arg("cast") + "'."}
	}
	return list(s, c, "directoryObjects", s.objects(c, ids, cast))
}

func (s *Service) objects(c *call, ids []string, cast string) []graph.DirectoryObject {
	var all []graph.DirectoryObject
	for _, id := range ids {
		if o, ok := s.object(c.tenant, id); ok && (cast == "" || o.ODataType == "#microsoft.graph."+cast) {
			all = append(all, o)
		}
	}
	return all
}

func (s *Service) object(tenantID, id string) (graph.DirectoryObject, bool) {
	if d, err := s.dir.Device(tenantID, id); err == nil {
		return graph.DirectoryObject{ODataType: "#microsoft.graph.device", ID: d.ObjectID, DisplayName: d.DisplayName, DeviceID: d.DeviceID}, true
	}
	if u, err := s.dir.User(tenantID, id); err == nil {
		return graph.DirectoryObject{ODataType: "#microsoft.graph.user", ID: u.Resource.ID, DisplayName: u.Resource.DisplayName,
			UserPrincipalName: u.Resource.UserPrincipalName}, true
	}
	if g, err := s.dir.GroupByID(tenantID, id); err == nil {
		return groupObject(g), true
	}
	return graph.DirectoryObject{}, false
}

func groupObject(g tenant.Group) graph.DirectoryObject {
	return graph.DirectoryObject{ODataType: "#microsoft.graph.group", ID: g.Resource.ID, DisplayName: g.Resource.DisplayName}
}

func (s *Service) directoryObject(c *call) error {
	o, ok := s.object(c.tenant, c.arg("id"))
	if !ok {
		return errNoObject
	}
	return one(s, c, "directoryObjects", o)
}

// referred is the object that a link names: https://graph.microsoft.com/v1.0/directoryObjects/{id},
// also users/{id}, devices/{id} and groups/{id}, in both forms of keys.
func (s *Service) referred(c *call, link string) (graph.DirectoryObject, error) {
	u, err := url.Parse(link)
	if err != nil || u.Host != "" && !strings.EqualFold(u.Host, graph.Host) {
		return graph.DirectoryObject{}, &badRequest{graph.CodeBadRequest, "Invalid object identifier in a reference."}
	}
	id := u.Path[strings.LastIndex(u.Path, "/")+1:]
	if open := strings.IndexByte(id, '('); open >= 0 {
		id = strings.Trim(strings.TrimSuffix(id[open+1:], ")"), "'")
	}
	o, ok := s.object(c.tenant, id)
	if !ok {
		return o, errNoObject
	}
	return o, nil
}

func (s *Service) addMember(c *call) error {
	var ref struct {
		ID string `json:"@odata.id"`
	}
	if err := c.decode(&ref); err != nil {
		return err
	}
	o, err := s.referred(c, ref.ID)
	if err != nil {
		return err
	}
	return s.setMember(c, o.ID, true)
}

func (s *Service) removeMember(c *call) error {
	o, ok := s.object(c.tenant, c.arg("member"))
	if !ok {
		return errNoObject
	}
	return s.setMember(c, o.ID, false)
}

func (s *Service) setMember(c *call, id string, in bool) error {
	g, err := s.dir.GroupByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	switch is := slices.Contains(g.Members, id); {
	case g.Resource.Dynamic():
		return &badRequest{graph.CodeBadRequest, "Insufficient privileges to complete the operation: the members of a group with a membership rule cannot be changed."}
	case in && is:
		return &badRequest{graph.CodeBadRequest, "One or more added object references already exist for the following modified properties: 'members'."}
	case in && id == g.Resource.ID:
		return errOwnMember
	case !in && !is:
		return errNoObject
	}
	return c.done(s.dir.SetMember(c.tenant, g.Resource.ID, id, in))
}

func (s *Service) groupMemberOf(c *call) error {
	g, err := s.dir.GroupByID(c.tenant, c.arg("id"))
	if err != nil {
		return err
	}
	return s.memberOf(c, g.Resource.ID, false)
}

func (s *Service) memberOf(c *call, objectID string, transitive bool) error {
	in := s.dir.MemberOf(c.tenant, objectID)
	if transitive {
		in = s.dir.TransitiveMemberOf(c.tenant, objectID)
	}
	var all []graph.DirectoryObject
	for _, g := range s.dir.Groups(c.tenant) {
		if slices.Contains(in, g.Resource.ID) {
			all = append(all, groupObject(g))
		}
	}
	return list(s, c, "directoryObjects", all)
}
