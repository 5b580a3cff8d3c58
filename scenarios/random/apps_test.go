package random_test

import (
	"fmt"

	"pgregory.net/rapid"
)

// apps draws some of all kinds.
func apps(t *rapid.T) list {
	var all list
	for i := range rapid.IntRange(0, 4).Draw(t, "apps") {
		kind := pick(t, "kind of app", win32, win32OfUser, lineOfBusiness, winGet, store, office)
		app := kind(t, fmt.Sprintf("App %d", i+1))
		app["publisher"] = "Contoso"
		all = append(all, app)
	}
	return all
}

// required is for a group.
func required(group string) list {
	a := to(group)
	a["intent"] = "required"
	return list{a}
}

// installer draws what a package does.
func installer(t *rapid.T, mayFail bool) obj {
	x := obj{"installDuration": number(t, "duration", 5, 900, "s")}
	if mayFail && often(t, "with an exit code", 30) {
		x["exitCode"] = pick(t, "exit code", 3010, 1641, 1618, 1603)
	}
	return x
}

func size(t *rapid.T) int { return 1_000_000 * rapid.IntRange(1, 900).Draw(t, "megabytes") }

func win32(t *rapid.T, name string) obj { return win32App(t, name, "system", pcs) }

func win32OfUser(t *rapid.T, name string) obj { return win32App(t, name, "user", staff) }

func win32App(t *rapid.T, name, account, group string) obj {
	place := `C:\Program Files\` + name
	if account == "user" {
		place = `%LOCALAPPDATA%\Programs\` + name
	}
	return obj{
		"@odata.type": graphType + "win32LobApp", "displayName": name, "setupFilePath": "setup.exe", "size": size(t), "installCommandLine": "setup.exe /quiet", "uninstallCommandLine": "setup.exe /uninstall",
		"applicableArchitectures": "x64", "minimumSupportedWindowsRelease": pick(t, "needs", "1903", "22H2"),
		"installExperience": obj{"runAsAccount": account, "deviceRestartBehavior": pick(t, "restart", "suppress", "basedOnReturnCode", "allow", "force")},
		"rules":             list{obj{"@odata.type": graphType + "win32LobAppFileSystemRule", "ruleType": "detection", "path": place, "fileOrFolderName": "app.exe", "operationType": "exists", "operator": "notConfigured"}},
		"returnCodes": list{
			obj{"returnCode": 0, "type": "success"}, obj{"returnCode": 1707, "type": "success"}, obj{"returnCode": 3010, "type": "softReboot"}, obj{"returnCode": 1641, "type": "hardReboot"}, obj{"returnCode": 1618, "type": "retry"},
		},
		"assignments": required(group), "windtunnel": installer(t, true),
	}
}

func lineOfBusiness(t *rapid.T, name string) obj {
	var code string
	for i := range name {
		code = fmt.Sprintf("%012d", int(name[i]))
	}
	return obj{
		"@odata.type": graphType + "windowsMobileMSI", "displayName": name, "size": size(t), "commandLine": "/quiet", "productCode": "{8B1C4A3E-3D0F-4C57-9B1A-" + code + "}",
		"productVersion": "2.4.0", "identityVersion": "2.4.0", "ignoreVersionDetection": false, "useDeviceContext": true, "assignments": required(pcs), "windtunnel": installer(t, false),
	}
}

func winGet(t *rapid.T, name string) obj {
	return obj{
		"@odata.type": graphType + "winGetApp", "displayName": name, "packageIdentifier": "9WZDNCRFJ3PZ", "size": size(t), "installExperience": obj{"runAsAccount": "system"},
		"assignments": required(pcs), "windtunnel": installer(t, false),
	}
}

func store(t *rapid.T, name string) obj {
	a := required(pcs)
	a[0].(obj)["settings"] = obj{"useDeviceContext": true}
	return obj{
		"@odata.type": graphType + "microsoftStoreForBusinessApp", "displayName": name, "packageIdentityName": "Contoso." + name[len(name)-1:] + "_8wekyb3d8bbwe", "productKey": "9WZDNCRFJ3P" + name[len(name)-1:],
		"licenseType": "offline", "size": size(t), "assignments": a, "windtunnel": installer(t, false),
	}
}

func office(t *rapid.T, name string) obj {
	return obj{
		"@odata.type": graphType + "officeSuiteApp", "displayName": name, "autoAcceptEula": true, "productIds": list{"o365ProPlusRetail"}, "officePlatformArchitecture": "x64", "updateChannel": "monthlyEnterprise",
		"assignments": required(pcs), "windtunnel": installer(t, false),
	}
}

func scripts(t *rapid.T) list {
	var all list
	for i := range rapid.IntRange(0, 1).Draw(t, "scripts") {
		account, group := "system", pcs
		if often(t, "of the user", 40) {
			account, group = "user", staff
		}
		all = append(all, obj{
			"displayName": fmt.Sprintf("Script %d", i+1), "fileName": "script.ps1", "runAsAccount": account, "runAs32Bit": false, "scriptContent": "IyBOb3RoaW5nLg0K",
			"assignments": list{to(group)}, "windtunnel": obj{"duration": number(t, "script's duration", 1, 60, "s")},
		})
	}
	return all
}
