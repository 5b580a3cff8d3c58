package graph

import (
	"net/http"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// addScripts: PowerShell scripts and the settings catalogue
// (learn.microsoft.com/graph, deviceManagementScript,
// deviceManagementConfigurationPolicy).
func (h *Handler) addScripts() {
	add(h, collection[wire.DeviceManagementScript]{
		path: "deviceManagement/deviceManagementScripts", permission: configuration, beta: true,
		of: of((*tenant.Tenant).Scripts), id: func(s wire.DeviceManagementScript) string { return s.ID },
		assignments: func(s *wire.DeviceManagementScript) any { return s.Assignments },
		clear:       func(s *wire.DeviceManagementScript) { s.Assignments = nil },
		mistakes:    ofItself(wire.DeviceManagementScript.Mistakes),
		// Lists are without contents.
		listed: func(_ *call, s *wire.DeviceManagementScript) { s.ScriptContent = nil },
	}, func(c *call, s *wire.DeviceManagementScript) error {
		var req wire.ScriptAssignRequest
		if err := c.decode(&req); err != nil {
			return err
		}
		s.Assignments = req.All()
		return nil
	})

	const path = "deviceManagement/configurationPolicies"
	add(h, collection[wire.ConfigurationPolicy]{
		path: path, permission: configuration, beta: true, name: "name",
		of: of((*tenant.Tenant).SettingsPolicies), id: func(p wire.ConfigurationPolicy) string { return p.ID },
		assignments: func(p *wire.ConfigurationPolicy) any { return p.Assignments },
		clear:       func(p *wire.ConfigurationPolicy) { p.Assignments = nil },
		mistakes:    ofItself(wire.ConfigurationPolicy.Mistakes),
		listed: func(c *call, p *wire.ConfigurationPolicy) {
			if !c.query.Expands("settings") {
				p.Settings = nil
			}
		},
	}, func(c *call, p *wire.ConfigurationPolicy) error { return readAssignments(c, &p.Assignments) })
	h.handleBeta(http.MethodGet, path+"/{id}/settings", configuration, func(c *call) (answer, error) {
		p, err := c.t.SettingsPolicies().Get(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		return list(c, p.Settings)
	})
}

// addReports: the deployment report, and the connectors of Active Directory.
func (h *Handler) addReports() {
	const path = "deviceManagement/autopilotEvents"
	h.handleBeta(http.MethodGet, path, managedDevices, func(c *call) (answer, error) {
		return list(c, c.t.Events(c.Context()), "id", "deviceId", "deviceSerialNumber", "deploymentState", "userPrincipalName", "eventDateTime", "enrollmentType")
	})
	h.handleBeta(http.MethodGet, path+"/{id}", managedDevices, func(c *call) (answer, error) {
		e, err := c.t.Event(c.Context(), c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		return one(c, http.StatusOK, e)
	})
	h.handleBeta(http.MethodGet, "deviceManagement/domainJoinConnectors", serviceConfig, func(c *call) (answer, error) {
		return list(c, connectors(c.t), "id", "displayName", "state", "version")
	})
	h.handleBeta(http.MethodGet, "deviceManagement/domainJoinConnectors/{id}", serviceConfig, func(c *call) (answer, error) {
		for _, one := range connectors(c.t) {
			if strings.EqualFold(one.ID, c.Params["id"]) {
				return answer{http.StatusOK, one}, nil
			}
		}
		return answer{}, &apiError{status: http.StatusNotFound, code: wire.CodeNotFound, check: "id", message: "There is no connector " + c.Params["id"] + ".", intune: true}
	})
}

// connectors are the Intune Connectors for Active Directory as Graph shows them.
func connectors(t *tenant.Tenant) []wire.DomainJoinConnector {
	s := t.Service()
	var out []wire.DomainJoinConnector
	for _, c := range t.Connectors() {
		state := wire.ConnectorActive
		if s.Now().Sub(c.LastSeen) >= s.Timing.Hybrid.ConnectorInactive {
			state = wire.ConnectorInactive
		}
		out = append(out, wire.DomainJoinConnector{ID: c.ID, DisplayName: c.Name, LastConnectionDateTime: wire.At(c.LastSeen), State: state, Version: c.Version})
	}
	return out
}
