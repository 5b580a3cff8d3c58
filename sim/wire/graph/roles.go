package graph

import "strings"

// role is a directory role with its template id
// (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference).
type role struct{ name, template string }

var directoryRoles = []role{
	{"Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"},
	{"Cloud Device Administrator", "7698a772-787b-4ac8-901f-60d6b08affd2"},
	{"Conditional Access Administrator", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"},
	{"Global Administrator", "62e90394-69f5-4237-9190-012177145e10"},
	{"Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"},
	{"Intune Administrator", "3a2c62db-5318-420d-8d74-23affee5d9d5"},
	{"User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1"},
}

// DirectoryRoles are the names of the roles that are modelled.
func DirectoryRoles() []string {
	var out []string
	for _, r := range directoryRoles {
		out = append(out, r.name)
	}
	return out
}

// RoleTemplate is the template id of a role's name, as policies and the wids
// claim have it, or "".
func RoleTemplate(name string) string {
	for _, r := range directoryRoles {
		if strings.EqualFold(r.name, name) {
			return r.template
		}
	}
	return ""
}
