package hresult

// Why a logon to a domain was refused: NTSTATUS values, and what Kerberos' own
// package says of a clock. STATUSWrongSecret is with the general ones.
const (
	STATUSNoLogonServers     Code = 0xC000005E
	STATUSPasswordRule       Code = 0xC000006C
	STATUSLogonHours         Code = 0xC000006F
	STATUSWorkstation        Code = 0xC0000070
	STATUSPasswordExpired    Code = 0xC0000071
	STATUSAccountDisabled    Code = 0xC0000072
	STATUSNoTrustSAMAccount  Code = 0xC000018B
	STATUSTrustFailure       Code = 0xC000018D
	STATUSAccountExpired     Code = 0xC0000193
	STATUSPasswordMustChange Code = 0xC0000224
	STATUSAccountLockedOut   Code = 0xC0000234
	TimeSkew                 Code = 0x80090324
)

const pageNTStatus = "[MS-ERREF] 2.3.1"

var logon = []Entry{
	{STATUSNoLogonServers, "STATUS_NO_LOGON_SERVERS", "no logon servers are available", pageNTStatus},
	{STATUSPasswordRule, "STATUS_PASSWORD_RESTRICTION", "the new password does not meet the domain's rules", pageNTStatus},
	{STATUSLogonHours, "STATUS_INVALID_LOGON_HOURS", "the account may not log on at this time", pageNTStatus},
	{STATUSWorkstation, "STATUS_INVALID_WORKSTATION", "the account may not log on at this computer", pageNTStatus},
	{STATUSPasswordExpired, "STATUS_PASSWORD_EXPIRED", "the password has expired", pageNTStatus},
	{STATUSAccountDisabled, "STATUS_ACCOUNT_DISABLED", "the account is disabled", pageNTStatus},
	{STATUSNoTrustSAMAccount, "STATUS_NO_TRUST_SAM_ACCOUNT", "the domain has no account for this computer", pageNTStatus},
	{STATUSTrustFailure, "STATUS_TRUSTED_RELATIONSHIP_FAILURE", "the trust between this computer and the domain failed", pageNTStatus},
	{STATUSAccountExpired, "STATUS_ACCOUNT_EXPIRED", "the account has expired", pageNTStatus},
	{STATUSPasswordMustChange, "STATUS_PASSWORD_MUST_CHANGE", "the password has to be changed before the logon", pageNTStatus},
	{STATUSAccountLockedOut, "STATUS_ACCOUNT_LOCKED_OUT", "the account is locked out", pageNTStatus},
	{TimeSkew, "SEC_E_TIME_SKEW", "the clocks of this computer and of the domain controller differ by too much", pageWinError},
}
