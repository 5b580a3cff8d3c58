package csp

// Provider is Intune's provider id in the DMClient tree.
const Provider = "MS DM Server"

// Names of nodes directly below DMClient/Provider/{id} (DMClient CSP). They exist in the device's tree only, except those that
// the page gives for both.
const (
	EntDMID            = "EntDMID"
	EntDeviceName      = "EntDeviceName"
	ExchangeID         = "ExchangeID"
	PublisherDeviceID  = "PublisherDeviceID"
	UPN                = "UPN"
	AADResourceID      = "AADResourceID"
	AADDeviceID        = "AADDeviceID"
	AADSendDeviceToken = "AADSendDeviceToken"
	ForceAadToken      = "ForceAadToken"
	SignedEntDMID      = "SignedEntDMID"
	CertRenewTimeStamp = "CertRenewTimeStamp"
	HWDevID            = "HWDevID"
	Unenroll           = "Unenroll" // Exec, value is the provider id
	Push               = "Push"
	Poll               = "Poll"
)

// DMClient is a node below DMClient/Provider/MS DM Server, such as [EntDMID].
func DMClient(scope Scope, names ...string) string {
	return Join(Join(scope.vendor(), "DMClient", "Provider", Provider), names...)
}

// Names of nodes below FirstSyncStatus: the enrolment status page's contract with the server (DMClient CSP,
// Provider/{ProviderID}/FirstSyncStatus). The comment gives the format.
const (
	ExpectedPolicies                 = "ExpectedPolicies"                 // chr, list of LocURIs
	ExpectedNetworkProfiles          = "ExpectedNetworkProfiles"          // chr, list of LocURIs
	ExpectedMSIAppPackages           = "ExpectedMSIAppPackages"           // chr, list of LocURI;count
	ExpectedModernAppPackages        = "ExpectedModernAppPackages"        // chr, list of LocURI;count
	ExpectedPFXCerts                 = "ExpectedPFXCerts"                 // chr, list of LocURIs
	ExpectedSCEPCerts                = "ExpectedSCEPCerts"                // chr, list of LocURIs
	TimeOutUntilSyncFailure          = "TimeOutUntilSyncFailure"          // int, minutes
	ServerHasFinishedProvisioning    = "ServerHasFinishedProvisioning"    // bool, latched: true stays
	IsSyncDone                       = "IsSyncDone"                       // bool, latched; set by the client
	WasDeviceSuccessfullyProvisioned = "WasDeviceSuccessfullyProvisioned" // int, a [Provisioned]
	BlockInStatusPage                = "BlockInStatusPage"                // int, a [Block]; device only
	AllowCollectLogsButton           = "AllowCollectLogsButton"           // bool; device only
	CustomErrorText                  = "CustomErrorText"                  // chr; device only
	SkipDeviceStatusPage             = "SkipDeviceStatusPage"             // bool; device only
	SkipUserStatusPage               = "SkipUserStatusPage"               // bool; device only
	InstallQualityUpdates            = "InstallQualityUpdates"            // bool; device only. Our model: how Windows learns it is not public
)

// FirstSyncStatus is a node below FirstSyncStatus; no name gives the interior node itself, which the server has to Add in the
// user's tree before it sets anything there.
func FirstSyncStatus(scope Scope, names ...string) string {
	return Join(DMClient(scope, "FirstSyncStatus"), names...)
}

// Provisioned is WasDeviceSuccessfullyProvisioned.
type Provisioned int

// Its values.
const (
	ProvisioningFailed     Provisioned = 0
	ProvisioningSucceeded  Provisioned = 1
	ProvisioningInProgress Provisioned = 2
)

// Block is BlockInStatusPage: bits that say what a user may do when the status page fails. With 0 the page does not block.
type Block int

// Its bits.
const (
	AllowReset    Block = 1
	AllowTryAgain Block = 2
	AllowContinue Block = 4
)

// FirstSync is what a server sets in one scope's FirstSyncStatus at the first session.
type FirstSync struct {
	Expected Expected

	// The page's settings. They are device nodes: the user's tree has none of them.
	Timeout              int // minutes; 0 leaves the node alone (Windows' default is 60, its limit 1440)
	Block                Block
	CollectLogs          bool
	ErrorText            string
	SkipDevice, SkipUser bool
	QualityUpdates       bool // [InstallQualityUpdates]; false leaves the node alone
}

// Expected lists what the status page waits for.
type Expected struct {
	Policies        []string // LocURIs
	NetworkProfiles []string
	MSIs            []Counted // LocURI of the product's Status node and its number of products
	ModernApps      []Counted
	PFXCerts        []string
	SCEPCerts       []string
}

// Nodes are the values to set, in the order of the CSP's page, empty lists left out. The user's tree has to get
// Interior(FirstSyncStatus(User)) by Add first.
func (f FirstSync) Nodes(scope Scope) []Node {
	nodes := f.Expected.Nodes(scope)
	if scope == User {
		return nodes
	}
	uri := func(name string) string { return FirstSyncStatus(scope, name) }
	if f.Timeout > 0 {
		nodes = append(nodes, Int(uri(TimeOutUntilSyncFailure), f.Timeout))
	}
	nodes = append(nodes, Int(uri(BlockInStatusPage), int(f.Block)), Bool(uri(AllowCollectLogsButton), f.CollectLogs))
	if f.ErrorText != "" {
		nodes = append(nodes, Chr(uri(CustomErrorText), f.ErrorText))
	}
	if f.QualityUpdates {
		nodes = append(nodes, Bool(uri(InstallQualityUpdates), true))
	}
	return append(nodes, Bool(uri(SkipDeviceStatusPage), f.SkipDevice), Bool(uri(SkipUserStatusPage), f.SkipUser))
}

// Nodes are the Expected nodes that are not empty.
func (e Expected) Nodes(scope Scope) []Node {
	var nodes []Node
	for _, n := range []struct{ name, value string }{
		{ExpectedPolicies, JoinList(e.Policies)},
		{ExpectedNetworkProfiles, JoinList(e.NetworkProfiles)},
		{ExpectedMSIAppPackages, JoinCounted(e.MSIs)},
		{ExpectedModernAppPackages, JoinCounted(e.ModernApps)},
		{ExpectedPFXCerts, JoinList(e.PFXCerts)},
		{ExpectedSCEPCerts, JoinList(e.SCEPCerts)},
	} {
		if n.value != "" {
			nodes = append(nodes, Chr(FirstSyncStatus(scope, n.name), n.value))
		}
	}
	return nodes
}
