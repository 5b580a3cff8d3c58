package join

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// opLogon is the operation that errors of a logon name.
const opLogon = "sign in"

// Windows' words for why nobody is let in.
var (
	errNoServers    = errors.New("there are currently no logon servers available to service the logon request")
	errWrongSecret  = errors.New("the user name or password is incorrect")
	errDisabled     = errors.New("your account has been disabled; please see your system administrator")
	errLocked       = errors.New("the referenced account is currently locked out and may not be logged on to")
	errExpired      = errors.New("your account has expired; please see your system administrator")
	errHours        = errors.New("your account has time restrictions that keep you from signing in right now")
	errWorkstation  = errors.New("the account you are using does not allow signing in to this device")
	errMustChange   = errors.New("the user's password must be changed before signing in")
	errPasswordOld  = errors.New("your password has expired and must be changed")
	errSkew         = errors.New("there is a time and/or date difference between the client and server")
	errNoComputer   = errors.New("the security database on the server does not have a computer account for this workstation trust relationship")
	errTrust        = errors.New("the trust relationship between this workstation and the primary domain failed")
	errPasswordRule = errors.New("unable to update the password; the value provided for the new password does not meet the length, complexity, or history requirements of the domain")
	errOtherDomain  = errors.New("the domain specified is not available")
)

// LogOnDomain signs a user of the domain in at the logon screen: "CORP\anna",
// "anna@contoso.com" or, in this PC's domain, "anna". A controller checks the
// password and gives a ticket for this computer, which only this computer's own
// password opens (RFC 4120; [MS-KILE] 3.3.5). Without a controller in reach it
// takes whoever has signed in here before. The error's code is Windows' own.
//
// A PC that Entra ID knows gets the user's primary refresh token by the way;
// that it does not is no failure of the logon.
func LogOnDomain(w *device.Windows, name, password string) (device.Account, error) {
	m, member := w.Domain()
	if !member {
		return device.Account{}, hresult.New(opLogon, hresult.STATUSTrustFailure, errTrust)
	}
	principal, ok := principalOf(m, name)
	if !ok {
		return device.Account{}, hresult.New(opLogon, hresult.STATUSWrongSecret, errOtherDomain)
	}
	w.ConnectVPN()
	a, err := checkAtController(w, m, principal, password)
	if errors.Is(err, adclient.ErrNoController) {
		if a, err = cachedLogon(w, principal, password); err == nil {
			w.Event("logon.cached", journal.F("name", a.Name), journal.F("domain", m.Domain))
		}
	}
	if cause := gone(w); cause != nil {
		return device.Account{}, cause
	}
	if err != nil {
		return device.Account{}, err
	}
	r := w.Registry()
	r.SetString(keyLogonUI, "LastLoggedOnUser", m.NetBIOS+`\`+a.Name)
	r.SetString(keyLogonUI, "LastLoggedOnUserSID", a.SID)
	w.LogOn(a)
	registerAtSignIn(w)
	tokenAtLogon(w, a, password)
	return a, gone(w)
}

// keyLogonUI has who signed in last, whom the logon screen names.
const keyLogonUI = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication\LogonUI`

// LastUser is who of the domain signed in here last, "" nobody.
func LastUser(w *device.Windows) string { return w.Registry().String(keyLogonUI, "LastLoggedOnUser") }

// principalOf reads what somebody typed as a user's name; false where it is not
// one of this domain's.
func principalOf(m device.Membership, typed string) (string, bool) {
	domain, user, qualified := strings.Cut(typed, `\`)
	switch {
	case !qualified:
		return typed, typed != ""
	case strings.EqualFold(domain, m.NetBIOS), strings.EqualFold(domain, m.Domain):
		return user, user != ""
	}
	return "", false
}

// checkAtController asks a controller about a user and, where this PC does not
// know the user, who that is. The error is ErrNoController or a refusal.
func checkAtController(w *device.Windows, m device.Membership, principal, password string) (device.Account, error) {
	h := w.ADHost()
	dc, err := adclient.Locate(w.Ctx, h, m.Domain, m.Site)
	if err != nil {
		return device.Account{}, err
	}
	creds, err := adclient.Logon(w.Ctx, h, dc.Name, realm(m), principal, adclient.Secret{Password: password})
	if err != nil {
		return device.Account{}, refused(err)
	}
	host := "host/" + strings.ToLower(m.Computer+"."+m.Domain)
	ticket, err := creds.Service(w.Ctx, host)
	if err != nil {
		if errors.Is(err, krb5.Refusal(krb5.ErrServerUnknown)) {
			return device.Account{}, hresult.New(opLogon, hresult.STATUSNoTrustSAMAccount, errNoComputer)
		}
		return device.Account{}, refused(err)
	}
	key, err := machineKey(w, m, ticket.Ticket.Type)
	if err == nil {
		_, err = ticket.Ticket.Open(key)
	}
	if err != nil {
		return device.Account{}, hresult.New(opLogon, hresult.STATUSTrustFailure, fmt.Errorf("%w: %w", errTrust, err))
	}
	a, known := cachedAccount(w, principal)
	if !known {
		if a, err = lookUp(w.Ctx, h, dc, creds, m, principal); err != nil {
			return device.Account{}, refused(err)
		}
	}
	cacheAccount(w, a, password)
	w.Event("logon.kerberos", journal.F("name", a.Name), journal.F("controller", dc.Name), journal.F("service", host))
	return a, nil
}

// lookUp finds who a user is. A real controller says that in the ticket
// ([MS-PAC]); here the user's own session asks the directory.
func lookUp(ctx context.Context, h adclient.Host, dc *adclient.Controller, creds *adclient.Credentials, m device.Membership, principal string) (device.Account, error) {
	l, err := adclient.DialLDAP(ctx, h, dc.Name)
	if err != nil {
		return device.Account{}, err
	}
	defer l.Close()
	secure, err := creds.Context(ctx, "ldap/"+dc.Name, false)
	if err == nil {
		err = l.BindSASL(ldap.MechanismGSSAPI, secure)
	}
	if err != nil {
		return device.Account{}, err
	}
	name := ldap.Eq("sAMAccountName", principal)
	if strings.Contains(principal, "@") {
		name = ldap.Eq("userPrincipalName", principal)
	}
	found, err := l.Search(ldap.SearchRequest{
		Base: "DC=" + strings.ReplaceAll(m.Domain, ".", ",DC="), Scope: ldap.WholeSubtree, SizeLimit: 1,
		Filter: name, Attributes: []string{"objectSid", "sAMAccountName", "userPrincipalName"},
	})
	if err != nil {
		return device.Account{}, err
	}
	if len(found) == 0 {
		return device.Account{}, fmt.Errorf("%s is not in %s", principal, m.Domain)
	}
	sid, err := ldap.SIDFromBytes(found[0].Bytes("objectSid"))
	if err != nil {
		return device.Account{}, err
	}
	a := device.Account{SID: sid.String(), Name: found[0].Text("sAMAccountName"), UPN: found[0].Text("userPrincipalName")}
	if a.UPN == "" { // who has none is named by the account and the domain ([MS-ADTS] 5.1.1.1.1)
		a.UPN = a.Name + "@" + m.Domain
	}
	return a, nil
}

// ChangeDomainPassword changes the password of a user who cannot sign in before
// it is changed, or at a wish of the user's own.
func ChangeDomainPassword(w *device.Windows, name, old, password string) error {
	m, member := w.Domain()
	principal, ok := principalOf(m, name)
	if !member || !ok {
		return hresult.New("change password", hresult.STATUSWrongSecret, errOtherDomain)
	}
	h := w.ADHost()
	dc, err := adclient.Locate(w.Ctx, h, m.Domain, m.Site)
	if err == nil {
		err = adclient.ChangePassword(w.Ctx, h, dc.Name, realm(m), principal, adclient.Secret{Password: old}, password)
	}
	if cause := gone(w); cause != nil {
		return cause
	}
	if err != nil {
		return refused(err)
	}
	w.Event("password.changed", journal.F("name", principal))
	return nil
}
