package graph

import "encoding/json"

// ConfigurationPolicy is deviceManagementConfigurationPolicy (beta), the settings catalogue. Its settings are kept as they came.
type ConfigurationPolicy struct {
	ODataType            string            `json:"@odata.type,omitempty"`
	ID                   string            `json:"id,omitempty"`
	Name                 string            `json:"name"`
	Description          string            `json:"description"`
	Platforms            string            `json:"platforms"`    // windows10
	Technologies         string            `json:"technologies"` // mdm
	CreatedDateTime      Time              `json:"createdDateTime"`
	LastModifiedDateTime Time              `json:"lastModifiedDateTime"`
	SettingCount         int               `json:"settingCount"`
	IsAssigned           bool              `json:"isAssigned"`
	RoleScopeTagIDs      []string          `json:"roleScopeTagIds,omitempty"`
	TemplateReference    json.RawMessage   `json:"templateReference,omitempty"`
	Settings             []json.RawMessage `json:"settings,omitempty"` // with $expand
	Assignments          []Assignment      `json:"assignments,omitempty"`
}

// Definitions are the settingDefinitionIds of the policy's settings, in their
// order; "" of one that has none. Those below a setting are left out.
func (p ConfigurationPolicy) Definitions() []string {
	ids := make([]string, len(p.Settings))
	for i, raw := range p.Settings {
		var setting struct {
			Instance struct {
				Definition string `json:"settingDefinitionId"`
			} `json:"settingInstance"`
		}
		if json.Unmarshal(raw, &setting) == nil {
			ids[i] = setting.Instance.Definition
		}
	}
	return ids
}
