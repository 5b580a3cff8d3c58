package oauth

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha1" // RSA-OAEP of RFC 7518 4.3 is defined with SHA-1
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// SessionKeySize is the length of a session key, the size of an A256GCM key.
const SessionKeySize = 32

var b64 = base64.RawURLEncoding

// WrapSessionKey makes session_key_jwe: a compact JWE (RFC 7516 7.1) whose
// encrypted-key part is the session key under the device's transport key. The
// content is empty: clients take the key and look no further ([MS-OAPXBC]
// 3.2.5.1.2.2). It is made by hand because JOSE libraries choose the content
// key themselves, and here the content key is the message.
func WrapSessionKey(rand io.Reader, transport *rsa.PublicKey, sessionKey []byte) (string, error) {
	if len(sessionKey) != SessionKeySize {
		return "", fmt.Errorf("oauth: session key of %d bytes, want %d", len(sessionKey), SessionKeySize)
	}
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand, transport, sessionKey, nil)
	if err != nil {
		return "", fmt.Errorf("oauth: wrap session key: %w", err)
	}
	iv := make([]byte, 12)
	if _, err := io.ReadFull(rand, iv); err != nil {
		return "", fmt.Errorf("oauth: wrap session key: %w", err)
	}
	block, err := aes.NewCipher(sessionKey)
	if err != nil {
		return "", fmt.Errorf("oauth: wrap session key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return "", fmt.Errorf("oauth: wrap session key: %w", err)
	}
	header := b64.EncodeToString([]byte(`{"enc":"A256GCM","alg":"RSA-OAEP"}`))
	tag := aead.Seal(nil, iv, nil, []byte(header))
	return strings.Join([]string{header, b64.EncodeToString(wrapped), b64.EncodeToString(iv), "", b64.EncodeToString(tag)}, "."), nil
}

// UnwrapSessionKey is the client's side: it asks the transport key, which may
// be in a TPM, to decrypt the encrypted-key part with OAEP and SHA-1, and
// ignores the rest as Windows does.
func UnwrapSessionKey(transport crypto.Decrypter, jwe string) ([]byte, error) {
	parts := strings.Split(jwe, ".")
	if len(parts) != 5 {
		return nil, fmt.Errorf("oauth: session_key_jwe has %d parts, want 5", len(parts))
	}
	raw, err := b64.DecodeString(parts[0])
	if err != nil {
		return nil, fmt.Errorf("oauth: session_key_jwe header: %w", err)
	}
	var header struct {
		Alg string `json:"alg"`
	}
	if err := json.Unmarshal(raw, &header); err != nil {
		return nil, fmt.Errorf("oauth: session_key_jwe header: %w", err)
	}
	if header.Alg != "RSA-OAEP" {
		return nil, fmt.Errorf("oauth: session_key_jwe algorithm %q, want RSA-OAEP", header.Alg)
	}
	wrapped, err := b64.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("oauth: session_key_jwe key: %w", err)
	}
	key, err := transport.Decrypt(nil, wrapped, &rsa.OAEPOptions{Hash: crypto.SHA1})
	if err != nil {
		return nil, fmt.Errorf("oauth: unwrap session key: %w", err)
	}
	if len(key) != SessionKeySize {
		return nil, fmt.Errorf("oauth: session key of %d bytes, want %d", len(key), SessionKeySize)
	}
	return key, nil
}
