package tpmattest

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/google/go-tpm/tpm2"
)

// VerifyCertify checks that the AIK vouches for a key: attest is of TPM2_Certify, over the caller's qualifying data,
// about the object whose public area is key, and signed by aik. The key must be bound to its TPM ([CheckBound]), and
// its public key must be want, which is the key that the device presents otherwise (in a signing request or a
// certificate); nil leaves that out.
//
// attest may have its TPM2B size or not; signature is a TPMT_SIGNATURE.
func VerifyCertify(aik crypto.PublicKey, attest, signature, qualifying []byte, key *Public, want crypto.PublicKey) (*Attest, error) {
	a, err := parseSigned(aik, attest, signature, qualifying)
	if err != nil {
		return nil, err
	}
	if a.Certify == nil {
		return nil, refuse(CheckType, "attestation type %#04x is not certify", uint16(a.Header.Type))
	}
	if !same(a.Certify.Name.Buffer, key.Name) {
		return nil, refuse(CheckName, "attestation is about another object")
	}
	if err := CheckBound(key); err != nil {
		return nil, err
	}
	if want != nil && !key.Is(want) {
		return nil, refuse(CheckKey, "the key presented is not the key attested")
	}
	return a, nil
}

// VerifyCreation checks that signer vouches for how an object was made: attest is of TPM2_CertifyCreation, about the
// object and with the digest of creationData (a TPM2B_CREATION_DATA, or without its size), and signed by signer.
// For an AIK that is enrolled, signer is the AIK itself.
func VerifyCreation(signer crypto.PublicKey, attest, signature, qualifying []byte, object *Public, creationData []byte) (*Attest, error) {
	a, err := parseSigned(signer, attest, signature, qualifying)
	if err != nil {
		return nil, err
	}
	if a.Creation == nil {
		return nil, refuse(CheckType, "attestation type %#04x is not creation", uint16(a.Header.Type))
	}
	if !same(a.Creation.ObjectName.Buffer, object.Name) {
		return nil, refuse(CheckName, "attestation is about another object")
	}
	data := unsize(creationData)
	if _, err := decode[tpm2.TPMSCreationData](data); err != nil {
		return nil, refuse(CheckFormat, "TPMS_CREATION_DATA: %w", err)
	}
	digest := sha256.Sum256(data)
	if !same(a.Creation.CreationHash.Buffer, digest[:]) {
		return nil, refuse(CheckCreationHash, "creation data are not those attested")
	}
	return a, nil
}

// VerifyQuote checks a TPM2_Quote by the AIK over the caller's qualifying data; pcrDigest is the SHA-256 over the
// registers' values that the verifier expects, nil to leave that to the caller.
func VerifyQuote(aik crypto.PublicKey, attest, signature, qualifying, pcrDigest []byte) (*Attest, error) {
	a, err := parseSigned(aik, attest, signature, qualifying)
	if err != nil {
		return nil, err
	}
	if a.Quote == nil {
		return nil, refuse(CheckType, "attestation type %#04x is not quote", uint16(a.Header.Type))
	}
	if pcrDigest != nil && !same(a.Quote.PCRDigest.Buffer, pcrDigest) {
		return nil, refuse(CheckName, "quoted registers have other values")
	}
	return a, nil
}

// parseSigned checks the signature before anything else is believed, then that the attestation is fresh.
func parseSigned(signer crypto.PublicKey, attest, signature, qualifying []byte) (*Attest, error) {
	a, err := ParseAttest(attest)
	if err != nil {
		return nil, err
	}
	if err := VerifySignature(signer, a.raw, signature); err != nil {
		return nil, err
	}
	if !bytes.Equal(a.QualifyingData(), qualifying) {
		return nil, refuse(CheckQualifying, "attestation is over other qualifying data")
	}
	return a, nil
}

func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
