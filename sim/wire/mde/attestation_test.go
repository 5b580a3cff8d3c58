package mde_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/mde"
)

func TestAttestationReport(t *testing.T) {
	g := NewWithT(t)
	var c mde.Context
	_, _, _, ok := c.Attestation()
	g.Expect(ok).To(BeFalse())
	c.SetAttestation(mde.AttestationFailed, hresult.PCPInternalError, "the TPM; it failed")
	g.Expect(c.AttestationStatus).To(Equal("Status=Failed;AttestationErrorMsg=the TPM, it failed"))
	g.Expect(c.AttestationStatusHResult).To(Equal("0x80290407"))
	status, code, message, ok := c.Attestation()
	g.Expect(ok).To(BeTrue())
	g.Expect(status).To(Equal(mde.AttestationFailed))
	g.Expect(code).To(Equal(hresult.PCPInternalError))
	g.Expect(message).To(Equal("the TPM, it failed"))
	c.AttestationStatusHResult = "broken"
	_, _, _, ok = c.Attestation()
	g.Expect(ok).To(BeFalse())
}

// Which items a version knows, in the order in which they are sent.
func TestContextItemsOfVersions(t *testing.T) {
	full := mde.Context{AIKAttestationClaim: []byte{1}, AIKPub: []byte{1}, AIKCert: []byte{1}, AadAIKAttestationClaim: []byte{1}, AADPub: []byte{1},
		AzureAttestationBlob: []byte{1}, AzureAttestationCorrelationVector: "cv.0"}
	full.SetAttestation(mde.AttestationCompleted, hresult.OK, "")
	claims := []string{"AIKAttestationClaim", "AIKPub", "AIKCert", "AadAIKAttestationClaim", "AADPub"}
	for version, want := range map[string][]string{
		"4.0": nil, "strange": nil,
		"5.0": claims,
		"6.0": append(claims[:5:5], "AzureAttestationBlob"),
		"7.0": append(claims[:5:5], "AzureAttestationBlob", "AttestationStatus", "AttestationStatusHResult", "AzureAttestationCorrelationVector"),
	} {
		var names []string
		for _, item := range full.ForVersion(version).Items() {
			switch item.Name {
			case "UXInitiated", "NotInOobe", "TargetedUserLoggedIn": // always there
			case "RequestVersion":
				NewWithT(t).Expect(item.Value).To(Equal(version))
			default:
				names = append(names, item.Name)
			}
		}
		NewWithT(t).Expect(names).To(Equal(want), version)
	}
}
