package mdm

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/syncml"
	"windtunnel.test/sim/wire/tcglog"
)

// Values of the CSP in the enrolment's registry key, which is where Windows
// keeps them.
const (
	healthKey     = `\HealthAttestation`
	healthStatus  = "AttestStatus"
	healthMessage = "AttestErrorMessage"
	healthReport  = "AttestReport"
	healthIDs     = "ServiceCorrelationIDs"

	// healthProtocol is the highest version of the older protocol (HealthAttestation
	// CSP, MaxSupportedProtocolVersion).
	healthProtocol = "3"
)

// health is the HealthAttestation CSP: the server has the device ask an
// attestation service how it started, and reads the signed answer later.
var health = &provider{
	exec: func(t target, value string) syncml.StatusCode {
		key := enrollmentKey(t.w)
		if t.uri != csp.HealthTrigger || key == "" {
			return syncml.CommandNotAllowed
		}
		trigger, err := csp.ParseTriggerAttestation(value)
		if err != nil {
			return syncml.CommandFailed
		}
		r := t.w.Registry()
		r.Delete(key+healthKey, healthStatus) // always cleared before the service is called
		r.Delete(key+healthKey, healthMessage)
		t.w.Service("health attestation", func(ctx context.Context) { attestHealth(t, t.w.Under(ctx), key+healthKey, trigger) })
		return syncml.AcceptedForProcessing
	},
	get: func(t target) (string, syncml.StatusCode) {
		if t.uri == csp.HealthMaxSupportedProtocol {
			return healthProtocol, syncml.OK
		}
		name, key := "", enrollmentKey(t.w)+healthKey
		switch t.uri {
		case csp.HealthStatus:
			if code, ok := t.w.Registry().DWORD(key, healthStatus); ok {
				return strconv.Itoa(int(int32(code))), syncml.OK // an int node: HRESULTs are signed
			}
			return "", syncml.NotFound
		case csp.HealthErrorMessage:
			return t.w.Registry().String(key, healthMessage), syncml.OK
		case csp.HealthCorrelationIDs:
			return t.w.Registry().String(key, healthIDs), syncml.OK
		case csp.HealthReport:
			name = healthReport
		default:
			return "", syncml.NotFound
		}
		if v := t.w.Registry().String(key, name); v != "" {
			return v, syncml.OK
		}
		return "", syncml.NotFound
	},
}

// attestHealth is the attestation process: its end is kept for the server. An
// older report stays where there is no new one.
func attestHealth(t target, w *device.Windows, key string, trigger csp.TriggerAttestation) {
	x := &healthExchange{w: w, trigger: trigger}
	report, err := x.run()
	if context.Cause(w.Ctx) != nil {
		return // the boot is over: nobody hears of it
	}
	code, r := hresult.OK, w.Registry()
	if err != nil {
		code, _ = hresult.CodeOf(err)
		r.SetString(key, healthMessage, x.message)
	} else {
		r.SetString(key, healthReport, report)
	}
	r.SetString(key, healthIDs, strings.Join(x.ids, ";"))
	r.SetDWORD(key, healthStatus, uint32(code))
	w.Event("health.attested", journal.F("code", code.Hex()), journal.F("message", x.message))
	t.again(w) // the server reads the answer in a session: that Windows opens one for it is our model
}

// healthExchange is one run of the attestation protocol.
type healthExchange struct {
	w       *device.Windows
	trigger csp.TriggerAttestation
	ids     []string // the service's own, of each call
	message string   // what the service said when it refused
}

const opHealth = "attest health"

// run asks for a challenge, has the TPM sign for its registers over it, and
// sends that with the log and the AIK's certificate.
func (x *healthExchange) run() (report string, err error) {
	cert, err := x.aik()
	if err != nil {
		return "", err
	}
	challenge, err := x.call(maa.ToService{Type: maa.TypeAIKCert})
	if err != nil {
		return "", err
	}
	request, err := x.evidence(cert, challenge)
	if err != nil {
		return "", err
	}
	answer, err := x.call(maa.ToService{Request: request})
	if err != nil {
		return "", err
	}
	if answer.Report == "" {
		return "", hresult.New(opHealth, hresult.InvalidData, errors.New("no report in the answer"))
	}
	return answer.Report, nil
}

// aik finds the AIK's certificate. A Windows that has none yet has its task
// enrol one.
func (x *healthExchange) aik() (device.Certificate, error) {
	cert, ok := x.w.Disk.Certs.Find(device.StoreMySystem, certAIK)
	if !ok && x.w.Chip != nil && x.w.RunTask(device.TaskAIK) {
		cert, ok = x.w.Disk.Certs.Find(device.StoreMySystem, certAIK)
	}
	if !ok {
		return cert, hresult.New(opHealth, hresult.NotFound, errNoAIK)
	}
	return cert, nil
}

// evidence is the signed request. The key that signs it is the one of the MDM
// certificate, so that the report is about this enrolment: our model, the
// protocol leaves the choice to the client.
func (x *healthExchange) evidence(cert device.Certificate, challenge maa.ToClient) (string, error) {
	w := x.w
	signer, err := w.Key(w.Ctx, container(w))
	if err != nil {
		return "", hresult.New(opHealth, hresult.BadKeyset, err)
	}
	aik, err := w.Chip.AIK(w.Ctx)
	if err != nil {
		return "", hresult.New(opHealth, hresult.PCPInternalError, err)
	}
	qualifying, err := maa.Qualifying(challenge.Challenge, signer.Public())
	if err != nil {
		return "", hresult.New(opHealth, hresult.Unexpected, err)
	}
	var claim maa.PlatformClaim
	registers := make([]int, tcglog.PCRs)
	for i := range registers {
		registers[i] = i
	}
	quote, err := aik.Quote(w.Ctx, qualifying, registers...)
	if err != nil {
		return "", hresult.New(opHealth, hresult.PCPInternalError, err)
	}
	claim.Quote, claim.Signature = quote.Attest[2:], quote.Signature // TPMS_ATTEST: without its length
	values, err := w.Chip.ReadPCRs(w.Ctx, registers...)
	if err != nil {
		return "", hresult.New(opHealth, hresult.PCPInternalError, err)
	}
	copy(claim.Values[:], values)
	nonce, err := hex.DecodeString(x.trigger.Nonce)
	if err != nil {
		return "", hresult.New(opHealth, hresult.InvalidData, err)
	}
	request, err := maa.SignRequest(maa.Request{Type: maa.TypeBasic, Data: maa.Data{
		RelyingParty: x.trigger.RelyingParty, RelyingData: nonce, Challenge: challenge.Challenge, ServiceContext: challenge.ServiceContext,
		TPM: maa.TPMData{BootLog: w.TCGLog(), AIKCertificate: cert.DER, AIKPublic: &maa.Key{Key: aik.Public()}, CurrentClaim: claim.Marshal()},
	}}, signer.In(w.Ctx))
	if err != nil {
		return "", hresult.New(opHealth, hresult.PCPInternalError, err)
	}
	return request, nil
}

// call sends one message.
func (x *healthExchange) call(m maa.ToService) (answer maa.ToClient, err error) {
	body, err := maa.Encode(m)
	if err != nil {
		return answer, hresult.New(opHealth, hresult.InvalidData, err)
	}
	h := http.Header{"Content-Type": {maa.ContentType}}
	h.Set(maa.HeaderCorrelation, x.trigger.Correlation)
	if x.trigger.Token != "" {
		h.Set("Authorization", "Bearer "+x.trigger.Token)
	}
	resp, err := x.w.Do(device.Request{Op: opHealth, Method: http.MethodPost, URL: x.trigger.Endpoint, Header: h, Body: body})
	if err != nil {
		return answer, err
	}
	if id := resp.Header.Get(maa.HeaderCorrelation); id != "" {
		x.ids = append(x.ids, id)
	}
	if resp.Status != http.StatusOK {
		refused := maa.DecodeError(resp.Body)
		x.message = refused.Message
		return answer, hresult.New(opHealth, hresult.FromHTTPStatus(resp.Status), refused)
	}
	if answer, err = maa.Decode[maa.ToClient](resp.Body); err != nil {
		return answer, hresult.New(opHealth, hresult.InvalidData, err)
	}
	return answer, nil
}
