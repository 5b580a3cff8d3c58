package syncml

import (
	"crypto/md5" //nolint:gosec // the protocol's digest, not ours to choose
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
)

// Schemes of authentication at SyncML's level (OMA-TS-DM-Security 1.2.1, 5.3).
const (
	AuthBasic = "syncml:auth-basic"
	AuthMD5   = "syncml:auth-md5"
)

// BasicCred is user and secret in base64.
func BasicCred(user, secret string) *Cred {
	return &Cred{Format: string(B64), Type: AuthBasic, Data: base64.StdEncoding.EncodeToString([]byte(user + ":" + secret))}
}

// DigestCred is B64(MD5(B64(MD5(user:secret)):nonce)), the nonce being the bytes that NextNonce carries in base64.
func DigestCred(user, secret string, nonce []byte) *Cred {
	inner := md5.Sum([]byte(user + ":" + secret)) //nolint:gosec // see above
	outer := append([]byte(base64.StdEncoding.EncodeToString(inner[:])+":"), nonce...)
	sum := md5.Sum(outer) //nolint:gosec // see above
	return &Cred{Format: string(B64), Type: AuthMD5, Data: base64.StdEncoding.EncodeToString(sum[:])}
}

// NewChallenge is a Chal for a scheme; a nonce belongs to [AuthMD5] alone.
func NewChallenge(scheme string, nonce []byte) *Challenge {
	c := &Challenge{Format: string(B64), Type: scheme}
	if scheme == AuthMD5 {
		c.NextNonce = base64.StdEncoding.EncodeToString(nonce)
	}
	return c
}

// Answer makes the credential that a challenge asks for.
func (c *Challenge) Answer(user, secret string) (*Cred, error) {
	switch c.Type {
	case AuthBasic:
		return BasicCred(user, secret), nil
	case AuthMD5:
		nonce, err := base64.StdEncoding.DecodeString(c.NextNonce)
		if err != nil {
			return nil, fmt.Errorf("syncml: challenge: %w", err)
		}
		return DigestCred(user, secret, nonce), nil
	}
	return nil, fmt.Errorf("syncml: challenge of type %q", c.Type)
}

// Equal compares what is secret of two credentials in constant time.
func (c *Cred) Equal(o *Cred) bool {
	if c == nil || o == nil || !strings.EqualFold(c.Type, o.Type) || c.Format != "" && !strings.EqualFold(c.Format, o.Format) {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(c.Data), []byte(o.Data)) == 1
}
