package graph

// TypeCompliancePolicy is the OData type of a Windows compliance policy.
const TypeCompliancePolicy = "#microsoft.graph.windows10CompliancePolicy"

// CompliancePolicy is windows10CompliancePolicy.
type CompliancePolicy struct {
	ODataType                           string                `json:"@odata.type"`
	ID                                  string                `json:"id,omitempty"`
	DisplayName                         string                `json:"displayName"`
	Description                         string                `json:"description"`
	Version                             int                   `json:"version"`
	CreatedDateTime                     Time                  `json:"createdDateTime"`
	LastModifiedDateTime                Time                  `json:"lastModifiedDateTime"`
	RoleScopeTagIDs                     []string              `json:"roleScopeTagIds,omitempty"`
	PasswordRequired                    bool                  `json:"passwordRequired"`
	RequireHealthyDeviceReport          bool                  `json:"requireHealthyDeviceReport"`
	OSMinimumVersion                    string                `json:"osMinimumVersion"`
	OSMaximumVersion                    string                `json:"osMaximumVersion"`
	EarlyLaunchAntiMalwareDriverEnabled bool                  `json:"earlyLaunchAntiMalwareDriverEnabled"`
	BitLockerEnabled                    bool                  `json:"bitLockerEnabled"`
	SecureBootEnabled                   bool                  `json:"secureBootEnabled"`
	CodeIntegrityEnabled                bool                  `json:"codeIntegrityEnabled"`
	StorageRequireEncryption            bool                  `json:"storageRequireEncryption"`
	ActiveFirewallRequired              bool                  `json:"activeFirewallRequired"`
	DefenderEnabled                     bool                  `json:"defenderEnabled"`
	RTPEnabled                          bool                  `json:"rtpEnabled"`
	AntivirusRequired                   bool                  `json:"antivirusRequired"`
	AntiSpywareRequired                 bool                  `json:"antiSpywareRequired"`
	TPMRequired                         bool                  `json:"tpmRequired"`
	DeviceThreatProtectionEnabled       bool                  `json:"deviceThreatProtectionEnabled"`
	ScheduledActionsForRule             []ScheduledActionRule `json:"scheduledActionsForRule,omitempty"`
	Assignments                         []Assignment          `json:"assignments,omitempty"`
}

// ScheduledActionRule is deviceComplianceScheduledActionForRule.
type ScheduledActionRule struct {
	ID       string            `json:"id,omitempty"`
	RuleName string            `json:"ruleName"`
	Actions  []ScheduledAction `json:"scheduledActionConfigurations"`
}

// ScheduledAction is deviceComplianceActionItem.
type ScheduledAction struct {
	ID                        string   `json:"id,omitempty"`
	ActionType                string   `json:"actionType"` // block marks the device noncompliant
	GracePeriodHours          int      `json:"gracePeriodHours"`
	NotificationTemplateID    string   `json:"notificationTemplateId"`
	NotificationMessageCCList []string `json:"notificationMessageCCList"`
}

// GraceHours gives the hours until the policy marks a device as noncompliant; 0 without such an action.
func (p CompliancePolicy) GraceHours() int {
	for _, r := range p.ScheduledActionsForRule {
		for _, a := range r.Actions {
			if a.ActionType == "block" {
				return a.GracePeriodHours
			}
		}
	}
	return 0
}
