package tpmattest_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-tpm-tools/simulator"
	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/wire/tpmattest"
)

// rig is a software TPM with the default EK, an SRK, an RSA AIK and what a device would send about them. There can be
// one simulator in a process, so all tests share it.
type rig struct {
	t        *testing.T
	tpm      transport.TPM
	ek, srk  tpm2.NamedHandle
	ekPublic *rsa.PublicKey
}

var openTPM = sync.OnceValues(func() (transport.TPM, error) {
	sim, err := simulator.GetWithFixedSeedInsecure(1)
	if err != nil {
		return nil, err
	}
	return transport.FromReadWriter(sim), nil
})

func newRig(t *testing.T) *rig {
	t.Helper()
	dev, err := openTPM()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, tpm: dev}
	ek := r.persistent(0x81010001, tpm2.TPMRHEndorsement, tpm2.RSAEKTemplate)
	r.ek, r.ekPublic = ek.handle, tpmRSA(ek)
	r.srk = r.persistent(0x81000001, tpm2.TPMRHOwner, tpm2.RSASRKTemplate).handle
	return r
}

// persistent makes a primary key at a fixed handle, once: the TPM holds three transient objects only.
func (r *rig) persistent(at tpm2.TPMHandle, hierarchy tpm2.TPMHandle, template tpm2.TPMTPublic) object {
	r.t.Helper()
	read := func() (*tpm2.ReadPublicResponse, error) { return tpm2.ReadPublic{ObjectHandle: at}.Execute(r.tpm) }
	rsp, err := read()
	if err != nil {
		made := r.primary(hierarchy, template)
		_, err = tpm2.EvictControl{
			Auth:             tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
			ObjectHandle:     &made.handle,
			PersistentHandle: at,
		}.Execute(r.tpm)
		if err != nil {
			r.t.Fatal(err)
		}
		made.drop()
		if rsp, err = read(); err != nil {
			r.t.Fatal(err)
		}
	}
	return object{handle: tpm2.NamedHandle{Handle: at, Name: rsp.Name}, public: r.parse(rsp.OutPublic)}
}

// object is a key in the TPM and what its creation gave.
type object struct {
	handle   tpm2.NamedHandle
	public   *tpmattest.Public
	creation []byte // TPM2B_CREATION_DATA
	hash     tpm2.TPM2BDigest
	ticket   tpm2.TPMTTKCreation
	drop     func() // unloads it before the test ends
}

func (r *rig) primary(hierarchy tpm2.TPMHandle, template tpm2.TPMTPublic) object {
	r.t.Helper()
	rsp, err := tpm2.CreatePrimary{
		PrimaryHandle: tpm2.AuthHandle{Handle: hierarchy, Auth: tpm2.PasswordAuth(nil)},
		InPublic:      tpm2.New2B(template),
	}.Execute(r.tpm)
	if err != nil {
		r.t.Fatal(err)
	}
	return object{
		drop:     r.flushOnce(rsp.ObjectHandle),
		handle:   tpm2.NamedHandle{Handle: rsp.ObjectHandle, Name: rsp.Name},
		public:   r.parse(rsp.OutPublic),
		creation: tpm2.Marshal(rsp.CreationData),
		hash:     rsp.CreationHash,
		ticket:   rsp.CreationTicket,
	}
}

func (r *rig) child(template tpm2.TPMTPublic) object {
	r.t.Helper()
	created, err := tpm2.Create{ParentHandle: r.srk, InPublic: tpm2.New2B(template)}.Execute(r.tpm)
	if err != nil {
		r.t.Fatal(err)
	}
	loaded, err := tpm2.Load{ParentHandle: r.srk, InPrivate: created.OutPrivate, InPublic: created.OutPublic}.Execute(r.tpm)
	if err != nil {
		r.t.Fatal(err)
	}
	return object{
		handle: tpm2.NamedHandle{Handle: loaded.ObjectHandle, Name: loaded.Name},
		public: r.parse(created.OutPublic),
		drop:   r.flushOnce(loaded.ObjectHandle),
	}
}

func (r *rig) flushOnce(h tpm2.TPMHandle) func() {
	flush := sync.OnceFunc(func() {
		if _, err := (tpm2.FlushContext{FlushHandle: h}).Execute(r.tpm); err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(flush)
	return flush
}

func (r *rig) parse(public tpm2.TPM2BPublic) *tpmattest.Public {
	r.t.Helper()
	p, err := tpmattest.ParsePublic(tpm2.Marshal(public))
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) auth(h tpm2.NamedHandle) tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: h.Handle, Name: h.Name, Auth: tpm2.PasswordAuth(nil)}
}

func (r *rig) certify(aik, key object, qualifying []byte) (attest, signature []byte) {
	r.t.Helper()
	rsp, err := tpm2.Certify{
		ObjectHandle:   r.auth(key.handle),
		SignHandle:     r.auth(aik.handle),
		QualifyingData: tpm2.TPM2BData{Buffer: qualifying},
		InScheme:       tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull},
	}.Execute(r.tpm)
	if err != nil {
		r.t.Fatal(err)
	}
	return tpm2.Marshal(rsp.CertifyInfo), tpm2.Marshal(rsp.Signature)
}

func (r *rig) idBinding(aik object) tpmattest.IDBinding {
	r.t.Helper()
	rsp, err := tpm2.CertifyCreation{
		SignHandle:     r.auth(aik.handle),
		ObjectHandle:   aik.handle,
		CreationHash:   aik.hash,
		InScheme:       tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull},
		CreationTicket: aik.ticket,
	}.Execute(r.tpm)
	if err != nil {
		r.t.Fatal(err)
	}
	return tpmattest.IDBinding{
		Public:       aik.public.Marshal(),
		CreationData: aik.creation,
		Attest:       tpm2.Marshal(rsp.CertifyInfo),
		Signature:    tpm2.Marshal(rsp.Signature),
	}
}

func (r *rig) activate(aik object, c tpmattest.Credential) ([]byte, error) {
	return r.activateWith(r.ek, aik, c)
}

func (r *rig) activateWith(ek tpm2.NamedHandle, aik object, c tpmattest.Credential) ([]byte, error) {
	session := tpm2.Policy(tpm2.TPMAlgSHA256, 16, func(t transport.TPM, s tpm2.TPMISHPolicy, nonce tpm2.TPM2BNonce) error {
		_, err := tpm2.PolicySecret{
			AuthHandle:    tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth(nil)},
			PolicySession: s,
			NonceTPM:      nonce,
		}.Execute(t)
		return err
	})
	rsp, err := tpm2.ActivateCredential{
		ActivateHandle: r.auth(aik.handle),
		KeyHandle:      tpm2.AuthHandle{Handle: ek.Handle, Name: ek.Name, Auth: session},
		CredentialBlob: c.Blob,
		Secret:         c.Secret,
	}.Execute(r.tpm)
	if err != nil {
		return nil, err
	}
	return rsp.CertInfo.Buffer, nil
}

// aikTemplate is a restricted RSA-2048 signing key, unique by its label.
func aikTemplate(label string) tpm2.TPMTPublic {
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
		Unique: unique(label),
	}
}

func unique(label string) tpm2.TPMUPublicID {
	sum := sha256.Sum256([]byte(label))
	return tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: sum[:20]})
}

// eccTemplate is a restricted P-256 signing key.
func eccTemplate() tpm2.TPMTPublic {
	t := aikTemplate("")
	t.Type = tpm2.TPMAlgECC
	t.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
		Scheme: tpm2.TPMTECCScheme{
			Scheme:  tpm2.TPMAlgECDSA,
			Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256}),
		},
		CurveID: tpm2.TPMECCNistP256,
	})
	t.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{})
	return t
}

// deviceKeyTemplate is the kind of key that a device binds its certificates to.
func deviceKeyTemplate() tpm2.TPMTPublic {
	t := aikTemplate("")
	t.ObjectAttributes.Restricted = false
	t.ObjectAttributes.Decrypt = true
	t.AuthPolicy = tpm2.TPM2BDigest{}
	t.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048})
	t.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{})
	return t
}

func stream(seed string) *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte(seed))) }
