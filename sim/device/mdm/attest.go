package mdm

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/tpmattest"
)

// Certificates of My\System that attestation looks for, by name.
const (
	certAIK   = "aik"
	certEntra = "entra-device"
)

var errNoAIK = errors.New("there is no AIK certificate")

// attest puts into the context items what the AIK says of the MDM key and of
// the key of the Entra certificate, over the hardware device id. What becomes
// of a failure is what the server's certificate policy says
// (AttestationFailureBehavior, [MS-MDE2] 3.3.4.1.1.2): FailOnError ends the
// enrolment with the failure, IgnoreOnError goes on and reports it, RetryOnError
// tries again for as long as OperationTimeout, and then ends the enrolment as
// well, which is our model.
func attest(w *device.Windows, p *mde.Policy, key *vtpm.Key, id []byte, c *mde.Context) error {
	begin := w.Clock.Now()
	c.AzureAttestationCorrelationVector = base64.RawStdEncoding.EncodeToString(w.Random(16)) + ".0"
	for {
		err := certifyKeys(w, key, id, c)
		if err == nil {
			c.SetAttestation(mde.AttestationCompleted, hresult.OK, "")
			return nil
		}
		if cause := context.Cause(w.Ctx); cause != nil {
			return cause
		}
		code, _ := hresult.CodeOf(err)
		w.Event("mdm.attest.failed", journal.F("code", code.Hex()), journal.F("behaviour", string(p.AttestationFailure)), journal.F("error", err.Error()))
		again := w.Clock.Now().Add(w.Timing.MDM.AttestationRetryDelay)
		switch limit := time.Duration(p.OperationTimeout) * time.Second; {
		case p.AttestationFailure == mde.RetryOnError && !again.After(begin.Add(limit)):
			if err := w.Sleep(w.Timing.MDM.AttestationRetryDelay, "MDM key attestation retry"); err != nil {
				return err
			}
		case p.AttestationFailure == mde.RetryOnError, p.AttestationFailure == mde.FailOnError:
			return err
		default:
			c.SetAttestation(mde.AttestationFailed, code, errors.Unwrap(err).Error())
			return nil
		}
	}
}

// certifyKeys is one attempt. The context holds all claims after it, or none.
func certifyKeys(w *device.Windows, key *vtpm.Key, id []byte, c *mde.Context) error {
	const op = "attest MDM key"
	cert, ok := w.Disk.Certs.Find(device.StoreMySystem, certAIK)
	if !ok {
		return hresult.New(op, hresult.NotFound, errNoAIK)
	}
	aik, err := w.Chip.AIK(w.Ctx)
	if err != nil {
		return hresult.New(op, hresult.PCPInternalError, err)
	}
	claim, err := claimOf(w.Ctx, aik, key, id)
	if err != nil {
		return hresult.New(op, hresult.PCPInternalError, err)
	}
	if own, joined := w.Disk.Certs.Find(device.StoreMySystem, certEntra); joined {
		entra, err := w.Key(w.Ctx, own.Container)
		if err != nil {
			return hresult.New("open Entra device key", hresult.BadKeyset, err)
		}
		if c.AadAIKAttestationClaim, err = claimOf(w.Ctx, aik, entra, id); err != nil {
			return hresult.New("attest Entra device key", hresult.PCPInternalError, err)
		}
		c.AADPub = entra.PublicArea()
	}
	c.AIKAttestationClaim, c.AIKPub, c.AIKCert = claim, aik.PublicArea(), cert.DER
	return nil
}

// claimOf is the AIK's word for a key, in the form of [MS-WCCE] 2.2.2.5.
func claimOf(ctx context.Context, aik *vtpm.AIK, key *vtpm.Key, id []byte) ([]byte, error) {
	claim, err := aik.Certify(ctx, key, id)
	if err != nil {
		return nil, err
	}
	return tpmattest.KeyAttestation{Attest: claim.Attest, Signature: claim.Signature, KeyBlob: key.PublicArea()}.Marshal(), nil
}
