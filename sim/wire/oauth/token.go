package oauth

import (
	"crypto"
	"crypto/sha1" // x5t is a SHA-1 thumbprint by definition (RFC 7517 4.8)
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Claims are those of access and id tokens (learn.microsoft.com, "access token
// claims reference"). Times are Unix seconds. A device's own token has a
// DeviceID and no UPN; an application's has Roles and no DeviceID.
type Claims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`

	TenantID          string   `json:"tid"`
	ObjectID          string   `json:"oid,omitempty"`
	Subject           string   `json:"sub,omitempty"`
	UPN               string   `json:"upn,omitempty"`
	PreferredUsername string   `json:"preferred_username,omitempty"`
	Name              string   `json:"name,omitempty"`
	DeviceID          string   `json:"deviceid,omitempty"`
	AppID             string   `json:"appid,omitempty"` // version 1
	AuthorizedParty   string   `json:"azp,omitempty"`   // version 2
	AuthMethods       []string `json:"amr,omitempty"`   // pwd, rsa (device key), mfa
	Scopes            string   `json:"scp,omitempty"`   // blank-separated
	Roles             []string `json:"roles,omitempty"`
	IdentityType      string   `json:"idtyp,omitempty"` // user, app, device
	TokenID           string   `json:"uti,omitempty"`
	UniqueName        string   `json:"unique_name,omitempty"` // version 1
	// How the client proved itself: "0" not at all, "1" by a secret, "2" by a
	// certificate; in version 1 and 2.
	AppIDACR string `json:"appidacr,omitempty"`
	AZPACR   string `json:"azpacr,omitempty"`
	// Members of id tokens (OpenID Connect Core 2, 3.3.2.11).
	Nonce     string `json:"nonce,omitempty"`
	AuthTime  int64  `json:"auth_time,omitempty"`
	CodeHash  string `json:"c_hash,omitempty"`
	TokenHash string `json:"at_hash,omitempty"`
	Email     string `json:"email,omitempty"`
	Version   string `json:"ver"`

	// Where the tenant's MDM is, in tokens for device registration.
	MDMEnrollmentURL string `json:"mdm_enrollment_url,omitempty"`
	MDMTermsURL      string `json:"mdm_terms_of_use_url,omitempty"`
	MDMComplianceURL string `json:"mdm_compliance_url,omitempty"`
}

// Issuer is the iss of a tenant's tokens, for version "1.0" or "2.0".
func Issuer(tenant, version string) string {
	if version == "2.0" {
		return "https://" + Host + "/" + tenant + "/v2.0"
	}
	return "https://sts.windows.net/" + tenant + "/"
}

// Signer signs tokens with RS256. Its key id is the thumbprint of the
// certificate, as the real service names its keys.
type Signer struct {
	keyID  string
	cert   *x509.Certificate
	signer jose.Signer
}

// NewSigner takes the private key and its certificate (DER).
func NewSigner(key crypto.Signer, certificate []byte) (*Signer, error) {
	cert, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, fmt.Errorf("oauth: signing certificate: %w", err)
	}
	sum := sha1.Sum(certificate)
	kid := b64.EncodeToString(sum[:])
	opts := (&jose.SignerOptions{}).WithType("JWT").WithHeader("x5t", kid).WithHeader("kid", kid)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: cryptosigner.Opaque(key)}, opts)
	if err != nil {
		return nil, fmt.Errorf("oauth: signing key: %w", err)
	}
	return &Signer{keyID: kid, cert: cert, signer: signer}, nil
}

// Sign makes the compact token.
func (s *Signer) Sign(c Claims) (string, error) { return signCompact(s.signer, c) }

// Key is the public half, as published.
func (s *Signer) Key() jose.JSONWebKey {
	sum := sha1.Sum(s.cert.Raw)
	return jose.JSONWebKey{Key: s.cert.PublicKey, KeyID: s.keyID, Use: "sig",
		Certificates: []*x509.Certificate{s.cert}, CertificateThumbprintSHA1: sum[:]}
}

// JWKS is a key document; it marshals as served at /discovery/keys.
type JWKS = jose.JSONWebKeySet

// NewJWKS lists the signers' public keys.
func NewJWKS(signers ...*Signer) *JWKS {
	set := &JWKS{}
	for _, s := range signers {
		set.Keys = append(set.Keys, s.Key())
	}
	return set
}

// KeysOf is the key document of version 2: each key says which issuer's tokens
// it may sign, with the placeholder {tenantid} for several tenants.
func KeysOf(set *JWKS, issuer string) (map[string][]map[string]any, error) {
	raw, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("oauth: key document: %w", err)
	}
	var doc map[string][]map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("oauth: key document: %w", err)
	}
	for _, key := range doc["keys"] {
		key["issuer"] = issuer
	}
	return doc, nil
}

// ParseJWKS reads a key document as fetched.
func ParseJWKS(body []byte) (*JWKS, error) {
	var set JWKS
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("oauth: key document: %w", err)
	}
	return &set, nil
}

// What can be wrong with a token, beside [ErrSignature].
var (
	ErrMalformed   = errors.New("token is malformed")
	ErrUnknownKey  = errors.New("token is signed with an unknown key")
	ErrAudience    = errors.New("token is meant for another audience")
	ErrIssuer      = errors.New("issuer and tenant do not match")
	ErrExpired     = errors.New("token has expired")
	ErrNotYetValid = errors.New("token is not valid yet")
)

// Verify checks form, signature, issuer, audience and time, in this order, and
// returns the claims. Audiences compare without case and final slash, as
// resources are written both ways. Whether the tenant is the right one is for
// the caller to check: Claims.TenantID.
func Verify(keys *JWKS, token, audience string, now time.Time) (*Claims, error) {
	return verify(keys, token, now, func(c *Claims) bool { return SameAudience(c.Audience, audience) })
}

// VerifyAny is Verify for whoever compares the audience by itself.
func VerifyAny(keys *JWKS, token string, now time.Time) (*Claims, error) {
	return verify(keys, token, now, func(*Claims) bool { return true })
}

func verify(keys *JWKS, token string, now time.Time, audience func(*Claims) bool) (*Claims, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("oauth: verify: %w: %w", ErrMalformed, err)
	}
	found := keys.Key(jws.Signatures[0].Protected.KeyID)
	if len(found) == 0 {
		return nil, fmt.Errorf("oauth: verify: %w", ErrUnknownKey)
	}
	payload, err := jws.Verify(found[0].Key)
	if err != nil {
		return nil, fmt.Errorf("oauth: verify: %w", ErrSignature)
	}
	var c Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, fmt.Errorf("oauth: verify: %w: %w", ErrMalformed, err)
	}
	switch {
	case c.TenantID == "" || c.Issuer != Issuer(c.TenantID, c.Version):
		err = ErrIssuer
	case !audience(&c):
		err = ErrAudience
	case now.Unix() >= c.Expires:
		err = ErrExpired
	case now.Unix() < c.NotBefore:
		err = ErrNotYetValid
	default:
		return &c, nil
	}
	return nil, fmt.Errorf("oauth: verify: %w", err)
}

// SameAudience compares two resource identifiers.
func SameAudience(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
}

// Bearer takes the token from an Authorization header. Some clients leave the
// scheme out; both forms are accepted.
func Bearer(header string) string {
	scheme, token, ok := strings.Cut(strings.TrimSpace(header), " ")
	switch named := strings.EqualFold(scheme, "Bearer"); {
	case named:
		return strings.TrimSpace(token)
	case ok:
		return ""
	}
	return scheme
}
