package ekcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"windtunnel.test/sim/wire/hosts"
)

// Paths of the vendors' hosts, which learn.microsoft.com names ("Windows
// Autopilot requirements", networking: TPM attestation). The part behind them
// is, for Intel and AMD, what tpm2-tools' tpm2_getekcertificate and
// go-attestation ask for; for Qualcomm it is not public and taken to be like
// Intel's (our model).
const (
	pathIntel    = "/ekcertservice/"
	pathAMD      = "/pki/aia/"
	pathQualcomm = "/EKCertificate/GetEKCertificate/v1/"
)

// Path is where a vendor's host has the certificate of a key.
func Path(host string, key crypto.PublicKey) (string, error) {
	switch host {
	case hosts.EKIntel:
		return suffixed(pathIntel, key)
	case hosts.EKQualcomm:
		return suffixed(pathQualcomm, key)
	case hosts.EKAMD:
		digest, err := digestAMD(key)
		return pathAMD + hex.EncodeToString(digest[:16]), err
	}
	return "", fmt.Errorf("ekcert: %q is no host of EK certificates", host)
}

// URL is the whole of it. Intel's digest is escaped, because base64 pads it
// with "=".
func URL(host string, key crypto.PublicKey) (string, error) {
	path, err := Path(host, key)
	if err != nil {
		return "", err
	}
	at := strings.LastIndexByte(path, '/') + 1
	return "https://" + host + path[:at] + url.QueryEscape(path[at:]), nil
}

func suffixed(path string, key crypto.PublicKey) (string, error) {
	digest, err := digestIntel(key)
	return path + base64.URLEncoding.EncodeToString(digest[:]), err
}

var errKey = errors.New("ekcert: an EK is an RSA or ECC key")

// digestIntel is SHA-256 over the modulus and the three bytes of the exponent
// 65537, or over X and Y.
func digestIntel(key crypto.PublicKey) ([32]byte, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return sha256.Sum256(append(k.N.Bytes(), 1, 0, 1)), nil
	case *ecdsa.PublicKey:
		return sha256.Sum256(point(k)), nil
	}
	return [32]byte{}, errKey
}

// digestAMD is SHA-256 over a mark of the algorithm and the exponent and
// modulus, or X and Y.
func digestAMD(key crypto.PublicKey) ([32]byte, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		b := binary.BigEndian.AppendUint32([]byte{0, 0, 0x22, 0x22}, uint32(k.E))
		return sha256.Sum256(append(b, k.N.Bytes()...)), nil
	case *ecdsa.PublicKey:
		return sha256.Sum256(append([]byte{0, 0, 0x44, 0x44}, point(k)...)), nil
	}
	return [32]byte{}, errKey
}

// point is X and Y, each as long as the curve's field.
func point(k *ecdsa.PublicKey) []byte {
	b, err := k.Bytes()
	if err != nil {
		return nil
	}
	return b[1:]
}

// intelAnswer is what ekop.intel.com answers.
type intelAnswer struct {
	PubHash     string `json:"pubhash"`
	Certificate string `json:"certificate"` // base64 with the URL alphabet, percent-escaped
}

// WriteAnswer is a host's answer with a certificate: JSON from Intel, DER from
// the others. path is the one that was asked for.
func WriteAnswer(host, path string, der []byte) (contentType string, body []byte, err error) {
	if host != hosts.EKIntel {
		return "application/pkix-cert", der, nil
	}
	body, err = json.Marshal(intelAnswer{
		PubHash:     path[strings.LastIndexByte(path, '/')+1:],
		Certificate: url.QueryEscape(base64.URLEncoding.EncodeToString(der)),
	})
	return "application/json", body, err
}

// ReadAnswer takes the certificate out of a host's answer, for Parse.
func ReadAnswer(host string, body []byte) ([]byte, error) {
	if host != hosts.EKIntel {
		return body, nil
	}
	var a intelAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("ekcert: answer of %s: %w", host, err)
	}
	text, err := url.QueryUnescape(a.Certificate)
	if err != nil {
		return nil, fmt.Errorf("ekcert: answer of %s: %w", host, err)
	}
	der, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, fmt.Errorf("ekcert: answer of %s: %w", host, err)
	}
	return der, nil
}
