package aik_test

import (
	"crypto/rsa"
	"testing"

	"github.com/google/go-tpm-tools/simulator"
	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/tpmattest"
)

// TestExchangeWithTPM enrols an AIK of a real (software) TPM, both ends over their bytes.
func TestExchangeWithTPM(t *testing.T) {
	g := NewWithT(t)
	sim, err := simulator.GetWithFixedSeedInsecure(7)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(sim.Close()).To(Succeed()) }()
	dev := transport.FromReadWriter(sim)
	f := newFixture(t, true)

	// The device: EK, AIK, and the AIK's word on how it was made.
	ek := createPrimary(t, dev, tpm2.TPMRHEndorsement, tpm2.RSAEKTemplate)
	key := createPrimary(t, dev, tpm2.TPMRHOwner, aikTemplate())
	certified, err := tpm2.CertifyCreation{
		SignHandle:     tpm2.AuthHandle{Handle: key.ObjectHandle, Name: key.Name, Auth: tpm2.PasswordAuth(nil)},
		ObjectHandle:   tpm2.NamedHandle{Handle: key.ObjectHandle, Name: key.Name},
		CreationHash:   key.CreationHash,
		InScheme:       tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull},
		CreationTicket: key.CreationTicket,
	}.Execute(dev)
	g.Expect(err).NotTo(HaveOccurred())
	ekPublic, err := tpmattest.ParsePublic(tpm2.Marshal(ek.OutPublic))
	g.Expect(err).NotTo(HaveOccurred())
	p := f.params(t)
	p.EK = tpmattest.EKInfo{Key: ekPublic.Key, Certificate: f.ekCertificate(t, ekPublic.Key).Raw}
	p.Statement = tpmattest.Statement{IDBinding: tpmattest.IDBinding{
		Public:       tpm2.Marshal(key.OutPublic),
		CreationData: tpm2.Marshal(key.CreationData),
		Attest:       tpm2.Marshal(certified.CertifyInfo),
		Signature:    tpm2.Marshal(certified.Signature),
	}.Marshal()}
	sent, err := aik.BuildRequest1(p, stream("device"))
	g.Expect(err).NotTo(HaveOccurred())

	// The service: believes nothing yet, and challenges.
	r1, err := aik.ParseRequest1(sent.DER, f.registrar.Encryption)
	g.Expect(err).NotTo(HaveOccurred())
	public, err := r1.VerifyAttestation()
	g.Expect(err).NotTo(HaveOccurred())
	cert, err := r1.EK.ParseCertificate()
	g.Expect(err).NotTo(HaveOccurred())
	secret := make([]byte, tpmattest.SecretSize)
	_, err = stream("secret").Read(secret)
	g.Expect(err).NotTo(HaveOccurred())
	credential, err := tpmattest.MakeCredential(cert.PublicKey.(*rsa.PublicKey), public.Name, secret, stream("credential"))
	g.Expect(err).NotTo(HaveOccurred())
	der, err := aik.BuildChallenge(r1.Message, aik.Challenge{Credential: credential}, f.registrar, stream("service"))
	g.Expect(err).NotTo(HaveOccurred())

	// The device: only its TPM can answer.
	c, err := aik.ParseChallenge(der, sent)
	g.Expect(err).NotTo(HaveOccurred())
	activated, err := tpm2.ActivateCredential{
		ActivateHandle: tpm2.AuthHandle{Handle: key.ObjectHandle, Name: key.Name, Auth: tpm2.PasswordAuth(nil)},
		KeyHandle:      tpm2.AuthHandle{Handle: ek.ObjectHandle, Name: ek.Name, Auth: endorsementPolicy()},
		CredentialBlob: c.Credential.Blob,
		Secret:         c.Credential.Secret,
	}.Execute(dev)
	g.Expect(err).NotTo(HaveOccurred())
	sent2, err := aik.BuildRequest2(aik.Request2Params{
		Secret: activated.CertInfo.Buffer, ServerContext: c.ServerContext,
		TransactionID: sent.Attributes.TransactionID, Signer: f.device, Authority: f.authority,
	}, stream("device 2"))
	g.Expect(err).NotTo(HaveOccurred())
	r2, err := aik.ParseRequest2(sent2.DER, f.registrar.Encryption)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r2.Secret).To(Equal(secret))
}

func createPrimary(t *testing.T, dev transport.TPM, hierarchy tpm2.TPMHandle, template tpm2.TPMTPublic) *tpm2.CreatePrimaryResponse {
	t.Helper()
	rsp, err := tpm2.CreatePrimary{
		PrimaryHandle: tpm2.AuthHandle{Handle: hierarchy, Auth: tpm2.PasswordAuth(nil)},
		InPublic:      tpm2.New2B(template),
	}.Execute(dev)
	if err != nil {
		t.Fatal(err)
	}
	return rsp
}

func aikTemplate() tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type:    tpm2.TPMAlgRSA,
		NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true, NoDA: true,
			Restricted: true, SignEncrypt: true,
		},
		AuthPolicy: tpm2.TPM2BDigest{Buffer: tpmattest.WindowsAIKPolicy},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{
			Scheme: tpm2.TPMTRSAScheme{
				Scheme:  tpm2.TPMAlgRSASSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSigSchemeRSASSA{HashAlg: tpm2.TPMAlgSHA256}),
			},
			KeyBits: 2048,
		}),
		Unique: tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: make([]byte, 20)}),
	}
}

// endorsementPolicy is the policy of the default EK template: PolicySecret of the endorsement hierarchy.
func endorsementPolicy() tpm2.Session {
	return tpm2.Policy(tpm2.TPMAlgSHA256, 16, func(t transport.TPM, s tpm2.TPMISHPolicy, nonce tpm2.TPM2BNonce) error {
		_, err := tpm2.PolicySecret{
			AuthHandle:    tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth(nil)},
			PolicySession: s,
			NonceTPM:      nonce,
		}.Execute(t)
		return err
	})
}
