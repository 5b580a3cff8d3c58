package oauth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// BoundRequest is the payload of a JWT that a client signs with a key derived
// from the session key: the use of a primary refresh token ([MS-OAPXBC]
// 3.2.5.1.3.1). A Scope with aza asks for a fresh PRT. Times are Unix seconds.
type BoundRequest struct {
	ClientID       string `json:"client_id"`
	GrantType      string `json:"grant_type"` // "refresh_token"
	RefreshToken   string `json:"refresh_token"`
	Scope          string `json:"scope"`
	Resource       string `json:"resource,omitempty"`
	RequestNonce   string `json:"request_nonce,omitempty"`
	RedirectURI    string `json:"redirect_uri,omitempty"`
	Issuer         string `json:"iss,omitempty"`
	IssuedAt       int64  `json:"iat"`
	Expires        int64  `json:"exp"`
	WindowsVersion string `json:"win_ver,omitempty"`
}

// SignBound signs a request with HS256; ctx is [ContextSize] fresh bytes.
func SignBound(sessionKey, ctx []byte, v KDF, r BoundRequest) (string, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("oauth: bound request: %w", err)
	}
	key, err := DeriveKey(v, sessionKey, ctx, payload)
	if err != nil {
		return "", err
	}
	opts := (&jose.SignerOptions{}).WithType("JWT").WithHeader("ctx", base64.StdEncoding.EncodeToString(ctx))
	if v == KDF2 {
		opts = opts.WithHeader("kdf_ver", int(KDF2))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, opts)
	if err != nil {
		return "", fmt.Errorf("oauth: bound request: %w", err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("oauth: bound request: %w", err)
	}
	return jws.CompactSerialize()
}

// SignedBound is a bound request whose signature is not verified yet: the
// session key is found by the refresh token inside.
type SignedBound struct {
	BoundRequest
	KDF KDF
	ctx []byte
	jws *jose.JSONWebSignature
}

// ParseBound decodes a JWT of [SignBound]; call Verify before trusting it.
func ParseBound(token string) (*SignedBound, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return nil, fmt.Errorf("oauth: bound request: %w", err)
	}
	out := &SignedBound{KDF: KDF1, jws: jws}
	extra := jws.Signatures[0].Protected.ExtraHeaders
	if out.ctx, err = contextOf(extra); err != nil {
		return nil, fmt.Errorf("oauth: bound request: %w", err)
	}
	if v, ok := extra["kdf_ver"].(float64); ok {
		out.KDF = KDF(v)
	}
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &out.BoundRequest); err != nil {
		return nil, fmt.Errorf("oauth: bound request payload: %w", err)
	}
	return out, nil
}

// Verify checks the signature with the session key; a wrong one is an error
// with [ErrSignature] in its chain.
func (b *SignedBound) Verify(sessionKey []byte) error {
	key, err := DeriveKey(b.KDF, sessionKey, b.ctx, b.jws.UnsafePayloadWithoutVerification())
	if err != nil {
		return err
	}
	if _, err := b.jws.Verify(key); err != nil {
		return fmt.Errorf("oauth: bound request: %w", ErrSignature)
	}
	return nil
}

// IsBound tells the JWT of a PRT's use from one that a device key signed,
// without verifying either.
func IsBound(token string) bool {
	_, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.HS256})
	return err == nil
}

// EncryptAnswer makes the answer to a bound request: a compact JWE with alg
// dir, enc A256GCM, kid session, whose key comes from the session key and the
// header's own ctx ([MS-OAPXBC] 3.2.5.1.3.2). The library draws the IV.
func EncryptAnswer(sessionKey, ctx []byte, answer TokenResponse) (string, error) {
	payload, err := json.Marshal(answer)
	if err != nil {
		return "", fmt.Errorf("oauth: encrypt answer: %w", err)
	}
	key, err := DeriveKey(KDF1, sessionKey, ctx, nil)
	if err != nil {
		return "", err
	}
	opts := (&jose.EncrypterOptions{}).WithHeader("ctx", base64.StdEncoding.EncodeToString(ctx))
	enc, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: "session"}, opts)
	if err != nil {
		return "", fmt.Errorf("oauth: encrypt answer: %w", err)
	}
	jwe, err := enc.Encrypt(payload)
	if err != nil {
		return "", fmt.Errorf("oauth: encrypt answer: %w", err)
	}
	return jwe.CompactSerialize()
}

// DecryptAnswer is the client's side of [EncryptAnswer].
func DecryptAnswer(sessionKey []byte, token string) (*TokenResponse, error) {
	jwe, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return nil, fmt.Errorf("oauth: decrypt answer: %w", err)
	}
	ctx, err := contextOf(jwe.Header.ExtraHeaders)
	if err != nil {
		return nil, fmt.Errorf("oauth: decrypt answer: %w", err)
	}
	key, err := DeriveKey(KDF1, sessionKey, ctx, nil)
	if err != nil {
		return nil, err
	}
	payload, err := jwe.Decrypt(key)
	if err != nil {
		return nil, fmt.Errorf("oauth: decrypt answer: %w", err)
	}
	var r TokenResponse
	if err := json.Unmarshal(payload, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func contextOf(extra map[jose.HeaderKey]any) ([]byte, error) {
	text, ok := extra["ctx"].(string)
	if !ok {
		return nil, fmt.Errorf("header has no ctx")
	}
	ctx, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("header ctx: %w", err)
	}
	return ctx, nil
}
