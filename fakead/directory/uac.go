package directory

// Bits of userAccountControl ([MS-ADTS] 2.2.16).
const (
	UACDisabled            = 0x2
	uacLockout             = 0x10 // in the computed attribute only
	UACPasswordNotRequired = 0x20
	UACNormal              = 0x200
	UACInterdomainTrust    = 0x800
	UACWorkstationTrust    = 0x1000
	UACServerTrust         = 0x2000
	UACNeverExpires        = 0x10000
	UACTrustedDelegation   = 0x80000
	UACNotDelegated        = 0x100000
	UACDESOnly             = 0x200000
	UACNoPreauth           = 0x400000
	uacPasswordExpired     = 0x800000 // in the computed attribute only
	uacTrustedToAuth       = 0x1000000
	uacPartialSecrets      = 0x4000000

	accountTypes = UACNormal | UACInterdomainTrust | UACWorkstationTrust | UACServerTrust
)

// Values of sAMAccountType ([MS-ADTS] 2.2.20) and groupType (2.2.12).
const (
	samGroup       = 0x10000000
	samAlias       = 0x20000000
	samUser        = 0x30000000
	samMachine     = 0x30000001
	groupBuiltin   = 0x00000001
	groupGlobal    = 0x00000002
	groupLocal     = 0x00000004
	groupUniversal = 0x00000008
	groupSecurity  = 0x80000000
)
