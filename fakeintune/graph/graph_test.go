package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/graph"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

const (
	imports    = "/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities"
	identities = "/beta/deviceManagement/windowsAutopilotDeviceIdentities"
	profiles   = "/beta/deviceManagement/windowsAutopilotDeploymentProfiles"
	settings   = "/beta/deviceManagement/windowsAutopilotSettings"
)

// admin is somebody with all permissions.
type admin struct {
	*rig.Rig
	h     *graph.Handler
	token string
}

func newAdmin(t testing.TB) *admin {
	r := rig.New(t)
	a := &admin{Rig: r, h: graph.New(r.Service)}
	a.signIn()
	return a
}

func (a *admin) signIn() {
	a.token = a.Token(rig.TenantID, "DeviceManagementServiceConfig.ReadWrite.All", "DeviceManagementManagedDevices.ReadWrite.All",
		"DeviceManagementManagedDevices.PrivilegedOperations.All", "DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementApps.ReadWrite.All")
}

// call expects a status.
func (a *admin) call(status int, method, path string, body, out any) *httptest.ResponseRecorder {
	a.T.Helper()
	rec := a.Call(a.h, method, "https://graph.microsoft.com"+path, http.Header{"Authorization": {"Bearer " + a.token}, "Content-Type": {"application/json"}}, body, out)
	if rec.Code != status {
		a.T.Errorf("%s %s: %d, want %d: %s", method, path, rec.Code, status, rec.Body)
	}
	return rec
}

func (a *admin) register(tags ...string) []wire.AutopilotDevice {
	a.T.Helper()
	var req wire.ImportRequest
	for n, tag := range tags {
		pc := rig.NewPC(byte(n + 1))
		req.Devices = append(req.Devices, wire.ImportedDevice{SerialNumber: pc.Hardware.SMBIOS.Serial, HardwareIdentifier: pc.Hash(), GroupTag: tag})
	}
	a.call(200, "POST", imports+"/import", req, nil)
	a.Pass(time.Minute)
	a.call(204, "POST", settings+"/sync", nil, nil)
	a.Pass(30 * time.Minute)
	return a.identities("")
}

func (a *admin) identities(query string) []wire.AutopilotDevice {
	a.T.Helper()
	var list wire.Collection[wire.AutopilotDevice]
	a.call(200, "GET", identities+query, nil, &list)
	return list.Value
}

func allDevices(name string) map[string]any {
	return map[string]any{"@odata.type": wire.TypeEntraProfile, "displayName": name, "preprovisioningAllowed": true,
		"assignments": []any{map[string]any{"target": map[string]any{"@odata.type": wire.TargetAllDevices}}}}
}

// What an administrator's script does, from the CSV's row to the profile.
func TestImportToAssignment(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.call(201, "POST", profiles, allDevices("Sales"), nil)
	pc := rig.NewPC(1)
	var one wire.ImportedDevice
	a.call(201, "POST", imports, wire.ImportedDevice{SerialNumber: "PC-001", HardwareIdentifier: pc.Hash(), GroupTag: "lab"}, &one)
	g.Expect(one.State.DeviceImportStatus).To(Equal(wire.ImportUnknown))
	var row wire.ImportedDevice
	a.call(200, "GET", imports+"/"+one.ID, nil, &row)
	g.Expect(row.State.DeviceImportStatus).To(Equal(wire.ImportPending))
	a.Pass(30 * time.Second)
	a.call(200, "GET", imports+"('"+strings.ToUpper(one.ID)+"')", nil, &row)
	g.Expect(row.State.DeviceImportStatus).To(Equal(wire.ImportComplete))
	g.Expect(a.identities("")).To(BeEmpty())
	a.call(204, "POST", settings+"/sync", nil, nil)
	a.Pass(5 * time.Minute)
	found := a.identities("?$filter=" + url.QueryEscape("contains(serialNumber,'pc-00')"))
	g.Expect(found).To(HaveLen(1))
	g.Expect(found[0].ID).To(Equal(row.State.DeviceRegistrationID))
	g.Expect(found[0].Manufacturer).To(Equal("Contoso Devices"))
	a.Pass(30 * time.Minute)
	found = a.identities("")
	g.Expect(found[0].DeploymentProfileAssignmentStatus).To(Equal(wire.AssignmentInSync))
	a.call(204, "DELETE", imports+"/"+one.ID, nil, nil)
	a.call(404, "DELETE", imports+"/"+one.ID, nil, nil)
	var left wire.Collection[wire.ImportedDevice]
	a.call(200, "GET", imports, nil, &left)
	g.Expect(left.Value).To(BeEmpty())
}

func TestIdentities(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.call(201, "POST", profiles, allDevices("Sales"), nil)
	all := a.register("lab", "lab", "shop", "", "")
	g.Expect(all).To(HaveLen(5))

	var page wire.Collection[wire.AutopilotDevice]
	var seen []string
	next := identities + "?$top=2&$select=serialNumber"
	for pages := 0; next != ""; pages++ {
		g.Expect(pages).To(BeNumerically("<", 3))
		page = wire.Collection[wire.AutopilotDevice]{}
		a.call(200, "GET", next, nil, &page)
		for _, d := range page.Value {
			g.Expect(d.ID).To(BeEmpty())
			seen = append(seen, d.SerialNumber)
		}
		next = strings.TrimPrefix(page.NextLink, "https://graph.microsoft.com")
	}
	g.Expect(seen).To(ConsistOf("PC-001", "PC-002", "PC-003", "PC-004", "PC-005"))
	g.Expect(page.Context).To(Equal("https://graph.microsoft.com/beta/$metadata#deviceManagement/windowsAutopilotDeviceIdentities"))

	g.Expect(a.identities("?$filter=groupTag+eq+'LAB'")).To(HaveLen(2))
	a.call(400, "GET", identities+"?$filter=model+eq+'x'", nil, nil)
	a.call(400, "GET", identities+"?$filter=groupTag+gt+'x'", nil, nil)
	a.call(400, "GET", identities+"?$top=0", nil, nil)
	a.call(400, "GET", identities+"?$apply=x", nil, nil)

	var d wire.AutopilotDevice
	path := "/BETA/DeviceManagement/WindowsAutopilotDeviceIdentities/" + all[0].ID
	a.call(200, "GET", path+"?$expand=deploymentProfile,intendedDeploymentProfile", nil, &d)
	g.Expect(d.DeploymentProfile.DisplayName).To(Equal("Sales"))
	g.Expect(d.IntendedDeploymentProfile.PreprovisioningAllowed).To(BeTrue())
	var p wire.DeploymentProfile
	a.call(200, "GET", path+"/intendedDeploymentProfile", nil, &p)
	g.Expect(p.DisplayName).To(Equal("Sales"))
	rec := a.call(404, "GET", identities+"/none", nil, nil)
	var e wire.Error
	g.Expect(json.Unmarshal(rec.Body.Bytes(), &e)).To(Succeed())
	g.Expect(e.Error.Code).To(Equal(wire.CodeNotFound))
	var message wire.IntuneMessage
	g.Expect(json.Unmarshal([]byte(e.Error.Message), &message)).To(Succeed(), "Intune's message is JSON text")
	g.Expect(e.Error.InnerError.RequestID).To(Equal(rec.Header().Get("request-id")))

	a.call(204, "DELETE", identities+"/"+all[0].ID, nil, nil)
	g.Expect(a.identities("")).To(HaveLen(5), "it goes at the next sync")
	a.Pass(13 * time.Hour)
	a.signIn()
	g.Expect(a.identities("")).To(HaveLen(4))
}

func TestActions(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.Directory.Users["ada@contoso.example"] = tenant.DirectoryUser{ID: "u1", UPN: "ada@contoso.example", DisplayName: "Ada", Licensed: true}
	id := a.register("lab")[0].ID
	path := identities + "/" + id
	a.call(200, "POST", path+"/assignUserToDevice", wire.AssignUserRequest{UserPrincipalName: "ada@contoso.example", AddressableUserName: "Countess"}, nil)
	var d wire.AutopilotDevice
	a.call(200, "GET", path, nil, &d)
	g.Expect(d.UserPrincipalName + " " + d.AddressableUserName).To(Equal("ada@contoso.example Countess"))
	// As the PowerShell module writes it.
	a.call(200, "POST", path+"/UpdateDeviceProperties", []byte("{\n groupTag: 'shop', displayName: \"DESK-1\",\n}"), nil)
	a.call(200, "GET", path, nil, &d)
	g.Expect(d.GroupTag + " " + d.DisplayName + " " + d.UserPrincipalName).To(Equal("shop DESK-1 ada@contoso.example"))
	rec := a.call(200, "POST", path+"/microsoft.graph.unassignUserFromDevice", nil, nil)
	g.Expect(rec.Body.Len()).To(BeZero())
	a.call(200, "POST", path+"/allowNextEnrollment", nil, nil)
	a.call(200, "GET", path, nil, &d)
	g.Expect(d.UserPrincipalName).To(BeEmpty())
	g.Expect(d.UserlessEnrollmentStatus).To(Equal(wire.UserlessAllowed))
	a.call(400, "POST", path+"/assignUserToDevice", wire.AssignUserRequest{UserPrincipalName: "eve@contoso.example"}, nil)
	a.call(404, "POST", identities+"/none/unassignUserFromDevice", nil, nil)
	a.call(400, "POST", path+"/updateDeviceProperties", []byte("{groupTag: }"), nil)
}

func TestSync(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.call(204, "POST", settings+"/sync", nil, nil)
	var s wire.AutopilotSettings
	a.call(200, "GET", settings, nil, &s)
	g.Expect(s.SyncStatus).To(Equal("inProgress"))
	a.call(409, "POST", settings+"/sync", nil, nil)
	a.Pass(5 * time.Minute)
	rec := a.call(429, "POST", settings+"/sync", nil, nil)
	g.Expect(rec.Header().Get("Retry-After")).To(Equal("300"))
	a.Pass(5 * time.Minute)
	a.call(204, "POST", settings+"/sync", nil, nil)
}

func TestProfiles(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.register("lab", "")
	var p wire.DeploymentProfile
	a.call(201, "POST", profiles, map[string]any{"@odata.type": wire.TypeEntraProfile, "displayName": "Lab", "enableWhiteGlove": true, "unknownMember": 1}, &p)
	g.Expect(p.PreprovisioningAllowed).To(BeTrue(), "the old name is read as well")
	path := profiles + "/" + p.ID
	var made wire.Assignment
	a.call(201, "POST", path+"/assignments", map[string]any{"target": map[string]any{"@odata.type": wire.TargetGroup, "groupId": "tag-lab"}}, &made)
	g.Expect(made.ID).To(Equal(p.ID + "_tag-lab"))
	a.Pass(30 * time.Minute)
	a.signIn()
	var devices wire.Collection[wire.AutopilotDevice]
	a.call(200, "GET", path+"/assignedDevices", nil, &devices)
	g.Expect(devices.Value).To(HaveLen(1))
	g.Expect(devices.Value[0].GroupTag).To(Equal("lab"))

	a.call(200, "PATCH", path, map[string]any{"displayName": "Laboratory"}, &p)
	g.Expect(p.DisplayName + fmt.Sprint(p.PreprovisioningAllowed, p.Assignments == nil)).To(Equal("Laboratorytrue true"))
	var assignments wire.Collection[wire.Assignment]
	a.call(200, "GET", path+"/assignments", nil, &assignments)
	g.Expect(assignments.Value).To(HaveLen(1))
	a.call(200, "GET", path+"?$expand=assignments", nil, &p)
	g.Expect(p.Assignments).To(HaveLen(1))
	a.call(204, "DELETE", path+"/assignments/"+made.ID, nil, nil)
	a.call(404, "DELETE", path+"/assignments/"+made.ID, nil, nil)
	a.call(501, "POST", path+"/assign", map[string]any{"deviceIds": []string{"x"}}, nil)
	a.call(200, "POST", path+"/assign", map[string]any{"assignments": []any{map[string]any{"target": map[string]any{"@odata.type": wire.TargetAllDevices}}}}, nil)

	a.call(400, "POST", profiles, map[string]any{"displayName": "no type"}, nil)
	a.call(400, "PATCH", path, map[string]any{"displayName": ""}, nil)
	a.call(400, "PATCH", path, []byte("{"), nil)
	a.call(400, "GET", strings.Replace(profiles, "beta", "v1.0", 1), nil, nil)
	a.call(204, "DELETE", path, nil, nil)
	a.call(404, "GET", path, nil, nil)
}

func TestStatusPages(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const path = "/beta/deviceManagement/deviceEnrollmentConfigurations"
	var list wire.Collection[wire.EnrollmentStatusPage]
	a.call(200, "GET", path, nil, &list)
	g.Expect(list.Value).To(HaveLen(3), "the tenant's defaults: a page, a limit, platforms")
	a.call(200, "GET", path+"/"+list.Value[0].ID, nil, nil)
	var ids [2]string
	for i := range ids {
		var p wire.EnrollmentStatusPage
		a.call(201, "POST", path, map[string]any{"@odata.type": wire.TypeESP, "displayName": fmt.Sprint(i), "showInstallationProgress": true}, &p)
		ids[i] = p.ID
	}
	a.call(200, "POST", path+"/"+ids[1]+"/setPriority", map[string]any{"priority": 1}, nil)
	a.call(400, "POST", path+"/"+ids[1]+"/setPriority", map[string]any{"priority": 0}, nil)
	var p wire.EnrollmentStatusPage
	a.call(200, "GET", path+"/"+ids[0], nil, &p)
	g.Expect(p.Priority).To(Equal(2))
	a.call(200, "POST", path+"/"+ids[0]+"/assign", map[string]any{"enrollmentConfigurationAssignments": []any{map[string]any{"target": map[string]any{"@odata.type": wire.TargetAllDevices}}}}, nil)
	g.Expect(a.Tenant.StatusPage(tenant.Audience{Device: &tenant.DirectoryDevice{}}).ID).To(Equal(ids[0]))
	a.call(400, "POST", path, map[string]any{"@odata.type": "#microsoft.graph.deviceEnrollmentWindowsHelloForBusinessConfiguration", "displayName": "x"}, nil)
}

func TestApps(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const path = "/v1.0/deviceAppManagement/mobileApps"
	var app wire.MobileApp
	a.call(201, "POST", path, map[string]any{"@odata.type": wire.TypeWin32LobApp, "displayName": "7-Zip", "size": 1500000, "installCommandLine": "msiexec /i 7z.msi", "rules": detection}, &app)
	a.call(200, "POST", path+"/"+app.ID+"/assign", map[string]any{"mobileAppAssignments": []any{map[string]any{"intent": "required", "target": map[string]any{"@odata.type": wire.TargetGroup, "groupId": "G1"}}}}, nil)
	var as wire.Collection[wire.MobileAppAssignment]
	a.call(200, "GET", path+"/"+app.ID+"/assignments", nil, &as)
	g.Expect(as.Value).To(HaveLen(1))
	a.call(200, "PATCH", path+"/"+app.ID, map[string]any{"publisher": "Igor"}, &app)
	g.Expect(app.InstallCommandLine + app.Publisher).To(Equal("msiexec /i 7z.msiIgor"))
	a.call(400, "POST", path, map[string]any{"@odata.type": wire.TypeMobileMSI, "displayName": "both", "commandLine": "x", "installCommandLine": "y"}, nil)
	a.call(400, "POST", path+"/"+app.ID+"/assign", map[string]any{"mobileAppAssignments": []any{map[string]any{"target": map[string]any{"@odata.type": wire.TargetGroup}}}}, nil)
}

func TestPolicies(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	for path, body := range map[string]map[string]any{
		"/v1.0/deviceManagement/deviceConfigurations": {"@odata.type": wire.TypeCustomConfiguration, "displayName": "p",
			"omaSettings": []any{map[string]any{"@odata.type": "#microsoft.graph.omaSettingInteger", "omaUri": "./Device/Vendor/MSFT/Policy/Config/A/B", "value": 1}}},
		"/v1.0/deviceManagement/deviceCompliancePolicies": {"@odata.type": wire.TypeCompliancePolicy, "displayName": "p", "secureBootEnabled": true},
	} {
		var made struct{ ID string }
		a.call(201, "POST", path, body, &made)
		a.call(200, "POST", path+"/"+made.ID+"/assign", map[string]any{"assignments": []any{map[string]any{"target": map[string]any{"@odata.type": wire.TargetAllDevices}}}}, nil)
		var list wire.Collection[map[string]any]
		a.call(200, "GET", path+"?$filter=displayName+eq+'p'", nil, &list)
		g.Expect(list.Value).To(HaveLen(1))
		a.call(204, "DELETE", path+"('"+made.ID+"')", nil, nil)
	}
	g.Expect(a.Tenant.Targets(tenant.Audience{}).Configurations).To(BeEmpty())
}

func TestManagedDevices(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	d := a.register("lab")[0]
	var id string
	a.Do(func(ctx context.Context) {
		m, err := a.Tenant.Enroll(ctx, tenant.ManagedDevice{RegistrationID: d.ID, Kind: tenant.EnrolledWhiteGlove,
			ManagedDevice: wire.ManagedDevice{SerialNumber: "PC-001", AzureADDeviceID: d.AzureAdDeviceID}})
		g.Expect(err).NotTo(HaveOccurred())
		id = m.ID
	})
	const path = "/v1.0/deviceManagement/managedDevices"
	var list wire.Collection[wire.ManagedDevice]
	a.call(200, "GET", path+"?$filter=serialNumber+eq+'PC-001'", nil, &list)
	g.Expect(list.Value).To(HaveLen(1))
	g.Expect(list.Value[0].AutopilotEnrolled).To(BeTrue())
	a.call(200, "GET", identities+"/"+d.ID, nil, &d)
	g.Expect(d.ManagedDeviceID).To(Equal(id))
	g.Expect(d.EnrollmentState).To(Equal(wire.EnrollmentEnrolled))
	g.Expect(d.UserlessEnrollmentStatus).To(Equal(wire.UserlessBlocked))
	a.call(400, "DELETE", identities+"/"+d.ID, nil, nil)
	a.call(204, "DELETE", path+"/"+id, nil, nil)
	a.call(404, "GET", path+"/"+id, nil, nil)
	a.call(204, "DELETE", identities+"/"+d.ID, nil, nil)
}

func TestNotModelled(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	for _, c := range [][2]string{
		{"GET", "/beta/deviceManagement/deviceHealthScripts"}, {"GET", "/v1.0/deviceManagement"}, {"GET", "/beta/deviceManagement/reports"},
		{"POST", "/v1.0/deviceManagement/managedDevices/x/remoteLock"}, {"POST", identities + "/deleteDevices/x"},
		{"POST", "/v1.0/deviceAppManagement/mobileApps/x/microsoft.graph.iosLobApp/contentVersions"}, {"GET", "/v2.0/deviceManagement/managedDevices"},
	} {
		var e wire.Error
		a.call(501, c[0], c[1], nil, &e)
		g.Expect(e.Error.Code).To(Equal(wire.CodeNotImplemented))
		g.Expect(e.Error.Message).To(ContainSubstring("Not modelled"))
	}
	a.call(405, "PUT", profiles, nil, nil)
}
