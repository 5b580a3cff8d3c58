package fakeentra_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"sync"
	"testing"

	"github.com/google/go-tpm-tools/simulator"
	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/wire/tpmattest"
)

// chip is a TPM as its Windows sees it. All chips of a test live in the one
// simulator that a process can have, each with endorsement key and AIK of its
// own; what one could not do with another's keys, tests do with wrong bytes.
type chip struct {
	t   testing.TB
	tpm transport.TPM
	n   int

	ek, aik       tpm2.NamedHandle
	ekPublic      *rsa.PublicKey
	aikPublic     *tpmattest.Public
	binding       tpmattest.IDBinding
	deviceKey     tpm2.CreateResponse
	deviceKeyArea *tpmattest.Public
}

const srkHandle tpm2.TPMHandle = 0x81000001

var simulated = sync.OnceValues(func() (transport.TPM, error) {
	sim, err := simulator.GetWithFixedSeedInsecure(7)
	if err != nil {
		return nil, err
	}
	return transport.FromReadWriter(sim), nil
})

var (
	chipsMu sync.Mutex
	chips   = map[int]*chip{}
)

// chipNumber is the n-th chip, 0 or 1: its keys are made once a process.
func chipNumber(t testing.TB, n int) *chip {
	t.Helper()
	chipsMu.Lock()
	defer chipsMu.Unlock()
	if c, ok := chips[n]; ok {
		c.t = t
		return c
	}
	dev, err := simulated()
	must(t, err)
	c := &chip{t: t, tpm: dev, n: n}
	ek := c.primary(tpm2.TPMRHEndorsement, unique(tpm2.RSAEKTemplate, n))
	c.ekPublic = c.parse(ek.OutPublic).Key.(*rsa.PublicKey)
	c.ek = c.persist(ek, tpm2.TPMHandle(0x81010001+n))
	aik := c.primary(tpm2.TPMRHOwner, unique(aikTemplate(), n))
	c.aikPublic = c.parse(aik.OutPublic)
	c.bind(aik)
	c.aik = c.persist(aik, tpm2.TPMHandle(0x81010010+n))
	if n == 0 {
		c.persist(c.primary(tpm2.TPMRHOwner, tpm2.RSASRKTemplate), srkHandle)
	}
	made, err := tpm2.Create{ParentHandle: c.srk(), InPublic: tpm2.New2B(signTemplate())}.Execute(dev)
	must(t, err)
	c.deviceKey, c.deviceKeyArea = *made, c.parse(made.OutPublic)
	chips[n] = c
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *chip) srk() tpm2.NamedHandle {
	rsp, err := tpm2.ReadPublic{ObjectHandle: srkHandle}.Execute(c.tpm)
	must(c.t, err)
	return tpm2.NamedHandle{Handle: srkHandle, Name: rsp.Name}
}

func (c *chip) primary(hierarchy tpm2.TPMHandle, template tpm2.TPMTPublic) *tpm2.CreatePrimaryResponse {
	c.t.Helper()
	rsp, err := tpm2.CreatePrimary{
		PrimaryHandle: tpm2.AuthHandle{Handle: hierarchy, Auth: tpm2.PasswordAuth(nil)}, InPublic: tpm2.New2B(template),
	}.Execute(c.tpm)
	must(c.t, err)
	return rsp
}

func (c *chip) persist(made *tpm2.CreatePrimaryResponse, at tpm2.TPMHandle) tpm2.NamedHandle {
	c.t.Helper()
	h := tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name}
	_, err := tpm2.EvictControl{
		Auth:         tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		ObjectHandle: &h, PersistentHandle: at,
	}.Execute(c.tpm)
	must(c.t, err)
	c.flush(made.ObjectHandle)
	return tpm2.NamedHandle{Handle: at, Name: made.Name}
}

func (c *chip) flush(h tpm2.TPMHandle) {
	_, err := tpm2.FlushContext{FlushHandle: h}.Execute(c.tpm)
	must(c.t, err)
}

func (c *chip) parse(public tpm2.TPM2BPublic) *tpmattest.Public {
	c.t.Helper()
	p, err := tpmattest.ParsePublic(tpm2.Marshal(public))
	must(c.t, err)
	return p
}

func auth(h tpm2.NamedHandle) tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: h.Handle, Name: h.Name, Auth: tpm2.PasswordAuth(nil)}
}

// bind keeps the AIK's word on how it was made.
func (c *chip) bind(aik *tpm2.CreatePrimaryResponse) {
	c.t.Helper()
	h := tpm2.NamedHandle{Handle: aik.ObjectHandle, Name: aik.Name}
	rsp, err := tpm2.CertifyCreation{
		SignHandle: auth(h), ObjectHandle: h, CreationHash: aik.CreationHash,
		InScheme: tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull}, CreationTicket: aik.CreationTicket,
	}.Execute(c.tpm)
	must(c.t, err)
	c.binding = tpmattest.IDBinding{Public: c.aikPublic.Marshal(), CreationData: tpm2.Marshal(aik.CreationData),
		Attest: tpm2.Marshal(rsp.CertifyInfo), Signature: tpm2.Marshal(rsp.Signature)}
}

// activate opens a credential challenge.
func (c *chip) activate(challenge tpmattest.Credential) []byte {
	c.t.Helper()
	session := tpm2.Policy(tpm2.TPMAlgSHA256, 16, func(t transport.TPM, s tpm2.TPMISHPolicy, nonce tpm2.TPM2BNonce) error {
		_, err := tpm2.PolicySecret{AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth(nil)},
			PolicySession: s, NonceTPM: nonce}.Execute(t)
		return err
	})
	rsp, err := tpm2.ActivateCredential{
		ActivateHandle: auth(c.aik), KeyHandle: tpm2.AuthHandle{Handle: c.ek.Handle, Name: c.ek.Name, Auth: session},
		CredentialBlob: challenge.Blob, Secret: challenge.Secret,
	}.Execute(c.tpm)
	must(c.t, err)
	return rsp.CertInfo.Buffer
}

// with loads the device key for one use.
func (c *chip) with(use func(tpm2.NamedHandle)) {
	c.t.Helper()
	loaded, err := tpm2.Load{ParentHandle: c.srk(), InPrivate: c.deviceKey.OutPrivate, InPublic: c.deviceKey.OutPublic}.Execute(c.tpm)
	must(c.t, err)
	defer c.flush(loaded.ObjectHandle)
	use(tpm2.NamedHandle{Handle: loaded.ObjectHandle, Name: loaded.Name})
}

// certify is the AIK's word for the device key, in the wire's form.
func (c *chip) certify(qualifying []byte) []byte {
	c.t.Helper()
	var out []byte
	c.with(func(key tpm2.NamedHandle) {
		rsp, err := tpm2.Certify{ObjectHandle: auth(key), SignHandle: auth(c.aik),
			QualifyingData: tpm2.TPM2BData{Buffer: qualifying}, InScheme: tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull}}.Execute(c.tpm)
		must(c.t, err)
		a, err := tpmattest.ParseAttest(tpm2.Marshal(rsp.CertifyInfo))
		must(c.t, err)
		out = tpmattest.KeyAttestation{Attest: a.Bare(), Signature: tpm2.Marshal(rsp.Signature), KeyBlob: c.deviceKeyArea.Marshal()}.Marshal()
	})
	return out
}

// quote is the AIK's signature over qualifying data alone.
func (c *chip) quote(qualifying []byte) []byte {
	c.t.Helper()
	rsp, err := tpm2.Quote{SignHandle: auth(c.aik), QualifyingData: tpm2.TPM2BData{Buffer: qualifying}, InScheme: tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull},
		PCRSelect: tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{{Hash: tpm2.TPMAlgSHA256, PCRSelect: []byte{1, 0, 0}}}}}.Execute(c.tpm)
	must(c.t, err)
	a, err := tpmattest.ParseAttest(tpm2.Marshal(rsp.Quoted))
	must(c.t, err)
	return tpmattest.KeyAttestation{Attest: a.Bare(), Signature: tpm2.Marshal(rsp.Signature)}.Marshal()
}

// deviceSigner is the device key as Go knows keys.
type deviceSigner struct{ c *chip }

func (s deviceSigner) Public() crypto.PublicKey { return s.c.deviceKeyArea.Key }

func (s deviceSigner) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) (sig []byte, err error) {
	s.c.with(func(key tpm2.NamedHandle) {
		rsp, err := tpm2.Sign{KeyHandle: auth(key), Digest: tpm2.TPM2BDigest{Buffer: digest},
			InScheme:   tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgRSASSA, Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA256})},
			Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck, Hierarchy: tpm2.TPMRHNull}}.Execute(s.c.tpm)
		must(s.c.t, err)
		rsassa, err := rsp.Signature.Signature.RSASSA()
		must(s.c.t, err)
		sig = rsassa.Sig.Buffer
	})
	return sig, nil
}

func unique(t tpm2.TPMTPublic, n int) tpm2.TPMTPublic {
	sum := sha256.Sum256([]byte{byte(n)})
	t.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: bytes.Repeat(sum[:], 8)})
	return t
}

func aikTemplate() tpm2.TPMTPublic {
	t := signTemplate()
	t.ObjectAttributes.Restricted = true
	t.AuthPolicy = tpm2.TPM2BDigest{Buffer: tpmattest.WindowsAIKPolicy}
	t.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048,
		Scheme: tpm2.TPMTRSAScheme{Scheme: tpm2.TPMAlgRSASSA,
			Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSigSchemeRSASSA{HashAlg: tpm2.TPMAlgSHA256})}})
	return t
}

func signTemplate() tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type: tpm2.TPMAlgRSA, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true, NoDA: true, SignEncrypt: true},
		Parameters:       tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048}),
		Unique:           tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{}),
	}
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return cert
}
