package graph

import (
	"encoding/json"
	"slices"
	"strings"
)

// Members that only the service sets. Scripts write back what they read before,
// so bodies that have them are good, and these members are passed over
// (learn.microsoft.com/graph, the resources' properties marked read-only).
var (
	readOnly = []string{"id", "createdDateTime", "lastModifiedDateTime", "version", "supportsScopeTags", "deviceEnrollmentConfigurationType",
		"relationships"} // those have an action of their own
	ofNewOnes = append(slices.Clip(readOnly), "publishingState", "committedContentVersion") // content has to come first
	ofOldOnes = append(slices.Clip(readOnly), "publishingState", "assignments")             // assign has an action of its own
)

// writable gives a body without members of these names, whatever their letter
// case: the decoder does not look at it either. What is no object stays as it
// is, for the decoder to refuse.
func writable(body []byte, fixed []string) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return body
	}
	before := len(members)
	for name := range members {
		if slices.ContainsFunc(fixed, func(f string) bool { return strings.EqualFold(f, name) }) {
			delete(members, name)
		}
	}
	if len(members) == before {
		return body
	}
	out, err := json.Marshal(members)
	if err != nil {
		return body // what was decoded encodes
	}
	return out
}

// typed gives a resource's type as its JSON has it.
func typed(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	var head struct {
		ODataType string `json:"@odata.type"`
	}
	if json.Unmarshal(raw, &head) != nil {
		return ""
	}
	return head.ODataType
}
