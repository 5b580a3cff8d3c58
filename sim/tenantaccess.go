package sim

import (
	"fmt"

	entra "windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// loadAccounts puts the users into the directory.
func (w *World) loadAccounts(t scenario.Tenant) error {
	d := w.Entra.Directory
	for _, u := range t.AllUsers() {
		row, err := d.PutUser(t.ID, u.User, u.Password)
		if err != nil {
			return fmt.Errorf("user %s: %w", u.UserPrincipalName, err)
		}
		own := u.Windtunnel
		if !own.MFA && !own.ChangePassword && !own.Expired && !own.Locked && len(own.Roles)+len(own.TermsAccepted) == 0 {
			continue
		}
		_, err = d.UpdateUser(t.ID, row.Resource.ID, func(r *entra.User) error {
			r.MFA, r.ForceChange, r.Expired, r.Blocked = own.MFA, own.ChangePassword, own.Expired, own.Locked
			r.Roles, r.Terms = own.Roles, own.TermsAccepted
			return nil
		})
		if err != nil {
			return fmt.Errorf("user %s: %w", u.UserPrincipalName, err)
		}
	}
	return nil
}

// loadAccess puts app registrations, with what they ask for granted, and
// conditional access policies into the directory.
func (w *World) loadAccess(t scenario.Tenant) error {
	d := w.Entra.Directory
	for _, a := range t.Applications {
		app, err := entra.AppOf(t.ID, a.Application)
		if err != nil {
			return fmt.Errorf("application %s: %w", a.DisplayName, err)
		}
		// What is not modelled was named when the file was read.
		app.Secret = a.Secret
		app.Roles, _ = app.Wanted(graph.AccessRole)
		if app.Roles == nil {
			app.Roles = []string{}
		}
		if err := d.PutApp(app); err != nil {
			return fmt.Errorf("application %s: %w", a.DisplayName, err)
		}
		scopes, _ := app.Wanted(graph.AccessScope)
		if len(scopes) == 0 {
			continue
		}
		if err := d.Consent(entra.Consent{TenantID: t.ID, ClientID: app.ClientID, Resource: oauth.ResourceGraph, Scopes: scopes}); err != nil {
			return fmt.Errorf("application %s: %w", a.DisplayName, err)
		}
	}
	for _, p := range t.AccessPolicies {
		if _, err := d.PutPolicy(t.ID, p); err != nil {
			return fmt.Errorf("policy %s: %w", p.DisplayName, err)
		}
	}
	return nil
}
