package graph

// DeviceHealthAttestationState is deviceDeviceHealthAttestationState: what was attested of a device when it enrolled, and how it started,
// as an attestation service has it (learn.microsoft.com/graph, deviceDeviceHealthAttestationState). Members are left out while no
// attestation service was asked. Texts are "enabled" and "disabled", as Intune gives them.
type DeviceHealthAttestationState struct {
	AttestationKey     string `json:"attestationIdentityKey"` // Present: the device has an AIK with a certificate
	LastUpdateDateTime Time   `json:"lastUpdateDateTime,omitzero"`
	IssuedDateTime     Time   `json:"issuedDateTime,omitzero"`
	Status             string `json:"deviceHealthAttestationStatus,omitempty"` // HealthAttested, or why there is nothing to say
	ContentVersion     string `json:"contentVersion,omitempty"`
	ResetCount         int64  `json:"resetCount,omitempty"`
	RestartCount       int64  `json:"restartCount,omitempty"`

	BitLocker           string `json:"bitLockerStatus,omitempty"`
	SecureBoot          string `json:"secureBoot,omitempty"`
	CodeIntegrity       string `json:"codeIntegrity,omitempty"`
	BootDebugging       string `json:"bootDebugging,omitempty"`
	KernelDebugging     string `json:"operatingSystemKernelDebugging,omitempty"`
	TestSigning         string `json:"testSigning,omitempty"`
	SafeMode            string `json:"safeMode,omitempty"`
	WindowsPE           string `json:"windowsPE,omitempty"`
	EarlyLaunch         string `json:"earlyLaunchAntiMalwareDriverProtection,omitempty"`
	VirtualSecureMode   string `json:"virtualSecureMode,omitempty"`
	DataExecutionPolicy string `json:"dataExcutionPolicy,omitempty"` // sic
	TPMVersion          string `json:"tpmVersion,omitempty"`
	PCRHashAlgorithm    string `json:"pcrHashAlgorithm,omitempty"`
	PCR0                string `json:"pcr0,omitempty"`
}

// Values of a DeviceHealthAttestationState.
const (
	HealthAttested = "attested"
	HealthEnabled  = "enabled"
	HealthDisabled = "disabled"
)

// Attested tells whether there is a report; a nil state has none.
func (s *DeviceHealthAttestationState) Attested() bool {
	return s != nil && s.Status == HealthAttested
}

// AsksHealth tells whether a policy has a rule that only an attestation of the device's start can answer.
func (p CompliancePolicy) AsksHealth() bool {
	return p.RequireHealthyDeviceReport || p.BitLockerEnabled || p.SecureBootEnabled || p.CodeIntegrityEnabled || p.EarlyLaunchAntiMalwareDriverEnabled
}
