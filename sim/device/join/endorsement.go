package join

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/ekcert"
	"windtunnel.test/sim/wire/hosts"
)

// endorsement is what Windows knows of a TPM before it asks for an AIK
// certificate: who made it, and what the maker says about its EK.
type endorsement struct {
	tpm   vtpm.Properties
	cert  *ekcert.Certificate
	extra [][]byte // authorities between the vendor's root and cert, as far as the TPM or the vendor gave them
	keyID []byte   // of the authority that signed cert
}

// errFinal is in the chain of errors that no second try changes.
var errFinal = errors.New("trying again does not help")

// final tells whether Windows leaves it at one try.
func final(code hresult.Code, err error) bool {
	return code == hresult.TPMKnownVulnerability || errors.Is(err, errFinal)
}

// findEndorsement asks the TPM who it is and finds its EK certificate.
func findEndorsement(w *device.Windows) (*endorsement, error) {
	e := &endorsement{}
	if err := e.meetTPM(w); err != nil {
		return nil, err
	}
	return e, e.find(w)
}

// meetTPM asks the TPM who it is. A TPM 1.2 cannot attest, which the join shows
// (learn.microsoft.com, "Troubleshoot Windows device enrollment errors in
// Intune": 0x801C03EA when registering). A virtual TPM is no better than
// none: Windows waits for an attestation that never comes (learn.microsoft.com,
// "Windows Autopilot known issues": 0x800705B4).
func (e *endorsement) meetTPM(w *device.Windows) (err error) {
	const op = "read TPM properties"
	if e.tpm, err = w.Chip.Properties(w.Ctx); errors.Is(err, vtpm.ErrFamily) {
		if w.Has(defects.HangsOnTPM12) {
			return never(w)
		}
		return hresult.New(op, hresult.TPMAttestationFailed, fmt.Errorf("%w (%w)", err, errFinal))
	}
	switch {
	case err != nil:
		return tpmError(w, op, err)
	case e.tpm.VendorID == "MSFT":
		return hresult.New(op, hresult.PCPDeviceNotReady, errVirtual)
	case e.tpm.VendorID == vendorInfineon && w.Has(defects.RefusesNewInfineon) && slices.Compare(e.tpm.Firmware[:2], infineonKnown) > 0:
		return hresult.New(op, aik.NoEKCertificate.Code(), errors.New("this Windows does not know the firmware, of Infineon"))
	case e.tpm.LockedOut:
		return hresult.New(op, hresult.AuthenticationIgnored, errors.New("the TPM is locked out after too many failed authorisations"))
	}
	return nil
}

var errVirtual = errors.New("nobody vouches for a virtual TPM")

// find gets the EK certificate out of the TPM or, where it has none, from the
// vendor of a firmware TPM; and the identifier of the authority behind it.
func (e *endorsement) find(w *device.Windows) error {
	const op = "find EK certificate"
	der, err := w.Chip.EKCertificate(w.Ctx)
	if cause := gone(w); cause != nil {
		return cause
	}
	if errors.Is(err, vtpm.ErrNoCertificate) {
		der, err = e.download(w, err)
	}
	if err != nil {
		if _, coded := hresult.CodeOf(err); coded {
			return err
		}
		return hresult.New(op, aik.NoEKCertificate.Code(), err)
	}
	if e.cert, err = ekcert.Parse(der); err != nil {
		return hresult.New(op, aik.NoEKCertificate.Code(), err)
	}
	if e.tpm.VendorID == vendorIntel && !w.Has(defects.ReadsNoChain) {
		if e.extra, err = w.Chip.CertificateChain(w.Ctx); err != nil {
			return tpmError(w, "read certificate chain", err)
		}
	}
	if e.keyID = e.cert.AuthorityKeyId; len(e.keyID) == 0 {
		if w.Has(defects.WantsKeyID) {
			return hresult.New(op, aik.NoEKCertificate.Code(), errors.New("the EK certificate has no authority key identifier"))
		}
		if err := e.fetchIssuer(w); err != nil {
			return err
		}
	}
	if key, ok := e.cert.PublicKey.(*rsa.PublicKey); !ok || key.Size() != 256 {
		// Windows has an RSA-2048 EK at its persistent handle; another must be
		// made from its template first.
		if err := w.Chip.MakeEK(w.Ctx); err != nil {
			return tpmError(w, "make EK", err)
		}
	}
	return nil
}

// Vendor ids of firmware TPMs (TCG Vendor ID Registry) whose certificates are
// downloaded.
const vendorIntel = "INTC"

const vendorInfineon = "IFX"

// infineonKnown is the last firmware of Infineon's that a Windows knows which
// has [defects.RefusesNewInfineon].
var infineonKnown = []uint16{7, 69}

var vendorHosts = map[string]string{vendorIntel: hosts.EKIntel, "AMD": hosts.EKAMD, "QCOM": hosts.EKQualcomm}

// download asks the vendor's host for the certificate of this EK. That the host
// knows none is the last word (our model); that it cannot be reached is not.
func (e *endorsement) download(w *device.Windows, missing error) ([]byte, error) {
	const op = "download EK certificate"
	host := vendorHosts[e.tpm.VendorID]
	if host == "" {
		return nil, missing
	}
	address, err := ekcert.URL(host, w.Chip.EKPublic())
	if err != nil {
		return nil, err
	}
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodGet, URL: address})
	switch {
	case err != nil:
		return nil, err
	case resp.Status == http.StatusNotFound:
		return nil, hresult.New(op, aik.NoEKCertificate.Code(), fmt.Errorf("%s has no certificate for this EK (%w)", host, errFinal))
	case resp.Status != http.StatusOK:
		return nil, hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	w.Event("ek.certificate", journal.F("host", host))
	return ekcert.ReadAnswer(host, resp.Body)
}

// fetchIssuer follows the certificate's word for where its issuer is (RFC 5280,
// section 4.2.2.1).
func (e *endorsement) fetchIssuer(w *device.Windows) error {
	const op = "download issuer of EK certificate"
	if len(e.cert.IssuingCertificateURL) == 0 {
		return hresult.New(op, aik.NoEKCertificate.Code(), errors.New("the EK certificate does not say where its issuer is"))
	}
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodGet, URL: e.cert.IssuingCertificateURL[0]})
	if err != nil {
		return err
	}
	if resp.Status != http.StatusOK {
		return hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	issuer, err := x509.ParseCertificate(resp.Body)
	if err == nil {
		err = e.cert.CheckSignatureFrom(issuer)
	}
	if err != nil {
		return hresult.New(op, hresult.CertUntrustedRoot, err)
	}
	e.keyID, e.extra = issuer.SubjectKeyId, append(e.extra, issuer.Raw)
	return nil
}

// never waits for something that does not come: only the bound of whoever waits
// for it ends that.
func never(w *device.Windows) error {
	return w.Clock.NewCond("attestation of a TPM that cannot").Wait(w.Ctx)
}
