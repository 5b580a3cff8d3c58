package hresult

// General COM results, facility 0, and web account manager 0xCAAxxxxx.
const (
	Fail              Code = 0x80004005
	NotImplemented    Code = 0x80004001
	Aborted           Code = 0x80004004
	Unexpected        Code = 0x8000FFFF
	WAMTokenService   Code = 0xCAA7000F
	WAMSecureFailure  Code = 0xCAA82F8F
	WAMNoEndpoint     Code = 0xCAA90017
	WAMInvalidGrant   Code = 0xCAA20003
	STATUSWrongSecret Code = 0xC000006D
)

var general = []Entry{
	{OK, "S_OK", "success", pageWinError},
	{NotImplemented, "E_NOTIMPL", "not implemented", pageWinError},
	{Aborted, "E_ABORT", "aborted", pageWinError},
	{Fail, "E_FAIL", "unspecified failure", pageWinError},
	{Unexpected, "E_UNEXPECTED", "unexpected failure", pageWinError},
	{STATUSWrongSecret, "STATUS_LOGON_FAILURE", "user name or password is wrong", pageHybridJoin},
	{WAMInvalidGrant, "ERROR_ADAL_SERVER_ERROR_INVALID_GRANT", "the token service refused the grant", pageHybridJoin},
	{WAMTokenService, "wam_cannot_reach_token_service", "proxy or web account manager cannot reach the token service", pageCommunity},
	{WAMSecureFailure, "ERROR_ADAL_INTERNET_SECURE_FAILURE", "TLS to the token service failed, or the clock is wrong", pageHybridJoin},
	{WAMNoEndpoint, "ERROR_ADAL_PROTOCOL_NOT_SUPPORTED", "the federation service offers no WS-Trust", pageHybridJoin},
}
