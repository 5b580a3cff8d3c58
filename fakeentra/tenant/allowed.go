package tenant

import (
	"slices"
	"strings"
)

// Kinds of [Allowed], as the device settings of the directory name them.
const (
	AllowAll      = "" // all users
	AllowSelected = "selected"
	AllowNone     = "none"
)

// Allowed says who may do something with devices
// (learn.microsoft.com/graph/api/resources/deviceregistrationpolicy).
type Allowed struct {
	Kind   string   `json:",omitempty"`
	Users  []string `json:",omitempty"` // object ids, with AllowSelected
	Groups []string `json:",omitempty"`
}

// MayJoin tells whether a user may join devices, or with register only register
// them.
func (d *Directory) MayJoin(t Tenant, userID string, register bool) bool {
	a := t.Join
	if register {
		a = t.Register
	} else if t.JoinDenied {
		return false
	}
	switch a.Kind {
	case AllowAll:
		return true
	case AllowSelected:
		return containsFold(a.Users, userID) || d.inAny(t.ID, userID, a.Groups)
	}
	return false
}

// Managed tells whether a user is in the scope of the tenant's management
// application.
func (d *Directory) Managed(t Tenant, userID string) bool {
	return !t.Addresses().Off && (len(t.MDMGroups) == 0 || d.inAny(t.ID, userID, t.MDMGroups))
}

// inAny tells whether an object is a member of one of the groups, also through
// groups in groups.
func (d *Directory) inAny(tenantID, objectID string, groups []string) bool {
	if len(groups) == 0 {
		return false
	}
	return slices.ContainsFunc(d.TransitiveMemberOf(tenantID, objectID), func(g string) bool { return containsFold(groups, g) })
}

func containsFold(list []string, want string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, want) })
}
