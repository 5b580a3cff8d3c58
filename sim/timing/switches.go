package timing

// Switches are behaviours on which sources disagree. Their paths have no prefix: "hybrid.technicianReboot".
type Switches struct {
	Hybrid HybridSwitches
	Reseal ResealSwitches
	ESP    ESPSwitches
	Graph  GraphSwitches
}

// HybridSwitches: hybrid join in pre-provisioning.
type HybridSwitches struct {
	TechnicianReboot   bool // restart after the domain join blob, in the technician flow
	TechnicianDCCheck  bool // the technician flow waits for a domain controller
	AssignedUserBlocks bool // a pre-assigned user makes the domain join fail with 0x80070774
}

// ResealSwitches: what Reseal takes back.
type ResealSwitches struct {
	UnjoinsEntra bool // leaves Entra ID and stays enrolled; the user flow joins again as the user
}

// ESPSwitches: the Enrollment Status Page.
type ESPSwitches struct {
	UnlistedApps       UnlistedApps
	NotApplicableWaits bool // a tracked app whose requirements the PC does not meet stays pending; else it counts as done
}

// UnlistedApps says what happens in the technician flow to a required app that is not on the list of blocking apps, when
// the ESP profile has "Only fail selected blocking apps in technician phase" off.
type UnlistedApps string

const (
	UnlistedByProfile UnlistedApps = "profile" // not attempted until the user flow
	UnlistedInstalled UnlistedApps = "install" // attempted as well, its failure ignored
)

// GraphSwitches: Microsoft Graph.
type GraphSwitches struct {
	Throttling Throttling
}

// Throttling says whether Intune's part of Graph keeps to its limits, and whether a refused client is told how long to wait.
type Throttling string

const (
	ThrottlingOff   Throttling = "off"
	ThrottlingTimed Throttling = "retryAfter" // 429 with Retry-After
	ThrottlingBare  Throttling = "bare"       // 429 without: clients need a backoff of their own
)

// choices lists what a string-typed switch may be.
var choices = map[string][]string{
	"timing.Throttling":   {string(ThrottlingOff), string(ThrottlingTimed), string(ThrottlingBare)},
	"timing.UnlistedApps": {string(UnlistedByProfile), string(UnlistedInstalled)},
}
