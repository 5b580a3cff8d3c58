package oauth

import (
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// HelloAssertion is the payload of the assertion that a key of Windows Hello for
// Business signs, inside a device's request for a PRT ([MS-OAPXBC] 3.1.5.1.2.1).
// The issuer is the user's principal name. Times are Unix seconds.
type HelloAssertion struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Nonce    string `json:"request_nonce,omitempty"`
	Scope    string `json:"scope,omitempty"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// useNGC marks such assertions in their header.
const useNGC = "ngc"

// SignHello signs an assertion; keyID is the key's name, drs.KeyID of its blob.
func SignHello(key crypto.Signer, keyID string, a HelloAssertion) (string, error) {
	opts := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", keyID).WithHeader("use", useNGC)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: cryptosigner.Opaque(key)}, opts)
	if err != nil {
		return "", fmt.Errorf("oauth: hello assertion: %w", err)
	}
	return signCompact(signer, a)
}

// SignedHello is an assertion whose signature is not verified yet: the key is
// found by its name.
type SignedHello struct {
	HelloAssertion
	KeyID string
	jws   *jose.JSONWebSignature
}

// ParseHello decodes an assertion of [SignHello]; call Verify before trusting it.
func ParseHello(token string) (*SignedHello, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("oauth: hello assertion: %w", err)
	}
	h := jws.Signatures[0].Protected
	if use, _ := h.ExtraHeaders["use"].(string); use != useNGC || h.KeyID == "" {
		return nil, fmt.Errorf("oauth: hello assertion: the header names no key for use %s", useNGC)
	}
	out := &SignedHello{KeyID: h.KeyID, jws: jws}
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &out.HelloAssertion); err != nil {
		return nil, fmt.Errorf("oauth: hello assertion payload: %w", err)
	}
	return out, nil
}

// Verify checks the signature with the registered key; a wrong one is an error
// with [ErrSignature] in its chain.
func (h *SignedHello) Verify(key *rsa.PublicKey) error {
	if _, err := h.jws.Verify(key); err != nil {
		return fmt.Errorf("oauth: hello assertion: %w", ErrSignature)
	}
	return nil
}
