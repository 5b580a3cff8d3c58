package sim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	ad "windtunnel.test/fakead/directory"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/ldap"
)

// DomainAdministrator is who administers the domain over LDAP, whoever serves
// it: the built-in forest or Samba.
type DomainAdministrator struct {
	w    *World
	d    scenario.Domain
	ldap *adclient.LDAP
}

var errNoDomain = errors.New("the world has no domain")

// DomainAdministrator signs in at the first controller, sealed by Kerberos.
// Close ends it.
func (w *World) DomainAdministrator(ctx context.Context) (*DomainAdministrator, error) {
	if w.hybrid == nil {
		return nil, errNoDomain
	}
	d := w.hybrid.Domain
	name, password := "Administrator", ad.DefaultPassword
	if d.Samba != nil {
		name, password = d.Samba.Administrator, d.Samba.Password
	}
	stream := w.Seed.Stream("domain administrator", w.Clock.Now().String())
	host := adclient.Host{
		Net: w.Network.Attach(vnet.NICOptions{Device: "domain-administrator"}), Clock: w.Clock, Now: w.clockOf(w.skewOfFirst(d)), Timing: w.Timing,
		Random: func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(stream.Uint32())
			}
			return b
		},
	}
	controller := d.Host(d.Servers()[0].Name)
	credentials, err := adclient.Logon(ctx, host, controller, strings.ToUpper(d.Name), name, adclient.Secret{Password: password})
	if err != nil {
		return nil, fmt.Errorf("domain administrator: %w", err)
	}
	l, err := adclient.DialLDAP(ctx, host, controller)
	if err != nil {
		return nil, fmt.Errorf("domain administrator: %w", err)
	}
	if err := l.BindGSSAPI(ctx, credentials); err != nil {
		return nil, errors.Join(fmt.Errorf("domain administrator: %w", err), l.Close())
	}
	return &DomainAdministrator{w: w, d: d, ldap: l}, nil
}

// Close ends the connection.
func (a *DomainAdministrator) Close() error { return a.ldap.Close() }

// find is the distinguished name of the one object that fits.
func (a *DomainAdministrator) find(filter *ldap.Filter, what string, attributes ...string) (ldap.Entry, error) {
	found, err := a.ldap.Search(ldap.SearchRequest{Base: a.d.DN(), Scope: ldap.WholeSubtree, Filter: filter, Attributes: append(attributes, "cn")})
	switch {
	case err != nil:
		return ldap.Entry{}, err
	case len(found) != 1:
		return ldap.Entry{}, fmt.Errorf("the domain has %d objects for %s", len(found), what)
	}
	return found[0], nil
}

func (a *DomainAdministrator) account(user string, attributes ...string) (ldap.Entry, error) {
	return a.find(ldap.AnyOf(ldap.Eq("userPrincipalName", user), ldap.Eq("sAMAccountName", user)), user, attributes...)
}

// SetEnabled enables an account or disables it.
func (a *DomainAdministrator) SetEnabled(user string, enabled bool) error {
	e, err := a.account(user, "userAccountControl")
	if err != nil {
		return err
	}
	uac, err := strconv.Atoi(e.Text("userAccountControl"))
	if err != nil {
		return fmt.Errorf("userAccountControl of %s: %w", user, err)
	}
	uac |= ad.UACDisabled
	if enabled {
		uac &^= ad.UACDisabled
	}
	return a.ldap.Modify(e.DN, adclient.Replace(ldap.Text("userAccountControl", strconv.Itoa(uac))))
}

// Unlock unlocks an account.
func (a *DomainAdministrator) Unlock(user string) error {
	e, err := a.account(user)
	if err != nil {
		return err
	}
	return a.ldap.Modify(e.DN, adclient.Replace(ldap.Text("lockoutTime", "0")))
}

// ResetPassword gives an account another password ([MS-ADTS] 3.1.1.3.1.5.1).
func (a *DomainAdministrator) ResetPassword(user, password string, mustChange bool) error {
	e, err := a.account(user)
	if err != nil {
		return err
	}
	return a.setPassword(e.DN, password, mustChange)
}

func (a *DomainAdministrator) setPassword(dn, password string, mustChange bool) error {
	var quoted []byte
	for _, u := range utf16.Encode([]rune(`"` + password + `"`)) {
		quoted = append(quoted, byte(u), byte(u>>8))
	}
	changes := []ldap.Change{adclient.Replace(ldap.Attribute{Type: "unicodePwd", Values: [][]byte{quoted}})}
	if mustChange {
		changes = append(changes, adclient.Replace(ldap.Text("pwdLastSet", "0")))
	}
	return a.ldap.Modify(dn, changes...)
}

// Computer is a PC's computer object, and whether there is one.
func (a *DomainAdministrator) Computer(pc *device.PC, attributes ...string) (ldap.Entry, bool, error) {
	m, ok := pc.Domain()
	if !ok {
		if m, ok = pc.DomainStaged(); !ok {
			return ldap.Entry{}, false, nil
		}
	}
	found, err := a.ldap.Search(ldap.SearchRequest{Base: a.d.DN(), Scope: ldap.WholeSubtree, Filter: ldap.Eq("sAMAccountName", m.Computer+"$"), Attributes: attributes})
	if err != nil || len(found) == 0 {
		return ldap.Entry{}, false, err
	}
	return found[0], true, nil
}

// Computers are the domain's computer objects, but for its controllers'
// (SERVER_TRUST_ACCOUNT, [MS-ADTS] 2.2.16) and for managed service accounts,
// which are computers by their class only.
func (a *DomainAdministrator) Computers(attributes ...string) (list []ldap.Entry, err error) {
	found, err := a.ldap.Search(ldap.SearchRequest{Base: a.d.DN(), Scope: ldap.WholeSubtree, Filter: ldap.Eq("objectCategory", "computer"),
		Attributes: append(attributes, "userAccountControl")})
	for _, e := range found {
		if uac, _ := strconv.Atoi(e.Text("userAccountControl")); uac&ad.UACServerTrust == 0 {
			list = append(list, e)
		}
	}
	return list, err
}

// DeleteComputer deletes a PC's computer object.
func (a *DomainAdministrator) DeleteComputer(pc *device.PC) error {
	e, ok, err := a.Computer(pc, "cn")
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%s has no computer object", pc.Name)
	}
	return a.ldap.Delete(e.DN)
}

// registration is the container of the service connection point
// (learn.microsoft.com/entra/identity/devices/hybrid-join-manual).
func (a *DomainAdministrator) registration() string {
	return "CN=Device Registration Configuration,CN=Services,CN=Configuration," + a.d.DN()
}

// SetSCP writes the service connection point.
func (a *DomainAdministrator) SetSCP(tenantDomain, tenantID string) error {
	if err := a.ensure(a.registration(), ldap.Text("objectClass", "container")); err != nil {
		return err
	}
	dn := "CN=" + ad.SCPName + "," + a.registration()
	keywords := ldap.Text("keywords", "azureADName:"+tenantDomain, "azureADId:"+tenantID)
	err := a.ldap.Add(dn, ldap.Text("objectClass", "serviceConnectionPoint"), keywords)
	if adclient.IsCode(err, ldap.EntryAlreadyExists) {
		err = a.ldap.Modify(dn, adclient.Replace(keywords))
	}
	return err
}

// RemoveSCP removes it; none is fine.
func (a *DomainAdministrator) RemoveSCP() error {
	err := a.ldap.Delete("CN=" + ad.SCPName + "," + a.registration())
	if adclient.IsCode(err, ldap.NoSuchObject) {
		return nil
	}
	return err
}

// ensure makes an object where there is none.
func (a *DomainAdministrator) ensure(dn string, attributes ...ldap.Attribute) error {
	err := a.ldap.Add(dn, attributes...)
	if adclient.IsCode(err, ldap.EntryAlreadyExists) {
		return nil
	}
	return err
}

// skewOfFirst is how wrong the first controller's clock is: its administrator
// sits before it.
func (w *World) skewOfFirst(d scenario.Domain) time.Duration {
	return time.Duration(d.Servers()[0].Clock)
}
