package rig

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"

	"github.com/google/go-tpm/tpm2"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/tpmattest"
)

// Enrolment is the audience of access tokens for enrolment and management.
const Enrolment = "https://enrollment.manage.microsoft.com/"

// UserToken is an access token for management of a user on a device.
func (r *Rig) UserToken(tenantID, upn, deviceID string) string {
	return r.sign(r.signer, oauth.Claims{Audience: Enrolment, TenantID: tenantID, UPN: upn, ObjectID: "oid-" + upn, DeviceID: deviceID})
}

// DeviceToken is the device's own.
func (r *Rig) DeviceToken(tenantID, deviceID string) string {
	return r.sign(r.signer, oauth.Claims{Audience: Enrolment, TenantID: tenantID, ObjectID: "obj-" + deviceID, DeviceID: deviceID})
}

// ForgedDeviceToken is signed by nobody that counts.
func (r *Rig) ForgedDeviceToken(tenantID, deviceID string) string {
	return r.sign(r.newSigner(1), oauth.Claims{Audience: Enrolment, TenantID: tenantID, DeviceID: deviceID})
}

// AIKAuthority issues AIK certificates.
func (r *Rig) AIKAuthority() *pki.CA {
	root, err := pki.NewRoot(r.Clock.Now(), 7, "AIK root", pki.Options{})
	r.must(err)
	ca, err := root.Sub(r.Clock.Now(), "AIK authority", pki.Options{})
	r.must(err)
	return ca
}

// TPM is an AIK in software, with its certificate.
type TPM struct {
	Key  *rsa.PrivateKey
	Cert *x509.Certificate
}

// NewTPM makes the n-th AIK, certified by ca.
func (r *Rig) NewTPM(ca *pki.CA, n int) TPM {
	key := pki.RSAKey(n)
	cert, err := ca.Issue(r.Clock.Now(), &x509.Certificate{NotAfter: r.Clock.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{aik.EKUAIKCertificate}}, key.Public())
	r.must(err)
	return TPM{key, cert}
}

// PublicArea is a key's as a TPM shows it, TPM2B_PUBLIC.
func (r *Rig) PublicArea(key *rsa.PublicKey) []byte {
	return tpm2.Marshal(tpm2.New2B(tpm2.TPMTPublic{
		Type: tpm2.TPMAlgRSA, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true, SignEncrypt: true, Decrypt: true},
		Parameters:       tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048}),
		Unique:           tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: key.N.Bytes()}),
	}))
}

// Certify is the AIK's word for a key, as a device sends it.
func (r *Rig) Certify(t TPM, key *rsa.PublicKey, qualifying []byte) []byte {
	public := r.PublicArea(key)
	parsed, err := tpmattest.ParsePublic(public)
	r.must(err)
	attest := tpm2.Marshal(tpm2.TPMSAttest{
		Magic: tpm2.TPMGeneratedValue, Type: tpm2.TPMSTAttestCertify, ExtraData: tpm2.TPM2BData{Buffer: qualifying},
		Attested: tpm2.NewTPMUAttest(tpm2.TPMSTAttestCertify, &tpm2.TPMSCertifyInfo{Name: tpm2.TPM2BName{Buffer: parsed.Name}}),
	})
	sum := sha256.Sum256(attest)
	signature, err := rsa.SignPKCS1v15(nil, t.Key, crypto.SHA256, sum[:])
	r.must(err)
	return tpmattest.KeyAttestation{Attest: attest, KeyBlob: public, Signature: tpm2.Marshal(tpm2.TPMTSignature{
		SigAlg:    tpm2.TPMAlgRSASSA,
		Signature: tpm2.NewTPMUSignature(tpm2.TPMAlgRSASSA, &tpm2.TPMSSignatureRSA{Hash: tpm2.TPMAlgSHA256, Sig: tpm2.TPM2BPublicKeyRSA{Buffer: signature}}),
	})}.Marshal()
}

// CSR is a certificate request of a key.
func (r *Rig) CSR(key crypto.Signer) []byte {
	der, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "device"}}, key)
	r.must(err)
	return der
}

// HWDevID is a hardware device id for the n-th device, and what an AIK signs
// over.
func HWDevID(n byte) (text string, qualifying []byte) {
	sum := sha256.Sum256([]byte{'h', n})
	return hex.EncodeToString(sum[:]), sum[:]
}

// Enrol sends a RequestSecurityToken with a token, and gives the provisioning
// document, or the fault.
func (r *Rig) Enrol(h http.Handler, token string, m mde.Enrol) (*mde.Provisioning, *mde.Fault) {
	r.T.Helper()
	address := "https://" + hosts.Enrollment + mde.EnrolPath
	body, err := mde.EncodeEnrol(mde.Header{Action: mde.ActionEnrol, MessageID: "urn:uuid:1", To: address, Security: mde.EntraSecurity(token)}, &m)
	r.must(err)
	rec := r.Call(h, http.MethodPost, address, http.Header{"Content-Type": {mde.ContentType}}, body, nil)
	_, result, err := mde.DecodeEnrolResult(rec.Body.Bytes())
	var fault *mde.Fault
	if errors.As(err, &fault) {
		return nil, fault
	}
	r.must(err)
	p, err := mde.DecodeProvisioning(result.Provisioning)
	r.must(err)
	return p, nil
}

// With sends a request over a connection that shows a client certificate; nil
// shows none.
func (r *Rig) With(cert *x509.Certificate, h http.Handler, method, address string, header http.Header, body []byte) *httptest.ResponseRecorder {
	r.T.Helper()
	var rec *httptest.ResponseRecorder
	r.Do(func(ctx context.Context) {
		req := httptest.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
		for k, v := range header {
			req.Header[k] = v
		}
		req.TLS = &tls.ConnectionState{}
		if cert != nil {
			req.TLS.PeerCertificates = []*x509.Certificate{cert}
		}
		rec = httptest.NewRecorder()
		h.ServeHTTP(rec, req)
	})
	return rec
}
