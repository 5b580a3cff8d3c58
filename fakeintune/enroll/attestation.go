package enroll

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/tpmattest"
)

var (
	errNoClaim    = errors.New("the request holds no AIKAttestationClaim with its AIKCert")
	errNoVerifier = errors.New("nobody verifies AIK certificates")
	errOtherTPM   = errors.New("the AIK is of another TPM than the registered one")
	errOtherAIK   = errors.New("AIKPub is not the key of AIKCert")
	errOtherKey   = errors.New("AADPub is not the key of the device's Entra certificate")
)

// AIKPresent is attestationIdentityKey of a managed device whose keys an AIK
// vouched for (learn.microsoft.com/graph, deviceHealthAttestationState); there
// is no state before anything was attested.
const AIKPresent = "Present"

// proof verifies that the request's key is in the TPM that the AIK is in, and
// that this is the registered device's TPM; and, where the request says so of
// it, that the key of the device's Entra certificate is there too. What the AIK
// signed over is the hardware device id of the request (our model): the key is
// fresh, which the request's own signature shows.
func (s *Service) proof(ctx context.Context, e *enrolment) error {
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
	qualifying, err := hex.DecodeString(c.HWDevID)
	if err != nil {
		return fmt.Errorf("HWDevID: %w", err)
	}
	if _, err := certified(cert.PublicKey, c.AIKAttestationClaim, qualifying, e.csr.PublicKey); err != nil {
		return err
	}
	if err := s.entraKey(ctx, e, cert, qualifying); err != nil {
		return err
	}
	if r := e.registration; r != nil && r.Hardware.HasTPM() && ek != [32]byte{} && r.Hardware.EKHash != ek {
		return errOtherTPM
	}
	return nil
}

// certified checks a claim, the AIK's word for a key: want, or whichever it is
// where want is nil.
func certified(aik crypto.PublicKey, claim, qualifying []byte, want crypto.PublicKey) (*tpmattest.Public, error) {
	k, err := tpmattest.ParseKeyAttestation(claim)
	if err != nil {
		return nil, err
	}
	key, err := k.Public()
	if err != nil {
		return nil, err
	}
	_, err = tpmattest.VerifyCertify(aik, k.Attest, k.Signature, qualifying, key, want)
	return key, err
}

// entraKey verifies AadAIKAttestationClaim, where there is one: the AIK's word
// for AADPub, which must be the key of the certificate that the device joined
// Entra ID with, as far as the directory knows it.
func (s *Service) entraKey(ctx context.Context, e *enrolment, aik *x509.Certificate, qualifying []byte) error {
	c := e.about
	if len(c.AadAIKAttestationClaim) == 0 {
		return nil
	}
	refuse := func(err error) error { return &entraKeyError{err} }
	key, err := certified(aik.PublicKey, c.AadAIKAttestationClaim, qualifying, nil)
	if err != nil {
		return refuse(err)
	}
	public, err := tpmattest.ParsePublic(c.AADPub)
	if err != nil {
		return refuse(err)
	}
	if !public.Is(key.Key) {
		return refuse(&tpmattest.Error{Check: tpmattest.CheckKey, Err: errors.New("AADPub is not the key attested")})
	}
	spki, err := x509.MarshalPKIXPublicKey(public.Key)
	if err != nil {
		return refuse(err)
	}
	d, ok := s.Tenants.Directory.Device(ctx, e.tenant.ID, e.entraDevice)
	if ok && d.KeyHash != [32]byte{} && d.KeyHash != sha256.Sum256(spki) {
		return refuse(&tpmattest.Error{Check: tpmattest.CheckKey, Err: errOtherKey})
	}
	e.result.EntraKey = true
	return nil
}

// entraKeyError is about the claim for the Entra device key.
type entraKeyError struct{ err error }

func (e *entraKeyError) Error() string { return "Entra device key: " + e.err.Error() }
func (e *entraKeyError) Unwrap() error { return e.err }

// checkOf names what a proof failed at, for the journal and the record.
func checkOf(err error) string {
	check := string(tpmattest.CheckOf(err))
	if check == "" {
		check = "AIK"
	}
	var about *entraKeyError
	if errors.As(err, &about) {
		check = "Entra key " + check
	}
	return check
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
	cert, err := pki.Parse(der)
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
