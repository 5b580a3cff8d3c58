package vtpm

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/wire/tpmattest"
)

const (
	// recipeVersion is part of an image's key: raise it when this file, or what
	// it calls, would make other chips.
	recipeVersion = 3
	// simulatorVersion is the module version of the reference code.
	simulatorVersion = "v0.4.11"

	// Persistent handles. The first two are where Windows keeps them (TCG TPM
	// v2.0 Provisioning Guidance, table 2); the AIK's is ours.
	ekHandle  tpm2.TPMHandle = 0x81010001
	srkHandle tpm2.TPMHandle = 0x81000001
	aikHandle tpm2.TPMHandle = 0x81010010

	// poolKeys is how many wrapped keys an image has: device, transport and MDM
	// key of the technician flow and a certificate's, and those of the user
	// flow, where the MDM key stays.
	poolKeys = 7
)

// templates are the public areas of the keys, encoded.
var templates = sync.OnceValue(func() (t struct{ ek, ekECC, ek3072, srk, key []byte }) {
	t.ek = tpm2.Marshal(tpm2.RSAEKTemplate)
	t.ekECC = tpm2.Marshal(tpm2.ECCEKTemplate)
	t.ek3072 = tpm2.Marshal(ek3072Template())
	t.srk = tpm2.Marshal(tpm2.RSASRKTemplate)
	t.key = tpm2.Marshal(keyTemplate())
	return t
})

// keyTemplate is an ordinary key of Windows' Platform Crypto Provider:
// signs and decrypts, any scheme, no password, not bound by dictionary attack
// protection. The policy is the one that Windows gives its keys (seen in the
// TPM attestations of Windows Hello, W3C WebAuthn issue samples).
func keyTemplate() tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type: tpm2.TPMAlgRSA, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true,
			NoDA: true, Decrypt: true, SignEncrypt: true,
		},
		AuthPolicy: tpm2.TPM2BDigest{Buffer: tpmattest.WindowsAIKPolicy},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048}),
		Unique:     tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{}),
	}
}

// aikTemplate is an attestation identity key: restricted to signing what the
// TPM itself says, RSASSA with SHA-256. unique, random, is what makes one AIK
// of a TPM differ from the next, since a primary key follows from its template.
func aikTemplate(unique []byte) []byte {
	return tpm2.Marshal(tpm2.TPMTPublic{
		Type: tpm2.TPMAlgRSA, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true,
			NoDA: true, Restricted: true, SignEncrypt: true,
		},
		AuthPolicy: tpm2.TPM2BDigest{Buffer: tpmattest.WindowsAIKPolicy},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{
			Scheme: tpm2.TPMTRSAScheme{
				Scheme:  tpm2.TPMAlgRSASSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSigSchemeRSASSA{HashAlg: tpm2.TPMAlgSHA256}),
			},
			KeyBits: 2048,
		}),
		Unique: tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: unique}),
	})
}

// birth proves how the AIK was made; only the TPM that made it accepts it.
type birth struct {
	data, hash, ticket []byte // TPMS_CREATION_DATA, digest, TPMT_TK_CREATION
}

// makePrimary makes a primary key and keeps it at a persistent handle.
func makePrimary(t transport.TPM, hierarchy, at tpm2.TPMHandle, template []byte) (*created, error) {
	c, err := createPrimary(t, hierarchy, template)
	if err != nil {
		return nil, err
	}
	if err := evict(t, tpm2.TPMRHOwner, c.handle, at); err != nil {
		return nil, err
	}
	return c, flush(t, c.handle)
}

// provision makes those of the three lasting keys that are not there, as
// Windows' provisioning task does. ek is nil where the chip has one already;
// aik never is: a chip that needs provisioning has lost its storage.
func provision(t transport.TPM, m *Model, unique []byte) (ek *created, aik *created, err error) {
	if ek, err = makeMissing(t, tpm2.TPMRHEndorsement, ekHandle, m.ekTemplate()); err != nil {
		return nil, nil, fmt.Errorf("vtpm: EK: %w", err)
	}
	if _, err = makeMissing(t, tpm2.TPMRHOwner, srkHandle, templates().srk); err != nil {
		return nil, nil, fmt.Errorf("vtpm: SRK: %w", err)
	}
	if aik, err = makePrimary(t, tpm2.TPMRHOwner, aikHandle, aikTemplate(unique)); err != nil {
		return nil, nil, fmt.Errorf("vtpm: AIK: %w", err)
	}
	return ek, aik, nil
}

// makeMissing is makePrimary for a handle that may be taken; it returns nil if
// it is.
func makeMissing(t transport.TPM, hierarchy, at tpm2.TPMHandle, template []byte) (*created, error) {
	_, _, err := readPublic(t, at)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return makePrimary(t, hierarchy, at, template)
	}
	return nil, err
}

// manufacture runs the recipe on a chip that is manufactured and started:
// lasting keys, certificates, and the pool of wrapped keys.
func manufacture(t transport.TPM, m *Model, id ChipID, unique []byte) (*image, error) {
	if m.Family != family20 {
		return manufactureOld(t)
	}
	img := &image{}
	if m.EKs[0].Algorithm == RSA3072 {
		img.ek = unknownModulus(id) // and no EK at its handle: this chip cannot make one
		if _, err := makePrimary(t, tpm2.TPMRHOwner, srkHandle, templates().srk); err != nil {
			return nil, fmt.Errorf("vtpm: SRK: %w", err)
		}
		aik, err := makePrimary(t, tpm2.TPMRHOwner, aikHandle, aikTemplate(unique))
		if err != nil {
			return nil, fmt.Errorf("vtpm: AIK: %w", err)
		}
		img.aik = birth{aik.data, aik.hash, aik.ticket}
	} else {
		ek, aik, err := provision(t, m, unique)
		if err != nil {
			return nil, err
		}
		key, err := rsaPublic(ek.public)
		if err != nil {
			return nil, err
		}
		img.ek, img.aik = key.N.FillBytes(make([]byte, 256)), birth{aik.data, aik.hash, aik.ticket}
	}
	if err := endorse(t, m, id, img); err != nil {
		return nil, err
	}
	for range poolKeys {
		c, err := create(t, srkHandle, templates().key)
		if err != nil {
			return nil, fmt.Errorf("vtpm: key pool: %w", err)
		}
		img.pool = append(img.pool, joinBlob(c.public, c.private))
	}
	return img, shutdown(t)
}

// rsaPublic reads the RSA key of a TPMT_PUBLIC without reflection. All keys
// here are RSA; what differs in length before the modulus are the policy and
// the scheme.
func rsaPublic(public []byte) (*rsa.PublicKey, error) {
	r := &reader{b: public}
	typ := tpm2.TPMAlgID(r.u16())
	r.u16() // nameAlg
	r.u32() // attributes
	r.sized()
	if symmetric := tpm2.TPMAlgID(r.u16()); symmetric != tpm2.TPMAlgNull {
		r.u32() // key bits, mode
	}
	if scheme := tpm2.TPMAlgID(r.u16()); scheme != tpm2.TPMAlgNull {
		r.u16() // hash
	}
	r.u16() // key bits
	exponent := r.u32()
	modulus := r.sized()
	if r.err != nil || typ != tpm2.TPMAlgRSA || len(modulus) == 0 || len(r.b) != 0 {
		return nil, fmt.Errorf("vtpm: not the public area of an RSA key")
	}
	if exponent == 0 {
		exponent = 65537
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(exponent)}, nil
}
