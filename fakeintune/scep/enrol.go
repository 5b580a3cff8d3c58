package scep

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/scep"
)

// refusal is a check that said no: the reason that the reply gives, and the
// check's name for the journal.
type refusal struct {
	info  wire.FailInfo
	check string
}

func (r *refusal) Error() string { return r.info.String() + ": " + r.check }

func no(info wire.FailInfo, check string) error { return &refusal{info, check} }

// asking is a request on its way.
type asking struct {
	t  *tenant.Tenant
	ra *registrar
	*wire.Message
	content []byte // opened
	cipher  wire.Cipher
}

// reply answers a pkiMessage by one. Its error is the service's own failure.
func (s *Service) reply(ctx context.Context, t *tenant.Tenant, m *wire.Message) ([]byte, error) {
	ra, err := s.registrar(t)
	if err != nil {
		return nil, err
	}
	a := &asking{t: t, ra: ra, Message: m}
	var cert *x509.Certificate
	if err = a.open(); err == nil {
		cert, err = s.serve(ctx, a)
	}
	// The nonce follows from the request: the same question has the same answer.
	mark := sha256.Sum256(append(slices.Concat([]byte(t.ID), m.SenderNonce, []byte(m.TransactionID)), m.Content...))
	random := s.Tenants.Seed.Reader("scep", hex.EncodeToString(mark[:]))
	nonce, nonceErr := wire.NewNonce(random)
	if nonceErr != nil {
		return nil, nonceErr
	}
	var refused *refusal
	out := wire.Message{Attributes: m.Reply(wire.Success, nonce)}
	switch {
	case errors.Is(err, errPending):
		out.Status = wire.Pending
	case errors.As(err, &refused):
		s.Tenants.Refused(ctx, "scep", "scep.pkioperation", refused.check, refused.info.String())
		out.Status, out.FailInfo, out.FailText = wire.Failure, refused.info, refused.check
	case err != nil:
		return nil, err
	default:
		bundle, err := wire.MarshalCertificates(cert, ra.ca.Cert)
		if err != nil {
			return nil, err
		}
		if out.Content, err = wire.SealWith(a.cipher, bundle, m.Signer, random); err != nil {
			return nil, err
		}
	}
	return out.Sign(ra.id)
}

// open checks what is the same for all messages, and opens the envelope.
func (a *asking) open() error {
	if !a.Strong() {
		return no(wire.BadAlg, "digest algorithm")
	}
	if key, ok := a.Signer.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < minKeyBits {
		return no(wire.BadAlg, "signer's key") // the reply could not be sealed
	}
	content, err := wire.Open(a.Content, a.ra.id)
	if err != nil {
		return no(wire.BadMessageCheck, "envelope")
	}
	a.content = content
	a.cipher, _ = wire.CipherOf(a.Message.Content)
	return nil
}

func (s *Service) serve(ctx context.Context, a *asking) (*x509.Certificate, error) {
	s.issuing.Lock()
	defer s.issuing.Unlock()
	switch a.MessageType {
	case wire.PKCSReq, wire.RenewalReq:
		return s.enrol(ctx, a)
	case wire.CertPoll:
		return s.poll(ctx, a)
	case wire.GetCert:
		return s.find(a)
	}
	return nil, no(wire.BadRequest, "messageType")
}

// enrol issues a certificate, at once or when an administrator has agreed. The
// request comes from who shows a challenge, or who has a certificate already:
// clients that do not know RenewalReq send that as PKCSReq too (RFC 8894 2.3).
func (s *Service) enrol(ctx context.Context, a *asking) (*x509.Certificate, error) {
	csr, err := a.request()
	if err != nil {
		return nil, err
	}
	if cert, err := s.again(ctx, a, csr); cert != nil || err != nil {
		return cert, err
	}
	var holder authority.Holder
	if a.MessageType == wire.RenewalReq || !sameKey(a.Signer, csr) {
		holder, err = s.renewing(a, csr)
	} else {
		holder, err = s.challenged(a, csr)
	}
	if err != nil {
		return nil, err
	}
	row := transaction{Request: csr.Raw, Key: keyHash(csr.RawSubjectPublicKeyInfo), Holder: holder}
	if s.setting(a.t).Approval {
		return nil, s.wait(ctx, a, row)
	}
	return s.issue(ctx, a.t, a.ra, a.TransactionID, row)
}

// request reads the PKCS#10 request.
func (a *asking) request() (*x509.CertificateRequest, error) {
	csr, err := x509.ParseCertificateRequest(a.content)
	if err != nil {
		return nil, no(wire.BadRequest, "certificate request")
	}
	if pki.CheckRequest(csr) != nil {
		return nil, no(wire.BadMessageCheck, "certificate request signature")
	}
	if key, ok := csr.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < minKeyBits {
		return nil, no(wire.BadAlg, "certificate request key")
	}
	if len(csr.IPAddresses)+len(csr.URIs) > 0 {
		return nil, no(wire.BadRequest, "subject alternative names")
	}
	return csr, nil
}

func sameKey(signer *x509.Certificate, csr *x509.CertificateRequest) bool {
	key, ok := signer.PublicKey.(*rsa.PublicKey)
	return ok && key.Equal(csr.PublicKey)
}

func keyHash(spki []byte) string {
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

func names(csr *x509.CertificateRequest) []string {
	return slices.Concat(csr.DNSNames, csr.EmailAddresses)
}

// challenged: the request holds a challenge password that was made for it.
func (s *Service) challenged(a *asking, csr *x509.CertificateRequest) (authority.Holder, error) {
	text, err := wire.Challenge(csr)
	if err != nil || text == "" {
		return authority.Holder{}, no(wire.BadRequest, "challenge password missing")
	}
	c, ok, err := s.spend(a.t, text)
	switch {
	case err != nil:
		return authority.Holder{}, err
	case !ok:
		return authority.Holder{}, no(wire.BadRequest, "challenge password")
	case !c.covers(csr.Subject.CommonName, names(csr)):
		return authority.Holder{}, no(wire.BadRequest, "challenge password for another subject")
	}
	if c.DeviceID != "" {
		if _, err := a.t.Device(c.DeviceID); err != nil {
			return authority.Holder{}, no(wire.BadRequest, "challenge password's device")
		}
	}
	return authority.Holder{TenantID: a.t.ID, UPN: c.UPN, DeviceID: c.DeviceID}, nil
}

// renewing: the message is signed with a certificate that this server issued,
// for the same subject.
func (s *Service) renewing(a *asking, csr *x509.CertificateRequest) (authority.Holder, error) {
	t, holder, err := s.Authorities.Holder(a.Signer)
	switch {
	case errors.Is(err, authority.ErrValidity):
		return holder, no(wire.BadTime, "renewal certificate validity")
	case err != nil:
		return holder, no(wire.BadMessageCheck, "renewal certificate")
	case t.ID != a.t.ID:
		return holder, no(wire.BadMessageCheck, "renewal certificate's organization")
	case string(a.Signer.RawSubject) != string(csr.RawSubject):
		return holder, no(wire.BadRequest, "renewal subject")
	}
	had := slices.Concat(a.Signer.DNSNames, a.Signer.EmailAddresses)
	if slices.ContainsFunc(names(csr), func(n string) bool { return !slices.Contains(had, n) }) {
		return holder, no(wire.BadRequest, "renewal names")
	}
	return authority.Holder{TenantID: t.ID, UPN: holder.UPN, DeviceID: holder.DeviceID}, nil
}

// issue certifies a request.
func (s *Service) issue(ctx context.Context, t *tenant.Tenant, ra *registrar, id string, row transaction) (*x509.Certificate, error) {
	csr, err := x509.ParseCertificateRequest(row.Request)
	if err != nil {
		return nil, no(wire.BadRequest, "certificate request")
	}
	now := s.Tenants.Now()
	cert, err := ra.ca.Issue(now, &x509.Certificate{
		Subject: csr.Subject, RawSubject: csr.RawSubject, DNSNames: csr.DNSNames, EmailAddresses: csr.EmailAddresses, NotAfter: now.Add(s.Tenants.Timing.Intune.SCEPCertificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, csr.PublicKey)
	if err != nil {
		return nil, err
	}
	if err := s.Authorities.Keep(cert, row.Holder); err != nil {
		return nil, err
	}
	row.Request, row.State, row.Thumbprint = nil, stateIssued, pki.Thumbprint(cert)
	row.Serial = cert.SerialNumber.Bytes()
	if err := s.put(t, id, row); err != nil {
		return nil, err
	}
	s.Tenants.Record(ctx, "scep.issued", journal.F("subject", cert.Subject.CommonName), journal.F("thumbprint", row.Thumbprint), journal.F("notAfter", cert.NotAfter))
	return cert, nil
}

// find answers GetCert: a certificate that was issued here, to who has one.
func (s *Service) find(a *asking) (*x509.Certificate, error) {
	if t, _, err := s.Authorities.Holder(a.Signer); err != nil || t.ID != a.t.ID {
		return nil, no(wire.BadMessageCheck, "asking certificate")
	}
	issuer, serial, err := wire.ParseIssuerAndSerial(a.content)
	if err != nil || string(issuer) != string(a.ra.ca.Cert.RawSubject) {
		return nil, no(wire.BadCertID, "issuer and serial number")
	}
	cert, err := s.Authorities.BySerial(a.t, serial)
	if err != nil {
		return nil, no(wire.BadCertID, "serial number")
	}
	return cert, nil
}
