package directory

import (
	"net/http"

	"windtunnel.test/sim/wire/graph"
)

// routes have the permissions that the operations' reference pages list.
// Patterns are tried in order: fixed names come before keys.
var routes = func() *graph.Routes[operation] {
	r := &graph.Routes[operation]{}
	get := func(pattern, name string, permissions []string, f func(*Service, *call) error) {
		r.Add(http.MethodGet, pattern, operation{"graph." + name, permissions, f})
	}
	post := func(pattern, name string, permissions []string, f func(*Service, *call) error) {
		r.Add(http.MethodPost, pattern, operation{"graph." + name, permissions, f})
	}
	patch := func(pattern, name string, permissions []string, f func(*Service, *call) error) {
		r.Add(http.MethodPatch, pattern, operation{"graph." + name, permissions, f})
	}
	remove := func(pattern, name string, permissions []string, f func(*Service, *call) error) {
		r.Add(http.MethodDelete, pattern, operation{"graph." + name, permissions, f})
	}

	get("organization", "organization.list", append(readDirectory, "Organization.Read.All", "User.Read"), (*Service).organization)
	get("organization/{id}", "organization.get", append(readDirectory, "Organization.Read.All", "User.Read"), (*Service).oneOrganization)
	get("domains", "domains.list", append(readDirectory, "Domain.Read.All", "Organization.Read.All"), (*Service).domains)
	get("me", "me.get", signedIn, (*Service).me)
	get("me/memberOf", "me.memberOf", readSelf, (*Service).me)
	get("me/transitiveMemberOf", "me.memberOf", readSelf, (*Service).me)
	get("me/ownedDevices", "me.ownedDevices", readSelf, (*Service).me)
	get("me/registeredDevices", "me.registeredDevices", readSelf, (*Service).me)

	get("users/$count", "users.count", readUsers, (*Service).countUsers)
	get("users", "users.list", readUsers, (*Service).users)
	post("users", "users.create", writeUsers, (*Service).createUser)
	get("users/{id}", "users.get", readUsers, (*Service).user)
	patch("users/{id}", "users.update", writeUsers, (*Service).updateUser)
	remove("users/{id}", "users.delete", writeUsers, (*Service).deleteUser)
	post("users/{id}/assignLicense", "users.assignLicense", writeUsers, (*Service).assignLicense)
	get("users/{id}/memberOf", "users.memberOf", readUsers, (*Service).userMemberOf)
	get("users/{id}/transitiveMemberOf", "users.transitiveMemberOf", readUsers, (*Service).userTransitive)
	get("users/{id}/ownedDevices", "users.ownedDevices", readUsers, (*Service).userDevices)
	get("users/{id}/registeredDevices", "users.registeredDevices", readUsers, (*Service).userDevices)

	get("groups/$count", "groups.count", readGroups, (*Service).countGroups)
	get("groups", "groups.list", readGroups, (*Service).groups)
	post("groups", "groups.create", writeGroups, (*Service).createGroup)
	get("groups/{id}", "groups.get", readGroups, (*Service).group)
	patch("groups/{id}", "groups.update", writeGroups, (*Service).updateGroup)
	remove("groups/{id}", "groups.delete", writeGroups, (*Service).deleteGroup)
	get("groups/{id}/members", "groups.members", readGroups, (*Service).members)
	post("groups/{id}/members/$ref", "groups.addMember", writeMembers, (*Service).addMember)
	get("groups/{id}/members/$count", "groups.countMembers", readGroups, (*Service).countMembers)
	get("groups/{id}/members/{cast}", "groups.members", readGroups, (*Service).members)
	remove("groups/{id}/members/{member}/$ref", "groups.removeMember", writeMembers, (*Service).removeMember)
	get("groups/{id}/transitiveMembers", "groups.transitiveMembers", readGroups, (*Service).transitiveMembers)
	get("groups/{id}/transitiveMembers/{cast}", "groups.transitiveMembers", readGroups, (*Service).transitiveMembers)
	get("groups/{id}/memberOf", "groups.memberOf", readGroups, (*Service).groupMemberOf)

	get("devices/$count", "devices.count", readDevices, (*Service).countDevices)
	get("devices", "devices.list", readDevices, (*Service).devices)
	get("devices/{id}", "devices.get", readDevices, (*Service).device)
	get("devices/{id}/memberOf", "devices.memberOf", readDevices, (*Service).deviceMemberOf)
	get("devices/{id}/transitiveMemberOf", "devices.transitiveMemberOf", readDevices, (*Service).deviceTransitive)
	get("devices/{id}/registeredOwners", "devices.registeredOwners", readDevices, (*Service).deviceOwners)
	get("devices/{id}/registeredUsers", "devices.registeredUsers", readDevices, (*Service).deviceOwners)
	patch("devices/{id}", "devices.update", writeDevices, (*Service).updateDevice)
	remove("devices/{id}", "devices.delete", writeDevices, (*Service).deleteDevice)

	get("directoryObjects/{id}", "directoryObjects.get", readDirectory, (*Service).directoryObject)
	addApplications(get, post, patch, remove)
	addPolicies(get, post, patch, remove)
	return r
}()

// adder adds one route.
type adder = func(pattern, name string, permissions []string, f func(*Service, *call) error)

func addApplications(get, post, patch, remove adder) {
	get("applications", "applications.list", readApps, (*Service).applications)
	post("applications", "applications.create", writeApps, (*Service).createApplication)
	get("applications/{id}", "applications.get", readApps, (*Service).application)
	patch("applications/{id}", "applications.update", writeApps, (*Service).updateApplication)
	remove("applications/{id}", "applications.delete", writeApps, (*Service).deleteApplication)
	post("applications/{id}/addPassword", "applications.addPassword", writeApps, (*Service).addPassword)
	post("applications/{id}/removePassword", "applications.removePassword", writeApps, (*Service).removePassword)

	get("servicePrincipals", "servicePrincipals.list", readApps, (*Service).principals)
	get("servicePrincipals/{id}", "servicePrincipals.get", readApps, (*Service).principal)
	patch("servicePrincipals/{id}", "servicePrincipals.update", writeApps, (*Service).updatePrincipal)
	// Any signed-in caller may ask where a service is: devices do before they enrol.
	get("servicePrincipals/{id}/endpoints", "servicePrincipals.endpoints", nil, (*Service).endpoints)
	get("servicePrincipals/{id}/endpoints/{endpoint}", "servicePrincipals.endpoint", nil, (*Service).endpoint)
	get("servicePrincipals/{id}/appRoleAssignments", "servicePrincipals.appRoleAssignments", readApps, (*Service).roleAssignments)
	post("servicePrincipals/{id}/appRoleAssignments", "servicePrincipals.assignRole", writeGrants, (*Service).assignRole)
	remove("servicePrincipals/{id}/appRoleAssignments/{assignment}", "servicePrincipals.unassignRole", writeGrants, (*Service).unassignRole)
}

func addPolicies(get, post, patch, remove adder) {
	for _, root := range []string{"identity/conditionalAccess/policies", "policies/conditionalAccessPolicies"} {
		get(root, "conditionalAccess.list", readPolicies, (*Service).policies)
		post(root, "conditionalAccess.create", writePolicies, (*Service).createPolicy)
		get(root+"/{id}", "conditionalAccess.get", readPolicies, (*Service).policy)
		patch(root+"/{id}", "conditionalAccess.update", writePolicies, (*Service).updatePolicy)
		remove(root+"/{id}", "conditionalAccess.delete", writePolicies, (*Service).deletePolicy)
	}
	get("policies/deviceRegistrationPolicy", "deviceRegistrationPolicy.get", append(readPolicies, "Policy.Read.DeviceConfiguration"), (*Service).registrationPolicy)
}
