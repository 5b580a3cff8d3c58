package vtpm

import (
	"crypto"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Each function here is one TPM command (TPM 2.0 Library Part 3). All entities
// of a chip have empty passwords, as Windows leaves them on a part that it
// provisions without an owner password.

type handles = []tpm2.TPMHandle

func startup(t transport.TPM) error {
	_, err := newFrame(tpm2.TPMCCStartup, nil).u16(uint16(tpm2.TPMSUClear)).send(t)
	return err
}

func shutdown(t transport.TPM) error {
	_, err := newFrame(tpm2.TPMCCShutdown, nil).u16(uint16(tpm2.TPMSUClear)).send(t)
	return err
}

// clearOwner is TPM2_Clear with platform authorization, as firmware sends it.
func clearOwner(t transport.TPM) error {
	_, err := newFrame(tpm2.TPMCCClear, handles{tpm2.TPMRHPlatform}, empty).send(t)
	return err
}

func flush(t transport.TPM, h tpm2.TPMHandle) error {
	_, err := newFrame(tpm2.TPMCCFlushContext, nil).u32(uint32(h)).send(t)
	return err
}

// created is what TPM2_Create and TPM2_CreatePrimary return.
type created struct {
	handle  tpm2.TPMHandle // CreatePrimary only
	private []byte         // TPM2B_PRIVATE contents, Create only
	public  []byte         // TPMT_PUBLIC
	// data, hash and ticket prove that this TPM made the key:
	// TPMS_CREATION_DATA, its digest, TPMT_TK_CREATION.
	data, hash, ticket []byte
}

func creationParameters(f *frame, template []byte, sensitive ...[]byte) *frame {
	if len(sensitive) > 0 {
		f.sized(sensitive[0])
	} else {
		f.u16(4).sized(nil).sized(nil) // TPM2B_SENSITIVE_CREATE: no password, no data
	}
	f.sized(template)
	f.sized(nil) // outsideInfo
	return f.u32(0)
}

func (c *created) proof(r *reader) error {
	c.public = r.sized()
	c.data, c.hash, c.ticket = r.sized(), r.sized(), ticket(r)
	return r.err
}

// ticket reads a TPMT_TK_CREATION whole.
func ticket(r *reader) []byte {
	if len(r.b) < 8 {
		r.err = errShort
		return nil
	}
	return r.take(6 + 2 + int(r.b[6])<<8 + int(r.b[7]))
}

// withPassword is a TPMS_SENSITIVE_CREATE.
func withPassword(password, data []byte) []byte { return (&frame{}).sized(password).sized(data).b }

// createPrimary makes a primary object; sensitive, if given, is a
// TPMS_SENSITIVE_CREATE.
func createPrimary(t transport.TPM, hierarchy tpm2.TPMHandle, template []byte, sensitive ...[]byte) (*created, error) {
	r, err := creationParameters(newFrame(tpm2.TPMCCCreatePrimary, handles{hierarchy}, empty), template, sensitive...).send(t)
	if err != nil {
		return nil, err
	}
	c := &created{handle: tpm2.TPMHandle(r.u32())}
	return c, c.proof(r.parameters())
}

func create(t transport.TPM, parent tpm2.TPMHandle, template []byte) (*created, error) {
	r, err := creationParameters(newFrame(tpm2.TPMCCCreate, handles{parent}, empty), template).send(t)
	if err != nil {
		return nil, err
	}
	c := &created{private: r.parameters().sized()}
	return c, c.proof(r)
}

// evict makes a loaded key persistent.
func evict(t transport.TPM, owner, object, persistent tpm2.TPMHandle) error {
	_, err := newFrame(tpm2.TPMCCEvictControl, handles{owner, object}, empty).u32(uint32(persistent)).send(t)
	return err
}

func load(t transport.TPM, parent tpm2.TPMHandle, private, public []byte) (h tpm2.TPMHandle, name []byte, err error) {
	r, err := newFrame(tpm2.TPMCCLoad, handles{parent}, empty).sized(private).sized(public).send(t)
	if err != nil {
		return 0, nil, err
	}
	h = tpm2.TPMHandle(r.u32())
	name = r.parameters().sized()
	return h, name, r.err
}

func readPublic(t transport.TPM, h tpm2.TPMHandle) (public, name []byte, err error) {
	r, err := newFrame(tpm2.TPMCCReadPublic, handles{h}).send(t)
	if err != nil {
		return nil, nil, err
	}
	public, name = r.sized(), r.sized()
	return public, name, r.err
}

// sign returns the raw RSA signature.
func sign(t transport.TPM, h tpm2.TPMHandle, scheme tpm2.TPMAlgID, hash tpm2.TPMAlgID, digest []byte) ([]byte, error) {
	f := newFrame(tpm2.TPMCCSign, handles{h}, empty).sized(digest).u16(uint16(scheme)).u16(uint16(hash))
	f.u16(uint16(tpm2.TPMSTHashCheck)).u32(uint32(tpm2.TPMRHNull)).sized(nil)
	r, err := f.send(t)
	if err != nil {
		return nil, err
	}
	r.parameters().u32() // algorithm and hash, as asked
	s := r.sized()
	return s, r.err
}

// rsaDecrypt undoes an encryption. hash 0 means PKCS #1 v1.5.
func rsaDecrypt(t transport.TPM, h tpm2.TPMHandle, hash tpm2.TPMAlgID, label, cipher []byte) ([]byte, error) {
	f := newFrame(tpm2.TPMCCRSADecrypt, handles{h}, empty).sized(cipher)
	if hash == 0 {
		f.u16(uint16(tpm2.TPMAlgRSAES))
	} else {
		f.u16(uint16(tpm2.TPMAlgOAEP)).u16(uint16(hash))
	}
	r, err := f.sized(label).send(t)
	if err != nil {
		return nil, err
	}
	m := r.parameters().sized()
	return m, r.err
}

// certify, certifyCreation and quote return a TPM2B_ATTEST, length included,
// and a TPMT_SIGNATURE. The scheme is the signing key's own.

func certify(t transport.TPM, object, signer tpm2.TPMHandle, qualifying []byte) (attest, signature []byte, err error) {
	f := newFrame(tpm2.TPMCCCertify, handles{object, signer}, empty, empty)
	return attestation(f.sized(qualifying).u16(uint16(tpm2.TPMAlgNull)), t)
}

func certifyCreation(t transport.TPM, signer, object tpm2.TPMHandle, qualifying, hash, ticket []byte) (attest, signature []byte, err error) {
	f := newFrame(tpm2.TPMCCCertifyCreation, handles{signer, object}, empty)
	return attestation(f.sized(qualifying).sized(hash).u16(uint16(tpm2.TPMAlgNull)).raw(ticket), t)
}

func quote(t transport.TPM, signer tpm2.TPMHandle, qualifying, selection []byte) (attest, signature []byte, err error) {
	f := newFrame(tpm2.TPMCCQuote, handles{signer}, empty)
	return attestation(f.sized(qualifying).u16(uint16(tpm2.TPMAlgNull)).raw(selection), t)
}

func attestation(f *frame, t transport.TPM) (attest, signature []byte, err error) {
	r, err := f.send(t)
	if err != nil {
		return nil, nil, err
	}
	r.parameters()
	attest, signature = r.withSize(), r.rest()
	return attest, signature, r.err
}

// startPolicy opens a policy session with a nonce of the caller.
func startPolicy(t transport.TPM, nonce []byte) (tpm2.TPMHandle, error) {
	f := newFrame(tpm2.TPMCCStartAuthSession, handles{tpm2.TPMRHNull, tpm2.TPMRHNull}).sized(nonce).sized(nil)
	f.raw([]byte{byte(tpm2.TPMSEPolicy)}).u16(uint16(tpm2.TPMAlgNull)).u16(uint16(tpm2.TPMAlgSHA256))
	r, err := f.send(t)
	if err != nil {
		return 0, err
	}
	h := tpm2.TPMHandle(r.u32())
	return h, r.err
}

func policySecret(t transport.TPM, entity, policy tpm2.TPMHandle) error {
	f := newFrame(tpm2.TPMCCPolicySecret, handles{entity, policy}, empty)
	_, err := f.sized(nil).sized(nil).sized(nil).u32(0).send(t)
	return err
}

func activate(t transport.TPM, object, key tpm2.TPMHandle, policy session, blob, secret []byte) ([]byte, error) {
	f := newFrame(tpm2.TPMCCActivateCredential, handles{object, key}, empty, policy)
	r, err := f.sized(blob).sized(secret).send(t)
	if err != nil {
		return nil, err
	}
	s := r.parameters().sized()
	return s, r.err
}

// sealTemplate is a data object with a password that dictionary attack
// protection watches over.
func sealTemplate() []byte {
	return tpm2.Marshal(tpm2.TPMTPublic{
		Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true},
		Parameters:       tpm2.NewTPMUPublicParms(tpm2.TPMAlgKeyedHash, &tpm2.TPMSKeyedHashParms{Scheme: tpm2.TPMTKeyedHashScheme{Scheme: tpm2.TPMAlgNull}}),
		Unique:           tpm2.NewTPMUPublicID(tpm2.TPMAlgKeyedHash, &tpm2.TPM2BDigest{}),
	})
}

func unseal(t transport.TPM, h tpm2.TPMHandle, password []byte) ([]byte, error) {
	r, err := newFrame(tpm2.TPMCCUnseal, handles{h}, session{handle: tpm2.TPMRSPW, hmac: password}).send(t)
	if err != nil {
		return nil, err
	}
	data := r.parameters().sized()
	return data, r.err
}

func changeAuth(t transport.TPM, hierarchy tpm2.TPMHandle, password []byte) error {
	_, err := newFrame(tpm2.TPMCCHierarchyChanegAuth, handles{hierarchy}, empty).sized(password).send(t)
	return err
}

// dictionaryParameters says how many failures are too many, and after how many
// seconds one of them, and one of the lockout password, is forgotten.
func dictionaryParameters(t transport.TPM, tries, recovery, password uint32) error {
	_, err := newFrame(tpm2.TPMCCDictionaryAttackParameters, handles{tpm2.TPMRHLockout}, empty).u32(tries).u32(recovery).u32(password).send(t)
	return err
}

func pcrExtend(t transport.TPM, pcr int, hash tpm2.TPMAlgID, digest []byte) error {
	f := newFrame(tpm2.TPMCCPCRExtend, handles{tpm2.TPMHandle(pcr)}, empty)
	_, err := f.u32(1).u16(uint16(hash)).raw(digest).send(t)
	return err
}

// algorithm is a Go hash as the TPM calls it.
func algorithm(h crypto.Hash) (tpm2.TPMAlgID, error) {
	switch h {
	case crypto.SHA1:
		return tpm2.TPMAlgSHA1, nil
	case crypto.SHA256:
		return tpm2.TPMAlgSHA256, nil
	case crypto.SHA384:
		return tpm2.TPMAlgSHA384, nil
	case crypto.SHA512:
		return tpm2.TPMAlgSHA512, nil
	}
	return 0, fmt.Errorf("vtpm: hash %v is not in the TPM", h)
}
