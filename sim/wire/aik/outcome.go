package aik

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"windtunnel.test/sim/hresult"
)

// Outcome is how an attempt to enrol an AIK ends. The service decides it, the HTTP answer or the SCEP reply carries
// it, and the device makes an HRESULT of it.
type Outcome string

// The outcomes.
const (
	Issued             Outcome = "issued"
	NoEKCertificate    Outcome = "no EK certificate"   // the device found none, and sent nothing
	EKRejected         Outcome = "EK rejected"         // no EK certificate in the request, or one not to be believed
	UnknownAuthority   Outcome = "unknown authority"   // no such host: the vendor CA is not known to the service
	BadRequest         Outcome = "bad request"         // not a SCEP message, or not opened
	StatementRejected  Outcome = "statement rejected"  // attestation does not verify
	VulnerableFirmware Outcome = "vulnerable firmware" // attestation verifies, and the TPM is on the list
	Refused            Outcome = "refused"             // SCEP failure: the challenge was not answered as it should be
	Throttled          Outcome = "throttled"           // too many requests
	Unavailable        Outcome = "unavailable"         // 5xx
	RetriesExhausted   Outcome = "retries exhausted"   // the device has tried as often as it does
)

// Phrases of the service's messages that were quoted in public; the rest of each message is our model.
const (
	textNoCertificate    = "No valid TPM EK/Platform Certificate provided in the TPM identity request message."
	textStatement        = "Attestation statement cannot be verified"
	textFirmware         = "TPM firmware needs update"
	textUnknownAuthority = "The authority %q does not exist."
)

// Code is what Windows reports when an attempt ends so. For [RetriesExhausted] it is what the technician sees.
// That a SCEP failure shows as 0x81039023 is our model.
func (o Outcome) Code() hresult.Code {
	switch o {
	case Issued:
		return hresult.OK
	case NoEKCertificate:
		return hresult.NotFound
	case UnknownAuthority:
		return hresult.FromHTTPStatus(http.StatusNotFound)
	case BadRequest, StatementRejected, EKRejected:
		return hresult.FromHTTPStatus(http.StatusBadRequest)
	case VulnerableFirmware:
		return hresult.TPMKnownVulnerability
	case Refused:
		return hresult.TPMAttestationFailed
	case Throttled:
		return hresult.FromHTTPStatus(http.StatusTooManyRequests)
	case Unavailable:
		return hresult.FromHTTPStatus(http.StatusServiceUnavailable)
	}
	return hresult.TPMAttestationRetriesExceeded
}

// Answer is an HTTP answer that is not a SCEP message.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

type errorBody struct {
	Message string `json:"Message"`
}

// NewAnswer is what the service sends for an outcome: JSON {"Message": ...}, or a text for an unknown authority, which
// the front door sends. detail says for people which check decided; for [UnknownAuthority] it is the host. Outcomes
// that the service does not send by HTTP become a 500.
func NewAnswer(o Outcome, detail string) Answer {
	switch o {
	case UnknownAuthority:
		return Answer{http.StatusNotFound, "text/plain; charset=utf-8", fmt.Appendf(nil, textUnknownAuthority, detail)}
	case EKRejected:
		return jsonAnswer(http.StatusBadRequest, textNoCertificate+" "+detail)
	case StatementRejected:
		return jsonAnswer(http.StatusBadRequest, textStatement+": "+detail)
	case VulnerableFirmware:
		return jsonAnswer(http.StatusBadRequest, textStatement+", "+textFirmware+". "+detail)
	case BadRequest:
		return jsonAnswer(http.StatusBadRequest, "The request is invalid: "+detail)
	case Throttled:
		return jsonAnswer(http.StatusTooManyRequests, "Too many requests. "+detail)
	case Unavailable:
		return jsonAnswer(http.StatusServiceUnavailable, "The service is unavailable. "+detail)
	}
	return jsonAnswer(http.StatusInternalServerError, "An error has occurred. "+detail)
}

func jsonAnswer(status int, message string) Answer {
	// A struct of one string always marshals.
	body, _ := json.Marshal(errorBody{strings.TrimSpace(message)})
	return Answer{status, "application/json; charset=utf-8", body}
}

// OutcomeOf is the device's reading of an HTTP answer that is not 200: the outcome, and the message if there is one.
func OutcomeOf(status int, body []byte) (Outcome, string) {
	var e errorBody
	if json.Unmarshal(body, &e) != nil {
		e.Message = strings.TrimSpace(string(body))
	}
	switch {
	case status == http.StatusNotFound:
		return UnknownAuthority, e.Message
	case status == http.StatusTooManyRequests:
		return Throttled, e.Message
	case status >= 500:
		return Unavailable, e.Message
	case strings.Contains(e.Message, textFirmware):
		return VulnerableFirmware, e.Message
	case strings.Contains(e.Message, textStatement):
		return StatementRejected, e.Message
	case strings.HasPrefix(e.Message, textNoCertificate):
		return EKRejected, e.Message
	}
	return BadRequest, e.Message
}

// OutcomeOfError is the device's reading of an error of [ParseChallenge] or [ParseSuccess]: a refusal by the service,
// or else a reply that is no good.
func OutcomeOfError(err error) Outcome {
	var rejected *RejectedError
	switch {
	case err == nil:
		return Issued
	case errors.As(err, &rejected):
		return Refused
	}
	return BadRequest
}
