package aik

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"net/http"

	"windtunnel.test/sim/journal"
	wire "windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/tpmattest"
)

// oidPolicies is the certificate policies extension (RFC 5280 4.2.1.4).
var oidPolicies = asn1.ObjectIdentifier{2, 5, 29, 32}

// certifyKey answers a request for a key that an AIK vouches for ([MS-WCCE]
// 3.1.1.4.3.4.2): the AIK was shown to be in a TPM when it was certified, so
// nothing is left to challenge, and the certificate comes at once. That only
// the authority which certified the AIK believes it is our model.
func (s *Service) certifyKey(r *http.Request, a *authority, req *wire.Request1, random io.Reader) ([]byte, error) {
	key, aik, err := req.VerifyKeyAttestation()
	if err != nil {
		return nil, statementRefusal(err)
	}
	now := s.Now()
	_, ek, err := s.Attested(req.AIK.Certificate, now)
	if err != nil {
		return nil, &refusal{wire.StatementRejected, "AIK " + aikCheck(err), err.Error()}
	}
	if aik.CheckSignatureFrom(a.ca.Cert) != nil {
		return nil, &refusal{wire.StatementRejected, "AIK authority", "the AIK certificate is of another authority"}
	}
	if err := s.firmware(r); err != nil {
		return nil, err
	}
	cert, err := s.issueKey(a, key, aik)
	if err != nil {
		return nil, err
	}
	s.Record(r.Context(), "aik.key.certified", journal.F("authority", a.host),
		journal.F("serial", cert.SerialNumber.Text(16)), journal.F("ek", hexOf(ek[:8])))
	return wire.BuildSuccess(req.Message, cert, []*x509.Certificate{a.ca.Cert, s.root.Cert}, a.ra, random)
}

// aikCheck names what is wrong with an AIK certificate, for the journal.
func aikCheck(err error) string {
	for check, sentinel := range map[string]error{"issuer": ErrNotIssued, "validity": ErrExpired, "usage": ErrUsage} {
		if errors.Is(err, sentinel) {
			return check
		}
	}
	return "certificate"
}

// issueKey makes the certificate of such a key: the TPM's name of the AIK's
// certificate, never valid for longer than that one, and the policy that says
// what the attestation rests on. Usages are our model.
func (s *Service) issueKey(a *authority, key *tpmattest.Public, aik *x509.Certificate) (*x509.Certificate, error) {
	policy, err := asn1.Marshal([]struct{ ID asn1.ObjectIdentifier }{{wire.PolicyAttestedByCertificate}})
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotAfter: aik.NotAfter, ExtraExtensions: []pkix.Extension{{Id: oidPolicies, Value: policy}},
	}
	if san := subjectAltName(aik); san != nil {
		tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, criticalSAN(san))
	}
	return a.ca.Issue(s.Now(), tmpl, key.Key)
}
