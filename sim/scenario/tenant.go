package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/graph"
)

// Tenant is a customer's directory and Intune. Lists hold Graph resources, or
// what Graph answers: an object with "value".
type Tenant struct {
	ID             string                          `yaml:"id" doc:"Tenant id, a GUID; made from the domain when missing."`
	Domain         string                          `yaml:"domain" need:"yes" doc:"Primary domain, such as contoso.com."`
	DisplayName    string                          `yaml:"displayName" doc:"The organisation's name, as sign-in and provisioning pages show it."`
	DevicesPerUser int                             `yaml:"devicesPerUser" min:"0" max:"100000" doc:"How many devices one user may join; 0 takes the timing profile's."`
	Users          []User                          `yaml:"users" doc:"user resources, with our own member password. A user without assignedLicenses has a licence for Intune."`
	MoreUsers      *MoreUsers                      `yaml:"moreUsers" doc:"Users that need no names of their own."`
	Applications   []Application                   `yaml:"applications" doc:"application resources (app registrations), with our own member secret. What requiredResourceAccess asks for is granted; a permission may be written by name."`
	AccessPolicies []graph.ConditionalAccessPolicy `yaml:"conditionalAccessPolicies" doc:"conditionalAccessPolicy resources. Users, groups and applications may also be written by name."`
	Groups         []graph.DirectoryGroup          `yaml:"groups" doc:"group resources. members may also be a list of user principal names or ids; a membershipRule makes a dynamic group."`
	Profiles       []graph.DeploymentProfile       `yaml:"windowsAutopilotDeploymentProfiles" doc:"windowsAutopilotDeploymentProfile resources, with assignments."`
	StatusPages    []graph.EnrollmentStatusPage    `yaml:"deviceEnrollmentConfigurations" doc:"windows10EnrollmentCompletionPageConfiguration resources (the Enrollment Status Page), with assignments. selectedMobileAppIds may also hold names."`
	Apps           []App                           `yaml:"mobileApps" doc:"mobileApp resources (win32LobApp, win32CatalogApp, winGetApp, windowsMobileMSI, officeSuiteApp, microsoftStoreForBusinessApp), with assignments, relationships (targetId may also be a name) and our own member windtunnel."`
	Configurations []graph.DeviceConfiguration     `yaml:"deviceConfigurations" doc:"deviceConfiguration resources, with assignments."`
	Catalogue      []graph.ConfigurationPolicy     `yaml:"configurationPolicies" doc:"deviceManagementConfigurationPolicy resources (settings catalogue), with settings and assignments."`
	Scripts        []Script                        `yaml:"deviceManagementScripts" doc:"deviceManagementScript resources (platform scripts), with assignments and our own member windtunnel."`
	Restrictions   []graph.EnrollmentRestriction   `yaml:"enrollmentRestrictions" doc:"deviceEnrollmentLimitConfiguration and deviceEnrollmentPlatformRestrictionConfiguration resources, with assignments to groups of users."`
	Enrolment      *Enrolment                      `yaml:"enrolment" doc:"How MDM enrolment is set up."`
	Policies       []graph.CompliancePolicy        `yaml:"deviceCompliancePolicies" doc:"windows10CompliancePolicy resources, with assignments."`
}

// Organization is the tenant as Graph shows it.
func (t Tenant) Organization() graph.Organization {
	domains := []graph.VerifiedDomain{{Capabilities: "Email, OfficeCommunicationsOnline", IsDefault: true, Name: t.Domain, Type: "Managed", IsInitial: isInitial(t.Domain)}}
	if !isInitial(t.Domain) {
		label, _, _ := strings.Cut(t.Domain, ".")
		domains = append(domains, graph.VerifiedDomain{Capabilities: "Email, OfficeCommunicationsOnline", IsInitial: true, Name: label + initialSuffix, Type: "Managed"})
	}
	for _, u := range t.Users { // accounts of other domains sign in as well
		_, domain, _ := strings.Cut(u.UserPrincipalName, "@")
		if !slices.ContainsFunc(domains, func(d graph.VerifiedDomain) bool { return strings.EqualFold(d.Name, domain) }) {
			domains = append(domains, graph.VerifiedDomain{Capabilities: "Email, OfficeCommunicationsOnline", Name: domain, Type: "Managed"})
		}
	}
	return graph.Organization{ID: t.ID, DisplayName: t.DisplayName, TenantType: "AAD", MobileDeviceManagementAuthority: "intune", VerifiedDomains: domains}
}

const initialSuffix = ".onmicrosoft.com"

func isInitial(domain string) bool { return strings.HasSuffix(strings.ToLower(domain), initialSuffix) }

// User is an account with its password.
type User struct {
	graph.User
	Password   string
	Windtunnel Account
}

// Account is our own member "windtunnel" of a user: what the directory knows of
// an account and Graph does not show.
type Account struct {
	MFA            bool     `yaml:"mfa" doc:"A second factor is registered."`
	ChangePassword bool     `yaml:"changePassword" doc:"The password must be changed at the next sign-in; the user resource's passwordProfile may say so too."`
	Expired        bool     `yaml:"passwordExpired" doc:"The password is too old."`
	Locked         bool     `yaml:"locked" doc:"The account is locked."`
	Roles          []string `yaml:"roles" doc:"Directory roles, such as Intune Administrator."`
	TermsAccepted  []string `yaml:"termsAccepted" doc:"Ids of the terms of use that the user has accepted."`
}

// Application is an app registration with a secret.
type Application struct {
	graph.Application
	Secret string
}

// MoreUsers makes accounts user001@domain, user002@domain, ...
type MoreUsers struct {
	Count  int      `yaml:"count" need:"yes" min:"1" max:"100000" doc:"How many."`
	Groups []string `yaml:"groups" doc:"Groups that they are members of, by id or name."`
}

// IntunePlan1 is the SKU id of a licence that covers Intune alone
// (learn.microsoft.com/entra/identity/users/licensing-service-plan-reference).
const IntunePlan1 = "061f9ace-7d42-4136-88ac-31dc755f143f"

func intuneLicense() []graph.AssignedLicense {
	return []graph.AssignedLicense{{SkuID: IntunePlan1, DisabledPlans: []string{}}}
}

// AllUsers are the named users and those of MoreUsers.
func (t Tenant) AllUsers() []User {
	all := slices.Clone(t.Users)
	if t.MoreUsers != nil {
		for n := 1; n <= t.MoreUsers.Count; n++ {
			all = append(all, t.oneMore(n))
		}
	}
	return all
}

// oneMore is the nth user of MoreUsers, from 1.
func (t Tenant) oneMore(n int) User {
	number := fmt.Sprintf("%0*d", max(3, len(fmt.Sprint(t.MoreUsers.Count))), n)
	u := User{User: graph.User{UserPrincipalName: "user" + number + "@" + t.Domain, DisplayName: "User " + number,
		GivenName: "User", Surname: number, AssignedLicenses: intuneLicense()}}
	u.Mail = u.UserPrincipalName
	u.ID = idOf("users", u.UserPrincipalName)
	u.Password = passwordOf(u.UserPrincipalName)
	return u
}

// AllGroups are the groups with the users of MoreUsers among their members.
// The id of every member is set.
func (t Tenant) AllGroups() []graph.DirectoryGroup {
	groups := slices.Clone(t.Groups)
	if t.MoreUsers == nil {
		return groups
	}
	more := t.AllUsers()[len(t.Users):]
	for i := range groups {
		if !slices.Contains(t.MoreUsers.Groups, groups[i].ID) {
			continue
		}
		groups[i].Members = slices.Clone(groups[i].Members)
		for _, u := range more {
			groups[i].Members = append(groups[i].Members, memberOf(u))
		}
	}
	return groups
}

const userType = "#microsoft.graph.user"

func memberOf(u User) graph.DirectoryObject {
	return graph.DirectoryObject{ODataType: userType, ID: u.ID, DisplayName: u.DisplayName, UserPrincipalName: u.UserPrincipalName}
}

// User finds an account by its principal name, a named user also by id.
func (t Tenant) User(name string) (User, bool) {
	for _, u := range t.Users {
		if strings.EqualFold(u.UserPrincipalName, name) || strings.EqualFold(u.ID, name) {
			return u, true
		}
	}
	return t.more(name)
}

// more finds one of MoreUsers by principal name.
func (t Tenant) more(name string) (User, bool) {
	local, _, _ := strings.Cut(strings.ToLower(name), "@")
	if n, err := strconv.Atoi(strings.TrimPrefix(local, "user")); err == nil && t.MoreUsers != nil && n >= 1 && n <= t.MoreUsers.Count {
		if u := t.oneMore(n); strings.EqualFold(u.UserPrincipalName, name) {
			return u, true
		}
	}
	return User{}, false
}

// App is an app with what its installer does, which Graph does not know.
type App struct {
	graph.MobileApp
	Windtunnel Installer
}

// Script is a platform script with what running it does, which Graph does not
// know.
type Script struct {
	graph.DeviceManagementScript
	Windtunnel graph.ScriptExtension
}

// Installer is our own member "windtunnel" of a mobileApp: what running the
// app's installer does to a PC.
type Installer struct {
	graph.AppExtension
	Size Size `yaml:"size" doc:"What a download weighs, such as 120MB, in place of the resource's size in bytes."`
}
