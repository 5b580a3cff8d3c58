package graph

import (
	"net/http"
	"slices"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// deviceStatus is deviceComplianceDeviceStatus: a device's state under a policy.
type deviceStatus struct {
	ID                                      string               `json:"id"`
	DeviceDisplayName                       string               `json:"deviceDisplayName"`
	UserName                                string               `json:"userName"`
	UserPrincipalName                       string               `json:"userPrincipalName"`
	DeviceModel                             string               `json:"deviceModel"`
	Status                                  wire.ComplianceState `json:"status"`
	LastReportedDateTime                    wire.Time            `json:"lastReportedDateTime"`
	ComplianceGracePeriodExpirationDateTime wire.Time            `json:"complianceGracePeriodExpirationDateTime"`
}

// policyState is deviceCompliancePolicyState: the same from the device's side.
type policyState struct {
	ID           string               `json:"id"`
	DisplayName  string               `json:"displayName"`
	Version      int                  `json:"version"`
	PlatformType string               `json:"platformType"`
	State        wire.ComplianceState `json:"state"`
	SettingCount int                  `json:"settingCount"`
}

// addCompliance: what compliance policies say of devices, and what is done
// about it.
func (h *Handler) addCompliance() {
	const path = "deviceManagement/deviceCompliancePolicies/{id}"
	h.handle(http.MethodGet, path+"/deviceStatuses", configuration, func(c *call) (answer, error) {
		p, err := c.t.CompliancePolicies().Get(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		var out []deviceStatus
		for _, m := range c.t.Devices() {
			if !reaches(c, p.ID, m) {
				continue
			}
			out = append(out, deviceStatus{ID: p.ID + "_" + m.ID, DeviceDisplayName: m.DeviceName, UserName: m.UserDisplayName, UserPrincipalName: m.UserPrincipalName,
				DeviceModel: m.Model, Status: m.ComplianceState, LastReportedDateTime: m.LastSyncDateTime,
				ComplianceGracePeriodExpirationDateTime: m.ComplianceGracePeriodExpirationDateTime})
		}
		return list(c, out, "status", "userPrincipalName")
	})
	h.handle(http.MethodGet, path+"/scheduledActionsForRule", configuration, func(c *call) (answer, error) {
		p, err := c.t.CompliancePolicies().Get(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		return list(c, p.ScheduledActionsForRule)
	})
	h.handle(http.MethodPost, path+"/scheduleActionsForRules", configuration, func(c *call) (answer, error) {
		var req struct {
			Rules []wire.ScheduledActionRule `json:"deviceComplianceScheduledActionForRules"`
		}
		if err := c.decode(&req); err != nil {
			return answer{}, err
		}
		_, err := c.t.CompliancePolicies().Update(c.Context(), c.Params["id"], func(p *wire.CompliancePolicy) error {
			p.ScheduledActionsForRule = req.Rules
			return nil
		})
		return noContent(err)
	})
}

// reaches tells whether a policy is one of those of a device.
func reaches(c *call, policy string, m tenant.ManagedDevice) bool {
	return slices.ContainsFunc(policiesOf(c, m), func(p wire.CompliancePolicy) bool { return p.ID == policy })
}

func policiesOf(c *call, m tenant.ManagedDevice) []wire.CompliancePolicy {
	var out []wire.CompliancePolicy
	for _, t := range c.t.Targets(c.t.Audience(c.Context(), m.AzureADDeviceID, m.UserID)).Policies {
		out = append(out, t.Policy)
	}
	return out
}

// policyStates are the policies of a device. Which of several it breaks is not
// kept: each shows the device's state.
func policyStates(c *call) (answer, error) {
	m, err := c.t.Device(c.Params["id"])
	if err != nil {
		return answer{}, err
	}
	var out []policyState
	for _, p := range policiesOf(c, m) {
		out = append(out, policyState{ID: p.ID, DisplayName: p.DisplayName, Version: p.Version, PlatformType: "windows10AndLater", State: m.ComplianceState, SettingCount: 1})
	}
	return list(c, out)
}
