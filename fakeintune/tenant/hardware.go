package tenant

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"

	"windtunnel.test/sim/wire/hwhash"
	"windtunnel.test/sim/wire/msa"
)

// Hardware is what the deployment service keeps of a hardware hash.
type Hardware struct {
	UUID         string // lower-case text form
	Serial       string
	Manufacturer string
	Product      string
	SKU          string
	Family       string
	ID           string   // as device tickets carry it, see sim/wire/msa
	EKHash       [32]byte // SHA-256 of the EK's SubjectPublicKeyInfo; zero without a TPM
	Packed       []byte   // the hash without the zeros that fill it up
}

// ReadHardware decodes a hardware hash of 3,000 bytes.
func ReadHardware(hash []byte) (Hardware, error) {
	d, err := hwhash.Decode(hash)
	if err != nil {
		return Hardware{}, err
	}
	h := Hardware{
		UUID: d.SMBIOS.UUID.String(), Serial: d.SMBIOS.Serial, Manufacturer: d.SMBIOS.Manufacturer,
		Product: d.SMBIOS.Product, SKU: d.SMBIOS.SKU, Family: d.SMBIOS.Family,
		ID:     msa.HardwareID(d.SMBIOS.UUID.String(), d.SMBIOS.Serial),
		Packed: bytes.Clone(bytes.TrimRight(hash, "\x00")),
	}
	if len(d.EKModulus) > 0 {
		// Endorsement keys have the default exponent (TCG EK Credential Profile, template L-1).
		spki, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(d.EKModulus), E: 65537})
		if err != nil {
			return Hardware{}, fmt.Errorf("hardware hash: endorsement key: %w", err)
		}
		h.EKHash = sha256.Sum256(spki)
	}
	return h, nil
}

// Hash gives the 3,000 bytes back.
func (h Hardware) Hash() []byte {
	b := make([]byte, hwhash.Size)
	copy(b, h.Packed)
	return b
}

// HasTPM tells whether the hash names an endorsement key.
func (h Hardware) HasTPM() bool { return h.EKHash != [32]byte{} }

// keys are the names under which the hardware is found.
func (h Hardware) keys() []string {
	keys := []string{"hw/" + h.ID}
	if h.HasTPM() {
		keys = append(keys, ekKey(h.EKHash))
	}
	return keys
}

func ekKey(ek [32]byte) string { return fmt.Sprintf("ek/%x", ek) }
