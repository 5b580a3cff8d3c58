package hresult

// What Autopilot itself reports: attestation 0x8103xxxx and its neighbours.
const (
	MSARequest                    Code = 0x80048FF0 // our model
	MDMInfoNotFound               Code = 0x81036501
	AppInstallFailure             Code = 0x81036502
	TPMAttestationRetriesExceeded Code = 0x81039001
	TPMAttestationFailed          Code = 0x81039023
	TPMKnownVulnerability         Code = 0x81039024
	SeveralMDMs                   Code = 0xC1036501
)

// Community pages disagree on two of these rows; the row says so.
const pageCommunity = "community pages, not confirmed by Microsoft; meanings differ by author"

var autopilot = []Entry{
	{MSARequest, "MSA_E_REQUEST", "the sign-in service for Microsoft accounts cannot read the request, or its timestamp is off", "our model"},
	{MDMInfoNotFound, "autopilot_mdm_info_not_found", "no single usable MDM was found", pageCommunity},
	{AppInstallFailure, "autopilot_app_install_failure", "an app failed under the status page, or no profile was found", pageCommunity},
	{TPMAttestationRetriesExceeded, "E_AUTOPILOT_CLIENT_TPM_MAX_ATTESTATION_RETRY_EXCEEDED", "TPM attestation failed as often as it is tried", pageKnownIssues},
	{TPMAttestationFailed, "autopilot_tpm_attestation_failed", "TPM attestation failed on Windows 11 before its May 2022 update", pageKnownIssues},
	{TPMKnownVulnerability, "autopilot_tpm_known_vulnerability", "the TPM's firmware is known to be vulnerable", pageKnownIssues},
	{SeveralMDMs, "autopilot_several_mdms", "more than one MDM is configured in the tenant", pageKnownIssues},
}
