package tpmattest

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
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

// storage is what an EK's template says about how things are sealed to it: the hash of its Name, and the length of its
// AES key in bits (CFB).
type storage struct {
	hash crypto.Hash
	bits int
}

// Usages of the key derivation functions in a credential (part 1, 24.4 and annexes B.10.4 and C.6.4).
const (
	useIdentity  = "IDENTITY"
	useStorage   = "STORAGE"
	useIntegrity = "INTEGRITY"
)

// storageOf tells the template of an EK by its kind (EK Credential Profile 2.5, annex B): L-1 for RSA-2048, L-2 for
// P-256, both with SHA-256 and AES-128; H-6 for RSA-3072, with SHA-384 and AES-256.
func storageOf(ek crypto.PublicKey) (storage, error) {
	switch ek := ek.(type) {
	case *rsa.PublicKey:
		switch {
		case ek == nil || ek.N == nil:
		case ek.N.BitLen() == 2048:
			return storage{crypto.SHA256, 128}, nil
		case ek.N.BitLen() == 3072:
			return storage{crypto.SHA384, 256}, nil
		}
	case *ecdsa.PublicKey:
		if ek != nil && ek.Curve == elliptic.P256() {
			return storage{crypto.SHA256, 128}, nil
		}
	}
	return storage{}, refuse(CheckAlgorithm, "EK is not RSA-2048, RSA-3072 or P-256")
}

// MakeCredential wraps secret so that only a TPM which holds both the EK and the object called aikName can recover it:
// TPM2_MakeCredential in software (part 1, 24). The EK, an *rsa.PublicKey of 2048 or 3072 bits or an *ecdsa.PublicKey on
// P-256, has the default template of its kind. Randomness (seed and OAEP salt, or the ephemeral key) comes from rand, so
// that the same stream gives the same challenge. Other keys are a [CheckAlgorithm].
func MakeCredential(ek crypto.PublicKey, aikName, secret []byte, rand io.Reader) (Credential, error) {
	how, err := storageOf(ek)
	if err != nil {
		return Credential{}, err
	}
	if len(secret) == 0 || len(secret) > SecretSize {
		return Credential{}, fmt.Errorf("tpmattest: make credential: secret of %d bytes, want 1 to %d", len(secret), SecretSize)
	}
	var seed, sealed []byte
	if key, ok := ek.(*ecdsa.PublicKey); ok {
		seed, sealed, err = eccSeed(key, how, rand)
	} else {
		seed, sealed, err = rsaSeed(ek.(*rsa.PublicKey), how, rand)
	}
	if err != nil {
		return Credential{}, fmt.Errorf("tpmattest: make credential: %w", err)
	}
	id, err := how.wrap(seed, aikName, secret)
	if err != nil {
		return Credential{}, fmt.Errorf("tpmattest: make credential: %w", err)
	}
	return Credential{Blob: tpm2.TPM2BIDObject{Buffer: id}, Secret: tpm2.TPM2BEncryptedSecret{Buffer: sealed}}, nil
}

// rsaSeed draws a seed and seals it with OAEP, whose label ends with a zero byte (part 1, B.10.4).
func rsaSeed(ek *rsa.PublicKey, how storage, rand io.Reader) (seed, sealed []byte, err error) {
	seed = make([]byte, how.hash.Size())
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, nil, err
	}
	sealed, err = rsa.EncryptOAEP(how.hash.New(), wholeReader{rand}, ek, seed, []byte(useIdentity+"\x00"))
	return seed, sealed, err
}

// eccSeed agrees on a seed with a key that is drawn for it (part 1, C.6.4): what travels is that key's point.
func eccSeed(ek *ecdsa.PublicKey, how storage, rand io.Reader) (seed, sealed []byte, err error) {
	public, err := ek.ECDH()
	if err != nil {
		return nil, nil, err
	}
	ephemeral, err := drawP256(rand)
	if err != nil {
		return nil, nil, err
	}
	z, err := ephemeral.ECDH(public)
	if err != nil {
		return nil, nil, err
	}
	const size = 32 // of a coordinate
	own, theirs := ephemeral.PublicKey().Bytes()[1:], public.Bytes()[1:]
	seed = tpm2.KDFe(how.hash, z, useIdentity, own[:size], theirs[:size], 8*how.hash.Size())
	return seed, append(sized(own[:size]), sized(own[size:])...), nil
}

// drawP256 is a key from the stream; the standard library draws its own whatever reader it is given.
func drawP256(rand io.Reader) (*ecdh.PrivateKey, error) {
	scalar := make([]byte, 32)
	for {
		if _, err := io.ReadFull(rand, scalar); err != nil {
			return nil, err
		}
		if key, err := ecdh.P256().NewPrivateKey(scalar); err == nil {
			return key, nil // all but one in 2^32 scalars are below the order
		}
	}
}

// wrap encrypts the secret under the seed and binds it to the Name (part 1, 24.4 and 24.5).
func (s storage) wrap(seed, name, secret []byte) ([]byte, error) {
	block, err := aes.NewCipher(tpm2.KDFa(s.hash, seed, useStorage, name, nil, s.bits))
	if err != nil {
		return nil, err
	}
	identity := sized(secret)
	//lint:ignore SA1019 a TPM's parameter and identity encryption is CFB (part 1, 24.4)
	cipher.NewCFBEncrypter(block, make([]byte, aes.BlockSize)).XORKeyStream(identity, identity)
	mac := hmac.New(s.hash.New, tpm2.KDFa(s.hash, seed, useIntegrity, nil, nil, 8*s.hash.Size()))
	mac.Write(identity)
	mac.Write(name)
	return append(sized(mac.Sum(nil)), identity...), nil
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
