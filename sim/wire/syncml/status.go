package syncml

import "strconv"

// StatusCode is the Data of a Status (SyncML Representation Protocol 1.2.2, 10).
type StatusCode int

// The codes that Windows' DM client and its CSPs send ([MS-MDM] 2.2.7.2, OMA DM protocol support page).
const (
	OK                     StatusCode = 200
	AcceptedForProcessing  StatusCode = 202 // asynchronous Exec
	AuthenticationAccepted StatusCode = 212 // and stays so for the session
	ChunkAccepted          StatusCode = 213 // a piece of a large object
	OperationCancelled     StatusCode = 214
	NotExecuted            StatusCode = 215
	AtomicRollBackOK       StatusCode = 216
	BadRequest             StatusCode = 400
	Unauthorized           StatusCode = 401
	Forbidden              StatusCode = 403
	NotFound               StatusCode = 404
	CommandNotAllowed      StatusCode = 405
	FeatureNotSupported    StatusCode = 406
	MissingCredentials     StatusCode = 407
	SizeRequired           StatusCode = 411
	IncompleteCommand      StatusCode = 412
	EntityTooLarge         StatusCode = 413
	URITooLong             StatusCode = 414
	UnsupportedMediaType   StatusCode = 415
	RequestSizeTooBig      StatusCode = 416
	AlreadyExists          StatusCode = 418
	SizeMismatch           StatusCode = 424 // of a large object
	PermissionDenied       StatusCode = 425
	CommandFailed          StatusCode = 500
	ServiceUnavailable     StatusCode = 503
	AtomicFailed           StatusCode = 507
	SessionInternalError   StatusCode = 508
	DataStoreFailure       StatusCode = 510
	VersionNotSupported    StatusCode = 513
	AtomicRollBackFailed   StatusCode = 516
	AtomicResponseTooLarge StatusCode = 517
)

var statusText = map[StatusCode]string{
	OK: "OK", AcceptedForProcessing: "Accepted for processing", AuthenticationAccepted: "Authentication accepted",
	ChunkAccepted: "Chunked item accepted", OperationCancelled: "Operation cancelled", NotExecuted: "Not executed", AtomicRollBackOK: "Atomic roll back OK",
	BadRequest: "Bad request", Unauthorized: "Invalid credentials", Forbidden: "Forbidden", NotFound: "Not found",
	CommandNotAllowed: "Command not allowed", FeatureNotSupported: "Optional feature not supported",
	MissingCredentials: "Missing credentials", SizeRequired: "Size required", IncompleteCommand: "Incomplete command", EntityTooLarge: "Request entity too large",
	URITooLong: "URI too long", RequestSizeTooBig: "Requested size too big", SizeMismatch: "Size mismatch",
	UnsupportedMediaType: "Unsupported media type or format", AlreadyExists: "Already exists", PermissionDenied: "Permission denied",
	CommandFailed: "Command failed", ServiceUnavailable: "Service unavailable", AtomicFailed: "Atomic failed",
	SessionInternalError: "Refresh required", DataStoreFailure: "Data store failure", VersionNotSupported: "DTD version not supported",
	AtomicRollBackFailed: "Atomic roll back failed", AtomicResponseTooLarge: "Atomic response too large to fit",
}

// Success reports whether the code is of the 200 class. 214, 215 and 216 are, although nothing took effect.
func (s StatusCode) Success() bool { return s >= 200 && s < 300 }

// TookEffect reports whether a command did what it says: a success other than 214, 215 and 216.
func (s StatusCode) TookEffect() bool {
	return s.Success() && s != OperationCancelled && s != NotExecuted && s != AtomicRollBackOK
}

// String is the number and its text where it has one, "404 Not found".
func (s StatusCode) String() string {
	if text, ok := statusText[s]; ok {
		return strconv.Itoa(int(s)) + " " + text
	}
	return strconv.Itoa(int(s))
}

// Alert codes (DM protocol 1.2.1, 8.7; SyncML Representation Protocol 1.2.2, 11).
const (
	AlertServerInitiated = 1200 // package 1 after a push
	AlertClientInitiated = 1201
	AlertNextMessage     = 1222
	AlertSessionAbort    = 1223
	AlertClientEvent     = 1224
	AlertNoEndOfData     = 1225 // a large object's last piece did not come
	AlertGeneric         = 1226 // asynchronous results, user's unenrolment
)

// Types of client event and generic alerts ([MS-MDM] 2.2.7; learn.microsoft.com OMA DM protocol support). OdjSync and
// DevicePrepSync are not documented; community tools saw them on the wire.
const (
	TypeLoginStatus      = "com.microsoft/MDM/LoginStatus"   // data: [LoginStatus]
	TypeAADUserToken     = "com.microsoft/MDM/AADUserToken"  // data: the user's access token
	TypeBootstrapSync    = "com.microsoft/MDM/BootstrapSync" // data: "device" or "user"
	TypeOdjSync          = "com.microsoft/MDM/OdjSync"       // data: "device"
	TypeDevicePrepSync   = "com.microsoft/MDM/DevicePrepSync"
	TypeRequestPending   = "Reversed-Domain-Name:com.microsoft.mdm.requestpending"
	TypeUserUnenrollment = "com.microsoft:mdm.unenrollment.userrequest"
	// TypeSyncType says which trees the server may send commands for: "user", "device" or "mixed" ([MS-MDM] 3.2.5.1.5).
	TypeSyncType = "com.microsoft.mdm.synctype"
	// TypeInstallResult is the end of a job of EnterpriseDesktopAppManagement: its source is the DownloadInstall node, its data 0
	// or an HRESULT (learn.microsoft.com, EnterpriseDesktopAppManagement CSP: the sample's alert is a 1224; others are 1226).
	TypeInstallResult = "Reversed-Domain-Name:com.microsoft.mdm.win32csp_install"
)
