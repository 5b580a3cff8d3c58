package scenario

import (
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
)

func (c *checker) groups() {
	t := &c.s.Tenant
	ids := map[string]bool{}
	for i := range t.Groups {
		g, path := &t.Groups[i], c.origin("tenant.groups", i)
		if g.DisplayName == "" {
			c.wrong(path, "displayName is missing")
			continue
		}
		if g.ID == "" {
			g.ID = idOf("groups", g.DisplayName)
			if ids[g.ID] {
				c.wrong(path, "there is another group %q; give the two ids of their own", g.DisplayName)
				continue
			}
		}
		g.ID = strings.ToLower(g.ID)
		c.name(path+".id", g.ID, ids, "group with the id")
		c.oneOf(path+".membershipRuleProcessingState", g.MembershipRuleProcessingState, "On", "Paused")
		if slices.Contains(g.GroupTypes, "DynamicMembership") && g.MembershipRule == "" {
			c.wrong(path, "a group with DynamicMembership needs a membershipRule")
		}
		if g.Dynamic() && len(g.Members)+len(g.MembersBind) > 0 {
			c.wrong(path+".members", "the group has a membershipRule; it cannot have members of its own")
		}
		c.members(g, path)
	}
}

// members gives every member its id and name.
func (c *checker) members(g *graph.DirectoryGroup, path string) {
	for _, link := range g.MembersBind {
		g.Members = append(g.Members, graph.DirectoryObject{ID: link[strings.LastIndex(link, "/")+1:]})
	}
	g.MembersBind = nil
	kept := g.Members[:0:0]
	for i, m := range g.Members {
		name := m.ID
		if name == "" {
			name = m.UserPrincipalName
		}
		u, ok := c.account(name)
		switch {
		case ok:
			kept = append(kept, memberOf(u))
		case m.ODataType != "" && m.ODataType != userType:
			c.notModelled = append(c.notModelled, fmt.Sprintf("%s.members[%d] (%s)", path, i, strings.TrimPrefix(m.ODataType, "#microsoft.graph.")))
		case !c.dropped[strings.ToLower(name)]:
			c.wrong(fmt.Sprintf("%s.members[%d]", path, i), "the tenant has no user %q%s", name, near(name, c.userNames()))
		}
	}
	if len(kept) > 0 || g.Members != nil {
		g.Members = kept
	}
}

// account finds a user by principal name, a named one also by id.
func (c *checker) account(name string) (User, bool) {
	if u, ok := c.accounts[strings.ToLower(name)]; ok {
		return u, true
	}
	return c.s.Tenant.more(name)
}

func (c *checker) userNames() []string {
	var names []string
	for _, u := range c.s.Tenant.Users {
		names = append(names, u.UserPrincipalName)
	}
	return names
}

// user checks a reference to a user and gives the user's principal name.
func (c *checker) user(path, name string) string {
	u, ok := c.account(name)
	switch {
	case ok:
		return u.UserPrincipalName
	case name != "" && !c.dropped[strings.ToLower(name)]:
		c.wrong(path, "the tenant has no user %q%s", name, near(name, c.userNames()))
	}
	return name
}

// more resolves the groups of the users without names.
func (c *checker) more() {
	t := &c.s.Tenant
	if t.MoreUsers == nil {
		return
	}
	for i, name := range t.MoreUsers.Groups {
		path := fmt.Sprintf("tenant.moreUsers.groups[%d]", i)
		id := c.group(path, name)
		t.MoreUsers.Groups[i] = id
		if k := slices.IndexFunc(t.Groups, func(g graph.DirectoryGroup) bool { return g.ID == id }); k >= 0 && t.Groups[k].Dynamic() {
			c.wrong(path, "the group %q has a membershipRule; it cannot have members of its own", name)
		}
	}
	for _, u := range t.Users {
		if _, ok := t.more(u.UserPrincipalName); ok {
			c.wrong("tenant.moreUsers", "%s is among users as well", u.UserPrincipalName)
		}
	}
}

// group checks a reference to a group by id or display name and gives the id.
func (c *checker) group(path, name string) string {
	if name == "" || c.dropped[strings.ToLower(name)] {
		return name
	}
	var found, names []string
	for _, g := range c.s.Tenant.Groups {
		names = append(names, g.DisplayName)
		if strings.EqualFold(g.ID, name) {
			return g.ID
		}
		if strings.EqualFold(g.DisplayName, name) {
			found = append(found, g.ID)
		}
	}
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		c.wrong(path, "the tenant has no group %q%s", name, choose(name, names))
	default:
		c.wrong(path, "%d groups are called %q; write the id", len(found), name)
	}
	return name
}

// assignments checks targets, and puts ids in place of groups' names.
func (c *checker) assignments(path string, list []graph.Assignment) {
	for i := range list {
		c.target(fmt.Sprintf("%s.assignments[%d].target", path, i), &list[i].Target)
	}
}

var targets = []string{graph.TargetGroup, graph.TargetExclusion, graph.TargetAllDevices, graph.TargetAllUsers}

func (c *checker) target(path string, t *graph.AssignmentTarget) {
	if t.ODataType == "" {
		if t.GroupID == "" {
			c.wrong(path, "@odata.type is missing; it says who is meant, such as %s", graph.TargetGroup)
			return
		}
		t.ODataType = graph.TargetGroup
	}
	t.ODataType = "#" + strings.TrimPrefix(t.ODataType, "#")
	toGroup := t.ODataType == graph.TargetGroup || t.ODataType == graph.TargetExclusion
	switch {
	case !slices.Contains(targets, t.ODataType):
		c.wrong(path+"."+odataType, "%q is no target that is known here%s", t.ODataType, near(t.ODataType, targets))
	case toGroup && t.GroupID == "":
		c.wrong(path, "groupId is missing; write the group's id or name")
	case toGroup:
		t.GroupID = c.group(path+".groupId", t.GroupID)
	case t.GroupID != "":
		c.wrong(path+".groupId", "a target of all devices or users has no group")
	}
	if t.FilterID != "" && t.FilterID != "00000000-0000-0000-0000-000000000000" {
		c.wrong(path+".deviceAndAppManagementAssignmentFilterId", "not yet: this version does not do assignment filters")
	}
}
