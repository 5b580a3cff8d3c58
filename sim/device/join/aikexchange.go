package join

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// AIKExchange is one exchange with the AIK service ([MS-WCCE] 3.2.2.6.2.1.2.7
// over SCEP), step by step, as Windows does it: Meet, Certify, Request, Recover,
// Answer. Who wants all of it calls [Attest]; the steps are for whoever measures
// them, or means no good.
type AIKExchange struct {
	w         *device.Windows
	host      string
	platform  aik.Platform
	ek        *endorsement
	name      aik.TPMName
	signer    scep.Identity
	authority *aik.Authority

	key       *vtpm.AIK
	binding   []byte // the AIK's word about how it was made
	random    io.Reader
	request   *aik.Sent
	challenge *aik.Challenge
	secret    []byte
	answer    *aik.Sent
}

// NewAIKExchange gets to know the TPM: its properties, its EK certificate, from
// the vendor's host where the TPM has none, and by it the service to ask.
func NewAIKExchange(w *device.Windows) (*AIKExchange, error) {
	ek, err := findEndorsement(w)
	if err != nil {
		return nil, err
	}
	return newAIKExchange(w, ek)
}

func newAIKExchange(w *device.Windows, ek *endorsement) (*AIKExchange, error) {
	name, err := aik.TPMNameOf(ek.cert.Certificate)
	if err != nil {
		return nil, hresult.New("read EK certificate", aik.NoEKCertificate.Code(), err)
	}
	platform := aik.Platform{
		Version: "2.0", Revision: ek.tpm.Revision, VendorID: ek.tpm.VendorID,
		Firmware: [2]uint32{uint32(ek.tpm.Firmware[0]), uint32(ek.tpm.Firmware[1])},
	}
	signer, err := scep.NewSigner(pki.PooledRSA(0), w.Now(), w.Timing.TPM.RequestSignerLife, w.RandomReader())
	if err != nil {
		return nil, hresult.New("make SCEP signer", hresult.Unexpected, err)
	}
	return &AIKExchange{w: w, host: aik.Host(name.Vendor(), ek.keyID), platform: platform, ek: ek, name: name, signer: signer}, nil
}

// Again is the same exchange before its next step, for work of its own below
// ctx. What was learnt so far is kept.
func (e *AIKExchange) Again(ctx context.Context) *AIKExchange {
	again := *e
	again.w = e.w.Under(ctx)
	return &again
}

// Claim puts another TPM's endorsement in the place of this PC's own, which is
// what a cloned or a stolen EK certificate looks like to the service.
func (e *AIKExchange) Claim(other *AIKExchange) {
	e.ek, e.name, e.host, e.platform = other.ek, other.name, other.host, other.platform
}

// Meet asks what the service can do and which certificates it uses, and
// believes it only below a root that this Windows trusts.
func (e *AIKExchange) Meet() error {
	const op = "AIK service certificates"
	caps, err := e.get(op, "GetCACaps")
	if err != nil {
		return err
	}
	if !scep.ParseCapabilities(caps).Has("IdentityKeyAttestation") {
		return hresult.New(op, hresult.TPMAttestationFailed, errors.New("the service does not attest identity keys"))
	}
	chain, err := e.get(op, "GetCACertChain")
	if err != nil {
		return err
	}
	if e.authority, err = aik.ParseAuthority(chain); err != nil {
		return hresult.New(op, hresult.InvalidData, err)
	}
	for _, cert := range []*x509.Certificate{e.authority.Signing, e.authority.Encryption} {
		if err := pki.Trusted(cert, []*x509.Certificate{e.authority.Issuing}, e.w.Roots, e.w.Now()); err != nil {
			return hresult.New(op, hresult.CertUntrustedRoot, err)
		}
	}
	return nil
}

// Certify has the TPM say what its AIK is (TPM2_CertifyCreation).
func (e *AIKExchange) Certify() error {
	var err error
	if e.key, err = openAIK(e.w); err != nil {
		return err
	}
	binding, err := e.key.IDBinding(e.w.Ctx, nil)
	if err != nil {
		return tpmError(e.w, "certify creation of AIK", err)
	}
	e.binding = binding.Marshal()
	return nil
}

// Request sends what the TPM says of its AIK and receives the challenge.
func (e *AIKExchange) Request() error {
	w := e.w
	e.random = w.RandomReader()
	request, err := aik.BuildRequest1(aik.Request1Params{
		EK:        tpmattest.EKInfo{Key: e.ek.cert.PublicKey, Certificate: e.ek.cert.Raw, Extra: e.ek.extra},
		Statement: tpmattest.Statement{IDBinding: e.binding},
		OSVersion: "10.0." + w.Installation.Build, TPM: e.name, Client: aik.ClientInfo{MachineName: w.ComputerName(), UserName: `WORKGROUP\` + w.ComputerName() + "$"},
		Signer: e.signer, Authority: e.authority,
	}, e.random)
	if err != nil {
		return hresult.New("request AIK certificate", hresult.InvalidData, err)
	}
	e.request = request
	body, err := e.post("request AIK certificate", request.DER)
	if err != nil {
		return err
	}
	if e.challenge, err = aik.ParseChallenge(body, request); err != nil {
		return hresult.New("read AIK challenge", aik.OutcomeOfError(err).Code(), err)
	}
	w.Event("aik.challenge", journal.F("host", e.host))
	return nil
}

// Challenged tells whether the service has sent a challenge.
func (e *AIKExchange) Challenged() bool { return e.challenge != nil }

// Recover has the TPM open the challenge (TPM2_ActivateCredential), which only
// the one can do that has both keys.
func (e *AIKExchange) Recover() (err error) {
	e.secret, err = e.key.Activate(e.w.Ctx, e.challenge.Credential.Blob.Buffer, e.challenge.Credential.Secret.Buffer)
	if err != nil {
		return tpmError(e.w, "activate credential", err)
	}
	return nil
}

// Guess makes up a secret of the right length, as who cannot recover it might.
func (e *AIKExchange) Guess() { e.secret = e.w.Random(32) }

// Answer sends the secret and keeps the certificate that comes for it.
func (e *AIKExchange) Answer() error {
	answer, err := aik.BuildRequest2(aik.Request2Params{
		Secret: e.secret, ServerContext: e.challenge.ServerContext, TransactionID: e.request.Attributes.TransactionID, Signer: e.signer, Authority: e.authority,
	}, e.random)
	if err != nil {
		return hresult.New("answer AIK challenge", hresult.InvalidData, err)
	}
	e.answer = answer
	return e.Resend()
}

// Resend sends the answer as it was sent before.
func (e *AIKExchange) Resend() error {
	body, err := e.post("answer AIK challenge", e.answer.DER)
	if err != nil {
		return err
	}
	cert, _, err := aik.ParseSuccess(body, e.answer)
	if err != nil {
		return hresult.New("receive AIK certificate", aik.OutcomeOfError(err).Code(), err)
	}
	if pub, ok := cert.PublicKey.(*rsa.PublicKey); !ok || !pub.Equal(e.key.Public()) {
		return hresult.New("receive AIK certificate", hresult.TPMAttestationFailed, errors.New("the certificate is about another key"))
	}
	e.w.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: CertAIK, DER: cert.Raw})
	e.w.Event("aik.certificate", journal.F("serial", cert.SerialNumber.Text(16)), journal.F("aik", fmt.Sprintf("%x", e.key.Name())))
	return nil
}

func (e *AIKExchange) get(op, operation string) ([]byte, error) {
	return e.exchange(device.Request{Op: op, Method: http.MethodGet, URL: aik.URL(e.host, operation), Header: e.header()})
}

func (e *AIKExchange) post(op string, der []byte) ([]byte, error) {
	h := e.header()
	h.Set("Content-Type", aik.ContentType)
	return e.exchange(device.Request{Op: op, Method: http.MethodPost, URL: aik.URL(e.host, "PKIOperation"), Header: h, Body: der})
}

func (e *AIKExchange) exchange(r device.Request) ([]byte, error) {
	resp, err := e.w.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		outcome, message := aik.OutcomeOf(resp.Status, resp.Body)
		return nil, hresult.New(r.Op, outcome.Code(), fmt.Errorf("HTTP %d: %s", resp.Status, message))
	}
	return resp.Body, nil
}

func (e *AIKExchange) header() http.Header {
	h := http.Header{"User-Agent": {aik.UserAgent("10.0." + e.w.Installation.Build)}}
	h.Set(aik.HeaderPlatformType, e.platform.String())
	h.Set(aik.HeaderClientRequestID, e.w.GUID())
	return h
}
