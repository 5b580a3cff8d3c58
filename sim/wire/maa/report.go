package maa

import (
	"crypto"
	"crypto/sha1" // x5t-like key ids are SHA-1 thumbprints
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Report is the claims of a report, named as the sample on the HealthAttestation
// CSP page (learn.microsoft.com) names them. Times are Unix seconds.
type Report struct {
	Issuer    string `json:"iss"`
	ID        string `json:"jti"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	Version   string `json:"ver"`
	MSVersion string `json:"x-ms-ver"`
	// RelyingData and Nonce are the rp_data of the request.
	RelyingData  Bytes        `json:"rp_data"`
	Nonce        Bytes        `json:"nonce"`
	Confirmation Confirmation `json:"cnf"`

	AIKValidated  bool   `json:"aikValidated"`
	AIKPublicHash string `json:"aikPubHash"` // base64 of SHA-256 over SubjectPublicKeyInfo
	TPMVersion    int    `json:"tpmVersion"`
	ResetCount    uint32 `json:"tpmResetCount"`   // ours: from the quote, starts of the TPM
	RestartCount  uint32 `json:"tpmRestartCount"` // ours: from the quote, its resumes since
	PCRHash       uint16 `json:"pcrHashAlgorithm"`
	PCR0          Bytes  `json:"pcr0"` // ours: what firmware is

	SecureBoot            bool   `json:"secureBootEnabled"`
	BitLocker             bool   `json:"bitlockerEnabled"`
	BitLockerValue        uint32 `json:"bitlockerEnabledValue,omitempty"` // how the drive was unlocked
	CodeIntegrity         bool   `json:"codeIntegrityEnabled"`
	BootDebuggingDisabled bool   `json:"bootDebuggingDisabled"`
	OSDebuggingDisabled   bool   `json:"osKernelDebuggingDisabled"`
	TestSigningDisabled   bool   `json:"testSigningDisabled"`
	FlightSigningDisabled bool   `json:"flightSigningNotEnabled"`
	NotSafeMode           bool   `json:"notSafeMode"`
	NotWinPE              bool   `json:"notWinPE"`
	VBS                   bool   `json:"vbsEnabled"`
	HVCI                  bool   `json:"hvciEnabled"`
	IOMMU                 bool   `json:"iommuEnabled"`
	DEPPolicy             uint64 `json:"depPolicy"`
	ELAM                  bool   `json:"WindowsDefenderElamDriverLoaded"`
}

// Confirmation says who may show the report: the holder of the key that signed
// the request (RFC 7800).
type Confirmation struct {
	Key *Key `json:"jwk"`
}

// Signer signs reports with RS256.
type Signer struct {
	keyID  string
	cert   *x509.Certificate
	signer jose.Signer
}

// NewSigner takes the private key and its certificate, which travels in each
// report's header.
func NewSigner(key crypto.Signer, cert *x509.Certificate) (*Signer, error) {
	sum := sha1.Sum(cert.Raw)
	s := &Signer{keyID: base64.RawURLEncoding.EncodeToString(sum[:]), cert: cert}
	opts := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", s.keyID).
		WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(cert.Raw)})
	var err error
	s.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: cryptosigner.Opaque(key)}, opts)
	if err != nil {
		return nil, fmt.Errorf("maa: signing key: %w", err)
	}
	return s, nil
}

// Sign makes the compact report.
func (s *Signer) Sign(r Report) (string, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("maa: report: %w", err)
	}
	jws, err := s.signer.Sign(body)
	if err != nil {
		return "", fmt.Errorf("maa: report: %w", err)
	}
	return jws.CompactSerialize()
}

// Keys is the document of the signer's public key, as served at /certs.
func (s *Signer) Keys() *jose.JSONWebKeySet {
	return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.cert.PublicKey, KeyID: s.keyID, Use: "sig", Certificates: []*x509.Certificate{s.cert}}}}
}

// What can be wrong with a report.
var (
	ErrUnknownKey = errors.New("report is signed with an unknown key")
	ErrForged     = errors.New("report's signature does not hold")
	ErrIssuer     = errors.New("report is of another service")
	ErrExpired    = errors.New("report has expired")
	ErrNotYet     = errors.New("report is not valid yet")
)

// Verify checks form, signature, issuer and time, in this order, and gives the
// claims. Whose report it is, and whether its nonce is the one that was asked
// with, is for the relying party to see.
func Verify(keys *jose.JSONWebKeySet, report, issuer string, now time.Time) (*Report, error) {
	if len(report) > MaxBytes {
		return nil, fmt.Errorf("maa: report: %w", ErrLong)
	}
	jws, err := jose.ParseSignedCompact(report, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("maa: report: %w: %w", ErrMalformed, err)
	}
	found := keys.Key(jws.Signatures[0].Protected.KeyID)
	if len(found) == 0 {
		return nil, fmt.Errorf("maa: report: %w", ErrUnknownKey)
	}
	body, err := jws.Verify(found[0].Key)
	if err != nil {
		return nil, fmt.Errorf("maa: report: %w", ErrForged)
	}
	var r Report
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("maa: report: %w: %w", ErrMalformed, err)
	}
	switch {
	case r.Issuer != issuer:
		err = ErrIssuer
	case now.Unix() >= r.Expires:
		err = ErrExpired
	case now.Unix() < r.NotBefore:
		err = ErrNotYet
	default:
		return &r, nil
	}
	return nil, fmt.Errorf("maa: report: %w", err)
}

// Metadata is the OpenID document of the service
// (learn.microsoft.com/rest/api/attestation/metadata-configuration).
type Metadata struct {
	Issuer        string   `json:"issuer"`
	KeysURI       string   `json:"jwks_uri"`
	ResponseTypes []string `json:"response_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
}

// NewMetadata is the document of a service at an address.
func NewMetadata(issuer string) Metadata {
	return Metadata{Issuer: issuer, KeysURI: issuer + "/certs", ResponseTypes: []string{"token", "none"}, Algorithms: []string{"RS256"}}
}
