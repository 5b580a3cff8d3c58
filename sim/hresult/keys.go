package hresult

// Keys, certificates and the TPM: NTE_ and CERT_ of facility 9 and 11, TPM 0x8028xxxx, platform crypto provider 0x8029xxxx.
const (
	BadKeyset             Code = 0x80090016
	KeyNotFound           Code = 0x8009000D
	BadSignature          Code = 0x80090006
	DeviceNotReady        Code = 0x80090030
	AuthenticationIgnored Code = 0x80090031
	CertExpired           Code = 0x800B0101
	CertUntrustedRoot     Code = 0x800B0109
	CertRevoked           Code = 0x800B010C
	TPMNotFIPS            Code = 0x80280036
	TPMFailed             Code = 0x80280101
	TPMLockout            Code = 0x80280921
	PCPInternalError      Code = 0x80290407
	PCPDeviceNotReady     Code = 0x80290401
)

const pageTPMErrors = "learn.microsoft.com/windows/win32/com/com-error-codes-6"

var keys = []Entry{
	{BadSignature, "NTE_BAD_SIGNATURE", "the signature does not verify", pageWinError},
	{KeyNotFound, "NTE_NO_KEY", "the key does not exist", pageWinError},
	{BadKeyset, "NTE_BAD_KEYSET", "the key set does not exist, as after a TPM was cleared", pageHybridJoin},
	{DeviceNotReady, "NTE_DEVICE_NOT_READY", "the device that holds the key is not ready", pageWinError},
	{AuthenticationIgnored, "NTE_AUTHENTICATION_IGNORED", "the TPM is locked out", pageHybridJoin},
	{CertExpired, "CERT_E_EXPIRED", "a certificate is outside its dates", pageWinError},
	{CertUntrustedRoot, "CERT_E_UNTRUSTEDROOT", "the chain ends in a root that is not trusted", pageWinError},
	{CertRevoked, "CERT_E_REVOKED", "a certificate was revoked", pageWinError},
	{TPMNotFIPS, "TPM_E_NOTFIPS", "the TPM is in FIPS mode, which is not supported here", pageHybridJoin},
	{TPMFailed, "TPM_20_E_FAILURE", "the TPM is in failure mode", pageTPMErrors},
	{TPMLockout, "TPM_20_E_LOCKOUT", "the TPM refuses authorisations after too many wrong ones", pageTPMErrors},
	{PCPDeviceNotReady, "TPM_E_PCP_DEVICE_NOT_READY", "the platform crypto provider is not ready", pageTPMErrors},
	{PCPInternalError, "TPM_E_PCP_INTERNAL_ERROR", "generic TPM error", pageHybridJoin},
}
