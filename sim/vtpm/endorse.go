package vtpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// NV indices of EK certificates (TCG EK Credential Profile 2.5, section 2.2.1:
// low and high range).
const (
	certificateRSA2048 tpm2.TPMHandle = 0x01C00002
	certificateECC256  tpm2.TPMHandle = 0x01C0000A
	certificateRSA3072 tpm2.TPMHandle = 0x01C0001C // template H-6

	// chainIndex is the first NV index of the certificates between root and EK
	// certificate (TCG EK Credential Profile 2.5, section 2.2.1: 0x01C00100 to
	// 0x01C001FF), which Intel's On-Die CA uses.
	chainIndex tpm2.TPMHandle = 0x01C00100
)

func (a Algorithm) index() tpm2.TPMHandle {
	switch a {
	case RSA3072:
		return certificateRSA3072
	case ECC256:
		return certificateECC256
	}
	return certificateRSA2048
}

// ekTemplate is that of the EK which Windows uses.
func (m *Model) ekTemplate() []byte {
	if m.EKs[0].Algorithm == RSA3072 {
		return templates().ek3072
	}
	return templates().ek
}

// ek3072Template is the TCG's template H-6 (EK Credential Profile 2.5, annex B):
// RSA-3072, AES-256, SHA-384, and a policy that is either authorization of the
// endorsement hierarchy or one that its owner puts into NV.
func ek3072Template() tpm2.TPMTPublic {
	t := tpm2.RSAEKTemplate
	t.NameAlg = tpm2.TPMAlgSHA384
	t.ObjectAttributes.UserWithAuth = true
	t.AuthPolicy = tpm2.TPM2BDigest{Buffer: []byte{ // PolicyB with SHA-384
		0xB2, 0x6E, 0x7D, 0x28, 0xD1, 0x1A, 0x50, 0xBC, 0x53, 0xD8, 0x82, 0xBC,
		0xF5, 0xFD, 0x3A, 0x1A, 0x07, 0x41, 0x48, 0xBB, 0x35, 0xD3, 0xB4, 0xE4,
		0xCB, 0x1C, 0x0A, 0xD9, 0xBD, 0xE4, 0x19, 0xCA, 0xCB, 0x47, 0xBA, 0x09,
		0x69, 0x96, 0x46, 0x15, 0x0F, 0x9F, 0xC0, 0x00, 0xF3, 0xF8, 0x0E, 0x12,
	}}
	t.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{
		Symmetric: tpm2.TPMTSymDefObject{
			Algorithm: tpm2.TPMAlgAES,
			KeyBits:   tpm2.NewTPMUSymKeyBits(tpm2.TPMAlgAES, tpm2.TPMKeyBits(256)),
			Mode:      tpm2.NewTPMUSymMode(tpm2.TPMAlgAES, tpm2.TPMAlgCFB),
		},
		KeyBits: 3072,
	})
	t.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{})
	return t
}

// endorse makes the second EK, if the part has one, and writes the vendor's
// certificates of those whose place is NV.
func endorse(t transport.TPM, m *Model, id ChipID, img *image) error {
	for _, ek := range m.EKs {
		if ek.Algorithm == ECC256 {
			c, err := createPrimary(t, tpm2.TPMRHEndorsement, templates().ekECC)
			if err != nil {
				return fmt.Errorf("vtpm: ECC EK: %w", err)
			}
			if err := flush(t, c.handle); err != nil {
				return err
			}
			// Its template makes it again at any time, so it takes up no room.
			if img.ekECC, err = eccPoint(c.public); err != nil {
				return err
			}
		}
		if ek.Certificate != InNV {
			continue
		}
		der, err := m.ekCertificate(id, img.public(ek.Algorithm), false)
		if err != nil {
			return err
		}
		if err := nvStore(t, ek.Algorithm.index(), append(der, make([]byte, m.Quirks.Padding)...)); err != nil {
			return fmt.Errorf("vtpm: EK certificate: %w", err)
		}
	}
	if !m.Chain {
		return nil
	}
	ca, err := VendorCA(m.Name)
	if err != nil {
		return err
	}
	if err := nvStore(t, chainIndex, ca.Cert.Raw); err != nil {
		return fmt.Errorf("vtpm: certificate chain: %w", err)
	}
	if err := nvStore(t, chainIndex+1, ca.Parent.Cert.Raw); err != nil {
		return fmt.Errorf("vtpm: certificate chain: %w", err)
	}
	return nil
}

// public is an EK as the factory wrote it down.
func (i *image) public(a Algorithm) crypto.PublicKey {
	if a == ECC256 {
		key, _ := p256(i.ekECC) // a TPM made it, and unmarshalImage has looked at it
		return key
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(i.ek), E: 65537}
}

// p256 reads a point of the curve, two coordinates of 32 bytes.
func p256(point []byte) (*ecdsa.PublicKey, error) {
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, point...))
}

// unknownModulus stands for an RSA-3072 EK: a number of that size that nobody
// knows the factors of. The reference code has no RSA-3072, so that a chip with
// such an EK can show it and not use it (our model).
func unknownModulus(id ChipID) []byte {
	n := make([]byte, 384)
	stream := factorySeed.Stream("ek3072", id.Model, strconv.Itoa(id.N))
	for i := 0; i < len(n); i += 8 {
		binary.BigEndian.PutUint64(n[i:], stream.Uint64())
	}
	n[0] |= 0xC0
	n[383] |= 1
	return n
}

// eccPoint reads the 64 bytes X and Y of an EK's TPMT_PUBLIC.
func eccPoint(public []byte) ([]byte, error) {
	r := &reader{b: public}
	typ := tpm2.TPMAlgID(r.u16())
	r.u16() // nameAlg
	r.u32() // attributes
	r.sized()
	r.u16() // symmetric algorithm, key bits, mode
	r.u32()
	scheme := tpm2.TPMAlgID(r.u16())
	curve := tpm2.TPMECCCurve(r.u16())
	kdf := tpm2.TPMAlgID(r.u16())
	x, y := r.sized(), r.sized()
	if r.err != nil || typ != tpm2.TPMAlgECC || scheme != tpm2.TPMAlgNull || curve != tpm2.TPMECCNistP256 || kdf != tpm2.TPMAlgNull || len(x) > 32 || len(y) > 32 {
		return nil, fmt.Errorf("vtpm: not the public area of an ECC EK")
	}
	point := make([]byte, 64)
	copy(point[32-len(x):], x)
	copy(point[64-len(y):], y)
	return point, nil
}
