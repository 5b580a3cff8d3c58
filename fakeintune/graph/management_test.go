package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/timing"
	wire "windtunnel.test/sim/wire/graph"
)

const (
	devices        = "/v1.0/deviceManagement/managedDevices"
	configurations = "/beta/deviceManagement/deviceEnrollmentConfigurations"
)

// enrol enrols the device of a registration.
func (a *admin) enrol(d wire.AutopilotDevice, kind tenant.EnrollmentKind) tenant.ManagedDevice {
	a.T.Helper()
	var m tenant.ManagedDevice
	a.Do(func(ctx context.Context) {
		var err error
		m, err = a.Tenant.Enroll(ctx, tenant.ManagedDevice{RegistrationID: d.ID, Kind: kind,
			ManagedDevice: wire.ManagedDevice{SerialNumber: d.SerialNumber, AzureADDeviceID: d.AzureAdDeviceID}})
		if err != nil {
			a.T.Error(err)
		}
	})
	return m
}

func (a *admin) update(id string, change func(*tenant.ManagedDevice)) {
	a.T.Helper()
	if _, err := a.Tenant.UpdateDevice(id, func(m *tenant.ManagedDevice) error {
		change(m)
		return nil
	}); err != nil {
		a.T.Error(err)
	}
}

func TestRemoteActions(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	d := a.register("lab")[0]
	m := a.enrol(d, tenant.EnrolledWhiteGlove)
	path := devices + "/" + m.ID
	a.call(204, "POST", path+"/syncDevice", nil, nil)
	a.call(204, "POST", path+"/microsoft.graph.rebootNow", nil, nil)
	a.call(204, "POST", path+"/syncDevice", nil, nil)
	a.call(204, "POST", path+"/cleanWindowsDevice", wire.CleanRequest{KeepUserData: true}, nil)
	a.call(204, "POST", path+"/wipe", wire.WipeRequest{KeepUserData: true}, nil)
	a.call(409, "POST", path+"/retire", nil, nil)
	a.call(400, "POST", path+"/wipe", []byte(`{"keepUserData":"x"}`), nil)
	a.call(404, "POST", devices+"/none/syncDevice", nil, nil)
	a.call(400, "POST", path+"/automaticRedeployment", nil, nil)

	var names []tenant.ActionName
	pending := a.Tenant.Pending(m.ID)
	for _, p := range pending {
		names = append(names, p.Name)
	}
	g.Expect(names).To(Equal([]tenant.ActionName{tenant.ActionReboot, tenant.ActionSync, tenant.ActionClean, tenant.ActionWipe}))
	g.Expect(pending[3].KeepUserData).To(BeTrue())
	a.Do(func(ctx context.Context) {
		g.Expect(a.Tenant.Sent(m.ID, pending[0].ID)).To(Succeed())
		g.Expect(a.Tenant.Done(ctx, m.ID, pending[1].ID, true)).To(Succeed())
		g.Expect(a.Tenant.Done(ctx, m.ID, pending[2].ID, false)).To(Succeed())
		g.Expect(a.Tenant.Done(ctx, m.ID, "none", true)).To(MatchError(tenant.ErrNotFound))
	})
	var shown wire.ManagedDevice
	a.call(200, "GET", path, nil, &shown)
	states := map[string]wire.ActionState{}
	for _, r := range shown.DeviceActionResults {
		states[r.ActionName] = r.ActionState
	}
	g.Expect(states).To(Equal(map[string]wire.ActionState{"rebootNow": wire.ActionActive, "syncDevice": wire.ActionDone, "cleanWindowsDevice": wire.ActionFailed, "wipe": wire.ActionPending}))
	g.Expect(shown.ManagementState).To(Equal("wipePending"))
	a.call(200, "GET", identities+"/"+d.ID, nil, &d)
	g.Expect(d.EnrollmentState).To(Equal(wire.EnrollmentPendingReset))

	a.Do(func(ctx context.Context) { g.Expect(a.Tenant.Done(ctx, m.ID, pending[3].ID, true)).To(Succeed()) })
	a.call(404, "GET", path, nil, nil)
	a.call(200, "GET", identities+"/"+d.ID, nil, &d)
	g.Expect(d.ManagedDeviceID).To(Equal(wire.NeverManaged))

	// Reading and writing devices is not enough.
	a.token = a.Token(rig.TenantID, "DeviceManagementManagedDevices.ReadWrite.All")
	a.call(403, "POST", path+"/wipe", nil, nil)
}

func TestDeviceProperties(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	m := a.enrol(a.register("lab")[0], tenant.EnrolledByUser)
	var d wire.ManagedDevice
	a.call(200, "PATCH", devices+"/"+m.ID, map[string]any{"notes": "loan", "managedDeviceName": "DESK-7", "serialNumber": "forged"}, &d)
	g.Expect(d.Notes + d.ManagedDeviceName + d.SerialNumber + d.ManagementState).To(Equal("loanDESK-7PC-001managed"))
	a.call(400, "PATCH", devices+"/"+m.ID, map[string]any{"managedDeviceOwnerType": "mine"}, nil)
	for filter, n := range map[string]int{
		"serialNumber+eq+'pc-001'": 1, "azureADDeviceId+eq+'" + m.AzureADDeviceID + "'": 1, "id+eq+'" + m.ID + "'": 1, "serialNumber+eq+'x'": 0, "id+eq+'x'": 0,
		"enrolledDateTime+ge+2026-01-01T00:00:00Z": 1, "enrolledDateTime+lt+2026-01-01T00:00:00Z": 0, "serialNumber+in+('x','PC-001')": 1,
	} {
		var list wire.Collection[wire.ManagedDevice]
		a.call(200, "GET", devices+"?$count=true&$filter="+filter, nil, &list)
		g.Expect(list.Value).To(HaveLen(n), filter)
		g.Expect(*list.Count).To(Equal(n))
	}
}

func TestEvents(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.call(201, "POST", profiles, allDevices("Sales"), nil)
	all := a.register("lab", "lab", "lab")
	const path = "/beta/deviceManagement/autopilotEvents"
	ids := map[string]string{}
	for i, d := range all {
		kind := tenant.EnrolledWhiteGlove
		if i == 1 {
			kind = tenant.EnrolledByUser
		}
		ids[d.SerialNumber] = a.enrol(d, kind).ID
	}
	event := func(serial string) wire.AutopilotEvent {
		t.Helper()
		var list wire.Collection[wire.AutopilotEvent]
		a.call(200, "GET", path+"?$filter=deviceSerialNumber+eq+'"+serial+"'", nil, &list)
		g.Expect(list.Value).To(HaveLen(1))
		return list.Value[0]
	}
	first, second, third := all[0].SerialNumber, all[1].SerialNumber, all[2].SerialNumber
	e := event(first)
	g.Expect(e.EnrollmentType).To(Equal(wire.EnrollmentTypeWhiteGlove))
	g.Expect(e.ProfileDisplayName + string(e.DeploymentState)).To(Equal("SalesinProgress"))
	g.Expect(event(second).EnrollmentType).To(Equal(wire.EnrollmentTypeUser))

	a.Pass(20 * time.Minute)
	a.signIn()
	a.update(ids[first], func(m *tenant.ManagedDevice) { m.DeviceSent = true })
	a.update(ids[second], func(m *tenant.ManagedDevice) { m.DeviceSent, m.UserPrincipalName = true, "ada@contoso.example" })
	a.update(ids[third], func(m *tenant.ManagedDevice) { m.SetApp(tenant.AppState{AppID: "a", Error: 0x87D1041C}) })
	e = event(first)
	g.Expect(e.DeploymentState).To(Equal(wire.DeploymentSuccess))
	g.Expect(e.DeviceSetupDuration.String()).To(Equal("PT20M"))
	g.Expect(e.AccountSetupStatus).To(Equal(wire.DeploymentNotAttempted))
	g.Expect(event(second).AccountSetupStatus).To(Equal(wire.DeploymentInProgress))
	e = event(third)
	g.Expect(e.DeviceSetupStatus).To(Equal(wire.DeploymentFailure))
	g.Expect(e.TargetedAppCount).To(Equal(1))

	a.Pass(10 * time.Minute)
	a.signIn()
	a.update(ids[second], func(m *tenant.ManagedDevice) { m.UsersSent = []string{"u1"} })
	e = event(second)
	g.Expect(e.DeploymentState).To(Equal(wire.DeploymentSuccess))
	g.Expect(e.DeploymentDuration.String() + " " + e.AccountSetupDuration.String()).To(Equal("PT30M PT10M"))
	g.Expect(e.UserPrincipalName).To(Equal("ada@contoso.example"))
	var one wire.AutopilotEvent
	a.call(200, "GET", path+"/"+e.ID, nil, &one)
	g.Expect(one).To(Equal(e))
	a.call(404, "GET", path+"/none", nil, nil)
	a.call(400, "GET", "/v1.0/deviceManagement/autopilotEvents", nil, nil)

	// The user's part begins, and nothing comes of it for hours.
	a.update(ids[first], func(m *tenant.ManagedDevice) {
		m.SetSetting(tenant.SettingState{OwnerID: "o", URI: "u", User: "u1", Status: 200})
	})
	g.Expect(event(first).DeploymentState).To(Equal(wire.DeploymentInProgress))
	a.Pass(5 * time.Hour)
	a.signIn()
	g.Expect(event(first).AccountSetupStatus).To(Equal(wire.DeploymentFailure))

	// What fails is what it was for: an app of the device, one of the user.
	a.update(ids[second], func(m *tenant.ManagedDevice) { m.SetApp(tenant.AppState{AppID: "a", User: "u1", Error: 0x87D1041C}) })
	e = event(second)
	g.Expect(e.DeviceSetupStatus + "+" + e.AccountSetupStatus).To(Equal(wire.DeploymentSuccess + "+" + wire.DeploymentFailure))
	a.update(ids[second], func(m *tenant.ManagedDevice) {
		m.SetApp(tenant.AppState{AppID: "a", User: "u1"})
		m.SetApp(tenant.AppState{AppID: "b", Error: 0x87D1041C})
	})
	e = event(second)
	g.Expect(e.DeviceSetupStatus + "+" + e.AccountSetupStatus).To(Equal(wire.DeploymentFailure + "+" + wire.DeploymentSuccess))
	g.Expect(e.DeploymentState).To(Equal(wire.DeploymentFailure))
	a.update(ids[second], func(m *tenant.ManagedDevice) { m.SetApp(tenant.AppState{AppID: "b"}) })

	a.call(204, "DELETE", devices+"/"+ids[second], nil, nil)
	g.Expect(event(second).DeploymentState).To(Equal(wire.DeploymentSuccess), "the report stays")
	a.Pass(31 * 24 * time.Hour)
	a.signIn()
	var list wire.Collection[wire.AutopilotEvent]
	a.call(200, "GET", path, nil, &list)
	g.Expect(list.Value).To(BeEmpty(), "and is kept for a month")
}

// TestEventsOfAFailedDeviceSetup: everything was handed out, an app of the
// device failed, and nobody came to the user's part.
func TestEventsOfAFailedDeviceSetup(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.call(201, "POST", profiles, allDevices("Sales"), nil)
	m := a.enrol(a.register("lab")[0], tenant.EnrolledByUser)
	a.update(m.ID, func(m *tenant.ManagedDevice) {
		m.DeviceSent = true
		m.SetApp(tenant.AppState{AppID: "a", Error: 0x87D1041C})
	})
	var list wire.Collection[wire.AutopilotEvent]
	a.call(200, "GET", "/beta/deviceManagement/autopilotEvents", nil, &list)
	e := list.Value[0]
	g.Expect(e.DeploymentState).To(Equal(wire.DeploymentFailure))
	g.Expect(e.DeviceSetupStatus).To(Equal(wire.DeploymentFailure))
	g.Expect(e.AccountSetupStatus).To(Equal(wire.DeploymentNotAttempted))
}

func TestRestrictions(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	user := tenant.Audience{User: &tenant.DirectoryUser{ID: "u1", Groups: []string{"staff"}, Licensed: true}}
	r := a.Tenant.EnrollmentRestrictions(user)
	g.Expect(r.DeviceLimit).To(Equal(a.Service.Timing.MDM.DevicesPerUser))
	g.Expect(r.Windows).To(Equal(wire.PlatformRestriction{}))

	var ids [3]string
	for i, body := range []map[string]any{
		{"@odata.type": wire.TypeEnrollmentLimit, "displayName": "Two", "limit": 2},
		{"@odata.type": wire.TypeEnrollmentLimit, "displayName": "Three", "limit": 3},
		{"@odata.type": wire.TypePlatformRestriction, "displayName": "New Windows", "platformType": "windows", "platformRestriction": map[string]any{"osMinimumVersion": "10.0.22631"}},
	} {
		var made struct{ ID string }
		a.call(201, "POST", configurations, body, &made)
		ids[i] = made.ID
		a.call(200, "POST", configurations+"/"+made.ID+"/assign", map[string]any{"enrollmentConfigurationAssignments": []any{
			map[string]any{"target": map[string]any{"@odata.type": wire.TargetGroup, "groupId": "staff"}}}}, nil)
	}
	r = a.Tenant.EnrollmentRestrictions(user)
	g.Expect(fmt.Sprint(r.DeviceLimit, r.Windows.OSMinimumVersion)).To(Equal("210.0.22631"))
	g.Expect(a.Tenant.EnrollmentRestrictions(tenant.Audience{}).Windows.OSMinimumVersion).To(BeEmpty())
	a.call(200, "POST", configurations+"/"+ids[1]+"/setPriority", map[string]any{"priority": 1}, nil)
	g.Expect(a.Tenant.EnrollmentRestrictions(user).DeviceLimit).To(Equal(3))

	// The default is changed in place, and cannot go.
	fallback := rig.TenantID + "_DefaultPlatformRestrictions"
	a.call(200, "PATCH", configurations+"/"+fallback, map[string]any{"windowsRestriction": map[string]any{"platformBlocked": true}}, nil)
	g.Expect(a.Tenant.EnrollmentRestrictions(tenant.Audience{}).Windows.PlatformBlocked).To(BeTrue())
	a.call(400, "POST", configurations+"/"+fallback+"/setPriority", map[string]any{"priority": 1}, nil)
	a.call(400, "DELETE", configurations+"/"+fallback, nil, nil)
	var list wire.Collection[map[string]any]
	a.call(200, "GET", configurations+"?$expand=assignments", nil, &list)
	g.Expect(list.Value).To(HaveLen(6))
	a.call(204, "DELETE", configurations+"/"+ids[0], nil, nil)
	a.call(404, "GET", configurations+"/"+ids[0], nil, nil)
	a.call(400, "POST", configurations, map[string]any{"@odata.type": wire.TypeEnrollmentLimit, "displayName": "None", "limit": 0}, nil)
	a.call(400, "POST", configurations, map[string]any{"@odata.type": wire.TypePlatformRestriction, "displayName": "None"}, nil)
	a.call(400, "POST", configurations, map[string]any{"@odata.type": wire.TypeEnrollmentLimit, "displayName": "Mixed", "limit": 3, "platformType": "windows"}, nil)
}

func TestScripts(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const path = "/beta/deviceManagement/deviceManagementScripts"
	var made, got wire.DeviceManagementScript
	a.call(201, "POST", path, wire.DeviceManagementScript{DisplayName: "Hello", FileName: "hello.ps1", ScriptContent: []byte("Write-Host hello")}, &made)
	a.call(200, "POST", path+"/"+made.ID+"/assign", map[string]any{"deviceManagementScriptGroupAssignments": []any{map[string]any{"targetGroupId": "staff"}}}, nil)
	a.call(200, "GET", path+"/"+made.ID+"?$expand=assignments", nil, &got)
	g.Expect(string(got.ScriptContent) + string(got.RunAsAccount)).To(Equal("Write-Host hellosystem"))
	g.Expect(got.Assignments).To(HaveLen(1))
	var list wire.Collection[map[string]any]
	a.call(200, "GET", path, nil, &list)
	g.Expect(list.Value[0]["scriptContent"]).To(BeNil(), "lists are without contents")
	g.Expect(a.Tenant.Targets(tenant.Audience{User: &tenant.DirectoryUser{Groups: []string{"staff"}}}).Scripts).To(HaveLen(1))
	a.call(400, "POST", path, wire.DeviceManagementScript{DisplayName: "Empty"}, nil)
	a.call(400, "POST", path, wire.DeviceManagementScript{DisplayName: "Large", ScriptContent: make([]byte, 200<<10+1)}, nil)
	a.call(400, "PATCH", path+"/"+made.ID, map[string]any{"runAsAccount": "root"}, nil)
	a.call(204, "DELETE", path+"/"+made.ID, nil, nil)
}

func TestScriptStates(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const path = "/beta/deviceManagement/deviceManagementScripts"
	var s wire.DeviceManagementScript
	a.call(201, "POST", path, wire.DeviceManagementScript{DisplayName: "Hello", FileName: "hello.ps1", ScriptContent: []byte("Write-Host hello")}, &s)
	a.Do(func(ctx context.Context) {
		for serial, states := range map[string][]tenant.ScriptState{
			"PC-1": {{ScriptID: s.ID, State: "success", Output: "hello"}, {ScriptID: s.ID, User: "ada", State: "fail", Error: 0x80070005}}, "PC-2": {{ScriptID: "another", State: "success"}},
		} {
			m, err := a.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: wire.ManagedDevice{SerialNumber: serial}})
			g.Expect(err).NotTo(HaveOccurred())
			_, err = a.Tenant.UpdateDevice(m.ID, func(m *tenant.ManagedDevice) error {
				m.Scripts = states
				return nil
			})
			g.Expect(err).NotTo(HaveOccurred())
		}
	})
	var states wire.Collection[wire.ScriptDeviceState]
	a.call(200, "GET", path+"/"+s.ID+"/deviceRunStates", nil, &states)
	g.Expect(states.Value).To(HaveLen(2))
	g.Expect(states.Value[0].RunState + " " + states.Value[0].ResultMessage).To(Equal("success hello"))
	a.call(200, "GET", path+"/"+s.ID+"/deviceRunStates?$filter=runState+eq+'fail'", nil, &states)
	g.Expect(states.Value).To(HaveLen(1))
	var sum wire.ScriptRunSummary
	a.call(200, "GET", path+"/"+s.ID+"/runSummary", nil, &sum)
	g.Expect(sum.SuccessDeviceCount).To(Equal(1))
	g.Expect(sum.ErrorUserCount).To(Equal(1))
	a.call(404, "GET", path+"/nobody/runSummary", nil, nil)
}

func TestSettingsCatalogue(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const path = "/beta/deviceManagement/configurationPolicies"
	setting := map[string]any{"@odata.type": "#microsoft.graph.deviceManagementConfigurationSetting",
		"settingInstance": map[string]any{"settingDefinitionId": "device_vendor_msft_policy_config_wifi_allowautoconnect", "unknown": 1}}
	var p wire.ConfigurationPolicy
	a.call(201, "POST", path, map[string]any{"name": "WiFi", "platforms": "windows10", "technologies": "mdm", "settings": []any{setting}}, &p)
	g.Expect(p.SettingCount).To(Equal(1))
	a.call(200, "POST", path+"/"+p.ID+"/assign", map[string]any{"assignments": []any{map[string]any{"target": map[string]any{"@odata.type": wire.TargetAllDevices}}}}, nil)
	var settings wire.Collection[map[string]any]
	a.call(200, "GET", path+"('"+p.ID+"')/settings", nil, &settings)
	g.Expect(settings.Value[0]).To(HaveKey("settingInstance"))
	var list wire.Collection[wire.ConfigurationPolicy]
	a.call(200, "GET", path+"?$filter=name+eq+'wifi'", nil, &list)
	g.Expect(list.Value).To(HaveLen(1))
	g.Expect(list.Value[0].IsAssigned && list.Value[0].Settings == nil).To(BeTrue())
	a.call(400, "POST", path, map[string]any{"name": "Wrong", "settings": []any{1}}, nil)
	var connectors wire.Collection[map[string]any]
	a.call(200, "GET", "/beta/deviceManagement/domainJoinConnectors", nil, &connectors)
	g.Expect(connectors.Value).To(BeEmpty())
	a.call(404, "GET", "/beta/deviceManagement/domainJoinConnectors/x", nil, nil)
	c, err := a.Tenant.AddConnector(t.Context(), tenant.Connector{Name: "server1", Domain: "corp.contoso.com", Version: "6.2604.2000.3"})
	g.Expect(err).NotTo(HaveOccurred())
	var one wire.DomainJoinConnector
	a.call(200, "GET", "/beta/deviceManagement/domainJoinConnectors/"+c.ID, nil, &one)
	g.Expect([]any{one.DisplayName, one.State, one.Version}).To(Equal([]any{"server1", wire.ConnectorActive, "6.2604.2000.3"}))
	a.Pass(30 * time.Minute)
	a.call(200, "GET", "/beta/deviceManagement/domainJoinConnectors/"+c.ID, nil, &one)
	g.Expect(one.State).To(Equal(wire.ConnectorInactive))
}

func TestComplianceReports(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	m := a.enrol(a.register("lab")[0], tenant.EnrolledByUser)
	a.update(m.ID, func(m *tenant.ManagedDevice) { m.ComplianceState = wire.ComplianceNoncompliant })
	const path = "/v1.0/deviceManagement/deviceCompliancePolicies"
	var p wire.CompliancePolicy
	a.call(201, "POST", path, map[string]any{"@odata.type": wire.TypeCompliancePolicy, "displayName": "p", "secureBootEnabled": true}, &p)
	var statuses wire.Collection[map[string]any]
	a.call(200, "GET", path+"/"+p.ID+"/deviceStatuses", nil, &statuses)
	g.Expect(statuses.Value).To(BeEmpty(), "not assigned")
	a.call(200, "POST", path+"/"+p.ID+"/assign", map[string]any{"assignments": []any{map[string]any{"target": map[string]any{"@odata.type": wire.TargetAllDevices}}}}, nil)
	a.call(200, "GET", path+"/"+p.ID+"/deviceStatuses", nil, &statuses)
	g.Expect(statuses.Value).To(HaveLen(1))
	g.Expect(statuses.Value[0]).To(HaveKeyWithValue("status", "noncompliant"))
	a.call(204, "POST", path+"/"+p.ID+"/scheduleActionsForRules", map[string]any{"deviceComplianceScheduledActionForRules": []any{
		map[string]any{"ruleName": "PasswordRequired", "scheduledActionConfigurations": []any{map[string]any{"actionType": "block", "gracePeriodHours": 24}}}}}, nil)
	p, err := a.Tenant.CompliancePolicies().Get(p.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.GraceHours()).To(Equal(24))
	var rules, states wire.Collection[map[string]any]
	a.call(200, "GET", path+"/"+p.ID+"/scheduledActionsForRule", nil, &rules)
	g.Expect(rules.Value).To(HaveLen(1))
	a.call(200, "GET", devices+"/"+m.ID+"/deviceCompliancePolicyStates", nil, &states)
	g.Expect(states.Value).To(HaveLen(1))
}

func TestDeleteDevices(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	all := a.register("lab", "lab")
	a.enrol(all[1], tenant.EnrolledByUser)
	var out wire.Collection[struct{ SerialNumber, DeviceRegistrationID, DeletionState, ErrorMessage string }]
	a.call(200, "POST", identities+"/deleteDevices", map[string]any{"serialNumbers": []string{all[0].SerialNumber, all[1].SerialNumber, "none"}}, &out)
	g.Expect(out.Value).To(HaveLen(3))
	g.Expect(out.Value[0].DeletionState + out.Value[0].DeviceRegistrationID).To(Equal("accepted" + all[0].ID))
	g.Expect(out.Value[1].DeletionState).To(Equal("failed"), "its managed device goes first")
	g.Expect(out.Value[2].DeletionState).To(Equal("failed"))
	g.Expect(a.identities("")).To(HaveLen(2), "it goes at the next sync")
	a.Pass(13 * time.Hour)
	a.signIn()
	g.Expect(a.identities("")).To(HaveLen(1))
	a.call(400, "POST", identities+"/deleteDevices", map[string]any{"serialNumbers": []string{}}, nil)
}

func TestThrottling(t *testing.T) {
	for how, header := range map[timing.Throttling]string{timing.ThrottlingTimed: "20", timing.ThrottlingBare: ""} {
		g := NewWithT(t)
		a := newAdmin(t)
		a.Service.Timing.Switches.Graph.Throttling = how
		a.Service.Timing.Intune.GraphRequests, a.Service.Timing.Intune.GraphWrites = 3, 1
		a.call(201, "POST", profiles, allDevices("Sales"), nil)
		rec := a.call(429, "POST", profiles, allDevices("Sales"), nil)
		g.Expect(rec.Header().Get("Retry-After")).To(Equal(header))
		a.call(200, "GET", profiles, nil, nil)
		a.call(200, "GET", profiles, nil, nil)
		a.call(429, "GET", profiles, nil, nil)
		a.Pass(20 * time.Second)
		var list wire.Collection[wire.DeploymentProfile]
		a.call(200, "GET", profiles, nil, &list)
		g.Expect(list.Value).To(HaveLen(1), "what was refused did nothing")
	}
}

func TestConventions(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	a.register("a", "b", "c")
	// The companion app sends its token without a scheme.
	rec := a.Call(a.h, "GET", "https://graph.microsoft.com/beta/devicemanagement/WINDOWSAUTOPILOTDEVICEIDENTITIES?$top=2&$count=true",
		http.Header{"Authorization": {a.token}, "Client-Request-Id": {"mine"}, "Prefer": {"odata.maxpagesize=1, include-unknown-enum-members, x"}}, nil, nil)
	g.Expect(rec.Code).To(Equal(200))
	h := rec.Header()
	g.Expect(h.Get("client-request-id")).To(Equal("mine"))
	g.Expect(h.Get("request-id")).NotTo(BeEmpty())
	g.Expect(h.Get("x-ms-ags-diagnostic")).To(ContainSubstring("ServerInfo"))
	g.Expect(h.Get("Date")).To(Equal(a.Clock.Now().UTC().Format(http.TimeFormat)))
	g.Expect(h.Get("Preference-Applied")).To(Equal("odata.maxpagesize=1, include-unknown-enum-members"))
	g.Expect(rec.Body.String()).To(ContainSubstring(`"@odata.count":3`))
	g.Expect(rec.Body.String()).NotTo(MatchRegexp(`skiptoken=\d+"`), "opaque")
	for _, bad := range []string{"?$expand=owner", "?$search=x", "?$skiptoken=!", "?$skip=-1", "?$filter=serialNumber+in+()", "?$filter=serialNumber+gt+'x'", "?$orderby=serialNumber+up", "?$top=x"} {
		a.call(400, "GET", identities+bad, nil, nil)
	}
	for _, token := range []string{"Bearer", "Bearer ", "Basic " + a.token} {
		rec := a.Call(a.h, "GET", "https://graph.microsoft.com"+identities, http.Header{"Authorization": {token}}, nil, nil)
		g.Expect(rec.Code).To(Equal(401), token)
	}
}
