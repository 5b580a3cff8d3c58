package join

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// Attest proves that this PC's TPM is a genuine part of its vendor's: it gets
// a certificate for the attestation key by activating a credential, and then a
// device ticket that says so. Windows tries it again a few times; that the
// last try failed is an error of its own, with the failure as its cause.
//
// A PC without a TPM waits for an event that never comes: only the bound of
// whoever waits for it ends that.
func Attest(w *device.Windows) error {
	if w.Chip == nil {
		return never(w)
	}
	w.Event("tpm.attest.start")
	w.Log(device.LogAutopilot, 151, "Information", "TPM attestation task started")
	begin := w.Clock.Now()
	for attempt := 0; ; attempt++ {
		err := attest(w)
		if cause := gone(w); cause != nil {
			return cause
		}
		if err == nil {
			break
		}
		code, _ := hresult.CodeOf(err)
		w.Event("tpm.attest.failed", journal.F("attempt", attempt+1), journal.F("code", code.Hex()), journal.F("error", err.Error()))
		if final(code, err) {
			return err // no try changes the firmware
		}
		if attempt >= w.Timing.TPM.AttestationRetries {
			return hresult.New("attest TPM", hresult.TPMAttestationRetriesExceeded, err)
		}
		w.Log(device.LogAutopilot, 177, "Warning", fmt.Sprintf("TPM attestation: retry %d of %d", attempt+1, w.Timing.TPM.AttestationRetries))
		if err := w.Sleep(w.Timing.TPM.AttestationRetryDelay, "TPM attestation retry"); err != nil {
			return err
		}
	}
	w.Log(device.LogAutopilot, 157, "Information", "TPM attestation took "+strconv.FormatInt(w.Clock.Now().Sub(begin).Microseconds(), 10)+" microseconds")
	w.Event("tpm.attest.done")
	return nil
}

// attest is one try.
func attest(w *device.Windows) error {
	if _, ok := w.Disk.Certs.Find(device.StoreMySystem, CertAIK); !ok {
		if err := enrollAIK(w); err != nil {
			return err
		}
	} else if has(w, wantsEKAnyway) {
		if _, err := findEndorsement(w); err != nil {
			return err
		}
	}
	if t, ok := keptTicket(w); ok && t.TPM {
		return nil
	}
	DropTicket(w)
	_, err := requestTicket(w)
	return err
}

// enrollment is one exchange with the AIK service.
type enrollment struct {
	w         *device.Windows
	host      string
	platform  aik.Platform
	ek        *endorsement
	name      aik.TPMName
	signer    scep.Identity
	authority *aik.Authority
}

// enrollAIK runs the exchange: who the service is, what the AIK is, a secret
// that only this TPM can recover, and the certificate for it.
func enrollAIK(w *device.Windows) error {
	e, err := newEnrollment(w)
	if err != nil {
		return err
	}
	if err := e.meet(); err != nil {
		return err
	}
	key, err := openAIK(w)
	if err != nil {
		return err
	}
	binding, err := key.IDBinding(w.Ctx, nil)
	if err != nil {
		return tpmError(w, "certify creation of AIK", err)
	}
	r := w.RandomReader()
	request, err := aik.BuildRequest1(aik.Request1Params{
		EK:        tpmattest.EKInfo{Key: e.ek.cert.PublicKey, Certificate: e.ek.cert.Raw, Extra: e.ek.extra},
		Statement: tpmattest.Statement{IDBinding: binding.Marshal()},
		OSVersion: "10.0." + w.Installation.Build, TPM: e.name, Client: aik.ClientInfo{MachineName: w.ComputerName(), UserName: `WORKGROUP\` + w.ComputerName() + "$"},
		Signer: e.signer, Authority: e.authority,
	}, r)
	if err != nil {
		return hresult.New("request AIK certificate", hresult.InvalidData, err)
	}
	body, err := e.post("request AIK certificate", request.DER)
	if err != nil {
		return err
	}
	challenge, err := aik.ParseChallenge(body, request)
	if err != nil {
		return hresult.New("read AIK challenge", aik.OutcomeOfError(err).Code(), err)
	}
	w.Event("aik.challenge", journal.F("host", e.host))
	secret, err := key.Activate(w.Ctx, challenge.Credential.Blob.Buffer, challenge.Credential.Secret.Buffer)
	if err != nil {
		return tpmError(w, "activate credential", err)
	}
	answer, err := aik.BuildRequest2(aik.Request2Params{
		Secret: secret, ServerContext: challenge.ServerContext, TransactionID: request.Attributes.TransactionID, Signer: e.signer, Authority: e.authority,
	}, r)
	if err != nil {
		return hresult.New("answer AIK challenge", hresult.InvalidData, err)
	}
	if body, err = e.post("answer AIK challenge", answer.DER); err != nil {
		return err
	}
	cert, _, err := aik.ParseSuccess(body, answer)
	if err != nil {
		return hresult.New("receive AIK certificate", aik.OutcomeOfError(err).Code(), err)
	}
	if pub, ok := cert.PublicKey.(*rsa.PublicKey); !ok || !pub.Equal(key.Public()) {
		return hresult.New("receive AIK certificate", hresult.TPMAttestationFailed, errors.New("the certificate is about another key"))
	}
	w.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: CertAIK, DER: cert.Raw})
	w.Event("aik.certificate", journal.F("serial", cert.SerialNumber.Text(16)), journal.F("aik", fmt.Sprintf("%x", key.Name())))
	return nil
}

// newEnrollment finds the EK certificate and, by it, the service to ask.
func newEnrollment(w *device.Windows) (*enrollment, error) {
	ek, err := findEndorsement(w)
	if err != nil {
		return nil, err
	}
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
	return &enrollment{w: w, host: aik.Host(name.Vendor(), ek.keyID), platform: platform, ek: ek, name: name, signer: signer}, nil
}

// openAIK opens the attestation key. A TPM that has none, as one that was
// cleared, is provisioned first: Windows takes ownership by itself
// (learn.microsoft.com, "Trusted Platform Module technology overview"), where
// nobody else has.
func openAIK(w *device.Windows) (*vtpm.AIK, error) {
	key, err := w.Chip.AIK(w.Ctx)
	if errors.Is(err, vtpm.ErrNoKey) {
		if err := w.Chip.Provision(w.Ctx); err != nil {
			if cause := gone(w); cause != nil {
				return nil, cause
			}
			w.Log(logTPM, 1040, "Warning", "The TPM is not ready for attestation: "+err.Error())
			return nil, hresult.New("provision TPM", hresult.PCPDeviceNotReady, err)
		}
		w.Event("tpm.provisioned")
		key, err = w.Chip.AIK(w.Ctx)
	}
	if err != nil {
		return nil, tpmError(w, "open AIK", err)
	}
	return key, nil
}

// logTPM is where Windows' TPM task writes.
const logTPM = "Microsoft-Windows-TPM-WMI/Admin"

// meet asks what the service can do and which certificates it uses, and
// believes it only below a root that this Windows trusts.
func (e *enrollment) meet() error {
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

func (e *enrollment) get(op, operation string) ([]byte, error) {
	return e.exchange(device.Request{Op: op, Method: http.MethodGet, URL: aik.URL(e.host, operation), Header: e.header()})
}

func (e *enrollment) post(op string, der []byte) ([]byte, error) {
	h := e.header()
	h.Set("Content-Type", aik.ContentType)
	return e.exchange(device.Request{Op: op, Method: http.MethodPost, URL: aik.URL(e.host, "PKIOperation"), Header: h, Body: der})
}

func (e *enrollment) exchange(r device.Request) ([]byte, error) {
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

func (e *enrollment) header() http.Header {
	h := http.Header{"User-Agent": {aik.UserAgent("10.0." + e.w.Installation.Build)}}
	h.Set(aik.HeaderPlatformType, e.platform.String())
	h.Set(aik.HeaderClientRequestID, e.w.GUID())
	return h
}
