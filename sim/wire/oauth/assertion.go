package oauth

import (
	"crypto"
	"crypto/sha1" // x5t is a SHA-1 thumbprint by definition (RFC 7515 4.1.7)
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// AssertionTypeJWT is the client_assertion_type of a [ClientAssertion].
const AssertionTypeJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// OnBehalfOf is the requested_token_use of a service that acts for its caller.
const OnBehalfOf = "on_behalf_of"

// ClientAssertion is the payload of a JWT by which an application proves itself
// (RFC 7523 3; learn.microsoft.com, "Microsoft identity platform application
// authentication certificate credentials"). Times are Unix seconds.
type ClientAssertion struct {
	Audience  audiences `json:"aud"`
	Issuer    string    `json:"iss"`
	Subject   string    `json:"sub"`
	ID        string    `json:"jti,omitempty"`
	NotBefore int64     `json:"nbf,omitempty"`
	IssuedAt  int64     `json:"iat,omitempty"`
	Expires   int64     `json:"exp"`
}

// audiences is one string or a list of them (RFC 7519 4.1.3).
type audiences []string

func (a *audiences) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// SignedAssertion is a client assertion whose signature is not verified yet:
// the certificate is found by what the header says of it.
type SignedAssertion struct {
	ClientAssertion
	// Chain is what x5c has, the application's certificate first; or nothing.
	Chain []*x509.Certificate

	sha1, sha256 []byte
	jws          *jose.JSONWebSignature
}

var assertionAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256}

// ParseClientAssertion decodes a JWT; call Verify before trusting it.
func ParseClientAssertion(token string) (*SignedAssertion, error) {
	jws, err := jose.ParseSignedCompact(token, assertionAlgorithms)
	if err != nil {
		return nil, fmt.Errorf("oauth: client assertion: %w", err)
	}
	out := &SignedAssertion{jws: jws}
	header, _, _ := strings.Cut(token, ".")
	raw, err := b64.DecodeString(header)
	if err != nil {
		return nil, fmt.Errorf("oauth: client assertion header: %w", err)
	}
	var h struct {
		X5T    string   `json:"x5t"`
		X5T256 string   `json:"x5t#S256"`
		KeyID  string   `json:"kid"`
		X5C    [][]byte `json:"x5c"`
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("oauth: client assertion header: %w", err)
	}
	for _, der := range h.X5C {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("oauth: client assertion x5c: %w", err)
		}
		out.Chain = append(out.Chain, cert)
	}
	if out.sha1 = thumbprint(h.X5T, sha1.Size); out.sha1 == nil {
		out.sha1 = thumbprint(h.KeyID, sha1.Size)
	}
	out.sha256 = thumbprint(h.X5T256, sha256.Size)
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &out.ClientAssertion); err != nil {
		return nil, fmt.Errorf("oauth: client assertion payload: %w", err)
	}
	return out, nil
}

// thumbprint reads one in base64url, as RFC 7515 has it, in plain base64, as
// MSAL for Go writes it, or in hexadecimal, as the portal shows it and some
// clients send it for kid.
func thumbprint(text string, size int) []byte {
	url := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(text)
	if b, err := b64.DecodeString(url); err == nil && len(b) == size {
		return b
	}
	if b, err := hex.DecodeString(text); err == nil && len(b) == size {
		return b
	}
	return nil
}

// Thumbprint is a certificate's SHA-1, as x5t and the portal have it.
func Thumbprint(cert *x509.Certificate) []byte {
	sum := sha1.Sum(cert.Raw)
	return sum[:]
}

// Thumbprint is what the header points at the certificate with: SHA-256 or
// SHA-1, or the SHA-1 of what x5c has first; nil where it does not.
func (a *SignedAssertion) Thumbprint() []byte {
	switch {
	case a.sha256 != nil:
		return a.sha256
	case a.sha1 != nil:
		return a.sha1
	case len(a.Chain) > 0:
		return Thumbprint(a.Chain[0])
	}
	return nil
}

// Verify checks the signature with a certificate's key; a wrong one is an
// error with [ErrSignature] in its chain.
func (a *SignedAssertion) Verify(cert *x509.Certificate) error {
	if _, err := a.jws.Verify(cert.PublicKey); err != nil {
		return fmt.Errorf("oauth: client assertion: %w", ErrSignature)
	}
	return nil
}

// SignClientAssertion makes one, by x5t#S256 and PS256 or by x5t and RS256.
func SignClientAssertion(key crypto.Signer, cert *x509.Certificate, alg jose.SignatureAlgorithm, chain bool, a ClientAssertion) (string, error) {
	opts := (&jose.SignerOptions{}).WithType("JWT")
	if alg == jose.PS256 {
		sum := sha256.Sum256(cert.Raw)
		opts = opts.WithHeader("x5t#S256", b64.EncodeToString(sum[:]))
	} else {
		opts = opts.WithHeader("x5t", b64.EncodeToString(Thumbprint(cert)))
	}
	if chain {
		opts = opts.WithHeader("x5c", [][]byte{cert.Raw})
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: cryptosigner.Opaque(key)}, opts)
	if err != nil {
		return "", fmt.Errorf("oauth: client assertion: %w", err)
	}
	return signCompact(signer, a)
}
