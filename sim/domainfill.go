package sim

import (
	"fmt"
	"strings"

	"windtunnel.test/fakead"
	ad "windtunnel.test/fakead/directory"
	"windtunnel.test/sim/scenario"
)

// account is one that the domain is to have.
type account struct {
	sam, upn, name, password                      string
	disabled, locked, passwordExpired, mustChange bool
	service                                       bool
}

// accounts are the domain's: one for each user of the tenant, with what the
// file says of it, and those that only the domain has.
func (w *World) accounts(d scenario.Domain) []account {
	var list []account
	taken := map[string]bool{"administrator": true, "guest": true, "krbtgt": true, strings.ToLower(connectAccount): true}
	add := func(a account, own scenario.DomainAccount) {
		if own.Password != "" {
			a.password = own.Password
		}
		if own.UPN != "" {
			a.upn = own.UPN
		}
		a.disabled, a.locked, a.passwordExpired, a.mustChange = a.disabled || own.Disabled, own.Locked, own.PasswordExpired, own.MustChange
		list = append(list, a)
	}
	for _, u := range w.Tenant.AllUsers() {
		own, _ := d.Account(u.UserPrincipalName)
		sam := samOf(u.UserPrincipalName, taken)
		if own.Missing {
			continue
		}
		add(account{sam: sam, upn: u.UserPrincipalName, name: u.DisplayName, password: u.Password, disabled: !u.Enabled()}, own)
	}
	for _, own := range d.Accounts {
		if _, tenants := w.Tenant.User(own.User); !tenants {
			add(account{sam: own.User, name: own.User}, own)
		}
	}
	return list
}

// inDomain tells a user what the account in the domain has of its own: its
// name and its password. Everybody thinks of another password where the domain
// wants one, which on a long shelf is every time.
func (u *User) inDomain(d *scenario.Domain) {
	if d == nil {
		return
	}
	u.NewPassword = newPassword(u.UPN, 1)
	own, _ := d.Account(u.UPN)
	u.LogonName, u.LogonPassword = own.UPN, own.Password
}

// samOf makes a sAMAccountName of a principal name: at most 20 characters, none
// of those that it may not have, and nobody else's.
func samOf(upn string, taken map[string]bool) string {
	local, _, _ := strings.Cut(upn, "@")
	clean := strings.Map(func(c rune) rune {
		if strings.ContainsRune(`"/\[]:;|=,+*?<>@`, c) {
			return '_'
		}
		return c
	}, local)
	name := strings.TrimRight(clean[:min(20, len(clean))], ".")
	for n := 1; taken[strings.ToLower(name)]; n++ {
		suffix := fmt.Sprint(n)
		name = clean[:min(20-len(suffix), len(clean))] + suffix
	}
	taken[strings.ToLower(name)] = true
	return name
}

// fillForest puts into a new forest what its administrators would have: units,
// accounts, the service connection point, the servers' accounts and rights.
func (w *World) fillForest(d scenario.Domain) error {
	f := w.Forest
	for _, ou := range d.OrganizationalUnits {
		if err := f.AddOU(ou); err != nil {
			return err
		}
	}
	for _, a := range w.accounts(d) {
		_, err := f.AddUser(fakead.User{
			SAM: a.sam, UPN: a.upn, DisplayName: a.name, Password: a.password,
			Disabled: a.disabled, Locked: a.locked, PasswordExpired: a.passwordExpired, MustChange: a.mustChange,
		})
		if err != nil {
			return err
		}
	}
	for i, c := range w.hybrid.Connectors {
		sam := c.ServiceAccount(i)
		if _, err := f.AddServiceAccount(sam, w.servicePassword(c.Name)); err != nil {
			return err
		}
		_, delegated := c.Units(d)
		for _, ou := range delegated {
			if err := f.Delegate(ou, sam, ad.CreateComputer); err != nil {
				return err
			}
		}
	}
	if w.hybrid.Connect != nil {
		if _, err := f.AddUser(fakead.User{SAM: connectAccount, Password: w.servicePassword(connectServer), NeverExpires: true}); err != nil {
			return err
		}
	}
	name, id, ok := w.connectionPoint(d.SCP)
	if !ok {
		return nil
	}
	return f.SetSCP(name, id)
}

// connectionPoint is which tenant a service connection point names; none where
// there is to be no such point.
func (w *World) connectionPoint(p *scenario.ConnectionPoint) (tenantDomain, tenantID string, ok bool) {
	tenantDomain, tenantID = w.Tenant.Domain, w.Tenant.ID
	if p == nil {
		return tenantDomain, tenantID, true
	}
	if p.TenantDomain != "" {
		tenantDomain = p.TenantDomain
	}
	if p.TenantID != "" {
		tenantID = p.TenantID
	}
	return tenantDomain, tenantID, !p.Missing
}
