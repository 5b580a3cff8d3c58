package attestation_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/tpmattest"
)

// forgeBinding makes what an AIK says of its own origin with a key that is in
// no TPM at all: the attributes are those of an AIK, and the attestation begins
// as a TPM's does, but software wrote and signed both. Without a TPM nobody can
// tell the difference; only the credential challenge can.
func forgeBinding(key *rsa.PrivateKey) []byte {
	GinkgoHelper()
	public := tpm2.Marshal(tpm2.New2B(tpm2.TPMTPublic{
		Type: tpm2.TPMAlgRSA, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true, NoDA: true, Restricted: true, SignEncrypt: true},
		AuthPolicy:       tpm2.TPM2BDigest{Buffer: tpmattest.WindowsAIKPolicy},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048, Scheme: tpm2.TPMTRSAScheme{
			Scheme: tpm2.TPMAlgRSASSA, Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSigSchemeRSASSA{HashAlg: tpm2.TPMAlgSHA256}),
		}}),
		Unique: tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: key.N.Bytes()}),
	}))
	parsed, err := tpmattest.ParsePublic(public)
	Expect(err).NotTo(HaveOccurred())
	owner := tpm2.TPM2BName{Buffer: []byte{0x40, 0, 0, 1}} // a primary key's parent is its hierarchy, named by its handle
	creation := tpm2.Marshal(tpm2.TPMSCreationData{ParentNameAlg: tpm2.TPMAlgNull, ParentName: owner, ParentQualifiedName: owner})
	hash := sha256.Sum256(creation)
	attest := tpm2.Marshal(tpm2.TPMSAttest{
		Magic: tpm2.TPMGeneratedValue, Type: tpm2.TPMSTAttestCreation,
		Attested: tpm2.NewTPMUAttest(tpm2.TPMSTAttestCreation, &tpm2.TPMSCreationInfo{
			ObjectName: tpm2.TPM2BName{Buffer: parsed.Name}, CreationHash: tpm2.TPM2BDigest{Buffer: hash[:]},
		}),
	})
	digest := sha256.Sum256(attest)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	Expect(err).NotTo(HaveOccurred())
	return tpmattest.IDBinding{
		Public: public, CreationData: tpm2.Marshal(tpm2.TPM2BData{Buffer: creation}), Attest: tpm2.Marshal(tpm2.TPM2BData{Buffer: attest}),
		Signature: tpm2.Marshal(tpm2.TPMTSignature{SigAlg: tpm2.TPMAlgRSASSA,
			Signature: tpm2.NewTPMUSignature(tpm2.TPMAlgRSASSA, &tpm2.TPMSSignatureRSA{Hash: tpm2.TPMAlgSHA256, Sig: tpm2.TPM2BPublicKeyRSA{Buffer: signature}})}),
	}.Marshal()
}
