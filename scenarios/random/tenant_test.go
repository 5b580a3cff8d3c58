package random_test

import (
	"fmt"

	"pgregory.net/rapid"
)

const graphType = "#microsoft.graph."

// to is an assignment to a group.
func to(group string) obj {
	return obj{"target": obj{"@odata.type": graphType + "groupAssignmentTarget", "groupId": group}}
}

const (
	staff = "Staff"
	pcs   = "Autopilot devices"
)

var names = []string{"megan", "alex", "adele", "diego"}

// tenant draws a customer.
func tenant(t *rapid.T, join string) obj {
	var users, members list
	for i, name := range names {
		upn := name + "@contoso.com"
		users = append(users, obj{"userPrincipalName": upn, "displayName": name, "usageLocation": "US", "password": fmt.Sprintf("correct horse %d", i+1)})
		members = append(members, upn)
	}
	x := obj{
		"domain": "contoso.com", "displayName": "Contoso", "users": users,
		"groups": list{
			obj{"displayName": staff, "mailNickname": "staff", "securityEnabled": true, "members": members},
			obj{"displayName": pcs, "mailNickname": "autopilot", "securityEnabled": true, "groupTypes": list{"DynamicMembership"},
				"membershipRule": `(device.devicePhysicalIDs -any (_ -contains "[ZTDId]"))`, "membershipRuleProcessingState": "On"},
		},
		"windowsAutopilotDeploymentProfiles": list{profile(t, join)},
		"deviceConfigurations":               configurations(t, join),
	}
	if often(t, "status page", 90) {
		x["deviceEnrollmentConfigurations"] = list{statusPage(t)}
	}
	if a := apps(t); len(a) > 0 {
		x["mobileApps"] = a
	}
	if s := scripts(t); len(s) > 0 {
		x["deviceManagementScripts"] = s
	}
	if often(t, "compliance", 50) {
		x["deviceCompliancePolicies"] = list{obj{
			"@odata.type": graphType + "windows10CompliancePolicy", "displayName": "Compliant", "tpmRequired": often(t, "TPM required", 50), "secureBootEnabled": often(t, "Secure Boot required", 30),
			"scheduledActionsForRule": list{obj{"ruleName": "PasswordRequired", "scheduledActionConfigurations": list{obj{"actionType": "block", "gracePeriodHours": pick(t, "grace", 0, 24)}}}},
			"assignments":             list{to(pcs)},
		}}
	}
	return x
}

func profile(t *rapid.T, join string) obj {
	p := obj{
		"@odata.type": graphType + "azureADWindowsAutopilotDeploymentProfile", "displayName": "PCs", "locale": pick(t, "locale", "", "", "en-US", "os-default"),
		"preprovisioningAllowed": true, "deviceType": "windowsPc",
		"outOfBoxExperienceSetting": obj{
			"userType": pick(t, "user type", "standard", "administrator"), "deviceUsageType": "singleUser", "privacySettingsHidden": true, "eulaHidden": true,
			"keyboardSelectionPageSkipped": often(t, "keyboard skipped", 50), "escapeLinkHidden": true,
		},
		"assignments": list{to(pcs)},
	}
	if join == hybrid {
		p["@odata.type"] = graphType + "activeDirectoryWindowsAutopilotDeploymentProfile"
		p["hybridAzureADJoinSkipConnectivityCheck"] = often(t, "skip connectivity check", 40)
	} else if name := pick(t, "name template", "", "CON-%SERIAL%", "WT-%RAND:6%"); name != "" {
		p["deviceNameTemplate"] = name
	}
	return p
}

func statusPage(t *rapid.T) obj {
	return obj{
		"@odata.type": graphType + "windows10EnrollmentCompletionPageConfiguration", "displayName": "Status page", "priority": 1, "showInstallationProgress": true,
		"blockDeviceSetupRetryByUser": often(t, "no retry", 40), "allowDeviceResetOnInstallFailure": often(t, "reset allowed", 50), "allowLogCollectionOnInstallFailure": often(t, "logs allowed", 50),
		"allowDeviceUseOnInstallFailure": often(t, "use allowed", 30), "installProgressTimeoutInMinutes": pick(t, "page's limit", 60, 30, 120),
		"selectedMobileAppIds": list{}, "trackInstallProgressForAutopilotOnly": true, "assignments": list{to(pick(t, "page for", pcs, pcs, staff))},
	}
}

// settings are nodes that any PC has, by their paths below Policy/Config.
var settings = []string{"Experience/AllowManualMDMUnenrollment", "Defender/AllowRealtimeMonitoring", "Defender/PUAProtection", "System/AllowTelemetry", "Experience/AllowCortana", "DeviceGuard/LsaCfgFlags", "Update/ManagePreviewBuilds"}

func configurations(t *rapid.T, join string) list {
	var all list
	if join == hybrid {
		all = append(all, obj{
			"@odata.type": graphType + "windowsDomainJoinConfiguration", "displayName": "Join the domain", "computerNameStaticPrefix": "CORP-", "computerNameSuffixRandomCharCount": 8,
			"activeDirectoryDomainName": "corp.contoso.com", "organizationalUnit": "OU=Autopilot,DC=corp,DC=contoso,DC=com", "assignments": list{to(pcs)},
		})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "policies") {
		scope, group := "./Device/", pcs
		if often(t, "of users", 25) {
			scope, group = "./User/", staff
		}
		node := pick(t, "setting", settings...)
		if group == staff {
			node = "Start/HidePeopleBar"
		}
		all = append(all, obj{"@odata.type": graphType + "windows10CustomConfiguration", "displayName": fmt.Sprintf("Policy %d", i+1), "assignments": list{to(group)}, "omaSettings": list{
			obj{"@odata.type": graphType + "omaSettingInteger", "displayName": node, "omaUri": scope + "Vendor/MSFT/Policy/Config/" + node, "value": rapid.IntRange(0, 1).Draw(t, "value")},
		}})
	}
	if often(t, "certificate", 40) {
		all = append(all, obj{
			"@odata.type": graphType + "windows10PkcsCertificateProfile", "displayName": "Device certificate", "renewalThresholdPercentage": 20, "keyStorageProvider": "useTpmKspOtherwiseUseSoftwareKsp",
			"subjectNameFormat": "custom", "subjectNameFormatString": "CN={{AAD_Device_ID}}", "subjectAlternativeNameType": "none", "certificateValidityPeriodValue": 1, "certificateValidityPeriodScale": "years",
			"certificationAuthority": "ca01.contoso.com", "certificationAuthorityName": "Contoso Issuing CA 1", "certificateTemplateName": "Device", "certificateStore": "machine",
			"extendedKeyUsages": list{obj{"name": "Client Authentication", "objectIdentifier": "1.3.6.1.5.5.7.3.2"}}, "assignments": list{to(pcs)},
		})
	}
	if all == nil {
		all = list{}
	}
	return all
}
