package graph

import (
	"errors"
	"net/http"
	"strconv"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// addIdentities: registered devices (learn.microsoft.com/graph,
// windowsAutopilotDeviceIdentity).
func (h *Handler) addIdentities() {
	const path = "deviceManagement/windowsAutopilotDeviceIdentities"
	h.handle(http.MethodGet, path, serviceConfig, func(c *call) (answer, error) {
		expanded := func(r tenant.Registration) wire.AutopilotDevice { return expand(c, r) }
		return listLarge(c, large[wire.AutopilotDevice]{
			all:  func() []wire.AutopilotDevice { return each(someRegistrations(c), expanded) },
			from: func(skip, n int) []wire.AutopilotDevice { return each(c.t.RegistrationsFrom(skip, n), expanded) },
			size: c.t.RegistrationCount,
		}, "serialNumber", "groupTag", "purchaseOrderIdentifier", "displayName")
	})
	h.handle(http.MethodGet, path+"/{id}", serviceConfig, func(c *call) (answer, error) {
		r, err := c.t.Registration(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		return one(c, http.StatusOK, expand(c, r))
	})
	h.handle(http.MethodDelete, path+"/{id}", serviceConfig, func(c *call) (answer, error) {
		return noContent(c.t.Unregister(c.Context(), c.Params["id"]))
	})
	for _, action := range []struct {
		name string
		do   func(*call, string) error
	}{
		{"assignUserToDevice", assignUser},
		{"unassignUserFromDevice", func(c *call, id string) error { return c.t.UnassignUser(id) }},
		{"updateDeviceProperties", updateProperties},
		{"allowNextEnrollment", func(c *call, id string) error { return c.t.AllowNextEnrollment(id) }},
	} {
		h.handle(http.MethodPost, path+"/{id}/"+action.name, serviceConfig, func(c *call) (answer, error) {
			if err := action.do(c, c.Params["id"]); err != nil {
				return answer{}, err
			}
			return done()
		})
	}
	h.handle(http.MethodPost, path+"/deleteDevices", serviceConfig, deleteDevices)
	for _, name := range []string{"deploymentProfile", "intendedDeploymentProfile"} {
		h.handleBeta(http.MethodGet, path+"/{id}/"+name, serviceConfig, func(c *call) (answer, error) {
			r, err := c.t.Registration(c.Params["id"])
			if err != nil {
				return answer{}, err
			}
			p, err := c.t.Profile(r)
			if name == "intendedDeploymentProfile" {
				p, err = c.t.IntendedProfile(r)
			}
			if err != nil {
				return answer{}, errors.Join(tenant.ErrNotFound, err)
			}
			return one(c, http.StatusOK, p)
		})
	}
}

// someRegistrations are the devices that a filter can let through.
func someRegistrations(c *call) []tenant.Registration {
	if e, ok := c.query.Filter.(wire.Compare); ok && e.Op == "eq" && sameID(e.Path, "serialNumber") {
		if serial, isText := e.Value.(string); isText {
			return c.t.RegistrationsBySerial(serial)
		}
	}
	return c.t.Registrations()
}

// deleted is deletedWindowsAutopilotDeviceState.
type deleted struct {
	SerialNumber         string `json:"serialNumber"`
	DeviceRegistrationID string `json:"deviceRegistrationId"`
	DeletionState        string `json:"deletionState"` // unknown, failed, accepted, error
	ErrorMessage         string `json:"errorMessage"`
}

func deleteDevices(c *call) (answer, error) {
	var req struct {
		SerialNumbers []string `json:"serialNumbers"`
	}
	if err := c.decode(&req); err != nil {
		return answer{}, err
	}
	if len(req.SerialNumbers) == 0 || len(req.SerialNumbers) > pageSize {
		return answer{}, badRequest("serialNumbers", "serialNumbers must have from 1 to "+strconv.Itoa(pageSize)+" values.")
	}
	out := wire.Collection[deleted]{Context: c.context("")}
	for _, d := range c.t.UnregisterSerials(c.Context(), req.SerialNumbers) {
		row := deleted{SerialNumber: d.Serial, DeviceRegistrationID: d.RegistrationID, DeletionState: "accepted"}
		if d.Err != nil {
			row.DeletionState, row.ErrorMessage = "failed", d.Err.Error()
		}
		out.Value = append(out.Value, row)
	}
	return answer{http.StatusOK, out}, nil
}

func expand(c *call, r tenant.Registration) wire.AutopilotDevice {
	d := r.Graph()
	if c.query.Expands("deploymentProfile") {
		if p, err := c.t.Profile(r); err == nil {
			p.Assignments = nil
			d.DeploymentProfile = &p
		}
	}
	if c.query.Expands("intendedDeploymentProfile") {
		if p, err := c.t.IntendedProfile(r); err == nil {
			p.Assignments = nil
			d.IntendedDeploymentProfile = &p
		}
	}
	return d
}

func assignUser(c *call, id string) error {
	var req wire.AssignUserRequest
	if err := c.decode(&req); err != nil {
		return err
	}
	return c.t.AssignUser(c.Context(), id, req.UserPrincipalName, req.AddressableUserName)
}

// updateProperties takes what administrators' scripts really post, which is not
// always JSON.
func updateProperties(c *call, id string) error {
	body, err := wire.Strict(c.body)
	if err != nil {
		return badRequest("body", "Unable to read JSON request payload. "+err.Error())
	}
	c.body = body
	var req wire.UpdateDeviceProperties
	if err := c.decode(&req); err != nil {
		return err
	}
	return c.t.UpdateProperties(c.Context(), id, req)
}

// addSettings: the sync between Intune and the deployment service
// (learn.microsoft.com/graph, windowsAutopilotSettings).
func (h *Handler) addSettings() {
	const path = "deviceManagement/windowsAutopilotSettings"
	h.handle(http.MethodGet, path, serviceConfig, func(c *call) (answer, error) {
		return one(c, http.StatusOK, c.t.Settings())
	})
	h.handle(http.MethodPost, path+"/sync", serviceConfig, func(c *call) (answer, error) {
		return noContent(c.t.Sync(c.Context()))
	})
}
