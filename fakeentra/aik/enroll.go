package aik

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// answer tells the two requests apart by their message type.
func (s *Service) answer(r *http.Request, a *authority, body []byte) ([]byte, error) {
	m, err := scep.Parse(body)
	if err != nil {
		return nil, &refusal{wire.BadRequest, "message", err.Error()}
	}
	random := s.ReaderFor("reply", body)
	switch m.MessageType {
	case scep.PKCSReq:
		return s.challenge(r, a, body, random)
	case wire.AnswerChallenge:
		return s.certify(r, a, body, random)
	}
	return nil, &refusal{wire.BadRequest, "message type", fmt.Sprintf("message type %d is not known", m.MessageType)}
}

// challenge answers request 1: believes the EK because of its certificate and
// the AIK because of its own statement, and asks for the proof that both are in
// one TPM ([MS-WCCE] 3.2.2.6.2.1.2.5 and .6).
func (s *Service) challenge(r *http.Request, a *authority, body []byte, random io.Reader) ([]byte, error) {
	req, err := wire.ParseRequest1(body, a.ra.Encryption)
	if err != nil {
		return nil, statementRefusal(err)
	}
	if req.AIK != nil {
		return s.certifyKey(r, a, req, random)
	}
	ek, cert, err := s.trustEK(a, req)
	if err != nil {
		return nil, err
	}
	aikPublic, err := req.VerifyAttestation()
	if err != nil {
		return nil, statementRefusal(err)
	}
	if err := s.firmware(r); err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(aikPublic.Key)
	if err != nil {
		return nil, &refusal{wire.StatementRejected, "algorithm", err.Error()}
	}
	hash, err := service.EKHash(ek)
	if err != nil {
		return nil, err
	}
	// Not of the message alone: sent again, it gets another secret, or who recorded
	// the exchange could have it answered by sending the rest again.
	once := s.NewSecret("challenge")
	random = s.ReaderFor("challenge", append(once[:], body...))
	c := challenge{
		AIK: spki, EKHash: hash, SubjectAltName: subjectAltName(cert), Signer: sha256.Sum256(req.Message.Signer.Raw),
		Authority: a.host, Expires: s.Now().Add(s.Timing.TPM.AIKChallengeLife),
	}
	if _, err := io.ReadFull(random, c.Secret[:]); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(random, c.Context[:]); err != nil {
		return nil, err
	}
	credential, err := tpmattest.MakeCredential(ek, aikPublic.Name, c.Secret[:], random)
	if err != nil {
		return nil, statementRefusal(err)
	}
	if err := s.challenges.open(req.Message.TransactionID, c, s.Now()); err != nil {
		return nil, err
	}
	return wire.BuildChallenge(req.Message, wire.Challenge{Credential: credential, ServerContext: c.Context[:]}, a.ra, random)
}

// statementRefusal: what a check on TPM structures refused is a rejected
// statement, anything else a message that cannot be read.
func statementRefusal(err error) *refusal {
	if check := tpmattest.CheckOf(err); check != "" {
		return &refusal{wire.StatementRejected, string(check), err.Error()}
	}
	return &refusal{wire.BadRequest, "message", err.Error()}
}

// trustEK checks the EK certificate: it is there, about this EK, of this
// authority's CA, and chains to a trusted vendor root at this moment.
func (s *Service) trustEK(a *authority, req *wire.Request1) (crypto.PublicKey, *x509.Certificate, error) {
	cert, err := req.EK.ParseCertificate()
	if err != nil {
		return nil, nil, &refusal{wire.EKRejected, "EK " + string(tpmattest.CheckOf(err)), err.Error()}
	}
	if !s.under(a, cert) {
		return nil, nil, &refusal{wire.EKRejected, "EK authority", "the EK certificate is of another authority"}
	}
	if !slices.ContainsFunc(cert.UnknownExtKeyUsage, wire.EKUEKCertificate.Equal) {
		return nil, nil, &refusal{wire.EKRejected, "EK usage", "the certificate is not for an EK"}
	}
	between := x509.NewCertPool()
	for _, c := range req.Message.Others {
		between.AddCert(c)
	}
	for _, der := range req.EK.Extra {
		if c, err := pki.Parse(der); err == nil {
			between.AddCert(c)
		}
	}
	for _, ca := range s.settings.VendorCAs {
		between.AddCert(ca) // a part does not carry its issuer; the service knows the vendors'
	}
	leaf := *cert
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(cert.UnhandledCriticalExtensions), oidSubjectAltName.Equal)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: s.roots, Intermediates: between, CurrentTime: s.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return nil, nil, &refusal{wire.EKRejected, "EK chain", err.Error()}
	}
	return req.EK.Key, cert, nil
}

// under tells whether an EK certificate is of an authority's CA: by its
// authority key identifier or, where a vendor left that out as with old parts,
// by its issuer's name.
func (s *Service) under(a *authority, cert *x509.Certificate) bool {
	if len(cert.AuthorityKeyId) > 0 {
		return bytes.Equal(cert.AuthorityKeyId, a.keyID)
	}
	return slices.ContainsFunc(s.settings.VendorCAs, func(ca *x509.Certificate) bool {
		return bytes.Equal(ca.SubjectKeyId, a.keyID) && bytes.Equal(ca.RawSubject, cert.RawIssuer)
	})
}

// oidSubjectAltName: an EK certificate's is critical and holds a directory name
// only, which the library leaves unhandled (TCG EK Credential Profile 3.2.9).
var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

func subjectAltName(cert *x509.Certificate) []byte {
	for _, e := range cert.Extensions {
		if e.Id.Equal(oidSubjectAltName) {
			return e.Value
		}
	}
	return nil
}

// certify answers request 2. The challenge is spent whatever comes of it
// ([MS-WCCE] 3.2.2.6.2.1.2.7).
func (s *Service) certify(r *http.Request, a *authority, body []byte, random io.Reader) ([]byte, error) {
	req, err := wire.ParseRequest2(body, a.ra.Encryption)
	if err != nil {
		return nil, &refusal{wire.BadRequest, "message", err.Error()}
	}
	now := s.Now()
	c, state, err := s.challenges.spend(req.Message.TransactionID, now)
	if err != nil {
		return nil, err
	}
	check, info := "", scep.BadRequest
	switch {
	case state == challengeUnknown:
		check, info = "challenge unknown", scep.BadCertID
	case state == challengeSpent:
		check, info = "challenge already used", scep.BadCertID
	case state == challengeExpired:
		check, info = "challenge expired", scep.BadTime
	case c.Authority != a.host:
		check = "challenge of another authority"
	case c.Signer != sha256.Sum256(req.Message.Signer.Raw):
		check, info = "challenge answered by another requester", scep.BadMessageCheck
	case !bytes.Equal(req.ServerContext, c.Context[:]):
		check = "server context"
	case subtle.ConstantTimeCompare(req.Secret, c.Secret[:]) != 1:
		check, info = "challenge answered wrong", scep.BadMessageCheck
	}
	if check != "" {
		s.Refused(r.Context(), "aik.enroll", check, info.String())
		return wire.BuildFailure(req.Message, info, check, a.ra, random)
	}
	cert, err := s.issue(a, c, now)
	if err != nil {
		return nil, err
	}
	s.Record(r.Context(), "aik.certificate.issued", journal.F("authority", a.host),
		journal.F("serial", cert.SerialNumber.Text(16)), journal.F("ek", hexOf(c.EKHash[:8])))
	return wire.BuildSuccess(req.Message, cert, []*x509.Certificate{a.ca.Cert, s.root.Cert}, a.ra, random)
}

// issue makes the AIK certificate: no subject, the TPM's name, and the key
// usage of the TCG's credential profiles.
func (s *Service) issue(a *authority, c challenge, now time.Time) (*x509.Certificate, error) {
	pub, err := x509.ParsePKIXPublicKey(c.AIK)
	if err != nil {
		return nil, fmt.Errorf("fakeentra/aik: issue: %w", err)
	}
	tmpl := &x509.Certificate{
		KeyUsage:           x509.KeyUsageDigitalSignature,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{wire.EKUAIKCertificate},
		NotAfter:           s.Timing.TPM.AIKCertificateLife.After(now),
	}
	if c.SubjectAltName != nil {
		tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, criticalSAN(c.SubjectAltName))
	}
	cert, err := a.ca.Issue(now, tmpl, pub)
	if err != nil {
		return nil, fmt.Errorf("fakeentra/aik: issue: %w", err)
	}
	return cert, s.issued.add(record(c, sha256.Sum256(c.AIK), cert))
}
