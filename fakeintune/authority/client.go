package authority

import (
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vnet"
)

// Why a client certificate proves nothing. The texts name the check in the
// journal.
var (
	ErrNoCertificate = errors.New("client certificate missing")
	ErrIssuer        = errors.New("client certificate issuer")
	ErrValidity      = errors.New("client certificate validity")
	ErrDevice        = errors.New("client certificate device") // of no device that is managed now
)

// Client is a caller that proved to be a managed device.
type Client struct {
	Tenant *tenant.Tenant
	Device tenant.ManagedDevice
	Cert   *x509.Certificate
}

// MDMClient says which device the request's MDM client certificate belongs to.
func (a *Authorities) MDMClient(r *http.Request) (Client, error) {
	cert, err := a.presented(r, a.MDM)
	if err != nil {
		return Client{}, err
	}
	t, m, err := a.s.DeviceByThumbprint(pki.Thumbprint(cert))
	if err != nil {
		return Client{}, ErrDevice
	}
	if m.PreviousThumbprint != "" && strings.EqualFold(m.Thumbprint, pki.Thumbprint(cert)) {
		// The renewed certificate arrived, so the one before has had its day.
		if m, err = t.UpdateDevice(m.ID, func(m *tenant.ManagedDevice) error { m.PreviousThumbprint = ""; return nil }); err != nil {
			return Client{}, ErrDevice
		}
	}
	return Client{Tenant: t, Device: m, Cert: cert}, nil
}

// IMEClient is MDMClient for the management extension's certificate. Its
// subject names tenant and device.
func (a *Authorities) IMEClient(r *http.Request) (Client, error) {
	cert, err := a.presented(r, a.IME)
	if err != nil {
		return Client{}, err
	}
	if len(cert.Subject.OrganizationalUnit) != 1 {
		return Client{}, ErrDevice
	}
	t, err := a.s.Tenant(cert.Subject.OrganizationalUnit[0])
	if err != nil {
		return Client{}, ErrDevice
	}
	m, err := t.Device(cert.Subject.CommonName)
	if err != nil || !strings.EqualFold(m.IMEThumbprint, pki.Thumbprint(cert)) {
		return Client{}, ErrDevice
	}
	return Client{Tenant: t, Device: m, Cert: cert}, nil
}

// ConnectorClient says which Intune Connector for Active Directory the request's
// certificate belongs to. Its subject names tenant and connector.
func (a *Authorities) ConnectorClient(r *http.Request) (*tenant.Tenant, tenant.Connector, error) {
	cert, err := a.presented(r, a.ODJ)
	if err != nil {
		return nil, tenant.Connector{}, err
	}
	if len(cert.Subject.OrganizationalUnit) != 1 {
		return nil, tenant.Connector{}, ErrDevice
	}
	t, err := a.s.Tenant(cert.Subject.OrganizationalUnit[0])
	if err != nil {
		return nil, tenant.Connector{}, ErrDevice
	}
	c, err := t.Connector(cert.Subject.CommonName)
	if err != nil || !strings.EqualFold(c.Thumbprint, pki.Thumbprint(cert)) {
		return nil, tenant.Connector{}, ErrDevice
	}
	return t, c, nil
}

// presented gives the certificate of the connection, if ca issued it and it is
// valid on the service's clock.
func (a *Authorities) presented(r *http.Request, ca *pki.CA) (*x509.Certificate, error) {
	chain := vnet.PeerCertificates(r)
	if len(chain) == 0 {
		return nil, ErrNoCertificate
	}
	cert := chain[0]
	if pki.CheckIssued(cert, ca.Cert) != nil {
		return nil, ErrIssuer
	}
	if !ValidAt(cert, a.s.Now()) {
		return nil, ErrValidity
	}
	return cert, nil
}

// ValidAt tells whether a moment is within a certificate's dates. They are
// whole seconds: one that was issued this very second is valid.
func ValidAt(cert *x509.Certificate, now time.Time) bool {
	return !now.Before(cert.NotBefore) && !now.After(cert.NotAfter)
}

// Status is the HTTP status for such an error: 401 where the caller may come
// back with another certificate, 403 where that is no use.
func Status(err error) int {
	if errors.Is(err, ErrNoCertificate) || errors.Is(err, ErrValidity) {
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}
