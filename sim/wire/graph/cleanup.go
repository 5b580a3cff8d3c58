package graph

// CleanupRule is managedDeviceCleanupRule (beta): the portal stops showing PCs
// that have not called for so many days (learn.microsoft.com/graph,
// managedDeviceCleanupRule; learn.microsoft.com/intune, "Device cleanup rules").
type CleanupRule struct {
	ODataType            string          `json:"@odata.type,omitempty"`
	ID                   string          `json:"id,omitempty"`
	DisplayName          string          `json:"displayName"`
	Description          string          `json:"description,omitempty"`
	Platform             CleanupPlatform `json:"deviceCleanupRulePlatformType"`
	DaysInactive         int             `json:"deviceInactivityBeforeRetirementInDays"`
	LastModifiedDateTime Time            `json:"lastModifiedDateTime"`
}

// CleanupPlatform is deviceCleanupRulePlatformType: whom a rule is about.
type CleanupPlatform string

// Platforms of cleanup rules. PCs are of the first two.
const (
	CleanupAll     CleanupPlatform = "all"
	CleanupWindows CleanupPlatform = "windows"
	CleanupIOS     CleanupPlatform = "ios"
	CleanupMacOS   CleanupPlatform = "macOS"
)
