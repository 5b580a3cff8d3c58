package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/ztd"
)

var (
	guid        = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	domainName  = regexp.MustCompile(`^(?i)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)
	languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

func (c *checker) tenant() {
	t := &c.s.Tenant
	switch {
	case t.Domain == "":
		if c.places["tenant.domain"] != (place{}) {
			c.wrong("tenant.domain", "is empty")
		}
	case !domainName.MatchString(t.Domain):
		c.wrong("tenant.domain", "%q is no domain; write one such as contoso.com", t.Domain)
	}
	if t.ID == "" {
		t.ID = idOf("tenant", t.Domain)
	} else if !guid.MatchString(t.ID) {
		c.wrong("tenant.id", "%q is no GUID", t.ID)
	}
	t.ID = strings.ToLower(t.ID)
	if t.DisplayName == "" {
		t.DisplayName = t.Domain
	}
	c.users()
	c.objects()
	c.groups()
	c.more()
	c.applications()
	c.accessPolicies()
	c.profiles()
	c.apps()
	c.statusPages()
	c.restrictions()
	c.enrolment()
	for i := range t.Configurations {
		path := c.origin("tenant.deviceConfigurations", i)
		c.assignments(path, t.Configurations[i].Assignments)
		c.certificates(path, &t.Configurations[i])
		c.mistakes(path, t.Configurations[i].Mistakes())
	}
	c.scripts()
	for i := range t.Policies {
		c.assignments(c.origin("tenant.deviceCompliancePolicies", i), t.Policies[i].Assignments)
	}
}

// origin is where the nth object of a collection stands.
func (c *checker) origin(collection string, n int) string { return c.origins[collection][n] }

func (c *checker) users() {
	t := &c.s.Tenant
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range t.Users {
		u, path := &t.Users[i], c.origin("tenant.users", i)
		upn := strings.ToLower(u.UserPrincipalName)
		local, domain, ok := strings.Cut(upn, "@")
		switch {
		case upn == "":
			c.wrong(path, "userPrincipalName is missing")
			continue
		case !ok || local == "" || !domainName.MatchString(domain):
			c.wrong(path+".userPrincipalName", "%q is not of the form name@domain", u.UserPrincipalName)
		}
		if u.ID == "" {
			u.ID = idOf("users", upn)
		}
		u.ID = strings.ToLower(u.ID)
		if !names[upn] {
			c.name(path+".id", u.ID, ids, "user with the id")
		}
		c.name(path+".userPrincipalName", upn, names, "user")
		complete(u)
		for k, role := range u.Windtunnel.Roles {
			c.oneOf(fmt.Sprintf("%s.windtunnel.roles[%d]", path, k), role, graph.DirectoryRoles()...)
		}
	}
	c.accounts = map[string]User{}
	for _, u := range t.Users {
		c.accounts[strings.ToLower(u.UserPrincipalName)], c.accounts[u.ID] = u, u
	}
}

// complete fills in what the file may leave out of a user.
func complete(u *User) {
	if u.DisplayName == "" {
		u.DisplayName, _, _ = strings.Cut(u.UserPrincipalName, "@")
	}
	if u.Password == "" && u.PasswordProfile != nil {
		u.Password = u.PasswordProfile.Password
	}
	if u.PasswordProfile != nil && u.PasswordProfile.ForceChangePasswordNextSignIn {
		u.Windtunnel.ChangePassword = true
	}
	u.PasswordProfile = nil
	if u.Password == "" {
		u.Password = passwordOf(u.UserPrincipalName)
	}
	if u.AssignedLicenses == nil {
		u.AssignedLicenses = intuneLicense()
	}
}

// passwordOf makes the password of a user who has none in the file: exports
// have no passwords.
func passwordOf(upn string) string { return "Wt-" + idOf("password", upn)[:13] }

// object is what all resources of a tenant that can be assigned have in common.
type object struct {
	collection, path string
	id, name         *string
}

// member is what Graph calls the object's name.
func (o object) member() string {
	if o.collection == "configurationPolicies" {
		return "name"
	}
	return "displayName"
}

func (c *checker) assignable() []object {
	t := &c.s.Tenant
	var list []object
	add := func(collection string, i int, id, name *string) {
		list = append(list, object{collection, c.origin("tenant."+collection, i), id, name})
	}
	for i := range t.Profiles {
		add("windowsAutopilotDeploymentProfiles", i, &t.Profiles[i].ID, &t.Profiles[i].DisplayName)
	}
	for i := range t.StatusPages {
		add("deviceEnrollmentConfigurations", i, &t.StatusPages[i].ID, &t.StatusPages[i].DisplayName)
	}
	for i := range t.Restrictions {
		add("enrollmentRestrictions", i, &t.Restrictions[i].ID, &t.Restrictions[i].DisplayName)
	}
	for i := range t.Apps {
		add("mobileApps", i, &t.Apps[i].ID, &t.Apps[i].DisplayName)
	}
	for i := range t.Configurations {
		add("deviceConfigurations", i, &t.Configurations[i].ID, &t.Configurations[i].DisplayName)
	}
	for i := range t.Policies {
		add("deviceCompliancePolicies", i, &t.Policies[i].ID, &t.Policies[i].DisplayName)
	}
	for i := range t.Catalogue {
		add("configurationPolicies", i, &t.Catalogue[i].ID, &t.Catalogue[i].Name)
	}
	for i := range t.Scripts {
		add("deviceManagementScripts", i, &t.Scripts[i].ID, &t.Scripts[i].DisplayName)
	}
	return list
}

// objects gives every object a name and an id of its own.
func (c *checker) objects() {
	seen := map[string]map[string]bool{}
	for _, o := range c.assignable() {
		if *o.name == "" {
			c.wrong(o.path, "%s is missing", o.member())
			continue
		}
		if seen[o.collection] == nil {
			seen[o.collection] = map[string]bool{}
		}
		if *o.id == "" {
			*o.id = idOf(o.collection, *o.name)
			if seen[o.collection][*o.id] {
				c.wrong(o.path, "there is another %q; give the two ids of their own", *o.name)
				continue
			}
		}
		c.name(o.path+".id", strings.ToLower(*o.id), seen[o.collection], "object with the id")
	}
}

func (c *checker) profiles() {
	for i := range c.s.Tenant.Profiles {
		p, path := &c.s.Tenant.Profiles[i], c.origin("tenant.windowsAutopilotDeploymentProfiles", i)
		c.assignments(path, p.Assignments)
		if p.Hybrid() && len(p.Assignments) > 0 && c.s.Domain == nil && c.places["domain"] == (place{}) {
			c.wrong(path, "joins a domain, and the scenario has none; add domain (and connectors, entraConnect), or take the assignments away")
		}
		if err := ztd.ValidateDeviceName(p.DeviceNameTemplate); err != nil && !p.Hybrid() {
			c.wrong(path+".deviceNameTemplate", "%s", strings.TrimPrefix(err.Error(), "ztd: "))
		}
		if p.Locale != "" && p.Locale != "os-default" && !languageTag.MatchString(p.Locale) {
			c.wrong(path+".locale", "%q is no language; write a tag such as en-US, os-default, or \"\" to leave it to the user", p.Locale)
		}
		o := p.OutOfBoxExperienceSetting
		c.oneOf(path+".outOfBoxExperienceSetting.userType", o.UserType, graph.UserAdministrator, graph.UserStandard)
		c.oneOf(path+".outOfBoxExperienceSetting.deviceUsageType", o.DeviceUsageType, graph.UsageSingleUser, graph.UsageShared)
	}
}

func (c *checker) oneOf(path, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		c.wrong(path, "%q is none of %s%s", value, strings.Join(allowed, ", "), near(value, allowed))
	}
}

func (c *checker) statusPages() {
	var names, ids []string
	for _, a := range c.s.Tenant.Apps {
		names, ids = append(names, a.DisplayName), append(ids, a.ID)
	}
	limits := c.limits()
	for i := range c.s.Tenant.StatusPages {
		p, path := &c.s.Tenant.StatusPages[i], c.origin("tenant.deviceEnrollmentConfigurations", i)
		c.assignments(path, p.Assignments)
		for k, app := range p.SelectedMobileAppIDs {
			at := fmt.Sprintf("%s.selectedMobileAppIds[%d]", path, k)
			switch byID, byName := indexFold(ids, app), indexFold(names, app); {
			case byID >= 0:
				p.SelectedMobileAppIDs[k] = ids[byID]
			case byName >= 0:
				p.SelectedMobileAppIDs[k] = ids[byName]
			case c.dropped[strings.ToLower(app)] || guid.MatchString(app):
				// Of a type that is not modelled, or deleted: it stays on the list, since an empty one means all apps.
				c.notModelled = append(c.notModelled, at)
			default:
				c.wrong(at, "the tenant has no app %q%s", app, near(app, names))
			}
		}
		c.mistakes(path, p.Mistakes(limits.ESP.BlockingApps, c.findApp))
	}
}
