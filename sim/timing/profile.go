package timing

import "time"

// Profile is a full set of numbers. Fields stand in the profile's file under their names in lower camel case, "esp.timeout"
// for ESP.Timeout; what each counts from and where it comes from is in its [Entry].
type Profile struct {
	Name string

	TPM        TPM
	Autopilot  Autopilot
	OOBE       OOBE
	MSA        MSA
	Join       Join
	Entra      Entra
	MDM        MDM
	ESP        ESP
	IME        IME
	Compliance Compliance
	Intune     Intune
	Hybrid     Hybrid
	Kerberos   Kerberos
	Domain     Domain
	Network    Network
	Device     Device
	Technician Person
	User       Person
	Flow       Flow
	Switches   Switches

	entries []Entry
}

// TPM: provisioning and attestation of the device's TPM.
type TPM struct {
	AttestationWait       time.Duration // after which the status page's row fails with 0x800705B4
	AttestationRetries    int           // attempts after the first; exhaustion is 0x81039001
	AttestationRetryDelay time.Duration
	HastyExchange         time.Duration // with the AIK service, of a Windows that gives up too soon
	MaintenanceDelay      Range         // from the first start after a reset until Windows takes the TPM anew
	AIKCertificateLife    Period
	RequestSignerLife     time.Duration // of the throw-away certificate that a SCEP request is signed with
	AIKChallengeLife      time.Duration // how long the AIK service keeps a challenge open
	HealthChallengeLife   time.Duration // how long the attestation service keeps one open
	HealthReportLife      time.Duration // how long its reports are good
	Resubmissions         int           // of a command that the TPM answers with TPM_RC_RETRY
	ResubmissionDelay     time.Duration
	LockoutTries          int           // failed authorisations after which a TPM refuses the right ones too
	LockoutRecovery       time.Duration // after which it forgets one of them
	LockoutPassword       time.Duration // the same for the lockout password
}

// Autopilot: registration, profiles and what the portal keeps.
type Autopilot struct {
	ImportRow            Range         // processing of one imported row
	SyncInterval         time.Duration // the service's own sync with the deployment service
	SyncDuration         Range
	ManualSyncGap        time.Duration // an earlier manual sync gets 429
	AssignmentDelay      Range         // profile: unassigned to assigned
	ConvertAllLimit      time.Duration // "convert all targeted devices"
	ImportPoll           time.Duration // an administrator's script looks for states and profiles
	AssignmentPatience   time.Duration // an administrator stops waiting for profiles
	CSVRows              int
	Profiles             int
	ReportRetention      time.Duration
	ReportFailedAfter    time.Duration // a deployment still in progress is shown as failed
	ReportPageRows       int
	DiagnosticsRetention time.Duration
}

// OOBE: the out-of-box experience itself, without the people in front of it.
type OOBE struct {
	PageLoad           Range // from a press to the next page
	NetworkConnect     Range // joining a wireless network, getting an address
	CriticalUpdate     Range // download and install before Autopilot starts, without the restart
	KeyPressWindow     time.Duration
	KeyPresses         int
	ProfileRetry       time.Duration // next attempt to download a profile after a failed one
	PPKGMinimum        time.Duration // the provisioning package step lasts at least this long
	PPKGPoll           time.Duration
	ResealDuration     Range // from Reseal pressed to power off
	DiagnosticsCollect Range
	Restarts           int // of setup before its first pages are through; one more and it gives up on Autopilot
}

// MSA: the Microsoft account service in its role as the device's identity.
type MSA struct {
	DeviceTicketLife time.Duration
	RequestSkew      time.Duration // how far a request's timestamp may be off
}

// Join: device registration with Entra ID.
type Join struct {
	NonceLife        time.Duration
	ThrottleRetry    time.Duration
	ThrottleBurst    int   // claims of one hybrid device in that time
	DirectoryVisible Range // a new device object to its being found by other services
}

// Entra: lives of tokens and certificates, limits of the directory.
type Entra struct {
	AccessTokenLife        Range
	AuthorizationCodeLife  time.Duration
	RefreshTokenLife       time.Duration
	SPARefreshTokenLife    time.Duration // from the sign-in on, however often it is renewed
	DeviceCodeLife         time.Duration
	DeviceCodeInterval     time.Duration // between two polls of a client, in whole seconds
	SignInPageLife         time.Duration // a page that waits for a user's input
	AssertionSkew          time.Duration // by which a client's clock may be off when it proves itself
	NonceLife              time.Duration
	PRTLife                time.Duration
	PRTRefresh             time.Duration
	SessionKeyRoll         time.Duration // a PRT renewed at this age gets a new session key
	DeviceCertificateLife  Period
	DevicesPerUser         int
	DynamicGroupEvaluation Range // change of a device to its membership in a dynamic group
	LockoutThreshold       int   // wrong passwords in a row that lock an account
	LockoutDuration        time.Duration
	BulkTokenWait          Range // a bulk token asked for to its being there
	BulkTokenLife          time.Duration
	ClientSecretLife       Period
}

// MDM: enrolment and OMA-DM sessions.
type MDM struct {
	CertificateLife        time.Duration
	CertificateRenewBefore time.Duration // how long before the end renewal begins
	CertificateRenewRetry  time.Duration
	SyncSchedule           Schedule      // from the enrolment on
	RetryCount             int           // connection attempts of one session
	SessionMessages        int           // of a device in one session, after which it gives up
	MessageSize            int           // MaxMsgSize of a device
	AgentInstall           time.Duration // how long the management extension's installer runs
	AgentSize              int           // of the management extension's installer
	InstallLimit           time.Duration // how long an MSI of the MDM's may run
	InstallRetries         int           // attempts after the first
	InstallRetryDelay      time.Duration // in whole minutes
	InitialBackoff         time.Duration
	MaximumBackoff         time.Duration
	NonceLife              time.Duration
	DevicesPerUser         int
	AttestationTimeout     time.Duration // OperationTimeout of the certificate policy, in whole seconds
	AttestationRetryDelay  time.Duration // between attempts to attest the MDM key
	FederatedTokenLife     time.Duration // of the token that the authentication page gives
	SCEPRetryDelay         time.Duration // between questions after a certificate that waits, where the server names none
	SCEPRetryCount         int           // of them
	SCEPRetryLimit         int           // the most that a server may name
	RebootNowDelay         time.Duration // from the order to the restart
	OfficeSize             int           // of Microsoft 365 Apps, 64-bit, one language
	OfficeInstall          time.Duration // once it is there
	TeamsSize              int           // of the machine-wide installer of Teams
	TeamsInstall           time.Duration
	LAPSPasswordAge        time.Duration // after which a local administrator gets a new password, where the policy names none
	MessageSkew            time.Duration // how far a signed request's timestamp may be off
}

// ESP: the Enrollment Status Page.
type ESP struct {
	Timeout              time.Duration
	TimeoutByTicks       bool          // counts running time of the processor, not the wall clock
	ProviderTimeout      time.Duration // for one policy provider to be installed
	TrackingPoliciesWait time.Duration // 0: for ever
	SlowIdentifying      time.Duration // of builds that take long to find out what there is to track
	SessionInterval      time.Duration // sync sessions that the page drives itself
	Poll                 time.Duration // how often it looks at what it tracks
	QualityUpdates       Range
	Profiles             int
	BlockingApps         int
}

// IME: the Intune Management Extension.
type IME struct {
	CertificateLife    Period
	ServiceStart       Range
	CheckInterval      time.Duration
	AppRetries         int // attempts of one evaluation
	AppRetryDelay      time.Duration
	GlobalReevaluation time.Duration // an app that used its retries up is left alone for this long
	InstallLimit       time.Duration
	AgentScriptStart   time.Duration // the least that a script of a rule takes
	AppSize            int           // bytes
	ScriptTimeout      time.Duration
	ScriptRetries      int
	ScriptSize         int // bytes
}

// Compliance: Intune's verdict and Entra's copy of it.
type Compliance struct {
	Evaluation      Range // a device's report to the verdict
	EntraUpdate     Range // the verdict to the device object
	Validity        time.Duration
	MinimumGrace    time.Duration
	HealthInterval  time.Duration // Intune has a device's health attested again
	RebootDependent bool          // BitLocker and Secure Boot are measured at boot, so the first verdict wants a restart
}

// Intune: limits of the service.
type Intune struct {
	StaleDevice           Range // what the cleanup rule can be set to
	AttestActionDevices   int
	AttestActionGap       time.Duration
	AttestActionLimit     time.Duration
	AssignmentEvaluation  Range // an assignment to its being handed out
	ServicePrincipalCache time.Duration
	SCEPChallengeLife     time.Duration // of a challenge password
	SCEPCertificateLife   time.Duration // of a certificate that the SCEP server issues
	SCEPPending           time.Duration // how long a request waits for an administrator
	DefaultInstall        time.Duration // of an app without content, and on top of that its size at
	DefaultInstallRate    int           // bytes a second
	GraphWindow           time.Duration // that the limits below count in
	GraphRequests         int           // of one application in a tenant
	GraphWrites           int           // those of them that change something
	UploadStep            Range         // content of an app: storage address, check after the commit
	UploadLink            time.Duration // how long a storage address is good
}

// Hybrid: Active Directory, the connector and the directory sync.
type Hybrid struct {
	ESPExtension       time.Duration // on top of the ESP's timeout
	ConnectivityBudget time.Duration // domain join and domain controller in OOBE
	ConnectivityRetry  time.Duration // setup looks for a controller this often
	RegistrationForce  time.Duration // Account setup starts the registration task this often
	RegistrationRetry  time.Duration // the task's own timer
	SyncCycle          time.Duration // Entra Connect
	ConnectorHold      time.Duration // Intune keeps a poll open for as long as there is nothing to do
	ConnectorPoll      Range         // until a connector asks again after something went wrong
	ConnectorCleanup   time.Duration
	ConnectorInactive  time.Duration // until a connector that does not call is shown as inactive
	ConnectorLease     time.Duration // how long a connector that took a request has it for itself
	ConnectorTries     int           // for one request
	ConnectorTimeout   time.Duration // of a request of the connector's to Intune; of a poll, beyond the hold
	ConnectorMemory    int           // bytes of a connector that was just started
	ConnectorLeak      int           // bytes an hour, behind a proxy
	ConnectorThrash    int           // bytes from which on a connector is slow
	ConnectorThrashed  Range         // what each poll then takes on top
	JoinRequestLife    time.Duration // until a request that no connector serves is given up
	JoinRetry          time.Duration // until a device that asks again after a failure gets a new request
	RedeployAfterReset time.Duration
	JoinQuota          int
	ClockSkew          time.Duration // Kerberos
	DNSResend          time.Duration // a question that is not answered is asked again after this, then after twice as long in all
	DNSQueries         int           // of one question
	DNSGiveUp          time.Duration
	PingWait           time.Duration // for a controller's answer to a netlogon ping, before the next one is asked
	PingRounds         int           // through all controllers
	LDAPAnswer         time.Duration // how long a client waits for one
	LDAPPage           int           // most entries of one answer (MaxPageSize)
	LDAPMessage        int           // most bytes of one message (MaxReceiveBuffer)
	LDAPFirst          time.Duration // a controller waits this long for a connection's first request (InitRecvTimeout)
	LDAPIdle           time.Duration // and this long for a further one (MaxConnIdleTime)
}

// Domain: what a new Active Directory domain is set to.
type Domain struct {
	PasswordLength   int
	PasswordHistory  int // passwords that do not come again
	PasswordMaxAge   time.Duration
	PasswordMinAge   time.Duration
	LockoutThreshold int // wrong passwords in a row; 0: no lockout
	LockoutDuration  time.Duration
	LockoutWindow    time.Duration // after which wrong passwords are forgotten
	TombstoneLife    time.Duration
	RecordLife       time.Duration // of DNS records
	CertificateLife  time.Duration // of a controller's certificate
	CertificateRenew time.Duration // how long before its end it is replaced
}

// Kerberos: the domain's policy, the controllers' service and Windows' client. The clocks' difference is Hybrid's.
type Kerberos struct {
	TicketLife    time.Duration // most of a ticket (MaxTicketAge, MaxServiceAge)
	RenewLife     time.Duration // most of a chain of renewed ones (MaxRenewAge)
	PasswordLife  time.Duration // of a ticket for changing a password
	PolicyRecheck time.Duration // a ticket-granting ticket older than this has its account looked at again
	DatagramReply int           // bytes; a longer answer to a datagram is refused (MaxDatagramReplySize)
	FirstRequest  time.Duration // a controller waits this long for a stream's next request (NewConnectionTimeout)
	DatagramMost  int           // bytes; a client sends what is longer as a stream (MaxPacketSize)
	Wait          time.Duration // a client's, for a controller's answer (KdcWaitTime)
	Tries         int           // a client's, by datagram (KdcSendRetries)
}

// Network: what Windows' HTTP stack waits for, and what it does about a server that asks for patience.
type Network struct {
	ConnectTimeout time.Duration
	TCPConnect     time.Duration // a connection that nobody answers is given up by TCP itself
	TCPFirstResend time.Duration // a lost packet is sent again after this, then after twice as long each time
	TCPResends     int           // after which a connection is given up
	IdleConnection time.Duration // how long an unused connection is kept
	SendTimeout    time.Duration
	ReceiveTimeout time.Duration
	RetryAfter     time.Duration // for a 429 or 503 that names no time
	RetryAttempts  int
	DownloadPiece  int // bytes of a download after which its progress is on the disk
	TimeSyncPoll   time.Duration
}

// Device: the machine.
type Device struct {
	Firmware Range // power on to the boot loader
	Boot     Range // boot loader to the first screen
	Shutdown Range
	SignIn   Range // sign-in to a session that runs
	Unlock   time.Duration
	IdleLock time.Duration // without a hand on it, until it locks itself
	Reset    Range         // of Windows itself, in its recovery environment

	EncryptionStart Range // of the drive, by itself, on a PC that Autopilot does not know
}

// Person: somebody in front of a screen.
type Person struct {
	Action   Range // reading a screen and pressing something
	Typing   Range // filling in a field
	Approval Range // the second factor
	Patience time.Duration
	Glance   Range // how often a screen that only shows progress is looked at
}

// Flow: what is asked of the time between the technician flow and the user flow.
type Flow struct {
	MinimumGap time.Duration
	Latest     Period
}
