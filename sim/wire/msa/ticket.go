package msa

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Issuer is the iss claim of tickets.
const Issuer = "https://" + Host

// Claims is the inside of a device ticket, our model. Clients never look into it; the services that accept tickets do.
type Claims struct {
	Issuer       string `json:"iss"`
	Audience     string `json:"aud"`            // the scope
	PUID         string `json:"puid"`           // 16 hexadecimal digits
	GlobalID     string `json:"gdid"`           // g:<decimal>
	HardwareID   string `json:"hwid"`           // see HardwareID
	TPMValidated bool   `json:"tpm"`            // the device proved its AIK
	EKHash       string `json:"ekh,omitempty"`  // hex SHA-256 of the EK public key (SubjectPublicKeyInfo) in the AIK's record
	AIKHash      string `json:"aikh,omitempty"` // hex SHA-256 of the AIK certificate
	Nonce        string `json:"nonce"`
	IssuedAt     int64  `json:"iat"` // seconds since 1970
	ExpiresAt    int64  `json:"exp"`
}

// Errors of Verify.
var (
	ErrMalformed   = errors.New("malformed ticket")
	ErrSignature   = errors.New("ticket signature is wrong")
	ErrExpired     = errors.New("ticket has expired")
	ErrNotYetValid = errors.New("ticket is not valid yet")
	ErrAudience    = errors.New("ticket is for another service")
)

const joseHeader = `{"alg":"ES256","typ":"JWT"}`

// Issue signs a ticket with a P-256 key: compact JWS with ES256 (RFC 7515, RFC 7518 3.4), valid from now for life. The
// signature is deterministic (RFC 6979), so that equal runs make equal tickets.
func Issue(key *ecdsa.PrivateKey, c Claims, now time.Time, life time.Duration) (string, error) {
	c.Issuer, c.IssuedAt, c.ExpiresAt = Issuer, now.Unix(), now.Add(life).Unix()
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("msa: issue ticket: %w", err)
	}
	if key.Curve != elliptic.P256() {
		return "", errors.New("msa: issue ticket: the key is not on P-256")
	}
	input := base64.RawURLEncoding.EncodeToString([]byte(joseHeader)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	der, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("msa: issue ticket: %w", err)
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return "", fmt.Errorf("msa: issue ticket: %w", err)
	}
	raw := make([]byte, 64)
	rs.R.FillBytes(raw[:32])
	rs.S.FillBytes(raw[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(raw), nil
}

// Verify checks signature, audience (not when it is "") and times against the checker's own clock. The error has one
// of the errors above in its chain. Claims are only returned for a good ticket.
func Verify(ticket string, key *ecdsa.PublicKey, audience string, now time.Time) (Claims, error) {
	c, err := verified(ticket, key)
	switch {
	case err != nil:
	case audience != "" && !strings.EqualFold(c.Audience, audience):
		err = fmt.Errorf("%w: %q", ErrAudience, c.Audience)
	case !now.Before(time.Unix(c.ExpiresAt, 0)):
		err = fmt.Errorf("%w at %s", ErrExpired, stamp(time.Unix(c.ExpiresAt, 0)))
	case now.Before(time.Unix(c.IssuedAt, 0)):
		err = fmt.Errorf("%w: issued at %s", ErrNotYetValid, stamp(time.Unix(c.IssuedAt, 0)))
	}
	if err != nil {
		return Claims{}, fmt.Errorf("msa: verify ticket: %w", err)
	}
	return c, nil
}

func verified(ticket string, key *ecdsa.PublicKey) (c Claims, err error) {
	parts := strings.Split(ticket, ".")
	if len(parts) != 3 {
		return c, ErrMalformed
	}
	var decoded [3][]byte
	for i, p := range parts {
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return c, fmt.Errorf("%w: %v", ErrMalformed, err)
		}
	}
	var header struct {
		Alg string `json:"alg"`
	}
	if err := json.Unmarshal(decoded[0], &header); err != nil {
		return c, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if header.Alg != "ES256" || len(decoded[2]) != 64 {
		return c, fmt.Errorf("%w: it is not signed with ES256", ErrSignature)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(decoded[2][:32]), new(big.Int).SetBytes(decoded[2][32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		return c, ErrSignature
	}
	if err := json.Unmarshal(decoded[1], &c); err != nil {
		return c, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if c.Issuer != Issuer {
		return c, fmt.Errorf("%w: issuer %q", ErrMalformed, c.Issuer)
	}
	return c, nil
}
