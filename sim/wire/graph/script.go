package graph

// DeviceManagementScript is the resource of that name (beta): a PowerShell script for the management extension.
type DeviceManagementScript struct {
	ODataType             string       `json:"@odata.type,omitempty"`
	ID                    string       `json:"id,omitempty"`
	DisplayName           string       `json:"displayName"`
	Description           string       `json:"description"`
	ScriptContent         []byte       `json:"scriptContent"` // JSON holds its base64; null in lists
	CreatedDateTime       Time         `json:"createdDateTime"`
	LastModifiedDateTime  Time         `json:"lastModifiedDateTime"`
	RunAsAccount          RunAs        `json:"runAsAccount"`
	EnforceSignatureCheck bool         `json:"enforceSignatureCheck"`
	FileName              string       `json:"fileName"`
	RoleScopeTagIDs       []string     `json:"roleScopeTagIds,omitempty"`
	RunAs32Bit            bool         `json:"runAs32Bit"`
	Assignments           []Assignment `json:"assignments,omitempty"`
}

// ScriptAssignRequest is the body of deviceManagementScripts/{id}/assign.
type ScriptAssignRequest struct {
	Assignments []Assignment `json:"deviceManagementScriptAssignments"`
	Groups      []struct {
		TargetGroupID string `json:"targetGroupId"`
	} `json:"deviceManagementScriptGroupAssignments"` // older form
}

// All gives the assignments of either form.
func (r ScriptAssignRequest) All() []Assignment {
	out := append([]Assignment{}, r.Assignments...)
	for _, g := range r.Groups {
		out = append(out, Assignment{Target: Group(g.TargetGroupID)})
	}
	return out
}
