package enroll

import (
	"context"
	"crypto/x509"
	"strings"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/mde"
)

// renew gives a managed device a certificate in the place of one that ends soon
// (renewal on behalf of, ROBO: [MS-MDE2] 3.4, certificate renewal;
// learn.microsoft.com, "Certificate renewal"). The old certificate speaks
// twice: in TLS, and as the signer of the request. The record stays.
func (s *Service) renew(ctx context.Context, x exchange, h mde.Header, m *mde.Enrol) ([]byte, mde.Header, error) {
	c, err := s.Authorities.MDMClient(x.Request)
	if err != nil {
		return nil, h, no(err.Error(), hresult.EnrollAuthentication, "%v", err)
	}
	request, signer, err := mde.OpenRenewal(m.Request)
	switch {
	case err != nil:
		return nil, h, no("renewal request", hresult.EnrollCertificateRequest, "%v", err)
	case !signer.Equal(c.Cert):
		return nil, h, no("renewal signer", hresult.EnrollAuthentication, "the request is signed by another certificate than the connection's")
	}
	settings := s.Settings(c.Tenant.ID)
	if err := settings.serving(); err != nil {
		return nil, h, err
	}
	if err := s.mayRenew(ctx, c, m.Context); err != nil {
		return nil, h, err
	}
	csr, err := parseRequest(request)
	if err != nil {
		return nil, h, err
	}
	document, err := s.replace(ctx, c, csr, settings)
	if err != nil {
		return nil, h, err
	}
	answer, err := s.reply(h, document)
	return answer, h, err
}

// mayRenew: within the renewal period, by the device itself, whose user and
// object in the directory still count.
func (s *Service) mayRenew(ctx context.Context, c authority.Client, about mde.Context) error {
	now, device := s.Tenants.Now(), c.Device
	opens := c.Cert.NotAfter.Add(-s.Tenants.Timing.MDM.CertificateRenewBefore)
	deny := func(check, reason string) error { return no(check, hresult.EnrollNotEligibleToRenew, "%s", reason) }
	switch {
	case now.Before(opens):
		return deny("renewal period", "the certificate ends too late to be renewed now")
	case about.EmmDeviceID != "" && !strings.EqualFold(about.EmmDeviceID, device.ID):
		return deny("renewal device", "the certificate is another device's")
	}
	if device.UserPrincipalName != "" {
		if u, ok := s.Tenants.Directory.User(ctx, c.Tenant.ID, device.UserPrincipalName); !ok || !u.Enabled {
			return deny("renewal user", "the user does not exist or is disabled")
		}
	}
	if device.AzureADDeviceID != "" {
		if d, ok := s.Tenants.Directory.Device(ctx, c.Tenant.ID, device.AzureADDeviceID); ok && !d.Enabled {
			return deny("renewal device object", "the device object is disabled")
		}
	}
	return nil
}

// replace issues the new certificate. The one before is good until the new one
// was used: its answer may get lost.
func (s *Service) replace(ctx context.Context, c authority.Client, csr *x509.CertificateRequest, settings Settings) ([]byte, error) {
	cert, err := s.issueMDM(c.Device.ID, csr)
	if err != nil {
		return nil, err
	}
	presented := pki.Thumbprint(c.Cert)
	m, err := c.Tenant.UpdateDevice(c.Device.ID, func(m *tenant.ManagedDevice) error {
		if !strings.EqualFold(m.Thumbprint, presented) && !strings.EqualFold(m.PreviousThumbprint, presented) {
			return authority.ErrDevice
		}
		m.PreviousThumbprint, m.Thumbprint = presented, pki.Thumbprint(cert)
		m.ManagementCertificateExpirationDate = graph.At(cert.NotAfter)
		return nil
	})
	if err != nil {
		return nil, no("client certificate device", hresult.EnrollAuthentication, "%v", authority.ErrDevice)
	}
	s.Tenants.Record(ctx, "mdm.renewed.server", journal.F("serial", m.SerialNumber), journal.F("id", m.ID), journal.F("notAfter", cert.NotAfter))
	return s.provisioning(m, cert).EncodeRenewal(settings.Layout)
}
