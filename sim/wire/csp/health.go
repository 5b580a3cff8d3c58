package csp

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Nodes of the HealthAttestation CSP that work with Azure Attestation (HealthAttestation CSP, Windows 11). The older ones
// of the Device Health Attestation service are not here.
const (
	HealthRoot                 = "./Device/Vendor/MSFT/HealthAttestation"
	HealthTrigger              = HealthRoot + "/TriggerAttestation"       // executed with a [TriggerAttestation]
	HealthStatus               = HealthRoot + "/AttestStatus"             // int, an HRESULT; nothing while it is under way
	HealthErrorMessage         = HealthRoot + "/AttestErrorMessage"       // chr, what the service said
	HealthReport               = HealthRoot + "/GetAttestReport"          // chr, a JWT
	HealthCorrelationIDs       = HealthRoot + "/GetServiceCorrelationIDs" // chr, separated by ";"
	HealthMaxSupportedProtocol = HealthRoot + "/MaxSupportedProtocolVersion"
)

// TriggerAttestation is what the node of that name is executed with.
type TriggerAttestation struct {
	RelyingParty string `json:"rpID"`            // who asks
	Endpoint     string `json:"serviceEndpoint"` // whole URL of the attestation service's operation
	Nonce        string `json:"nonce"`           // hex; comes back in the report
	Token        string `json:"aadToken"`        // for the service
	Correlation  string `json:"cv"`              // correlation vector, passed on to the service
}

// Limits of a nonce in bytes (HealthAttestation CSP, Nonce).
const (
	minNonce = 8
	maxNonce = 32
)

var (
	errEndpoint = errors.New("no endpoint")
	errNonce    = errors.New("the nonce has to be hex of 8 to 32 bytes")
)

// Encode writes the document.
func (t TriggerAttestation) Encode() (string, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("csp: TriggerAttestation: %w", err)
	}
	return string(b), nil
}

// ParseTriggerAttestation reads the document. The page has it with "serviceEndpoint" in its template and "endpoint" in its
// sample; both are read.
func ParseTriggerAttestation(text string) (TriggerAttestation, error) {
	var t struct {
		TriggerAttestation
		Sample string `json:"endpoint"`
	}
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return TriggerAttestation{}, fmt.Errorf("csp: TriggerAttestation: %w", err)
	}
	if t.Endpoint == "" {
		t.Endpoint = t.Sample
	}
	switch n := len(t.Nonce); {
	case t.Endpoint == "":
		return TriggerAttestation{}, fmt.Errorf("csp: TriggerAttestation: %w", errEndpoint)
	case n%2 != 0 || n < 2*minNonce || n > 2*maxNonce:
		return TriggerAttestation{}, fmt.Errorf("csp: TriggerAttestation: %w", errNonce)
	}
	for i := range len(t.Nonce) {
		if digit(t.Nonce[i]) < 0 {
			return TriggerAttestation{}, fmt.Errorf("csp: TriggerAttestation: %w", errNonce)
		}
	}
	return t.TriggerAttestation, nil
}
