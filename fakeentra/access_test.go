package fakeentra_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

func userNamed(name string) graph.User {
	return graph.User{UserPrincipalName: name + "@contoso.com", DisplayName: name}
}

// policy is one for all users and all applications.
func policy(name, operator string, controls ...string) graph.ConditionalAccessPolicy {
	return graph.ConditionalAccessPolicy{DisplayName: name, State: graph.PolicyEnabled,
		Conditions: graph.AccessConditions{Users: &graph.AccessUsers{IncludeUsers: []string{"All"}},
			Applications: &graph.AccessApplications{IncludeApplications: []string{"All"}}, ClientAppTypes: []string{graph.ClientAppAll}},
		GrantControls: &graph.AccessGrantControls{Operator: operator, BuiltInControls: controls}}
}

func (w *world) put(p graph.ConditionalAccessPolicy) {
	w.t.Helper()
	_, err := w.entra.Directory.PutPolicy(tenantID, p)
	must(w.t, err)
}

func TestConditionalAccessDecides(t *testing.T) {
	for name, c := range map[string]struct {
		policy graph.ConditionalAccessPolicy
		change func(*world, *graph.ConditionalAccessPolicy, *tenant.SignIn)
		want   oauth.AADSTS
	}{
		"block":                      {policy("p", "OR", graph.ControlBlock), nil, oauth.AccessBlocked},
		"disabled":                   {policy("p", "OR", graph.ControlBlock), func(_ *world, p *graph.ConditionalAccessPolicy, _ *tenant.SignIn) { p.State = graph.PolicyDisabled }, 0},
		"report only":                {policy("p", "OR", graph.ControlBlock), func(_ *world, p *graph.ConditionalAccessPolicy, _ *tenant.SignIn) { p.State = graph.PolicyReportOnly }, 0},
		"factor not registered":      {policy("p", "OR", graph.ControlMFA), nil, oauth.MFAEnrolmentRequired},
		"factor not shown":           {policy("p", "OR", graph.ControlMFA), func(w *world, _ *graph.ConditionalAccessPolicy, _ *tenant.SignIn) { w.mfa() }, oauth.MFARequired},
		"factor shown":               {policy("p", "OR", graph.ControlMFA), func(_ *world, _ *graph.ConditionalAccessPolicy, s *tenant.SignIn) { s.Methods = []string{"pwd", "mfa"} }, 0},
		"no device":                  {policy("p", "OR", graph.ControlCompliantDevice), nil, oauth.DeviceNotCompliant},
		"enrolment of a device":      {policy("p", "OR", graph.ControlCompliantDevice), func(_ *world, _ *graph.ConditionalAccessPolicy, s *tenant.SignIn) { s.Resource = oauth.ResourceMDM }, 0},
		"not joined to a domain":     {policy("p", "OR", graph.ControlDomainJoined), nil, oauth.DeviceNotJoined},
		"approved application":       {policy("p", "OR", graph.ControlApprovedApp), nil, oauth.AppNotApproved},
		"one of two is enough":       {policy("p", "OR", graph.ControlMFA, graph.ControlCompliantDevice), func(_ *world, _ *graph.ConditionalAccessPolicy, s *tenant.SignIn) { s.Methods = []string{"mfa"} }, 0},
		"both are needed":            {policy("p", "AND", graph.ControlMFA, graph.ControlCompliantDevice), func(_ *world, _ *graph.ConditionalAccessPolicy, s *tenant.SignIn) { s.Methods = []string{"mfa"} }, oauth.DeviceNotCompliant},
		"factor comes before device": {policy("p", "AND", graph.ControlCompliantDevice, graph.ControlMFA), nil, oauth.MFAEnrolmentRequired},
		"excluded application": {policy("p", "OR", graph.ControlBlock), func(_ *world, p *graph.ConditionalAccessPolicy, _ *tenant.SignIn) {
			p.Conditions.Applications.ExcludeApplications = []string{tenant.AppGraph}
		}, 0},
		"other application": {policy("p", "OR", graph.ControlBlock), func(_ *world, p *graph.ConditionalAccessPolicy, _ *tenant.SignIn) {
			p.Conditions.Applications.IncludeApplications = []string{tenant.AppIntune}
		}, 0},
		"user action":                 {policy("p", "OR", graph.ControlMFA), registerAction(oauth.ResourceDRS), oauth.MFAEnrolmentRequired},
		"user action, something else": {policy("p", "OR", graph.ControlMFA), registerAction(oauth.ResourceGraph), 0},
		"other platform": {policy("p", "OR", graph.ControlBlock), func(_ *world, p *graph.ConditionalAccessPolicy, s *tenant.SignIn) {
			p.Conditions.Platforms, s.Platform = &graph.AccessPlatforms{IncludePlatforms: []string{"iOS"}}, "windows"
		}, 0},
		"platform": {policy("p", "OR", graph.ControlBlock), func(_ *world, p *graph.ConditionalAccessPolicy, s *tenant.SignIn) {
			p.Conditions.Platforms, s.Platform = &graph.AccessPlatforms{IncludePlatforms: []string{"windows"}}, "windows"
		}, oauth.AccessBlocked},
		"excluded platform": {policy("p", "OR", graph.ControlBlock), func(_ *world, p *graph.ConditionalAccessPolicy, s *tenant.SignIn) {
			p.Conditions.Platforms, s.Platform = &graph.AccessPlatforms{IncludePlatforms: []string{"all"}, ExcludePlatforms: []string{"windows"}}, "windows"
		}, 0},
		"other kind of client": {policy("p", "OR", graph.ControlBlock), func(_ *world, p *graph.ConditionalAccessPolicy, _ *tenant.SignIn) {
			p.Conditions.ClientAppTypes = []string{graph.ClientAppBrowser}
		}, 0},
		"role": {policy("p", "OR", graph.ControlBlock), func(w *world, p *graph.ConditionalAccessPolicy, _ *tenant.SignIn) { w.role(p) }, oauth.AccessBlocked},
		"terms": {policy("p", "OR"), func(_ *world, p *graph.ConditionalAccessPolicy, _ *tenant.SignIn) {
			p.GrantControls.TermsOfUse = []string{"tou"}
		}, oauth.ExternalChallenge},
		"accepted terms": {policy("p", "OR"), func(w *world, p *graph.ConditionalAccessPolicy, s *tenant.SignIn) {
			p.GrantControls.TermsOfUse = []string{"tou"}
			must(w.t, w.entra.Directory.AcceptTerms(tenantID, s.UserID, "TOU"))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			w := newWorld(t)
			u, err := w.entra.Directory.User(tenantID, adele)
			g.Expect(err).NotTo(HaveOccurred())
			s := tenant.SignIn{TenantID: tenantID, UserID: u.Resource.ID, ClientID: tenant.AppAzureCLI, Resource: oauth.ResourceGraph, Methods: []string{"pwd"}}
			if c.change != nil {
				c.change(w, &c.policy, &s)
			}
			w.put(c.policy)
			d := w.entra.Directory.Decide(s)
			g.Expect(d.Refused).To(Equal(c.want))
			g.Expect(d.Allowed()).To(Equal(c.want == 0))
			g.Expect(d.Applied).To(HaveLen(1))
		})
	}
}

func registerAction(resource string) func(*world, *graph.ConditionalAccessPolicy, *tenant.SignIn) {
	return func(_ *world, p *graph.ConditionalAccessPolicy, s *tenant.SignIn) {
		p.Conditions.Applications = &graph.AccessApplications{IncludeUserActions: []string{graph.ActionRegisterDevice}}
		s.Resource = resource
	}
}

func (w *world) mfa() {
	_, err := w.entra.Directory.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.MFA = true; return nil })
	must(w.t, err)
}

func (w *world) role(p *graph.ConditionalAccessPolicy) {
	_, err := w.entra.Directory.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.Roles = []string{"Global Administrator"}; return nil })
	must(w.t, err)
	p.Conditions.Users = &graph.AccessUsers{IncludeRoles: []string{graph.RoleTemplate("Global Administrator")}}
}

// TestCompliantDeviceOverTheWire: the same PRT gets no token, then one, as the
// management service's verdict changes; enrolment itself is not blocked.
func TestCompliantDeviceOverTheWire(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	p.put(policy("compliant PCs", "OR", graph.ControlCompliantDevice))
	token, key, refused := p.prtOf(adele, password)
	g.Expect(refused).To(BeNil(), "conditional access has no say in a PRT")
	use := func(resource string) *oauth.Error {
		_, refused := p.usePRT(token, key, func(r *oauth.BoundRequest) { r.Resource = resource })
		return refused
	}
	g.Expect(use(oauth.ResourceMDM)).To(BeNil())
	g.Expect(use(oauth.ResourceGraph).Code()).To(Equal(oauth.DeviceNotCompliant))
	p.refused("sts", "conditional access")
	_, err := p.entra.Directory.SetCompliance(tenantID, p.device, tenant.Yes, tenant.Yes)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(use(oauth.ResourceGraph)).To(BeNil())
	_, err = p.entra.Directory.SetCompliance(tenantID, p.device, tenant.Yes, tenant.No)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(use(oauth.ResourceGraph).Code()).To(Equal(oauth.DeviceNotCompliant))
}

func TestAccountsLock(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	d := w.entra.Directory
	for range 10 {
		_, err := d.Authenticate(tenantID, adele, "wrong")
		g.Expect(err).To(MatchError(tenant.ErrPassword))
	}
	_, err := d.Authenticate(tenantID, adele, password)
	g.Expect(err).To(MatchError(tenant.ErrLocked))
	w.now = w.now.Add(2 * time.Minute)
	_, err = d.Authenticate(tenantID, adele, password)
	g.Expect(err).NotTo(HaveOccurred())
	for want, change := range map[error]func(*tenant.User){
		tenant.ErrLocked:          func(u *tenant.User) { u.Blocked = true },
		tenant.ErrPasswordExpired: func(u *tenant.User) { u.Blocked, u.ForceChange = false, true },
	} {
		_, err = d.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.Blocked, u.ForceChange = false, false; change(u); return nil })
		g.Expect(err).NotTo(HaveOccurred())
		_, err = d.Authenticate(tenantID, adele, password)
		g.Expect(err).To(MatchError(want))
	}
}
