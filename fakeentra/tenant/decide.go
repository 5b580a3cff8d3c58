package tenant

import (
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// SignIn is what conditional access looks at when a user's token is asked for.
type SignIn struct {
	TenantID string
	UserID   string // object id
	ClientID string
	Resource string   // identifier or client id of what the token is for
	DeviceID string   // of the device that proved itself; "" for none
	Methods  []string // how the user proved to be the user: pwd, mfa, rsa, ngcmfa, ...
	Platform string   // windows, macOS, iOS, android, linux; "" not known
	// ClientApp is browser, mobileAppsAndDesktopClients, exchangeActiveSync or
	// other; "" is mobileAppsAndDesktopClients.
	ClientApp string
}

// Decision is whether a token may be issued.
type Decision struct {
	Refused oauth.AADSTS // 0: go on
	Policy  string       // name of the policy that refuses
	Control string       // what it misses: block, mfa, compliantDevice, domainJoinedDevice, termsOfUse, ...
	Terms   []string     // agreements to accept, when Control is termsOfUse
	// Applied are the policies that were evaluated, as a sign-in log lists them.
	Applied []AppliedPolicy
}

// Allowed tells whether nothing stands against it.
func (d Decision) Allowed() bool { return d.Refused == 0 }

// AppliedPolicy is one policy's result (learn.microsoft.com/graph/api/resources/appliedconditionalaccesspolicy):
// success, failure, notApplied, notEnabled, reportOnlySuccess, reportOnlyFailure.
type AppliedPolicy struct{ ID, Name, Result, Control string }

// ControlTerms is how a [Decision] names terms of use that are not accepted.
const ControlTerms = "termsOfUse"

// Decide evaluates the tenant's conditional access policies: all that apply must
// be satisfied, a block first, then what is missing in the documented order.
// Sign-ins of applications by themselves are not subject to them.
func (d *Directory) Decide(s SignIn) Decision {
	var out Decision
	policies := d.Policies(s.TenantID)
	if len(policies) == 0 {
		return out
	}
	c := d.contextOf(s)
	best := len(graph.GrantControls) + 1
	for _, p := range policies {
		r := p.Resource
		result := AppliedPolicy{ID: r.ID, Name: r.DisplayName, Result: "notApplied"}
		switch {
		case r.State == graph.PolicyDisabled:
			result.Result = "notEnabled"
		case c.covered(r):
			missing, terms := c.missing(*r.GrantControls)
			result.Control, result.Result = missing, outcome(missing == "", r.State == graph.PolicyReportOnly)
			if rank := rankOf(missing); result.Result == "failure" && rank < best {
				best = rank
				out.Refused, out.Policy, out.Control, out.Terms = c.number(missing), r.DisplayName, missing, terms
			}
		}
		out.Applied = append(out.Applied, result)
	}
	return out
}

func outcome(satisfied, report bool) string {
	switch {
	case report && satisfied:
		return "reportOnlySuccess"
	case report:
		return "reportOnlyFailure"
	case satisfied:
		return "success"
	}
	return "failure"
}

func rankOf(control string) int {
	if i := slices.Index(graph.GrantControls, control); i >= 0 {
		return i
	}
	return len(graph.GrantControls) // terms of use come last
}

// accessContext is a sign-in with what the directory knows about it.
type accessContext struct {
	SignIn
	user   User
	groups []string
	device Device
	app    string // client id of the resource
}

func (d *Directory) contextOf(s SignIn) accessContext {
	c := accessContext{SignIn: s, app: s.Resource, groups: d.TransitiveMemberOf(s.TenantID, s.UserID)}
	c.user, _ = d.User(s.TenantID, s.UserID)
	if s.DeviceID != "" {
		c.device, _ = d.Device(s.TenantID, s.DeviceID)
	}
	if a, ok := d.ResourceApp(s.TenantID, s.Resource); ok {
		c.app = a.ClientID
	}
	if c.ClientApp == "" {
		c.ClientApp = graph.ClientAppModern
	}
	return c
}

// covered tells whether all conditions of a policy fit. An exclusion wins over
// an inclusion.
func (c accessContext) covered(p graph.ConditionalAccessPolicy) bool {
	return c.userIn(*p.Conditions.Users) && c.appIn(*p.Conditions.Applications) &&
		c.platformIn(p.Conditions.Platforms) && c.clientIn(p.Conditions.ClientAppTypes)
}

func (c accessContext) userIn(u graph.AccessUsers) bool {
	any := func(list, want []string) bool {
		return slices.ContainsFunc(want, func(w string) bool { return containsFold(list, w) })
	}
	roles := make([]string, 0, 2*len(c.user.Roles))
	for _, r := range c.user.Roles {
		roles = append(roles, r, graph.RoleTemplate(r))
	}
	if containsFold(u.ExcludeUsers, c.UserID) || any(u.ExcludeGroups, c.groups) || any(u.ExcludeRoles, roles) {
		return false
	}
	return containsFold(u.IncludeUsers, "All") || containsFold(u.IncludeUsers, c.UserID) || any(u.IncludeGroups, c.groups) || any(u.IncludeRoles, roles)
}

// appIn: device registration is reached by the user action, and by policies for
// all applications.
func (c accessContext) appIn(a graph.AccessApplications) bool {
	if c.app == AppRegistration && containsFold(a.IncludeUserActions, graph.ActionRegisterDevice) {
		return true
	}
	if containsFold(a.ExcludeApplications, c.app) {
		return false
	}
	return containsFold(a.IncludeApplications, "All") || containsFold(a.IncludeApplications, c.app)
}

// platformIn: what has no known platform is covered only by "all".
func (c accessContext) platformIn(p *graph.AccessPlatforms) bool {
	if p == nil || len(p.IncludePlatforms) == 0 {
		return true
	}
	if c.Platform != "" && containsFold(p.ExcludePlatforms, c.Platform) {
		return false
	}
	return containsFold(p.IncludePlatforms, "all") || c.Platform != "" && containsFold(p.IncludePlatforms, c.Platform)
}

func (c accessContext) clientIn(types []string) bool {
	return len(types) == 0 || containsFold(types, graph.ClientAppAll) || containsFold(types, c.ClientApp)
}

// missing is the control that comes first of those still to be fulfilled, "" when
// the policy is satisfied.
func (c accessContext) missing(g graph.AccessGrantControls) (control string, terms []string) {
	var lacking []string
	met := 0
	for _, name := range graph.GrantControls {
		switch {
		case !slices.Contains(g.BuiltInControls, name):
		case c.fulfils(name):
			met++
		default:
			lacking = append(lacking, name)
		}
	}
	for _, id := range g.TermsOfUse {
		if containsFold(c.user.Terms, id) {
			met++
		} else {
			terms = append(terms, id)
		}
	}
	if len(terms) > 0 {
		lacking = append(lacking, ControlTerms)
	}
	if len(lacking) == 0 || strings.EqualFold(g.Operator, "OR") && met > 0 {
		return "", nil
	}
	if lacking[0] != ControlTerms {
		terms = nil
	}
	return lacking[0], terms
}

func (c accessContext) fulfils(control string) bool {
	switch control {
	case graph.ControlMFA:
		return slices.ContainsFunc(c.Methods, func(m string) bool { return m == "mfa" || m == "ngcmfa" })
	case graph.ControlCompliantDevice:
		return enrolling(c.app) || c.device.Enabled && c.device.Compliant == Yes
	case graph.ControlDomainJoined:
		return enrolling(c.app) || c.device.Enabled && c.device.Joined() && c.device.TrustType == graph.TrustHybrid
	}
	return false // block, and what no client here brings
}

// enrolling tells the resources that make a device known and compliant: that it
// is compliant already is not asked of them
// (learn.microsoft.com/entra/identity/conditional-access/policy-all-users-device-compliance:
// the control does not block enrolment).
func enrolling(app string) bool {
	return app == AppIntuneEnroll || app == AppIntune || app == AppRegistration
}

// number is what a sign-in that misses a control is refused with.
func (c accessContext) number(control string) oauth.AADSTS {
	switch control {
	case graph.ControlMFA:
		if !c.user.MFA {
			return oauth.MFAEnrolmentRequired
		}
		return oauth.MFARequired
	case graph.ControlCompliantDevice:
		return oauth.DeviceNotCompliant
	case graph.ControlDomainJoined:
		return oauth.DeviceNotJoined
	case graph.ControlApprovedApp:
		return oauth.AppNotApproved
	case graph.ControlCompliantApp:
		return oauth.AppNotProtected
	case ControlTerms:
		return oauth.ExternalChallenge
	}
	return oauth.AccessBlocked
}
