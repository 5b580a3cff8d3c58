package tpmattest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"

	"github.com/google/go-tpm/tpm2"
)

var errNotCanonical = errors.New("truncated, or followed by other bytes")

// Attest is a parsed TPMS_ATTEST (part 2, 10.12.12): what a TPM signs about itself. Exactly one of Certify, Creation
// and Quote is set.
type Attest struct {
	// Header has everything but the attested part: signer's qualified name, qualifying data, clock, firmware.
	Header tpm2.TPMSAttest
	// Certify is about a loaded object (TPM2_Certify).
	Certify *tpm2.TPMSCertifyInfo
	// Creation is about how an object was made (TPM2_CertifyCreation).
	Creation *tpm2.TPMSCreationInfo
	// Quote is about platform configuration registers (TPM2_Quote).
	Quote *tpm2.TPMSQuoteInfo

	raw []byte
}

// ParseAttest reads a TPM2B_ATTEST, or a bare TPMS_ATTEST, of TPM2_Certify, TPM2_CertifyCreation or TPM2_Quote.
// That it starts with TPM_GENERATED_VALUE is part of the format.
func ParseAttest(b []byte) (*Attest, error) {
	raw := bytes.Clone(unsize(b))
	v, err := plainAttest(raw), error(nil)
	if v == nil {
		v, err = decode[tpm2.TPMSAttest](raw)
	}
	if err != nil {
		return nil, refuse(CheckFormat, "TPMS_ATTEST: %w", err)
	}
	// The one sign that a TPM wrote this itself: a restricted key signs other bytes too, as long as they do not start so.
	if v.Magic != tpm2.TPMGeneratedValue {
		return nil, refuse(CheckFormat, "TPMS_ATTEST: magic %#08x", uint32(v.Magic))
	}
	a := &Attest{Header: *v, raw: raw}
	switch v.Type {
	case tpm2.TPMSTAttestCertify:
		a.Certify, err = v.Attested.Certify()
	case tpm2.TPMSTAttestCreation:
		a.Creation, err = v.Attested.Creation()
	case tpm2.TPMSTAttestQuote:
		a.Quote, err = v.Attested.Quote()
	default:
		return nil, refuse(CheckType, "attestation type %#04x is not certify, creation or quote", uint16(v.Type))
	}
	if err != nil {
		return nil, refuse(CheckFormat, "attested part: %w", err)
	}
	return a, nil
}

// QualifyingData is what the caller of the command gave for the TPM to sign: a nonce.
func (a *Attest) QualifyingData() []byte { return a.Header.ExtraData.Buffer }

// Bare gives the attestation as TPMS_ATTEST: the bytes that are signed.
func (a *Attest) Bare() []byte { return bytes.Clone(a.raw) }

// VerifySignature checks a TPMT_SIGNATURE (part 2, 11.3.4) by key over message: RSASSA-PKCS1-v1_5 with SHA-256 for an
// *rsa.PublicKey, ECDSA with SHA-256 for an *ecdsa.PublicKey.
func VerifySignature(key crypto.PublicKey, message, signature []byte) error {
	if key, ok := key.(*rsa.PublicKey); ok {
		if sig := plainSignature(signature); sig != nil {
			return verifyRSA(key, message, sig)
		}
	}
	sig, err := decode[tpm2.TPMTSignature](signature)
	if err != nil {
		return refuse(CheckFormat, "TPMT_SIGNATURE: %w", err)
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		s, err := sig.Signature.RSASSA()
		if err != nil || s.Hash != tpm2.TPMAlgSHA256 {
			return refuse(CheckAlgorithm, "signature %#04x is not RSASSA with SHA-256", uint16(sig.SigAlg))
		}
		return verifyRSA(key, message, s.Sig.Buffer)
	case *ecdsa.PublicKey:
		s, err := sig.Signature.ECDSA()
		if err != nil || s.Hash != tpm2.TPMAlgSHA256 {
			return refuse(CheckAlgorithm, "signature %#04x is not ECDSA with SHA-256", uint16(sig.SigAlg))
		}
		digest := sha256.Sum256(message)
		r := new(big.Int).SetBytes(s.SignatureR.Buffer)
		if !ecdsa.Verify(key, digest[:], r, new(big.Int).SetBytes(s.SignatureS.Buffer)) {
			return refuse(CheckSignature, "ECDSA: verification error")
		}
	default:
		return refuse(CheckAlgorithm, "key of type %T", key)
	}
	return nil
}

func verifyRSA(key *rsa.PublicKey, message, sig []byte) error {
	digest := sha256.Sum256(message)
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig); err != nil {
		return refuse(CheckSignature, "RSASSA: %w", err)
	}
	return nil
}
