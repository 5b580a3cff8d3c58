package adclient

import (
	"context"

	"windtunnel.test/sim/wire/krb5"
)

// Context makes a context with a service, "ldap/dc1.corp.contoso.com", that proves both ends to each other, signs and
// seals. spnego speaks Kerberos within SPNEGO, as GSS-SPNEGO wants it; without, it is what GSSAPI wants.
func (c *Credentials) Context(ctx context.Context, spn string, spnego bool) (SecurityContext, error) {
	s, err := c.Service(ctx, spn)
	if err != nil {
		return nil, err
	}
	return &krb5.Initiator{
		Ticket: s.Ticket, Session: s.Session, ClientRealm: c.Realm, Client: c.Client, Now: c.h.now, Random: c.h.Random, SPNEGO: spnego,
	}, nil
}
