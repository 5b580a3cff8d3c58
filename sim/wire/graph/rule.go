package graph

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// IsRule reports whether the rule is of a concrete rule type, by its own name
// or by those that older resources have for the same shape:
// win32LobAppRegistryDetection, win32LobAppRegistryRequirement.
func (r Rule) IsRule(odataType string) bool {
	for _, older := range []string{"Detection", "Requirement"} {
		if kind, ok := strings.CutSuffix(r.ODataType, older); ok {
			r.ODataType = kind + "Rule"
		}
	}
	return r.Is(odataType)
}

// Script is the text of a script rule.
func (r Rule) Script() (string, error) {
	text, err := base64.StdEncoding.DecodeString(r.ScriptContent)
	if err != nil {
		return "", fmt.Errorf("scriptContent: %w", err)
	}
	return string(text), nil
}

// RequirementList gives the requirement rules, of either form.
func (a Win32LobApp) RequirementList() []Rule {
	out := append([]Rule{}, a.RequirementRules...)
	for _, r := range a.Rules {
		if r.RuleType == RuleTypeRequirement {
			out = append(out, r)
		}
	}
	return out
}
