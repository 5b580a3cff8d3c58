package enroll

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
)

// OMADMPath is where management sessions go, below the OMA-DM host.
const OMADMPath = "/devicegatewayproxy/cimhandler.ashx"

func (s *Service) enrol(ctx context.Context, x exchange) ([]byte, mde.Header, error) {
	h, m, err := mde.DecodeEnrol(x.body)
	if err != nil {
		return nil, h, unreadable(err)
	}
	if m.Renew {
		return s.renew(ctx, x, h, m)
	}
	e := &enrolment{}
	if e.caller, err = s.authenticate(ctx, h, proof{body: x.body}); err != nil {
		return nil, h, err
	}
	if e.mode == mde.ModeCertificate { // what counts is what was signed
		if _, m, err = mde.DecodeEnrol(e.signed); err != nil {
			return nil, h, unreadable(err)
		}
	}
	e.request, e.about = m, m.Context
	e.about.WhiteGlove = e.about.WhiteGlove || e.about.WhiteGloveHybridJoin
	e.settings = s.Settings(e.tenant.ID)
	for _, check := range checks {
		if err := check(s, ctx, e); err != nil {
			return nil, h, err
		}
	}
	document, err := s.admit(ctx, e)
	if err != nil {
		return nil, h, err
	}
	answer, err := s.reply(h, document)
	return answer, h, err
}

func (s *Service) reply(h mde.Header, document []byte) ([]byte, error) {
	reply, now := h.Reply(), s.Tenants.Now()
	reply.Security = &mde.Security{Created: now, Expires: now.Add(s.Tenants.Timing.Network.ReceiveTimeout)}
	return mde.EncodeEnrolResult(reply, &mde.EnrolResult{Provisioning: document})
}

// admit makes the managed device and what it gets.
func (s *Service) admit(ctx context.Context, e *enrolment) ([]byte, error) {
	limit := 0 // nobody's
	if e.user != nil {
		limit = s.limit(e)
	}
	m, err := e.tenant.EnrollWithin(ctx, e.device(), limit)
	switch {
	case errors.Is(err, tenant.ErrOneTimeLimit):
		return nil, oneTimeRefusal()
	case errors.Is(err, tenant.ErrDeviceLimit):
		return nil, capReached(limit)
	case err != nil:
		return nil, err
	}
	// The subject is the record's id, so the record comes first.
	cert, err := s.certify(e, m)
	if err != nil {
		return nil, errors.Join(err, e.tenant.DeleteDevice(ctx, m.ID))
	}
	if e.entraDevice != "" {
		// The directory's object may be gone by now, which the enrolment survives.
		_ = s.Tenants.Directory.SetCompliance(ctx, e.tenant.ID, e.entraDevice, true, false)
	}
	s.Tenants.Record(ctx, "mdm.enrolled.server", journal.F("serial", m.SerialNumber), journal.F("id", m.ID), journal.F("kind", string(m.Kind)),
		journal.F("upn", m.UserPrincipalName), journal.F("attested", e.result.MDMKey), journal.F("attestationFailed", e.result.Check),
		journal.F("entraKeyAttested", e.result.EntraKey), journal.F("attestationHResult", e.result.HResult))
	return s.document(e, m, cert)
}

func (s *Service) certify(e *enrolment, m tenant.ManagedDevice) (*x509.Certificate, error) {
	cert, err := s.issueMDM(m.ID, e.csr)
	if err != nil {
		return nil, err
	}
	_, err = e.tenant.UpdateDevice(m.ID, func(m *tenant.ManagedDevice) error {
		m.Thumbprint, m.ManagementCertificateExpirationDate = pki.Thumbprint(cert), graph.At(cert.NotAfter)
		return nil
	})
	return cert, err
}

// issueMDM certifies a managed device's key.
func (s *Service) issueMDM(id string, csr *x509.CertificateRequest) (*x509.Certificate, error) {
	now := s.Tenants.Now()
	return s.Authorities.MDM.Issue(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: id}, NotAfter: now.Add(s.Tenants.Timing.MDM.CertificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, csr.PublicKey)
}

// device is the new record.
func (e *enrolment) device() tenant.ManagedDevice {
	c := e.about
	m := tenant.ManagedDevice{
		ManagedDevice: graph.ManagedDevice{
			DeviceName: c.DeviceName, ManagedDeviceName: c.DeviceName, ManagedDeviceOwnerType: "company",
			OperatingSystem: "Windows", OSVersion: c.OSVersion, ManagementAgent: "mdm", ManagementState: "managed",
			DeviceEnrollmentType: "windowsAzureADJoin", DeviceRegistrationState: "registered", JoinType: "azureADJoined",
			AzureADRegistered: true, AzureADDeviceID: e.entraDevice,
		},
		Kind: tenant.EnrolledByUser, HWDevID: c.HWDevID, Attested: e.result.MDMKey && !e.hybrid(), Attestation: e.result,
	}
	if m.Attested {
		m.DeviceHealthAttestationState = &graph.DeviceHealthAttestationState{AttestationKey: AIKPresent}
	}
	if len(c.MAC) > 0 {
		m.EthernetMacAddress = c.MAC[0]
	}
	if r := e.registration; r != nil {
		m.RegistrationID, m.SerialNumber, m.Manufacturer, m.Model = r.ID, r.Serial, r.Hardware.Manufacturer, r.Hardware.Product
		if p, err := e.tenant.Profile(*r); err == nil {
			m.EnrollmentProfileName, m.Hybrid = p.DisplayName, p.Hybrid()
		}
	}
	if e.user != nil {
		m.UserID, m.UserPrincipalName, m.UserDisplayName, m.EmailAddress = e.user.ID, e.user.UPN, e.user.DisplayName, e.user.UPN
	}
	switch {
	case c.WhiteGlove:
		m.Kind, m.DeviceEnrollmentType = tenant.EnrolledWhiteGlove, "windowsBulkUserless"
	case e.bulk():
		m.Kind, m.DeviceEnrollmentType = tenant.EnrolledBulk, "windowsBulkAzureDomainJoin"
	case e.entraDevice == "": // no join goes before: the user brought the device along
		m.DeviceEnrollmentType, m.JoinType, m.AzureADRegistered = "userEnrollment", "unknown", false
	}
	if m.Hybrid { // it joins a domain later, and Entra ID through that
		m.JoinType, m.AzureADRegistered = "unknown", false
		if !c.WhiteGlove {
			m.DeviceEnrollmentType = "windowsAutoEnrollment"
		}
	}
	if e.entraDevice == "" && e.personal() {
		m.ManagedDeviceOwnerType = "personal"
	}
	return m
}

// document is what enrolment leaves on the device.
func (s *Service) document(e *enrolment, m tenant.ManagedDevice, cert *x509.Certificate) ([]byte, error) {
	return s.provisioning(m, cert).Encode(e.settings.Layout)
}

// provisioning is a device's document with a certificate. EntDMID is the
// managed device's id, and the name by which the device opens its sessions.
func (s *Service) provisioning(m tenant.ManagedDevice, cert *x509.Certificate) *mde.Provisioning {
	timing := s.Tenants.Timing.MDM
	days := func(h float64) int { return int(h / 24) }
	// A device without a user keeps its certificate in the machine's store.
	keyStore := mde.StoreUser
	if m.UserID == "" {
		keyStore = mde.StoreSystem
	}
	return &mde.Provisioning{
		Roots: [][]byte{s.Authorities.Root.Cert.Raw}, CAs: [][]byte{s.Authorities.MDM.Cert.Raw},
		Client: mde.ClientCertificate{Store: keyStore, DER: cert.Raw, ROBOSupport: true,
			RenewPeriod: days(timing.CertificateRenewBefore.Hours()), RetryInterval: days(timing.CertificateRenewRetry.Hours())},
		App: mde.Application{
			ProviderID: csp.Provider, Name: csp.Provider, Addr: "https://" + hosts.OMADM + OMADMPath,
			ConnRetryFreq: timing.RetryCount, InitialBackoff: int(timing.InitialBackoff.Milliseconds()), MaxBackoff: int(timing.MaximumBackoff.Milliseconds()),
			DefaultEncoding: "application/vnd.syncml.dm+xml", CertSearch: mde.CertSearch("CN="+cert.Subject.CommonName, keyStore),
			Client: mde.Auth{Type: "DIGEST", Secret: "dummy", Data: "ZHVtbXk="}, Server: mde.Auth{Type: "DIGEST", Name: "dummy", Secret: "dummy", Data: "ZHVtbXk="},
		},
		DM: mde.DMClient{UPN: m.UserPrincipalName, EntDeviceName: m.DeviceName, EntDMID: m.ID, Poll: s.poll()},
	}
}

// poll turns the session schedule into the DMClient CSP's form.
func (s *Service) poll() mde.Poll {
	p := mde.Poll{OnLogin: true}
	for i, step := range s.Tenants.Timing.MDM.SyncSchedule {
		switch minutes := int(step.Every.Minutes()); {
		case step.Times == 0:
			p.RemainingInterval = minutes
		case i == 0:
			p.FirstRetries, p.FirstInterval = step.Times, minutes
		default:
			p.SecondRetries, p.SecondInterval = step.Times, minutes
		}
	}
	return p
}
