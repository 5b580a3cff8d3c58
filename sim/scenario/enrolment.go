package scenario

import (
	"fmt"
	"net/url"
)

// Enrolment is how MDM enrolment is set up, beside what Graph's resources say.
type Enrolment struct {
	Authentication AuthPolicy     `yaml:"authentication" doc:"How users authenticate who bring no access token, what discovery answers with; missing: Federated, a page of the service."`
	Document       DocumentLayout `yaml:"document" doc:"How certificates are grouped in provisioning documents: intune, in one CertificateStore; mde2, in two, as the specification's example; missing: intune."`
	SCEPApproval   bool           `yaml:"scepApproval" doc:"Requests to the SCEP server wait for an administrator."`
	MayJoin        UserScope      `yaml:"mayJoin" default:"all" doc:"Whose users may join devices to Entra ID (device settings): all, some (joinGroups), none."`
	JoinGroups     []string       `yaml:"joinGroups" doc:"Groups whose members may, by id or name."`
	UserScope      UserScope      `yaml:"userScope" default:"all" doc:"Whose PCs enrol when they join Entra ID (MDM user scope): all, some (scopeGroups), none."`
	ScopeGroups    []string       `yaml:"scopeGroups" doc:"Groups whose members' PCs do, by id or name."`
	TermsOfUse     string         `yaml:"termsOfUseUrl" doc:"MDM terms of use URL in the directory; missing: Intune's own."`
	OtherServers   []string       `yaml:"otherServers" doc:"Discovery URLs of further MDM applications in the directory."`
	Maintenance    bool           `yaml:"maintenance" doc:"The enrolment service is in maintenance and refuses everybody."`
}

// UserScope is which of a tenant's users something is for.
type UserScope string

// Scopes that are not all users.
const (
	SomeUsers UserScope = "some"
	NoUsers   UserScope = "none"
)

func (UserScope) choices() []string { return []string{"all", string(SomeUsers), string(NoUsers)} }

func (c *checker) enrolment() {
	e := c.s.Tenant.Enrolment
	if e == nil {
		return
	}
	for _, list := range []struct {
		key, of string
		scope   UserScope
		groups  []string
	}{{"joinGroups", "mayJoin", e.MayJoin, e.JoinGroups}, {"scopeGroups", "userScope", e.UserScope, e.ScopeGroups}} {
		for i, name := range list.groups {
			list.groups[i] = c.group(fmt.Sprintf("tenant.enrolment.%s[%d]", list.key, i), name)
		}
		if (list.scope == SomeUsers) != (len(list.groups) > 0) {
			c.wrong("tenant.enrolment", "%s goes with %s: some, and with nothing else", list.key, list.of)
		}
	}
	if e.TermsOfUse != "" {
		if u, err := url.Parse(e.TermsOfUse); err != nil || u.Scheme != "https" || u.Host == "" {
			c.wrong("tenant.enrolment.termsOfUseUrl", "%q is no https URL", e.TermsOfUse)
		}
	}
}

// restrictions checks limits and platform restrictions of enrolment.
func (c *checker) restrictions() {
	for i := range c.s.Tenant.Restrictions {
		r, path := &c.s.Tenant.Restrictions[i], c.origin("tenant.enrollmentRestrictions", i)
		c.assignments(path, r.Assignments)
		if r.EnrollmentLimit != nil && r.Limit < 1 {
			c.wrong(path+".limit", "must be at least 1")
		}
	}
}

// AuthPolicy is AuthPolicy of [MS-MDE2] 3.1.
type AuthPolicy string

func (AuthPolicy) choices() []string { return []string{"Federated", "OnPremise", "Certificate"} }

// DocumentLayout is how certificates are grouped in a provisioning document.
type DocumentLayout string

// LayoutMDE2 is the specification's layout; any other value is Intune's.
const LayoutMDE2 DocumentLayout = "mde2"

func (DocumentLayout) choices() []string { return []string{"intune", string(LayoutMDE2)} }
