package aik

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/aik"
)

// Record is an AIK certificate that was issued.
type Record struct {
	EKHash    [32]byte // SHA-256 of the EK's SubjectPublicKeyInfo
	AIKHash   [32]byte // of the AIK's
	Authority string   // host that issued it
	Serial    string   // hex
	Issued    time.Time
	Expires   time.Time
}

// What can be wrong with an AIK certificate.
var (
	ErrNotIssued = errors.New("AIK certificate was not issued here")
	ErrExpired   = service.ErrAIKExpired
	ErrUsage     = errors.New("certificate is not for an AIK")
)

// Attested verifies an AIK certificate (DER) against the service's own CAs and
// records and gives the endorsement key it was certified with. Device tickets
// and device registration ask for it.
func (s *Service) Attested(certificate []byte, now time.Time) (*x509.Certificate, [32]byte, error) {
	s.init()
	var none [32]byte
	cert, err := pki.Parse(certificate)
	if err != nil {
		return nil, none, fmt.Errorf("fakeentra/aik: AIK certificate: %w", err)
	}
	record, ok := s.issued.byAIK(sha256.Sum256(cert.RawSubjectPublicKeyInfo))
	if !ok {
		return nil, none, fmt.Errorf("fakeentra/aik: %w", ErrNotIssued)
	}
	a, err := s.authority(record.Authority)
	if err != nil {
		return nil, none, err
	}
	switch {
	case pki.CheckIssued(cert, a.ca.Cert) != nil:
		err = ErrNotIssued
	case now.Before(cert.NotBefore) || now.After(cert.NotAfter):
		err = ErrExpired
	case !slices.ContainsFunc(cert.UnknownExtKeyUsage, wire.EKUAIKCertificate.Equal):
		err = ErrUsage
	default:
		return cert, record.EKHash, nil
	}
	return nil, none, fmt.Errorf("fakeentra/aik: %w", err)
}

// Records are the certificates issued for an endorsement key, oldest first.
func (s *Service) Records(ekHash [32]byte) []Record {
	s.init()
	return s.issued.byEK(ekHash)
}
