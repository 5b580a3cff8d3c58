package scenario

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Domain is the Active Directory domain that hybrid PCs join: a forest of one
// domain. Every user of the tenant has an account in it, with the same
// principal name and password, as directory synchronisation leaves them.
type Domain struct {
	Name                string           `yaml:"name" need:"yes" doc:"DNS name, such as corp.contoso.com."`
	NetBIOS             string           `yaml:"netbios" doc:"Short name, such as CORP; missing: the first label of the name."`
	Type                DomainType       `yaml:"type" default:"fake" doc:"fake: the built-in forest. samba: a running Samba domain controller, see samba."`
	Home                DomainHome       `yaml:"home" default:"direct" doc:"Where the built-in forest answers: direct on the run's own network, or tcp, on real sockets of this machine."`
	Controllers         []Controller     `yaml:"controllers" doc:"Domain controllers; missing: one, dc1. The first has all operations master roles."`
	Replication         time.Duration    `yaml:"replication" max:"7d" doc:"Time until the other controllers see what was changed at one; missing: at once."`
	MachineAccountQuota *int             `yaml:"machineAccountQuota" doc:"Computers that an account without other rights may add; missing: the timing profile's."`
	RequireTLS          bool             `yaml:"requireTLS" doc:"The controllers refuse simple binds without TLS and binds that do not sign."`
	OrganizationalUnits []string         `yaml:"organizationalUnits" doc:"Organizational units that there are, as distinguished names; the domain's part may be left out: OU=Autopilot."`
	SCP                 *ConnectionPoint `yaml:"serviceConnectionPoint" doc:"Where PCs read which tenant is theirs; missing: this tenant."`
	PasswordPolicy      PasswordPolicy   `yaml:"passwordPolicy" doc:"Of the domain; missing values are those of a new domain."`
	Accounts            []DomainAccount  `yaml:"accounts" doc:"What single accounts have of their own, and accounts that the tenant does not have."`
	VPNGateways         []string         `yaml:"vpnGateways" doc:"Hosts of VPN gateways that lead to the domain from any site that reaches them."`
	Samba               *Samba           `yaml:"samba" doc:"The Samba domain controller of type samba."`
}

// DomainType is who serves the domain.
type DomainType string

// Types of domains.
const (
	FakeDomain  DomainType = "fake"
	SambaDomain DomainType = "samba"
)

func (DomainType) choices() []string { return []string{"fake", "samba"} }

// DomainHome is where the built-in forest answers.
type DomainHome string

// Homes of a domain.
const (
	DomainDirect DomainHome = "direct"
	DomainTCP    DomainHome = "tcp"
)

func (DomainHome) choices() []string { return []string{"direct", "tcp"} }

// Controller is a domain controller.
type Controller struct {
	Name  string         `yaml:"name" need:"yes" doc:"Host name without the domain, such as dc1."`
	Site  string         `yaml:"site" doc:"Site whose PCs ask it first; missing: none in particular."`
	Clock SignedDuration `yaml:"clock" doc:"What its clock is ahead (or, with a minus, behind)."`
}

// ConnectionPoint is the service connection point of device registration.
type ConnectionPoint struct {
	Missing      bool   `yaml:"missing" doc:"There is none."`
	TenantDomain string `yaml:"tenantDomain" doc:"Domain of the tenant that it names; missing: this tenant's."`
	TenantID     string `yaml:"tenantId" doc:"Id of the tenant that it names; missing: this tenant's."`
}

// PasswordPolicy is a domain's.
type PasswordPolicy struct {
	MinLength        *int           `yaml:"minLength" doc:"Fewest characters."`
	History          *int           `yaml:"history" doc:"Passwords that do not come again."`
	MaxAge           *time.Duration `yaml:"maxAge" doc:"Age at which a password expires; 0 is never."`
	MinAge           *time.Duration `yaml:"minAge" doc:"Age at which it may be changed again."`
	LockoutThreshold *int           `yaml:"lockoutThreshold" doc:"Wrong passwords in a row that lock an account; 0 is never."`
	LockoutDuration  *time.Duration `yaml:"lockoutDuration" doc:"How long it stays locked."`
	LockoutWindow    *time.Duration `yaml:"lockoutWindow" doc:"After how long wrong passwords are forgotten."`
}

// DomainAccount is an account of the domain: one of the tenant's users, or
// another.
type DomainAccount struct {
	User            string `yaml:"user" need:"yes" doc:"Principal name of a user of the tenant, or a name (sAMAccountName) that only the domain has."`
	Password        string `yaml:"password" doc:"Password; missing: the tenant's user's."`
	UPN             string `yaml:"userPrincipalName" doc:"Principal name in the domain; missing: the tenant's user's."`
	Missing         bool   `yaml:"missing" doc:"The domain has no account for this user."`
	Disabled        bool   `yaml:"disabled" doc:"It is disabled."`
	Locked          bool   `yaml:"locked" doc:"It is locked."`
	PasswordExpired bool   `yaml:"passwordExpired" doc:"Its password is too old."`
	MustChange      bool   `yaml:"mustChange" doc:"The password must be changed at the next logon."`
}

// Samba is a running Samba domain controller in place of the built-in forest.
type Samba struct {
	Address       string        `yaml:"address" default:"127.0.0.1" doc:"IP address at which its ports are."`
	Controller    string        `yaml:"controller" default:"dc1" doc:"Host name of the controller, without the domain."`
	Administrator string        `yaml:"administrator" default:"Administrator" doc:"Account that makes users, units and service accounts at the start of a run."`
	Password      string        `yaml:"password" need:"yes" doc:"Its password."`
	Faketime      string        `yaml:"faketime" doc:"File (FAKETIME_TIMESTAMP_FILE) by which a server under libfaketime follows the run's time; missing: the server's time is real, which only a run in real time can live with."`
	Ports         []PortMapping `yaml:"ports" doc:"Ports that are elsewhere than at their standard numbers."`
}

// PortMapping says where a standard port is.
type PortMapping struct {
	Port int `yaml:"port" need:"yes" min:"1" max:"65535" doc:"Standard port, such as 389."`
	At   int `yaml:"at" need:"yes" min:"1" max:"65535" doc:"Port at which it is."`
}

// Connector is an Intune Connector for Active Directory on a server of the
// domain.
type Connector struct {
	Name                string         `yaml:"name" need:"yes" doc:"Host name of the server."`
	Version             string         `yaml:"version" doc:"Version; missing: the newest."`
	Site                string         `yaml:"site" doc:"Site at which the server stands; missing: with the services, next to the first controller."`
	OrganizationalUnits Units          `yaml:"organizationalUnits" doc:"Units in its configuration file, in which it makes computers; missing: all of the domain's; []: none, only CN=Computers."`
	Delegated           Units          `yaml:"delegated" doc:"Units in which its account really may make computers; missing: those that organizationalUnits names."`
	Stopped             bool           `yaml:"stopped" doc:"The service does not run until the timeline starts it."`
	Account             string         `yaml:"account" doc:"Its service account; missing: msaODJ and a number."`
	NoLogOnAsService    bool           `yaml:"noLogOnAsService" doc:"The server's policy does not let the account log on as a service."`
	PrivilegesPending   bool           `yaml:"privilegesPending" doc:"Group policy has not brought the account's privileges to the server."`
	SkipPrivilegeCheck  bool           `yaml:"skipPrivilegeCheck" doc:"SkipByoMsaPrivilegeCheck is set."`
	NoModernTLS         bool           `yaml:"noModernTLS" doc:"The server's Schannel settings leave nothing that Intune takes."`
	Clock               SignedDuration `yaml:"clock" doc:"What the server's clock is ahead (or, with a minus, behind)."`
}

// EntraConnect is the directory synchronisation.
type EntraConnect struct {
	Cycle               time.Duration `yaml:"cycle" max:"30d" doc:"Time between two synchronisations; missing: the timing profile's."`
	OrganizationalUnits []string      `yaml:"organizationalUnits" doc:"Units (or domain) whose computers it synchronises; missing: the whole domain."`
	Site                string        `yaml:"site" doc:"Site at which its server stands; missing: with the services."`
	Stopped             bool          `yaml:"stopped" doc:"It does not run until the timeline starts it."`
}

// DN is the domain's distinguished name.
func (d Domain) DN() string { return "DC=" + strings.ReplaceAll(strings.ToLower(d.Name), ".", ",DC=") }

// Under completes a distinguished name with the domain's part.
func (d Domain) Under(dn string) string {
	if strings.Contains(strings.ToUpper(dn), "DC=") {
		return dn
	}
	return dn + "," + d.DN()
}

// Host is the DNS name of a host of the domain.
func (d Domain) Host(name string) string {
	return strings.ToLower(name) + "." + strings.ToLower(d.Name)
}

// Servers are the domain's controllers.
func (d Domain) Servers() []Controller {
	switch {
	case d.Type == SambaDomain && d.Samba != nil:
		return []Controller{{Name: d.Samba.Controller}}
	case len(d.Controllers) == 0:
		return []Controller{{Name: "dc1"}}
	}
	return d.Controllers
}

// Account is what the file says of a user's account.
func (d Domain) Account(user string) (DomainAccount, bool) {
	i := slices.IndexFunc(d.Accounts, func(a DomainAccount) bool { return strings.EqualFold(a.User, user) })
	if i < 0 {
		return DomainAccount{}, false
	}
	return d.Accounts[i], true
}

// PortAt is where one of Samba's standard ports is.
func (s Samba) PortAt(port int) int {
	for _, m := range s.Ports {
		if m.Port == port {
			return m.At
		}
	}
	return port
}

// Units are organizational units. Nil is not the same as none.
type Units []string

// decodeNode reads a list that may be empty.
func (u *Units) decodeNode(d *decoder, n *node, path string) {
	*u = Units{}
	d.list(n, reflect.ValueOf((*[]string)(u)).Elem(), path)
}

// Units are the organizational units that a connector makes computers in, and
// those in which its account may: as the file says, or all of the domain's.
func (c Connector) Units(d Domain) (configured, delegated []string) {
	configured, delegated = c.OrganizationalUnits, c.Delegated
	if configured == nil {
		configured = slices.Clone(d.OrganizationalUnits)
	}
	if delegated == nil {
		delegated = slices.DeleteFunc(slices.Clone(configured), func(ou string) bool { return !strings.HasPrefix(strings.ToUpper(ou), "OU=") })
	}
	return configured, delegated
}

// ServiceAccount is the sAMAccountName of the connector's account, the nth of
// the run.
func (c Connector) ServiceAccount(n int) string {
	return cmp.Or(c.Account, "msaODJ"+string(rune('A'+n%26))+"$")
}
