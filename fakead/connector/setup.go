package connector

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/journal"
	wire "windtunnel.test/sim/wire/connector"
	"windtunnel.test/sim/wire/krb5"
)

// Why setup fails, in the words of the pages about it (learn.microsoft.com,
// Autopilot known issues and troubleshooting FAQ).
var (
	errCannotStart = errors.New("cannot start service ODJConnectorSvc on computer '.': the account may not log on as a service")
	errPrivilege   = errors.New("pre-check: SeLogonAsServicePrivilegeMissing: the privileges of the account have not reached this server")
	errTLS         = errors.New("can't connect securely: TLS has no protocol and key exchange in common with Intune")
	errAccount     = errors.New("the managed service account is not valid")
	errNobody      = errors.New("no Intune administrator has signed in")
)

// setup does what stands between an installed connector and one that works.
func (c *Connector) setup(ctx context.Context) error {
	o, version := c.configured()
	if o.NoModernTLS {
		return errTLS
	}
	if o.PrivilegesPending && !(o.SkipPrivilegeCheck && version.Compare(wire.ChecksWithoutS4U) >= 0) {
		return errPrivilege
	}
	if err := c.account(ctx, o, version); err != nil {
		return err
	}
	if o.NoLogOnAsService {
		return errCannotStart
	}
	if c.certificate() == nil {
		return c.enrol(ctx, o)
	}
	return nil
}

// account makes sure of the connector's account. A new one may not have reached
// the controller that answers; older versions take that for a broken account.
func (c *Connector) account(ctx context.Context, o Options, version wire.Version) error {
	dc, err := adclient.Locate(ctx, c.host(), o.Domain, o.Site)
	if err != nil {
		return &patience{err}
	}
	_, err = adclient.Logon(ctx, c.host(), dc.Name, realm(o.Domain), o.Account, adclient.Secret{Password: o.Password})
	var refusal *krb5.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal) && refusal.Code == krb5.ErrClientUnknown && version.Compare(wire.AwaitsReplication) < 0:
		return fmt.Errorf("%w: %w", errAccount, err)
	}
	return &patience{err}
}

// enrol gets the connector its certificate.
func (c *Connector) enrol(ctx context.Context, o Options) error {
	if o.Token == nil {
		return errNobody
	}
	token, err := o.Token(ctx)
	if err != nil {
		return &patience{fmt.Errorf("sign-in: %w", err)}
	}
	csr, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: pkix.Name{CommonName: o.Name}}, c.key)
	if err != nil {
		return fmt.Errorf("certificate request: %w", err)
	}
	got, err := call[wire.Enrolled](ctx, c, wire.PathEnrol, token, wire.Enrol{Name: o.Name, Domain: o.Domain, Version: o.Version, CSR: csr})
	if err != nil {
		var refusal wire.Refusal
		if errors.As(err, &refusal) {
			return err
		}
		return &patience{err}
	}
	cert, err := x509.ParseCertificate(got.Certificate)
	if err != nil {
		return fmt.Errorf("certificate of the connector: %w", err)
	}
	c.mu.Lock()
	c.cert, c.state.ID = cert, got.ConnectorID
	c.mu.Unlock()
	c.o.Journal.Record(o.Name, "connector.enrolled", journal.F("id", got.ConnectorID), journal.F("version", o.Version))
	return nil
}

func (c *Connector) certificate() *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cert
}
