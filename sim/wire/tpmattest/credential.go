package tpmattest

import (
	"crypto/rsa"
	"fmt"
	"io"

	"github.com/google/go-tpm/tpm2"
)

// SecretSize is the length of the secret in a credential challenge (MS-WCCE 3.2.2.6.2.1.2.6: 32 random bytes).
const SecretSize = 32

// Credential is a challenge to a TPM: what TPM2_ActivateCredential takes.
type Credential struct {
	Blob   tpm2.TPM2BIDObject        // TPM2B_ID_OBJECT: the secret, encrypted and bound to the AIK's Name
	Secret tpm2.TPM2BEncryptedSecret // TPM2B_ENCRYPTED_SECRET: the seed, encrypted to the EK
}

// MakeCredential wraps secret so that only a TPM which holds both the EK and the object called aikName can recover it:
// TPM2_MakeCredential in software (part 1, 24). The EK has the default RSA-2048 template L-1 of the EK Credential
// Profile: SHA-256 Name, AES-128-CFB, so a seed under OAEP with label IDENTITY. Randomness (32 bytes of seed and the
// OAEP salt) comes from rand, so that the same stream gives the same challenge.
func MakeCredential(ek *rsa.PublicKey, aikName, secret []byte, rand io.Reader) (Credential, error) {
	if ek == nil || ek.N == nil || ek.N.BitLen() != 2048 {
		return Credential{}, refuse(CheckAlgorithm, "EK is not RSA-2048")
	}
	if len(secret) == 0 || len(secret) > SecretSize {
		return Credential{}, fmt.Errorf("tpmattest: make credential: secret of %d bytes, want 1 to %d", len(secret), SecretSize)
	}
	area := EKPublicArea(ek)
	key, err := tpm2.ImportEncapsulationKey(&area)
	if err != nil {
		return Credential{}, fmt.Errorf("tpmattest: make credential: %w", err)
	}
	id, enc, err := tpm2.CreateCredential(wholeReader{rand}, key, aikName, secret)
	if err != nil {
		return Credential{}, fmt.Errorf("tpmattest: make credential: %w", err)
	}
	return Credential{Blob: tpm2.TPM2BIDObject{Buffer: id}, Secret: tpm2.TPM2BEncryptedSecret{Buffer: enc}}, nil
}

// EKPublicArea is the public area that an RSA-2048 EK has when it was made with the default template L-1, so that its
// Name and its hash can be had from a certificate.
func EKPublicArea(ek *rsa.PublicKey) tpm2.TPMTPublic {
	area := tpm2.RSAEKTemplate
	n := make([]byte, 256)
	ek.N.FillBytes(n)
	area.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: n})
	return area
}

// Marshal writes both parts with their sizes, one behind the other, as the challenge carries them.
func (c Credential) Marshal() []byte {
	return append(sized(c.Blob.Buffer), sized(c.Secret.Buffer)...)
}

// ParseCredential reads what [Credential.Marshal] writes.
func ParseCredential(b []byte) (Credential, error) {
	blob, rest, err := cutSized(b)
	if err != nil {
		return Credential{}, refuse(CheckFormat, "TPM2B_ID_OBJECT: %w", err)
	}
	secret, rest, err := cutSized(rest)
	if err != nil {
		return Credential{}, refuse(CheckFormat, "TPM2B_ENCRYPTED_SECRET: %w", err)
	}
	if len(rest) != 0 {
		return Credential{}, refuse(CheckFormat, "%d bytes follow the credential", len(rest))
	}
	return Credential{Blob: tpm2.TPM2BIDObject{Buffer: blob}, Secret: tpm2.TPM2BEncryptedSecret{Buffer: secret}}, nil
}

// wholeReader fills the buffer or fails, where the library would take a short read for an error.
type wholeReader struct{ r io.Reader }

func (w wholeReader) Read(p []byte) (int, error) { return io.ReadFull(w.r, p) }
