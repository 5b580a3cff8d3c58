package scenario

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

var (
	hostLabel = regexp.MustCompile(`^(?i)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$`)
	unitDN    = regexp.MustCompile(`^(?i)(OU|CN)=[^,="]+(,(OU|CN)=[^,="]+)*(,DC=[a-z0-9-]+)*$`)
	version   = regexp.MustCompile(`^[0-9]+(\.[0-9]+){3}$`)
)

// domain checks the domain, and what only a scenario with a domain can have.
func (c *checker) domain() {
	d := c.s.Domain
	if d == nil {
		if _, wrong := c.places["domain"]; wrong {
			return
		}
		if len(c.s.Connectors) > 0 {
			c.wrong("connectors", "connectors need a domain; add domain")
		}
		if c.s.Connect != nil {
			c.wrong("entraConnect", "directory synchronisation needs a domain; add domain")
		}
		return
	}
	if d.Name != "" && !domainName.MatchString(d.Name) {
		c.wrong("domain.name", "%q is no domain; write one such as corp.contoso.com", d.Name)
	}
	if d.NetBIOS != "" && !hostLabel.MatchString(d.NetBIOS) {
		c.wrong("domain.netbios", "%q is no short name; at most 15 letters, digits and hyphens", d.NetBIOS)
	}
	c.controllers(d)
	for i := range d.OrganizationalUnits {
		c.unit(fmt.Sprintf("domain.organizationalUnits[%d]", i), &d.OrganizationalUnits[i])
	}
	c.connectionPoint("domain.serviceConnectionPoint", d.SCP)
	c.domainAccounts(d)
	for i, host := range d.VPNGateways {
		if !domainName.MatchString(host) {
			c.wrong(fmt.Sprintf("domain.vpnGateways[%d]", i), "%q is no host name", host)
		}
	}
	c.samba(d)
	c.connectors(d)
	c.entraConnect(d)
}

func (c *checker) controllers(d *Domain) {
	seen := map[string]bool{}
	for i, dc := range d.Controllers {
		path := fmt.Sprintf("domain.controllers[%d]", i)
		c.name(path+".name", strings.ToLower(dc.Name), seen, "controller")
		c.label(path+".name", dc.Name)
		if dc.Site == "" {
			continue
		}
		c.site(path+".site", dc.Site)
		if s, ok := c.s.Site(dc.Site); ok && !s.SeesDC {
			c.wrong(path+".site", "site %q does not see a domain controller; set its seesDC", dc.Site)
		}
		if !hostLabel.MatchString(dc.Site) {
			c.wrong(path+".site", "%q cannot be the name of an Active Directory site: letters, digits and hyphens, at most 15", dc.Site)
		}
	}
	if q := d.MachineAccountQuota; q != nil && (*q < 0 || *q > 1_000_000) {
		c.wrong("domain.machineAccountQuota", "%d is not between 0 and 1000000", *q)
	}
	p := d.PasswordPolicy
	for key, v := range map[string]*int{"minLength": p.MinLength, "history": p.History, "lockoutThreshold": p.LockoutThreshold} {
		if v != nil && (*v < 0 || *v > 999) {
			c.wrong("domain.passwordPolicy."+key, "%d is not between 0 and 999", *v)
		}
	}
}

// label checks a host's name without its domain.
func (c *checker) label(path, name string) {
	if name != "" && !hostLabel.MatchString(name) {
		c.wrong(path, "%q is no host name of a server; at most 15 letters, digits and hyphens", name)
	}
}

// unit checks a distinguished name below the domain and completes it.
func (c *checker) unit(path string, dn *string) {
	if !unitDN.MatchString(*dn) {
		c.wrong(path, "%q is no organizational unit; write OU=Name, or OU=Inner,OU=Outer", *dn)
		return
	}
	*dn = c.s.Domain.Under(*dn)
	if !strings.HasSuffix(strings.ToLower(*dn), ","+strings.ToLower(c.s.Domain.DN())) {
		c.wrong(path, "%q is not in %s", *dn, c.s.Domain.Name)
	}
}

// exists checks that a unit is among the domain's.
func (c *checker) exists(path string, dn *string) {
	before := len(c.problems)
	c.unit(path, dn)
	units := c.s.Domain.OrganizationalUnits
	if len(c.problems) == before && strings.HasPrefix(strings.ToUpper(*dn), "OU=") && indexFold(units, *dn) < 0 {
		c.wrong(path, "the domain has no unit %q; add it to domain.organizationalUnits%s", *dn, near(*dn, units))
	}
}

func (c *checker) connectionPoint(path string, p *ConnectionPoint) {
	switch {
	case p == nil:
	case p.Missing && (p.TenantDomain != "" || p.TenantID != ""):
		c.wrong(path, "is either missing or names a tenant")
	case p.TenantID != "" && !guid.MatchString(p.TenantID):
		c.wrong(path+".tenantId", "%q is no GUID", p.TenantID)
	case p.TenantDomain != "" && !domainName.MatchString(p.TenantDomain):
		c.wrong(path+".tenantDomain", "%q is no domain; write one such as contoso.com", p.TenantDomain)
	}
}

func (c *checker) domainAccounts(d *Domain) {
	seen := map[string]bool{}
	for i, a := range d.Accounts {
		path := fmt.Sprintf("domain.accounts[%d]", i)
		c.name(path+".user", strings.ToLower(a.User), seen, "account")
		_, known := c.s.Tenant.User(a.User)
		switch {
		case a.User == "" || known:
		case strings.Contains(a.User, "@"):
			c.wrong(path+".user", "the tenant has no user %q; an account that only the domain has is written without @", a.User)
		case len(a.User) > 20 || strings.ContainsAny(a.User, `"/\[]:;|=,+*?<>`):
			c.wrong(path+".user", "%q cannot be the name of an account: at most 20 characters, and none of \"/\\[]:;|=,+*?<>", a.User)
		case a.Missing:
			c.wrong(path+".missing", "%q is no user of the tenant: leave the entry out", a.User)
		case a.Password == "":
			c.wrong(path, "password is missing: the tenant has no user %q", a.User)
		}
	}
}

func (c *checker) samba(d *Domain) {
	switch {
	case d.Type == SambaDomain && d.Samba == nil:
		if _, given := c.places["domain.samba"]; !given {
			c.wrong("domain.type", "a Samba domain needs domain.samba with the administrator's password")
		}
		return
	case d.Type == FakeDomain && d.Samba != nil:
		c.wrong("domain.samba", "is for type: samba")
	case d.Type == SambaDomain && d.Controllers != nil:
		c.wrong("domain.controllers", "are Samba's own; write samba.controller")
	}
	if d.Samba == nil {
		return
	}
	if _, err := netip.ParseAddr(d.Samba.Address); err != nil {
		c.wrong("domain.samba.address", "%q is no IP address", d.Samba.Address)
	}
	c.label("domain.samba.controller", d.Samba.Controller)
	if c.s.Cells > 1 && d.Type == SambaDomain {
		c.wrong("cells", "one Samba domain cannot be in %d worlds; write cells: 1", c.s.Cells)
	}
}

func (c *checker) connectors(d *Domain) {
	seen := map[string]bool{}
	for i := range c.s.Connectors {
		x, path := &c.s.Connectors[i], fmt.Sprintf("connectors[%d]", i)
		c.name(path+".name", strings.ToLower(x.Name), seen, "connector")
		c.label(path+".name", x.Name)
		if slices.ContainsFunc(d.Servers(), func(dc Controller) bool { return strings.EqualFold(dc.Name, x.Name) }) {
			c.wrong(path+".name", "%q is a domain controller", x.Name)
		}
		c.site(path+".site", x.Site)
		if x.Version != "" && !version.MatchString(x.Version) {
			c.wrong(path+".version", "%q is no version of a connector, such as 6.2501.2000.5", x.Version)
		}
		for k := range x.OrganizationalUnits { // what stands there may be anything; only the connector finds out
			x.OrganizationalUnits[k] = d.Under(x.OrganizationalUnits[k])
		}
		for k := range x.Delegated {
			c.exists(fmt.Sprintf("%s.delegated[%d]", path, k), &x.Delegated[k])
		}
	}
}

func (c *checker) entraConnect(d *Domain) {
	if c.s.Connect == nil {
		return
	}
	c.site("entraConnect.site", c.s.Connect.Site)
	for i := range c.s.Connect.OrganizationalUnits {
		c.exists(fmt.Sprintf("entraConnect.organizationalUnits[%d]", i), &c.s.Connect.OrganizationalUnits[i])
	}
}

// domainAction checks what actions name of the domain.
func (c *checker) domainAction(path string, a *Action) {
	given := map[string]bool{
		"stopConnector": a.StopConnector != nil, "startConnector": a.StartConnector != nil, "syncNow": a.SyncNow != nil,
		"stopEntraConnect": a.StopEntraConnect != nil, "startEntraConnect": a.StartEntraConnect != nil,
		"setServiceConnectionPoint": a.SetSCP != nil, "delegate": a.Delegate != nil, "disableAccount": a.DisableAccount != nil,
		"enableAccount": a.EnableAccount != nil, "unlockAccount": a.UnlockAccount != nil, "resetPassword": a.ResetPassword != nil,
		"deleteComputer": a.DeleteComputer != nil,
	}
	for key, is := range given {
		switch {
		case !is:
		case c.s.Domain == nil:
			if _, wrong := c.places["domain"]; !wrong {
				c.wrong(path+"."+key, "needs a domain; add domain")
			}
		case c.s.Connect == nil && (key == "syncNow" || key == "stopEntraConnect" || key == "startEntraConnect"):
			c.wrong(path+"."+key, "needs directory synchronisation; add entraConnect")
		}
	}
	if c.s.Domain == nil {
		return
	}
	if x := a.StopConnector; x != nil {
		c.connector(path+".stopConnector.connector", x.Connector)
	}
	if x := a.StartConnector; x != nil {
		c.connector(path+".startConnector.connector", x.Connector)
	}
	c.connectionPoint(path+".setServiceConnectionPoint", a.SetSCP)
	if x := a.Delegate; x != nil {
		c.connector(path+".delegate.connector", x.Connector)
		c.exists(path+".delegate.organizationalUnit", &x.OrganizationalUnit)
	}
	for key, x := range map[string]*AccountNamed{"disableAccount": a.DisableAccount, "enableAccount": a.EnableAccount, "unlockAccount": a.UnlockAccount} {
		if x != nil {
			c.domainAccount(path+"."+key+".user", x.User)
		}
	}
	if x := a.ResetPassword; x != nil {
		c.domainAccount(path+".resetPassword.user", x.User)
	}
}

func (c *checker) connector(path, name string) {
	var names []string
	for _, x := range c.s.Connectors {
		names = append(names, x.Name)
	}
	if name != "" && indexFold(names, name) < 0 {
		c.wrong(path, "there is no connector %q%s", name, choose(name, names))
	}
}

// domainAccount checks a reference to an account of the domain.
func (c *checker) domainAccount(path, user string) {
	a, own := c.s.Domain.Account(user)
	_, tenants := c.s.Tenant.User(user)
	if user != "" && (!own && !tenants || a.Missing) {
		c.wrong(path, "the domain has no account %q", user)
	}
}
