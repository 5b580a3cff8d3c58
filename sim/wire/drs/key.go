package drs

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// KeyRequest is the body of POST /EnrollmentServer/key ([MS-KPP] 3.1.5.1.1.1):
// the public key of Windows Hello for Business as a BCRYPT RSA blob.
type KeyRequest struct {
	Key Bytes `json:"kngc"`
}

// KeyResponse is the answer ([MS-KPP] 3.1.5.1.1.2).
type KeyResponse struct {
	KeyID   string `json:"kid"`
	UPN     string `json:"upn"`
	Context string `json:"pctx,omitempty"`
}

// ParseKeyRequest decodes a request and the key in it.
func ParseKeyRequest(body []byte) (*KeyRequest, *rsa.PublicKey, error) {
	var r KeyRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, nil, fmt.Errorf("drs: key request: %w", err)
	}
	key, err := DecodeRSA1(r.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("drs: key request: %w", err)
	}
	return &r, key, nil
}

// KeyID is how a sign-in assertion names a key of Windows Hello for Business:
// base64 of SHA-256 over its blob ([MS-OAPXBC] 3.1.5.1.2.1).
func KeyID(blob []byte) string {
	sum := sha256.Sum256(blob)
	return base64.StdEncoding.EncodeToString(sum[:])
}
