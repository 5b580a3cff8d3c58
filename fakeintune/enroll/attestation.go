package enroll

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/tpmattest"
)

var (
	errNoClaim    = errors.New("the request holds no AIKAttestationClaim with its AIKCert")
	errNoVerifier = errors.New("nobody verifies AIK certificates")
	errOtherTPM   = errors.New("the AIK is of another TPM than the registered one")
	errOtherAIK   = errors.New("AIKPub is not the key of AIKCert")
)

// proof verifies that the request's key is in the TPM that the AIK is in, and
// that this is the registered device's TPM. What the AIK signed over is the
// hardware device id of the request (our model): the key is fresh, which the
// request's own signature shows.
func (s *Service) proof(e *enrolment) error {
	c := e.about
	if len(c.AIKAttestationClaim) == 0 || len(c.AIKCert) == 0 {
		return errNoClaim
	}
	if s.Attestation == nil {
		return errNoVerifier
	}
	cert, ek, err := s.Attestation.Attested(c.AIKCert, s.Tenants.Now())
	if err != nil {
		return fmt.Errorf("AIK certificate: %w", err)
	}
	if len(c.AIKPub) > 0 {
		pub, err := tpmattest.ParsePublic(c.AIKPub)
		if err != nil {
			return err
		}
		if !pub.Is(cert.PublicKey) {
			return &tpmattest.Error{Check: tpmattest.CheckCertificate, Err: errOtherAIK}
		}
	}
	claim, err := tpmattest.ParseKeyAttestation(c.AIKAttestationClaim)
	if err != nil {
		return err
	}
	key, err := claim.Public()
	if err != nil {
		return err
	}
	qualifying, err := hex.DecodeString(c.HWDevID)
	if err != nil {
		return fmt.Errorf("HWDevID: %w", err)
	}
	if _, err := tpmattest.VerifyCertify(cert.PublicKey, claim.Attest, claim.Signature, qualifying, key, e.csr.PublicKey); err != nil {
		return err
	}
	if r := e.registration; r != nil && r.Hardware.HasTPM() && ek != [32]byte{} && r.Hardware.EKHash != ek {
		return errOtherTPM
	}
	return nil
}

// ChainTo is an Attestation that knows no endorsement keys: it accepts AIK
// certificates that chain to these roots. issuing are the authorities between,
// for clients that send the leaf only.
func ChainTo(roots, issuing []*x509.Certificate) Attestation {
	c := chains{x509.NewCertPool(), x509.NewCertPool()}
	for _, r := range roots {
		c.roots.AddCert(r)
	}
	for _, i := range issuing {
		c.issuing.AddCert(i)
	}
	return c
}

type chains struct{ roots, issuing *x509.CertPool }

var (
	errNotAIK = errors.New("the certificate is not for an AIK")
	oidSAN    = asn1.ObjectIdentifier{2, 5, 29, 17}
)

func (c chains) Attested(der []byte, now time.Time) (*x509.Certificate, [32]byte, error) {
	var unknown [32]byte
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, unknown, err
	}
	if !slices.ContainsFunc(cert.UnknownExtKeyUsage, aik.EKUAIKCertificate.Equal) {
		return nil, unknown, errNotAIK
	}
	// The TPM's name stands in a critical subjectAltName of a form that crypto/x509 does not read (TCG EK Credential
	// Profile 3.2.9).
	leaf := *cert
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(cert.UnhandledCriticalExtensions), oidSAN.Equal)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: c.issuing, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return cert, unknown, err
}

// oneTimeLimited tells whether the device was deployed without a user before,
// its record still stands, and nobody allowed the next enrolment.
func oneTimeLimited(e *enrolment) bool { return e.registration.Userless == graph.UserlessBlocked }

func oneTimeRefusal() error {
	return no("one-time limit", hresult.EnrollDeviceNotSupported, "Enrollment blocked for AP device by SDM One Time Limit Check")
}
