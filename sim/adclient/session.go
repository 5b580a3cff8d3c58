package adclient

import (
	"context"
	"strings"
)

// Session is an account's connection to the directory at one controller, signed and sealed.
type Session struct {
	*LDAP
	Controller  *Controller
	Credentials *Credentials
}

// OpenAt has an account log on at a controller of its domain and connects to the directory there with its ticket. The
// error is a *krb5.Error, an *ldap.Error, or the network's.
func OpenAt(ctx context.Context, h Host, dc *Controller, domain, principal string, s Secret) (*Session, error) {
	creds, err := Logon(ctx, h, dc.Name, strings.ToUpper(domain), principal, s)
	if err != nil {
		return nil, err
	}
	l, err := DialLDAP(ctx, h, dc.Name)
	if err != nil {
		return nil, err
	}
	if err := l.BindGSSAPI(ctx, creds); err != nil {
		_ = l.Close() // of no use to anybody
		return nil, err
	}
	return &Session{LDAP: l, Controller: dc, Credentials: creds}, nil
}

// DomainDN is the distinguished name of a domain's naming context.
func DomainDN(domain string) string {
	return "DC=" + strings.ReplaceAll(strings.ToLower(domain), ".", ",DC=")
}
