package oauth

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// DeviceRequest is the payload of a JWT that a device signs with the key of
// its device certificate: a request for a primary refresh token ([MS-OAPXBC]
// 3.2.5.1.2.1) or, with GrantDeviceToken, for a token of the device itself.
// Times are Unix seconds.
type DeviceRequest struct {
	ClientID     string `json:"client_id"`
	GrantType    string `json:"grant_type"`
	Scope        string `json:"scope,omitempty"`
	RequestNonce string `json:"request_nonce,omitempty"`
	Issuer       string `json:"iss,omitempty"`
	Audience     string `json:"aud,omitempty"`
	IssuedAt     int64  `json:"iat,omitempty"`
	Expires      int64  `json:"exp,omitempty"`

	// One of these authenticates the user of a PRT request.
	Username     string `json:"username,omitempty"`
	Password     string `json:"password,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Assertion    string `json:"assertion,omitempty"`

	// Members of the device token request.
	Resource    string `json:"resource,omitempty"`
	RedirectURI string `json:"redirect_uri,omitempty"`

	WindowsVersion string   `json:"win_ver,omitempty"`
	ClientInfo     any      `json:"client_info,omitempty"` // 1 or "1" asks for it in the answer
	TGT            any      `json:"tgt,omitempty"`         // true or "true" asks for Kerberos tickets
	GroupSIDs      []string `json:"group_sids,omitempty"`
}

// Asks tells whether a member that clients write as 1, true or either in quotes
// is set.
func Asks(member any) bool {
	switch m := member.(type) {
	case bool:
		return m
	case float64:
		return m == 1
	case int:
		return m == 1
	case string:
		return m == "1" || strings.EqualFold(m, "true")
	}
	return false
}

// SignDeviceRequest signs a request with RS256 and the device certificate
// (DER) in x5c. KDF2 tells the server that the client derives keys that way.
func SignDeviceRequest(key crypto.Signer, cert []byte, v KDF, r DeviceRequest) (string, error) {
	opts := (&jose.SignerOptions{}).WithType("JWT").
		WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(cert)})
	if v == KDF2 {
		opts = opts.WithHeader("kdf_ver", int(KDF2))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: cryptosigner.Opaque(key)}, opts)
	if err != nil {
		return "", fmt.Errorf("oauth: device request: %w", err)
	}
	return signCompact(signer, r)
}

func signCompact(signer jose.Signer, payload any) (string, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("oauth: sign: %w", err)
	}
	jws, err := signer.Sign(body)
	if err != nil {
		return "", fmt.Errorf("oauth: sign: %w", err)
	}
	return jws.CompactSerialize()
}

// SignedDeviceRequest is a device's request after its signature was verified
// with the certificate that it brought. Who issued that certificate is for the
// caller to check.
type SignedDeviceRequest struct {
	DeviceRequest
	Certificate *x509.Certificate
	KDF         KDF
}

// ErrSignature is in the chain of an error about a signature that is wrong.
var ErrSignature = errors.New("signature does not verify")

// maxRequest bounds a signed request, far above what any client sends.
const maxRequest = 256 << 10

// maxKeyBits bounds the keys of strangers: what a signature costs to verify grows
// with the square of it.
const maxKeyBits = 8192

// deviceHeader is read by hand: some clients write x5c as one string where RFC
// 7515 4.1.6 has a list, and go-jose refuses that.
type deviceHeader struct {
	Algorithm string          `json:"alg"`
	X5C       json.RawMessage `json:"x5c"`
	KDF       KDF             `json:"kdf_ver"`
}

// ParseDeviceRequest decodes and verifies a JWT of [SignDeviceRequest].
func ParseDeviceRequest(token string) (*SignedDeviceRequest, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("oauth: device request has %d parts, want 3", len(parts))
	}
	if len(token) > maxRequest {
		return nil, fmt.Errorf("oauth: device request of %d bytes is too long", len(token))
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = b64.DecodeString(strings.TrimRight(p, "=")); err != nil {
			return nil, fmt.Errorf("oauth: device request: %w", err)
		}
	}
	var h deviceHeader
	if err := json.Unmarshal(raw[0], &h); err != nil {
		return nil, fmt.Errorf("oauth: device request header: %w", err)
	}
	if h.Algorithm != string(jose.RS256) {
		return nil, fmt.Errorf("oauth: device request algorithm %q, want RS256", h.Algorithm)
	}
	cert, err := parseX5C(h.X5C)
	if err != nil {
		return nil, err
	}
	pub, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || pub.N.BitLen() > maxKeyBits {
		return nil, fmt.Errorf("oauth: device request key is none of RSA of up to %d bits", maxKeyBits)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], raw[2]); err != nil {
		return nil, fmt.Errorf("oauth: device request: %w", ErrSignature)
	}
	out := &SignedDeviceRequest{Certificate: cert, KDF: max(h.KDF, KDF1)}
	if out.KDF > KDF2 || h.KDF < 0 {
		return nil, fmt.Errorf("oauth: device request: kdf version %d is not known", h.KDF)
	}
	if err := json.Unmarshal(raw[1], &out.DeviceRequest); err != nil {
		return nil, fmt.Errorf("oauth: device request payload: %w", err)
	}
	return out, nil
}

func parseX5C(raw json.RawMessage) (*x509.Certificate, error) {
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		list = make([]string, 1)
		if err := json.Unmarshal(raw, &list[0]); err != nil {
			return nil, errors.New("oauth: device request has no x5c certificate")
		}
	}
	if len(list) == 0 {
		return nil, errors.New("oauth: device request has an empty x5c list")
	}
	der, err := base64.StdEncoding.DecodeString(list[0])
	if err != nil {
		return nil, fmt.Errorf("oauth: device request x5c: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("oauth: device request x5c: %w", err)
	}
	return cert, nil
}
