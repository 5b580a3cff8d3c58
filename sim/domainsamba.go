package sim

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"

	ad "windtunnel.test/fakead/directory"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/ldap"
)

// relaySamba puts a Samba domain controller in the place of the built-in
// forest. Where it runs under libfaketime, it is told the world's time before
// each message.
func (w *World) relaySamba(d scenario.Domain) error {
	var before func()
	if d.Samba.Faketime != "" {
		before = func() {
			if err := w.tellTime(d.Samba.Faketime); err != nil {
				w.faketime.Do(func() { w.problem(fmt.Errorf("tell Samba the time: %w", err)) })
			}
		}
	}
	return w.relay(d, d.Samba.Controller, func(_ string, port int) string {
		return net.JoinHostPort(d.Samba.Address, strconv.Itoa(d.Samba.PortAt(port)))
	}, before)
}

// tellTime writes the file that libfaketime reads, in its form for an offset
// (github.com/wolfcw/libfaketime, "Using the file..."): seconds, with a sign.
// Whoever reads it sees the old one or the new one.
func (w *World) tellTime(file string) error {
	offset := w.Clock.Now().Sub(vclock.RealNow())
	beside := file + ".new"
	if err := os.WriteFile(beside, fmt.Appendf(nil, "%+.3f\n", offset.Seconds()), 0o644); err != nil {
		return err
	}
	return os.Rename(beside, file)
}

// prepareSamba does over LDAP what fillForest does for the built-in forest.
func (w *World) prepareSamba(ctx context.Context) error {
	a, err := w.DomainAdministrator(ctx)
	if err != nil {
		return err
	}
	return errors.Join(a.fill(), a.Close())
}

func (a *DomainAdministrator) fill() error {
	h := a.w.hybrid
	for _, ou := range a.d.OrganizationalUnits {
		if err := a.unit(ou); err != nil {
			return fmt.Errorf("unit %s: %w", ou, err)
		}
	}
	policy, err := a.relax()
	if err != nil {
		return fmt.Errorf("password policy: %w", err)
	}
	list := a.w.accounts(a.d)
	for i, c := range h.Connectors {
		list = append(list, account{sam: c.ServiceAccount(i), password: a.w.servicePassword(c.Name), service: true})
	}
	if h.Connect != nil {
		list = append(list, account{sam: connectAccount, password: a.w.servicePassword(connectServer)})
	}
	for _, x := range list {
		if err := a.add(x); err != nil {
			return fmt.Errorf("account %s: %w", x.sam, err)
		}
	}
	if err := a.ldap.Modify(a.d.DN(), policy...); err != nil {
		return fmt.Errorf("password policy: %w", err)
	}
	for i, c := range h.Connectors {
		_, delegated := c.Units(a.d)
		for _, ou := range delegated {
			if err := a.Delegate(ou, c.ServiceAccount(i)); err != nil {
				return fmt.Errorf("rights of %s in %s: %w", c.Name, ou, err)
			}
		}
	}
	name, id, ok := a.w.connectionPoint(a.d.SCP)
	if !ok {
		return a.RemoveSCP()
	}
	return a.SetSCP(name, id)
}

// unit makes an organizational unit and those above it.
func (a *DomainAdministrator) unit(dn string) error {
	name, err := ldap.ParseDN(dn)
	if err != nil {
		return err
	}
	for i := range slices.Backward(name) {
		if len(name[i]) == 1 && (name[i][0].Type == "OU" || name[i][0].Type == "ou") {
			if err := a.ensure(name[i:].String(), ldap.Text("objectClass", "organizationalUnit")); err != nil {
				return err
			}
		}
	}
	return nil
}

// passwordPolicy are the attributes of the domain that hold it.
var passwordPolicy = []string{"pwdProperties", "minPwdLength", "minPwdAge", "pwdHistoryLength"}

// relax lets any password be set for now, and gives the changes that bring back
// what was, but for what the scenario says.
func (a *DomainAdministrator) relax() (back []ldap.Change, err error) {
	e, err := a.ldap.Read(a.d.DN(), passwordPolicy...)
	if err != nil {
		return nil, err
	}
	was, none := map[string]string{}, []ldap.Change(nil)
	for _, name := range passwordPolicy {
		was[name] = e.Text(name)
		none = append(none, adclient.Replace(ldap.Text(name, "0")))
	}
	p := a.d.PasswordPolicy
	for name, v := range map[string]*int{"minPwdLength": p.MinLength, "pwdHistoryLength": p.History, "lockoutThreshold": p.LockoutThreshold} {
		if v != nil {
			was[name] = strconv.Itoa(*v)
		}
	}
	// Lengths of time are negative, in units of 100 ns ([MS-ADTS] 3.1.1.3.2).
	if p.MaxAge != nil {
		was["maxPwdAge"] = strconv.FormatInt(-p.MaxAge.Nanoseconds()/100, 10)
	}
	if p.MinAge != nil {
		was["minPwdAge"] = strconv.FormatInt(-p.MinAge.Nanoseconds()/100, 10)
	}
	if p.LockoutDuration != nil {
		was["lockoutDuration"] = strconv.FormatInt(-p.LockoutDuration.Nanoseconds()/100, 10)
	}
	if p.LockoutWindow != nil {
		was["lockOutObservationWindow"] = strconv.FormatInt(-p.LockoutWindow.Nanoseconds()/100, 10)
	}
	for name, v := range was {
		back = append(back, adclient.Replace(ldap.Text(name, v)))
	}
	return back, a.ldap.Modify(a.d.DN(), none...)
}

var errAged = errors.New("by LDAP nobody can age a password or lock an account in Samba; use the built-in forest, or mustChange")

// add makes an account, or makes one that is there what it is to be.
func (a *DomainAdministrator) add(x account) error {
	if x.locked || x.passwordExpired {
		return errAged
	}
	// A service's account is a user here: a managed service account's password is the controllers' own.
	dn := ldap.RDN{{Type: "CN", Value: x.sam}}.String() + ",CN=Users," + a.d.DN()
	attributes := []ldap.Attribute{
		ldap.Text("objectClass", "user"), ldap.Text("sAMAccountName", x.sam),
		ldap.Text("userAccountControl", strconv.Itoa(ad.UACNormal|ad.UACDisabled|ad.UACPasswordNotRequired)),
	}
	if x.upn != "" {
		attributes = append(attributes, ldap.Text("userPrincipalName", x.upn))
	}
	if x.name != "" {
		attributes = append(attributes, ldap.Text("displayName", x.name))
	}
	if err := a.ensure(dn, attributes...); err != nil {
		return err
	}
	if x.password != "" {
		if err := a.setPassword(dn, x.password, x.mustChange); err != nil {
			return err
		}
	}
	uac := ad.UACNormal
	if x.disabled {
		uac |= ad.UACDisabled
	}
	return a.ldap.Modify(dn, adclient.Replace(ldap.Text("userAccountControl", strconv.Itoa(uac))))
}

// computerClass is the schemaIDGUID of class computer ([MS-ADSC] 2.21), as it
// stands in an access control entry.
var computerClass = []byte{0x86, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2}

// Delegate lets an account make computers in a unit and below it. The built-in
// forest has a method for that; elsewhere the unit's access control list gets an
// entry more.
func (a *DomainAdministrator) Delegate(ou, account string) error {
	if a.w.Forest != nil {
		return a.w.Forest.Delegate(ou, account, ad.CreateComputer)
	}
	who, err := a.account(account, "objectSid")
	if err != nil {
		return err
	}
	const all = 7 // owner, group and discretionary list
	found, err := a.ldap.Search(ldap.SearchRequest{Base: ou, Scope: ldap.BaseObject, Filter: ldap.All, Attributes: []string{"nTSecurityDescriptor"}}, ldap.SDFlagsControl(all))
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("%d units", len(found))
	}
	sd, err := grantCreateChild(found[0].Bytes("nTSecurityDescriptor"), who.Bytes("objectSid"))
	if err != nil || sd == nil {
		return err
	}
	return a.ldap.Modify(ou, adclient.Replace(ldap.Attribute{Type: "nTSecurityDescriptor", Values: [][]byte{sd}}))
}

var errDescriptor = errors.New("this is no security descriptor with an access control list")

// grantCreateChild puts the right to make computers into a self-relative
// security descriptor ([MS-DTYP] 2.4.6, 2.4.5, 2.4.4.3); nil where it has it.
func grantCreateChild(sd, sid []byte) ([]byte, error) {
	if len(sd) < 20 {
		return nil, errDescriptor
	}
	at := int(binary.LittleEndian.Uint32(sd[16:]))
	if at < 20 || at+8 > len(sd) {
		return nil, errDescriptor
	}
	size := int(binary.LittleEndian.Uint16(sd[at+2:]))
	if size < 8 || at+size > len(sd) {
		return nil, errDescriptor
	}
	// ACCESS_ALLOWED_OBJECT_ACE, inherited by units below; RIGHT_DS_CREATE_CHILD of one class.
	ace := []byte{5, 2, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}
	ace = append(append(ace, computerClass...), sid...)
	binary.LittleEndian.PutUint16(ace[2:], uint16(len(ace)))
	list := slices.Clone(sd[at : at+size])
	if len(list)+len(ace) > 0xffff {
		return nil, errDescriptor
	}
	if bytes.Contains(list[8:], ace) {
		return nil, nil
	}
	list[0] = 4 // ACL_REVISION_DS, for object entries
	list = slices.Concat(list[:8], ace, list[8:])
	binary.LittleEndian.PutUint16(list[2:], uint16(len(list)))
	binary.LittleEndian.PutUint16(list[4:], binary.LittleEndian.Uint16(list[4:])+1)
	out := append(slices.Clone(sd), list...) // the old list stays where it is, unreferenced
	binary.LittleEndian.PutUint32(out[16:], uint32(len(sd)))
	return out, nil
}
