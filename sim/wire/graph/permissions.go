package graph

import "strings"

// Permission is one of Microsoft Graph's, with its ids as an application
// permission (Role) and as a delegated one (Scope); "" where it is not one
// (learn.microsoft.com/graph/permissions-reference).
type Permission struct {
	Value, Role, Scope string
	// Admin: a user's delegated use of it needs a role that covers it.
	Admin bool
}

var permissions = []Permission{
	{"AppRoleAssignment.ReadWrite.All", "06b708a9-e830-4db3-a914-8e69da51d44f", "84bccea3-f856-4a8a-967b-dbe0a3d53a64", true},
	{"Application.Read.All", "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30", "c79f8feb-a9db-4090-85f9-90d820caa0eb", false},
	{"Application.ReadWrite.All", "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", "bdfbf15f-ee85-4955-8675-146e8e5296b5", true},
	{"Device.Read.All", "7438b122-aefc-4978-80ed-43db9fcc7715", "951183d1-1a61-466f-a6d1-1fde911bfd95", false},
	{"Device.ReadWrite.All", "1138cb37-bd11-4084-a2b7-9f71582aeddb", "", true},
	{"DeviceManagementApps.Read.All", "7a6ee1e7-141e-4cec-ae74-d9db155731ff", "4edf5f54-4666-44af-9de9-0144fb4b6e8c", true},
	{"DeviceManagementApps.ReadWrite.All", "78145de6-330d-4800-a6ce-494ff2d33d07", "7b3f05d5-f68c-4b8d-8c59-a2ecd12f24af", true},
	{"DeviceManagementConfiguration.Read.All", "dc377aa6-52d8-4e23-b271-2a7ae04cedf3", "f1493658-876a-4c87-8fa7-edb559b3476a", true},
	{"DeviceManagementConfiguration.ReadWrite.All", "9241abd9-d0e6-425a-bd4f-47ba86e767a4", "0883f392-0a7a-443d-8c76-16a6d39c7b63", true},
	{"DeviceManagementManagedDevices.PrivilegedOperations.All", "5b07b0dd-2377-4e44-a38d-703f09a0dc3c", "3404d2bf-2b13-457e-a330-c24615765193", true},
	{"DeviceManagementManagedDevices.Read.All", "2f51be20-0bb4-4fed-bf7b-db946066c75e", "314874da-47d6-4978-88dc-cf0d37f0bb82", true},
	{"DeviceManagementManagedDevices.ReadWrite.All", "243333ab-4d21-40cb-a475-36241daa0842", "44642bfe-8385-4adc-8fc6-fe3cb2c375c3", true},
	{"DeviceManagementRBAC.Read.All", "58ca0d9a-1575-47e1-a3cb-007ef2e4583b", "49f0cc30-024c-4dfd-ab3e-82e137ee5431", true},
	{"DeviceManagementRBAC.ReadWrite.All", "e330c4f0-4170-414e-a55a-2f022ec2b57b", "0c5e8a55-87a6-4556-93ab-adc52c4d862d", true},
	{"DeviceManagementScripts.Read.All", "c7a5be92-2b3d-4540-8a67-c96dcaae8b43", "d32381d8-ee89-4220-9c83-b672aa68d404", true},
	{"DeviceManagementScripts.ReadWrite.All", "9255e99d-faf5-445e-bbf7-cb71482737c4", "8b9d79d0-ad75-4566-8619-f7500ecfcebe", true},
	{"DeviceManagementServiceConfig.Read.All", "06a5fe6d-c49d-46a7-b082-56b1b14103c7", "8696daa5-bce5-4b2e-83f9-51b6defc4e1e", true},
	{"DeviceManagementServiceConfig.ReadWrite.All", "5ac13192-7ace-4fcf-b828-1a26f28068ee", "662ed50a-ac44-4eef-ad86-62eed9be2a29", true},
	{"Directory.AccessAsUser.All", "", "0e263e50-5827-48a4-b97c-d940288653c7", true},
	{"Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61", "06da0dbc-49e2-44d2-8312-53f166ab848a", false},
	{"Directory.ReadWrite.All", "19dbc75e-c2e2-444c-a770-ec69d8559fc7", "c5366453-9fb0-48a5-a156-24f0c49a4b84", true},
	{"Group.Read.All", "5b567255-7703-4780-807c-7be8301ae99b", "5f8c59db-677d-491f-a6b8-5f174b11ec1d", false},
	{"Group.ReadWrite.All", "62a82d76-70ea-41e2-9197-370581804d09", "4e46008b-f24c-477d-8fff-7bb4ec7aafe0", true},
	{"GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6", "bc024368-1153-4739-b217-4326f2e966d0", false},
	{"GroupMember.ReadWrite.All", "dbaae8cf-10b5-4b86-a4a1-f871c94c6695", "f81125ac-d3b7-4573-a3b2-7099cc39df9e", true},
	{"Organization.Read.All", "498476ce-e0fe-48b0-b801-37ba7e2685c6", "4908d5b9-3fb2-4b1e-9336-1888b7937185", false},
	{"Policy.Read.All", "246dd0d5-5bd0-4def-940b-0421030a5b68", "572fea84-0151-49b2-9301-11cb16974376", true},
	{"Policy.ReadWrite.ConditionalAccess", "01c0a623-fc9b-48e9-b794-0756f8e8f067", "ad902697-1014-4ef5-81ef-2b4301988e8c", true},
	{"User.Read", "", "e1fe6dd8-ba31-4d61-89e7-88639da4683d", false},
	{"User.Read.All", "df021288-bdef-4463-88db-98f22de89214", "a154be20-db9c-4678-8ab7-66f6cc099a59", false},
	{"User.ReadBasic.All", "97235f07-e226-4f63-ace3-39588e11d3a1", "b340eb25-3456-403f-be2f-af7a0d370277", false},
	{"User.ReadWrite.All", "741f803b-c850-494e-b5df-cde7c675a1ca", "204e0828-b5ca-4ad8-b9f3-f32a958e7cc4", true},
	{"email", "", "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", false},
	{"offline_access", "", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", false},
	{"openid", "", "37f7f235-527c-4136-accd-4a02d197296e", false},
	{"profile", "", "14dad69e-099b-42c9-810b-d002981feec1", false},
}

// ApplicationPermissions are the values of all application permissions that are
// modelled.
func ApplicationPermissions() []string {
	var out []string
	for _, p := range permissions {
		if p.Role != "" {
			out = append(out, p.Value)
		}
	}
	return out
}

// DelegatedPermissions are the values of the delegated permissions that a user
// may use; those of OpenID Connect are not among them.
func DelegatedPermissions(may func(Permission) bool) []string {
	var out []string
	for _, p := range permissions {
		if p.Scope != "" && strings.Contains(p.Value, ".") && may(p) {
			out = append(out, p.Value)
		}
	}
	return out
}

// FindPermission finds a permission of Graph by value or id; kind is
// [AccessRole] or [AccessScope].
func FindPermission(name, kind string) (Permission, bool) {
	for _, p := range permissions {
		id := p.Role
		if kind == AccessScope {
			id = p.Scope
		}
		if id != "" && (strings.EqualFold(p.Value, name) || strings.EqualFold(id, name)) {
			return p, true
		}
	}
	return Permission{}, false
}

// AllPermissions lists the modelled permissions, by value.
func AllPermissions() []Permission { return append([]Permission(nil), permissions...) }
