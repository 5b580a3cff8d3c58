package csp

// Nodes of the BitLocker CSP, below ./Device/Vendor/MSFT/BitLocker.
var (
	BitLockerRequire    = bitLocker("RequireDeviceEncryption")            // int: 1 encrypts
	BitLockerMethod     = bitLocker("EncryptionMethodByDriveType")        // chr: <enabled/><data id="EncryptionMethodWithXtsOsDropDown_Name" value="7"/>
	BitLockerWarning    = bitLocker("AllowWarningForOtherDiskEncryption") // int: 0 encrypts without asking
	BitLockerStandard   = bitLocker("AllowStandardUserEncryption")        // int
	BitLockerRotation   = bitLocker("ConfigureRecoveryPasswordRotation")  // int: 0 off, 1 Entra joined, 2 hybrid too
	BitLockerRotate     = bitLocker("RotateRecoveryPasswords")            // chr, executed with a request id
	BitLockerStatus     = bitLocker("Status", "DeviceEncryptionStatus")   // int, to be read: 0 compliant, else bits that say why not
	BitLockerRotated    = bitLocker("Status", "RotateRecoveryPasswordsStatus")
	BitLockerRotationID = bitLocker("Status", "RotateRecoveryPasswordsRequestID")
)

func bitLocker(names ...string) string {
	return Join(Join(Device.vendor(), "BitLocker"), names...)
}

// Bits of DeviceEncryptionStatus.
const (
	BitLockerNeedsConsent = 1 << 0  // policy wants the user's
	BitLockerWrongMethod  = 1 << 1  // the volume's method is not the policy's
	BitLockerUnprotected  = 1 << 2  // the system volume is not encrypted or its protection is off
	BitLockerNoRecovery   = 1 << 12 // the recovery key was not backed up
	BitLockerNoTPM        = 1 << 13
	BitLockerNoNetwork    = 1 << 16 // for the backup of the recovery key
)

// Values of EncryptionMethodWithXtsOsDropDown_Name.
const (
	EncryptionXTS128 = 6
	EncryptionXTS256 = 7
)

// BitLockerMethodID is the data id of the system volume's method in EncryptionMethodByDriveType.
const BitLockerMethodID = "EncryptionMethodWithXtsOsDropDown_Name"

// LAPS nodes, below ./Device/Vendor/MSFT/LAPS.
var (
	LAPSPolicies    = laps("Policies")                    // interior
	LAPSBackup      = laps("Policies", "BackupDirectory") // int: 0 off, 1 Entra, 2 Active Directory
	LAPSAge         = laps("Policies", "PasswordAgeDays") // int; 30
	LAPSLength      = laps("Policies", "PasswordLength")  // int; 14
	LAPSAccount     = laps("Policies", "AdministratorAccountName")
	LAPSReset       = laps("Actions", "ResetPassword")       // executed
	LAPSResetStatus = laps("Actions", "ResetPasswordStatus") // int, to be read: an HRESULT
)

func laps(names ...string) string { return Join(Join(Device.vendor(), "LAPS"), names...) }

// Values of BackupDirectory.
const (
	LAPSOff             = 0
	LAPSEntra           = 1
	LAPSActiveDirectory = 2
)
