package tenant

import (
	"encoding/json"
	"fmt"

	"windtunnel.test/sim/wire/graph"
)

// Scripts are the PowerShell scripts for the management extension.
func (t *Tenant) Scripts() Collection[graph.DeviceManagementScript] {
	return Collection[graph.DeviceManagementScript]{t, t.s.scripts}
}

// SettingsPolicies are the policies of the settings catalogue.
func (t *Tenant) SettingsPolicies() Collection[graph.ConfigurationPolicy] {
	return Collection[graph.ConfigurationPolicy]{t, t.s.settingsPolicies}
}

// maxScript bounds a script (learn.microsoft.com, "Use PowerShell scripts on
// Windows devices": 200 KB).
const maxScript = 200 << 10

func scriptMeta(s *graph.DeviceManagementScript) meta {
	return meta{&s.ID, &s.DisplayName, &s.CreatedDateTime, &s.LastModifiedDateTime, nil, func(*Tenant, int) error {
		switch {
		case len(s.ScriptContent) == 0:
			return fmt.Errorf("scriptContent is missing")
		case len(s.ScriptContent) > maxScript:
			return fmt.Errorf("the script is larger than %d bytes", maxScript)
		case s.RunAsAccount != "" && s.RunAsAccount != graph.RunAsSystem && s.RunAsAccount != graph.RunAsUser:
			return fmt.Errorf("runAsAccount %q is neither system nor user", s.RunAsAccount)
		}
		s.RunAsAccount = orDefault(s.RunAsAccount, graph.RunAsSystem)
		var err error
		s.Assignments, err = assignments(s.ID, s.Assignments)
		return err
	}}
}

func settingsPolicyMeta(p *graph.ConfigurationPolicy) meta {
	return meta{&p.ID, &p.Name, &p.CreatedDateTime, &p.LastModifiedDateTime, nil, func(*Tenant, int) error {
		p.Platforms, p.Technologies = orDefault(p.Platforms, "windows10"), orDefault(p.Technologies, "mdm")
		for i, s := range p.Settings {
			var object map[string]json.RawMessage
			if err := json.Unmarshal(s, &object); err != nil || len(object["settingInstance"]) == 0 {
				return fmt.Errorf("settings[%d] has no settingInstance", i)
			}
		}
		var err error
		p.Assignments, err = assignments(p.ID, p.Assignments)
		p.SettingCount, p.IsAssigned = len(p.Settings), len(p.Assignments) > 0
		return err
	}}
}
