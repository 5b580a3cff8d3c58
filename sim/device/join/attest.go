package join

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vtpm"
)

// Attest proves that this PC's TPM is a genuine part of its vendor's: it gets
// a certificate for the attestation key by activating a credential, and then a
// device ticket that says so. Windows tries it again a few times; that the
// last try failed is an error of its own, with the failure as its cause.
//
// A PC without a TPM waits for an event that never comes: only the bound of
// whoever waits for it ends that. One whose TPM runs as 1.2 has nothing to
// attest, and gets no device ticket that is good for the join.
func Attest(w *device.Windows) error {
	if w.Chip == nil {
		return never(w)
	}
	w.Event("tpm.attest.start")
	if !w.ServiceEnabled(serviceTPM) {
		w.Log(device.LogAutopilot, 155, "Error", "The TPM attestation task could not be started: its driver is disabled")
		return hresult.New("attest TPM", hresult.DeviceNotReady, errTPMDriver)
	}
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
		if errors.Is(err, errVirtual) {
			return never(w)
		}
		if errors.Is(err, vtpm.ErrFamily) {
			w.Log(device.LogAutopilot, 156, "Warning", "The TPM is not set up for hardware attestation: "+err.Error())
			return nil
		}
		code, _ := hresult.CodeOf(err)
		w.Event("tpm.attest.failed", journal.F("attempt", attempt+1), journal.F("code", code.Hex()), journal.F("error", err.Error()))
		w.Log(device.LogAutopilot, 171, "Error", "AutopilotManager failed to set the TPM identity confirmed. HRESULT = "+code.Hex())
		w.Log(device.LogAutopilot, 172, "Error", "AutopilotManager failed to set the Autopilot profile as available. HRESULT = "+code.Hex())
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

// serviceTPM is Windows' driver of the TPM.
const serviceTPM = "TPM"

var errTPMDriver = errors.New("the TPM's driver is disabled")

// attest is one try.
func attest(w *device.Windows) error {
	if _, ok := w.Disk.Certs.Find(device.StoreMySystem, CertAIK); !ok {
		if err := enrollAIK(w); err != nil {
			return err
		}
	} else if w.Has(defects.WantsEKAnyway) {
		if _, err := findEndorsement(w); err != nil {
			return err
		}
	}
	if t, ok := keptTicket(w); ok && t.TPM {
		return nil
	}
	DropTicket(w)
	t, err := requestTicket(w, true)
	if err == nil && !t.TPM {
		err = hresult.New("attest TPM", hresult.PCPDeviceNotReady, errKeyGone)
	}
	return err
}

var errKeyGone = errors.New("the attestation key is gone")

// enrollAIK is the exchange, in the time that this Windows gives it.
func enrollAIK(w *device.Windows) error {
	if !w.Has(defects.AttestationTimesOut) {
		return exchangeAIK(w)
	}
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, w.Timing.TPM.HastyExchange, errHasty)
	defer cancel()
	err := exchangeAIK(w.Under(ctx))
	if errors.Is(context.Cause(ctx), errHasty) {
		return hresult.New("enrol AIK certificate", hresult.TPMAttestationFailed, errors.Join(errHasty, err))
	}
	return err
}

// errHasty: Windows gave up and does not try again.
var errHasty = fmt.Errorf("the attestation service took too long (%w)", errFinal)

// exchangeAIK is its steps: who the service is, what the AIK is, a secret that
// only this TPM can recover, and the certificate for it.
func exchangeAIK(w *device.Windows) error {
	ek, err := findEndorsement(w)
	if err != nil {
		return err
	}
	e, err := newAIKExchange(w, ek)
	if err != nil {
		return err
	}
	for _, step := range []func() error{e.Meet, e.Certify, e.Request, e.Recover, e.Answer} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
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
