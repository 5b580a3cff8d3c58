package mde

import (
	"strconv"
	"strings"

	"windtunnel.test/sim/hresult"
)

// What AttestationStatus says of the client's attempt to attest its key. The
// item's form is [MS-MDE2]'s; the values are our model, since none is published.
const (
	AttestationCompleted = "Completed"
	AttestationFailed    = "Failed"
)

// SetAttestation fills the items that report on the attempt: status, its HRESULT, and a message for people, in which
// semicolons become commas.
func (c *Context) SetAttestation(status string, code hresult.Code, message string) {
	c.AttestationStatus = "Status=" + status + ";AttestationErrorMsg=" + strings.ReplaceAll(message, ";", ",")
	c.AttestationStatusHResult = code.Hex()
}

// Attestation reads what [Context.SetAttestation] wrote; ok is false where a client reported nothing, or not in this form.
func (c Context) Attestation() (status string, code hresult.Code, message string, ok bool) {
	for part := range strings.SplitSeq(c.AttestationStatus, ";") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "Status":
			status = value
		case "AttestationErrorMsg":
			message = value
		}
	}
	code, err := hresult.Parse(c.AttestationStatusHResult)
	return status, code, message, err == nil && status != ""
}

// ForVersion leaves out what an EnrollmentVersion does not know yet: claims before 5.0, AzureAttestationBlob before 6.0,
// the report before 7.0. A version that is no number is taken for 4.0.
func (c Context) ForVersion(version string) Context {
	v, err := strconv.ParseFloat(version, 64)
	if err != nil {
		v = 4
	}
	if v < 5 {
		c.AIKAttestationClaim, c.AIKPub, c.AIKCert, c.AadAIKAttestationClaim, c.AADPub = nil, nil, nil, nil, nil
	}
	if v < 6 {
		c.AzureAttestationBlob = nil
	}
	if v < 7 {
		c.AttestationStatus, c.AttestationStatusHResult, c.AzureAttestationCorrelationVector = "", "", ""
	}
	c.RequestVersion = version
	return c
}
