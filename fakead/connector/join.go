package connector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"windtunnel.test/sim/adclient"
	wire "windtunnel.test/sim/wire/connector"
	"windtunnel.test/sim/wire/ldap"
	"windtunnel.test/sim/wire/odj"
)

// session is a connection to a controller that the requests of one poll share.
type session struct {
	dc   *adclient.Controller
	ldap *adclient.LDAP
	base string // of the domain
	sid  string
}

func (s *session) close() {
	if s.ldap != nil {
		_ = s.ldap.Close() // nothing is lost by it
		s.ldap = nil
	}
}

// open connects to a controller that answers, as the connector's account.
func (c *Connector) open(ctx context.Context, o Options, s *session) error {
	if s.ldap != nil {
		return nil
	}
	h := c.host()
	dc, err := adclient.Locate(ctx, h, o.Domain, o.Site)
	if err != nil {
		if errors.Is(err, adclient.ErrNoController) {
			return &failure{win32: errorNoSuchDomain, diagnostic: inDirectory, description: describeFailed, err: err}
		}
		return err
	}
	opened, err := adclient.OpenAt(ctx, h, dc, o.Domain, o.Account, adclient.Secret{Password: o.Password})
	if err != nil {
		return err
	}
	s.dc, s.ldap, s.base = dc, opened.LDAP, adclient.DomainDN(o.Domain)
	if s.sid, err = c.domainSID(s); err != nil {
		s.close()
	}
	return err
}

func (c *Connector) domainSID(s *session) (string, error) {
	e, err := s.ldap.Read(s.base, "objectSid")
	if err != nil {
		return "", err
	}
	sid, err := ldap.SIDFromBytes(e.Bytes("objectSid"))
	return sid.String(), err
}

// join makes the computer account that a request is about, and its blob.
func (c *Connector) join(ctx context.Context, o Options, s *session, r wire.Request) (computer string, blob []byte, err error) {
	if !strings.EqualFold(r.Domain, o.Domain) {
		return "", nil, refuse(errorNoSuchDomain, "the connector does not serve the domain %s", r.Domain)
	}
	parent, err := o.parent(r.OrganizationalUnit)
	if err != nil {
		return "", nil, err
	}
	if err := c.open(ctx, o, s); err != nil {
		return "", nil, err
	}
	w := c.blob(ctx, o, s)
	if w.MachineName, w.AccountSID, err = c.create(s, o, r, parent, w.MachinePassword); err != nil {
		if ldap.CodeOf(err) == ldap.Other {
			s.close() // the connection itself is broken
		}
		return "", nil, err
	}
	blob, err = odj.Encode(w)
	return w.MachineName, blob, err
}

// parent is where the account goes. A connector uses the units that it was told
// of, and the Computers container where the profile names none.
func (o Options) parent(unit string) (string, error) {
	base := "DC=" + strings.ReplaceAll(o.Domain, ".", ",DC=")
	if unit == "" {
		return "CN=Computers," + base, nil
	}
	dn, err := ldap.ParseDN(unit)
	root, rootErr := ldap.ParseDN(base)
	switch {
	case err != nil:
		return "", refuse(errorInvalidParameter, "organizational unit %q: %w", unit, err)
	case rootErr != nil:
		return "", refuse(errorInvalidParameter, "domain %q: %w", o.Domain, rootErr)
	case !dn.Below(root):
		return "", refuse(errorInvalidParameter, "organizational unit %q is not in the domain %s", unit, o.Domain)
	case !strings.EqualFold(dn.RDN()[0].Type, "OU"):
		return "", refuse(errorInvalidParameter, "%q is not an organizational unit", unit)
	}
	for _, known := range o.OUs {
		if k, err := ldap.ParseDN(known); err == nil && k.Equal(dn) {
			return dn.String(), nil
		}
	}
	return "", refuse(errorAccessDenied, "organizational unit %q is not one of OrganizationalUnitsUsedForOfflineDomainJoin", unit)
}

// clashes is how many names are tried where others are taken.
const clashes = 5

// workstation is userAccountControl of a computer (WORKSTATION_TRUST_ACCOUNT,
// [MS-ADTS] 2.2.16).
const workstation = "4096"

// create makes the account, and another one where the name is taken. The
// attributes are those that an account without other rights may set as well
// ([MS-ADTS] 3.1.1.5.2.1, SeMachineAccountPrivilege).
func (c *Connector) create(s *session, o Options, r wire.Request, parent, password string) (name, sid string, err error) {
	for range clashes {
		name = c.name(r)
		dns := strings.ToLower(name) + "." + o.Domain
		dn := "CN=" + name + "," + parent
		err = s.ldap.Add(dn, texts("objectClass", "top", "person", "organizationalPerson", "user", "computer"),
			texts("sAMAccountName", name+"$"), texts("userAccountControl", workstation), texts("dNSHostName", dns),
			texts("servicePrincipalName", "HOST/"+name, "HOST/"+dns, "RestrictedKrbHost/"+name, "RestrictedKrbHost/"+dns),
			ldap.Attribute{Type: "unicodePwd", Values: [][]byte{quoted(password)}})
		if err == nil {
			e, err := s.ldap.Read(dn, "objectSid")
			if err != nil {
				return "", "", err
			}
			account, err := ldap.SIDFromBytes(e.Bytes("objectSid"))
			return name, account.String(), err
		}
		if !taken(err) || r.RandomCharacters == 0 {
			return "", "", fmt.Errorf("%s: %w", dn, err)
		}
	}
	return "", "", fmt.Errorf("%d names were taken: %w", clashes, err)
}

// taken tells whether another account has the name.
func taken(err error) bool {
	return adclient.IsCode(err, ldap.EntryAlreadyExists)
}

func texts(name string, values ...string) ldap.Attribute {
	a := ldap.Attribute{Type: name}
	for _, v := range values {
		a.Values = append(a.Values, []byte(v))
	}
	return a
}

// quoted is a password as unicodePwd takes it ([MS-ADTS] 3.1.1.3.1.5).
func quoted(password string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// realm is the domain's Kerberos realm.
func realm(domain string) string { return strings.ToUpper(domain) }
