package graph

import "strings"

// OData types of relations between apps.
const (
	TypeDependency   = "#microsoft.graph.mobileAppDependency"
	TypeSupersedence = "#microsoft.graph.mobileAppSupersedence"
)

// MobileAppRelationship is mobileAppRelationship with mobileAppDependency and mobileAppSupersedence. Seen from an app that
// has it, a target of type child is the app that it needs or takes the place of; "" is a child.
type MobileAppRelationship struct {
	ODataType            string           `json:"@odata.type"`
	ID                   string           `json:"id,omitempty"`
	TargetID             string           `json:"targetId"`
	TargetDisplayName    string           `json:"targetDisplayName,omitempty"`
	TargetDisplayVersion string           `json:"targetDisplayVersion,omitempty"`
	TargetPublisher      string           `json:"targetPublisher,omitempty"`
	TargetType           string           `json:"targetType,omitempty"` // child, parent
	DependencyType       DependencyType   `json:"dependencyType,omitempty"`
	SupersedenceType     SupersedenceType `json:"supersedenceType,omitempty"`
}

// DependencyType says what becomes of an app that another needs.
type DependencyType string

// The types.
const (
	DependencyDetect  DependencyType = "detect"
	DependencyInstall DependencyType = "autoInstall"
)

// SupersedenceType says what becomes of an app that another takes the place of.
type SupersedenceType string

// The types; replace uninstalls it first.
const (
	SupersedenceUpdate  SupersedenceType = "update"
	SupersedenceReplace SupersedenceType = "replace"
)

// Child reports whether the relation leads to an app that its owner needs or takes the place of.
func (r MobileAppRelationship) Child() bool { return r.TargetType == "" || r.TargetType == "child" }

// Supersedes reports whether the relation is a supersedence.
func (r MobileAppRelationship) Supersedes() bool {
	return strings.TrimPrefix(r.ODataType, "#") == strings.TrimPrefix(TypeSupersedence, "#")
}
