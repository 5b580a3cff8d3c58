package sidecar

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"windtunnel.test/sim/wire/fastxml"
)

// encryptedMessage is the XML around the sealed DecryptInfo.
type encryptedMessage struct {
	XMLName xml.Name `xml:"EncryptedMessage"`
	Content string   `xml:"EncryptedContent"` // base64 of CMS EnvelopedData
}

// maxMessage bounds a sealed DecryptInfo in bytes.
const maxMessage = 64 << 10

// SealDecryptInfo encrypts info for the certificate's RSA key. random gives the content key and IV; the padding of the key's
// encryption is the library's own randomness, so the text differs from run to run: keep it out of anything that is compared.
func SealDecryptInfo(random io.Reader, certificate *x509.Certificate, info DecryptInfo) (string, error) {
	plain, err := json.Marshal(info)
	if err != nil {
		return "", fmt.Errorf("sidecar: DecryptInfo: %w", err)
	}
	cms, err := sealEnvelope(random, certificate, plain)
	if err != nil {
		return "", fmt.Errorf("sidecar: DecryptInfo: %w", err)
	}
	text, err := xml.Marshal(encryptedMessage{Content: base64.StdEncoding.EncodeToString(cms)})
	if err != nil {
		return "", fmt.Errorf("sidecar: DecryptInfo: %w", err)
	}
	return string(text), nil
}

// OpenDecryptInfo decrypts it with the certificate's key, which may live in a TPM. It refuses a message for another
// certificate with [ErrNotRecipient].
func OpenDecryptInfo(certificate *x509.Certificate, key crypto.Decrypter, text string) (DecryptInfo, error) {
	var info DecryptInfo
	if len(text) > maxMessage {
		return info, fmt.Errorf("sidecar: DecryptInfo of %d bytes", len(text))
	}
	var m encryptedMessage
	if err := fastxml.Unmarshal([]byte(text), &m); err != nil {
		return info, fmt.Errorf("sidecar: DecryptInfo: %w", err)
	}
	cms, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m.Content), ""))
	if err != nil {
		return info, fmt.Errorf("sidecar: DecryptInfo: %w", err)
	}
	plain, err := openEnvelope(certificate, key, cms)
	if err != nil {
		return info, fmt.Errorf("sidecar: DecryptInfo: %w", err)
	}
	if err := unmarshal("DecryptInfo", plain, &info); err != nil {
		return info, err
	}
	if len(info.EncryptionKey) == 0 || len(info.IV) == 0 {
		return info, errors.New("sidecar: DecryptInfo: no key or no IV")
	}
	return info, nil
}
