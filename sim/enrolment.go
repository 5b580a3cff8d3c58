package sim

import (
	entra "windtunnel.test/fakeentra/tenant"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/mde"
)

// loadEnrolment sets up how a customer's devices enrol.
func (w *World) loadEnrolment(t scenario.Tenant) error {
	c := enroll.Settings{AttestationFailure: mde.AttestationFailure(w.attestation.EnrollmentFailure)}
	if e := t.Enrolment; e != nil {
		c.AuthPolicy, c.Maintenance = mde.AuthPolicy(e.Authentication), e.Maintenance
		switch e.UserScope {
		case scenario.NoUsers:
			c.Scope = enroll.ScopeNone
		case scenario.SomeUsers:
			c.Scope, c.ScopeGroups = enroll.ScopeSome, e.ScopeGroups
		}
		if e.Document == scenario.LayoutMDE2 {
			c.Layout = mde.LayoutSpec
		}
		if err := w.Intune.SCEP().Configure(t.ID, scep.Settings{Approval: e.SCEPApproval}); err != nil {
			return err
		}
	}
	return w.Intune.Enrollment().Configure(t.ID, c)
}

// mobility puts into the directory whose devices may join, and where they
// enrol.
func mobility(t *entra.Tenant, e *scenario.Enrolment) {
	if e == nil {
		return
	}
	switch e.MayJoin {
	case scenario.NoUsers:
		t.JoinDenied = true
	case scenario.SomeUsers:
		t.Join = entra.Allowed{Kind: entra.AllowSelected, Groups: e.JoinGroups}
	}
	if e.UserScope == scenario.SomeUsers {
		t.MDMGroups = e.ScopeGroups
	}
	if e.UserScope != scenario.NoUsers && e.TermsOfUse == "" && len(e.OtherServers) == 0 {
		return
	}
	t.MDM = t.Addresses()
	t.MDM.Off = e.UserScope == scenario.NoUsers
	if e.TermsOfUse != "" {
		t.MDM.TermsURL = e.TermsOfUse
	}
	t.OtherMDM = e.OtherServers
}
