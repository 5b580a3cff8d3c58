package scenario

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
)

// applications gives every app registration an id of its own and resolves the
// permissions that it asks for.
func (c *checker) applications() {
	t := &c.s.Tenant
	seen := map[string]bool{}
	for i := range t.Applications {
		a, path := &t.Applications[i], c.origin("tenant.applications", i)
		if a.DisplayName == "" {
			c.wrong(path, "displayName is missing")
			continue
		}
		switch {
		case a.AppID == "":
			a.AppID = idOf("applications", a.DisplayName)
		case !guid.MatchString(a.AppID):
			c.wrong(path+".appId", "%q is no GUID", a.AppID)
		}
		a.AppID = strings.ToLower(a.AppID)
		c.name(path+".appId", a.AppID, seen, "application with the appId")
		for k := range a.RequiredResourceAccess {
			c.permissions(fmt.Sprintf("%s.requiredResourceAccess[%d]", path, k), &a.RequiredResourceAccess[k])
		}
		for k, p := range a.PasswordCredentials {
			if p.EndDateTime != nil && p.StartDateTime != nil && !p.StartDateTime.Before(p.EndDateTime.Time) {
				c.wrong(fmt.Sprintf("%s.passwordCredentials[%d].endDateTime", path, k), "is not after the start")
			}
		}
		for k, p := range a.KeyCredentials {
			c.certificate(fmt.Sprintf("%s.keyCredentials[%d].key", path, k), p.Key)
		}
	}
}

// graphResource is Microsoft Graph's client id.
const graphResource = "00000003-0000-0000-c000-000000000000"

func (c *checker) permissions(path string, r *graph.RequiredResourceAccess) {
	if r.ResourceAppID == "" {
		r.ResourceAppID = graphResource
	}
	if !strings.EqualFold(r.ResourceAppID, graphResource) {
		c.notModelled = append(c.notModelled, path+" (permissions of "+r.ResourceAppID+")")
		return
	}
	for i := range r.ResourceAccess {
		p, at := &r.ResourceAccess[i], fmt.Sprintf("%s.resourceAccess[%d]", path, i)
		if p.Type != graph.AccessRole && p.Type != graph.AccessScope {
			c.wrong(at+".type", "%q is neither Role nor Scope", p.Type)
			continue
		}
		known, ok := graph.FindPermission(p.ID, p.Type)
		switch {
		case ok && p.Type == graph.AccessRole:
			p.ID = known.Role
		case ok:
			p.ID = known.Scope
		case guid.MatchString(p.ID):
			c.notModelled = append(c.notModelled, at+" (permission "+p.ID+")")
		default:
			var names []string
			for _, known := range graph.AllPermissions() {
				names = append(names, known.Value)
			}
			c.wrong(at+".id", "%q is no permission of Microsoft Graph that is modelled as %s%s", p.ID, p.Type, near(p.ID, names))
		}
	}
}

func (c *checker) certificate(path string, key []byte) {
	if len(key) == 0 {
		return // exports have none
	}
	der := key
	if block, _ := pem.Decode(key); block != nil {
		der = block.Bytes
	}
	if _, err := x509.ParseCertificate(der); err != nil {
		c.wrong(path, "is no certificate; write the base64 of its DER")
	}
}

// accessPolicies checks conditional access, and puts ids in place of names. A
// policy with something that is not modelled is left out: without it the policy
// would mean something else.
func (c *checker) accessPolicies() {
	t := &c.s.Tenant
	seen := map[string]bool{}
	var kept []graph.ConditionalAccessPolicy // nil where none is left: a file that says so reads the same
	for i, p := range t.AccessPolicies {
		path := c.origin("tenant.conditionalAccessPolicies", i)
		if mistakes := p.Mistakes(); len(mistakes) > 0 {
			for _, m := range mistakes {
				c.wrong(path+"."+m.Path, "%s", m.Message)
			}
			continue
		}
		if limits := p.Limits(); len(limits) > 0 {
			for _, l := range limits {
				c.notModelled = append(c.notModelled, path+"."+l)
			}
			continue
		}
		unread := func(m string) bool {
			return strings.HasPrefix(m, path+".conditions.") || strings.HasPrefix(m, path+".grantControls.")
		}
		if slices.ContainsFunc(c.notModelled, unread) {
			continue
		}
		if p.ID == "" {
			p.ID = idOf("conditionalAccessPolicies", p.DisplayName)
		}
		p.ID = strings.ToLower(p.ID)
		c.name(path+".id", p.ID, seen, "policy with the id")
		c.accessUsers(path+".conditions.users", p.Conditions.Users)
		c.accessApplications(path+".conditions.applications", p.Conditions.Applications)
		kept = append(kept, p)
	}
	t.AccessPolicies = kept
}

func (c *checker) accessUsers(path string, u *graph.AccessUsers) {
	c.accessAccounts(path+".includeUsers", u.IncludeUsers)
	c.accessAccounts(path+".excludeUsers", u.ExcludeUsers)
	c.accessGroups(path+".includeGroups", u.IncludeGroups)
	c.accessGroups(path+".excludeGroups", u.ExcludeGroups)
	c.accessRoles(path+".includeRoles", u.IncludeRoles)
	c.accessRoles(path+".excludeRoles", u.ExcludeRoles)
}

// accessRoles: names, or template ids as exports have them. A role that nobody
// can have here would leave the policy without effect.
func (c *checker) accessRoles(path string, list []string) {
	for i, role := range list {
		at, known := fmt.Sprintf("%s[%d]", path, i), graph.DirectoryRoles()
		switch {
		case graph.RoleTemplate(role) != "", slices.ContainsFunc(known, func(name string) bool { return strings.EqualFold(graph.RoleTemplate(name), role) }):
		case guid.MatchString(role):
			c.notModelled = append(c.notModelled, at+" (a role that is not modelled)")
		default:
			c.wrong(at, "%q is no directory role that is modelled%s", role, near(role, known))
		}
	}
}

func (c *checker) accessAccounts(path string, list []string) {
	for i, who := range list {
		if who == "All" || who == "None" {
			continue
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		switch account, ok := c.account(who); {
		case ok:
			list[i] = account.ID
		case guid.MatchString(who) || c.dropped[strings.ToLower(who)]:
			c.notModelled = append(c.notModelled, at+" (a user whom the tenant does not have)")
		default:
			c.wrong(at, "the tenant has no user %q%s", who, near(who, append(c.userNames(), "All", "None")))
		}
	}
}

func (c *checker) accessGroups(path string, list []string) {
	for i, g := range list {
		if at := fmt.Sprintf("%s[%d]", path, i); guid.MatchString(g) && !c.hasGroup(g) {
			c.notModelled = append(c.notModelled, at+" (a group that the tenant does not have)")
		} else {
			list[i] = c.group(at, g)
		}
	}
}

func (c *checker) hasGroup(id string) bool {
	return slices.ContainsFunc(c.s.Tenant.Groups, func(g graph.DirectoryGroup) bool { return strings.EqualFold(g.ID, id) })
}

func (c *checker) accessApplications(path string, a *graph.AccessApplications) {
	var names []string
	for _, app := range c.s.Tenant.Applications {
		names = append(names, app.DisplayName)
	}
	for _, l := range []struct {
		name string
		list []string
	}{{"includeApplications", a.IncludeApplications}, {"excludeApplications", a.ExcludeApplications}} {
		for i, app := range l.list {
			if app == "All" || app == "None" || guid.MatchString(app) {
				continue
			}
			if at := indexFold(names, app); at >= 0 {
				l.list[i] = c.s.Tenant.Applications[at].AppID
			} else {
				c.wrong(fmt.Sprintf("%s.%s[%d]", path, l.name, i), "the tenant has no application %q%s", app, near(app, append(slices.Clone(names), "All", "None")))
			}
		}
	}
}
