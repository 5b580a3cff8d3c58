package aik

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"

	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
)

// raKeyNumber is which RSA key of the shared pool opens envelopes: SCEP carries
// content keys by RSA, so the registration authority's key has to be one.
const raKeyNumber = 1

// authority is what one vendor CA's host answers with.
type authority struct {
	host     string
	keyID    []byte // of the vendor CA whose EK certificates it takes
	ca       *pki.CA
	ra       wire.Registrar
	chainDER []byte // answer to GetCACertChain
}

// authority finds or makes the authority of a host. Its keys and certificates
// follow from seed and host, so it does not matter who asks first.
func (s *Service) authority(host string) (*authority, error) {
	_, keyID, ok := wire.ParseHost(host)
	if !ok || !s.knows(keyID) {
		return nil, fmt.Errorf("fakeentra/aik: no authority %q", host)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.authorities[host]; ok {
		return a, nil
	}
	a, err := s.newAuthority(host, keyID)
	if err != nil {
		return nil, err
	}
	s.authorities[host] = a
	return a, nil
}

func (s *Service) newAuthority(host string, keyID []byte) (*authority, error) {
	// Dates hang on the root's, not on the moment of the first request.
	born := s.root.Cert.NotBefore
	ca, err := s.root.Sub(born, host, pki.Options{NotBefore: born, Life: s.root.Cert.NotAfter.Sub(born)})
	if err != nil {
		return nil, fmt.Errorf("fakeentra/aik: authority %s: %w", host, err)
	}
	a := &authority{host: host, keyID: keyID, ca: ca}
	a.ra.Signing.Key = pki.Key(s.Seed, "ra", host)
	a.ra.Encryption.Key = pki.PooledRSA(raKeyNumber)
	for _, part := range []struct {
		id    *scep.Identity
		name  string
		usage x509.KeyUsage
	}{
		{&a.ra.Signing, wire.RASigningName, x509.KeyUsageDigitalSignature},
		{&a.ra.Encryption, wire.RAEncryptionName, x509.KeyUsageKeyEncipherment},
	} {
		part.id.Certificate, err = ca.Issue(born, &x509.Certificate{
			Subject: pkix.Name{CommonName: part.name}, KeyUsage: part.usage, NotAfter: ca.Cert.NotAfter,
		}, part.id.Key.Public())
		if err != nil {
			return nil, fmt.Errorf("fakeentra/aik: authority %s: %w", host, err)
		}
	}
	a.chainDER, err = wire.Authority{
		Root: s.root.Cert, Issuing: ca.Cert, Signing: a.ra.Signing.Certificate, Encryption: a.ra.Encryption.Certificate,
	}.Marshal()
	return a, err
}
