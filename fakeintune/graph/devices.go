package graph

import (
	"fmt"
	"net/http"
	"slices"

	"windtunnel.test/fakeintune/tenant"
	wire "windtunnel.test/sim/wire/graph"
)

// privileged allows the remote actions; reading and writing devices does not.
const privileged = "DeviceManagementManagedDevices.PrivilegedOperations.All"

// addDevices: enrolled devices (learn.microsoft.com/graph, managedDevice).
func (h *Handler) addDevices() {
	const path = "deviceManagement/managedDevices"
	h.handle(http.MethodGet, path, managedDevices, func(c *call) (answer, error) {
		return listLarge(c, large[wire.ManagedDevice]{
			all:  func() []wire.ManagedDevice { return each(inSight(c, someDevices(c)), shown) },
			from: func(skip, n int) []wire.ManagedDevice { return each(c.t.DevicesFrom(skip, n), shown) },
			size: c.t.DeviceCount,
		}, "id", "serialNumber", "azureADDeviceId", "deviceName", "userPrincipalName", "operatingSystem", "complianceState",
			"managedDeviceOwnerType", "managementState", "model", "manufacturer", "enrolledDateTime", "lastSyncDateTime")
	})
	h.handle(http.MethodGet, path+"/{id}", managedDevices, func(c *call) (answer, error) {
		m, err := c.t.Device(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		if want := c.t.InSight(); want != nil && !want(&m) {
			return answer{}, fmt.Errorf("managed device %q: %w: a cleanup rule has taken it out of sight", m.ID, tenant.ErrNotFound)
		}
		return one(c, http.StatusOK, shown(m))
	})
	h.handle(http.MethodPatch, path+"/{id}", managedDevices, patchDevice)
	h.handle(http.MethodDelete, path+"/{id}", managedDevices, func(c *call) (answer, error) {
		return noContent(c.t.DeleteDevice(c.Context(), c.Params["id"]))
	})
	for _, a := range []struct {
		segment string
		read    func(*call) (tenant.Action, error)
	}{
		{"wipe", readWipe}, {"cleanWindowsDevice", readClean}, {"retire", action(tenant.ActionRetire)},
		{"syncDevice", action(tenant.ActionSync)}, {"rebootNow", action(tenant.ActionReboot)},
	} {
		h.privileged(path+"/{id}/"+a.segment, false, a.read)
	}
	h.privileged(path+"/{id}/rotateBitLockerKeys", true, action(tenant.ActionRotateKeys))
	h.privileged(path+"/{id}/rotateLocalAdminPassword", true, action(tenant.ActionRotatePassword))
	// Autopilot reset has no action of its own in v1.0.
	h.privileged(path+"/{id}/automaticRedeployment", true, action(tenant.ActionAutopilotReset))
	h.handle(http.MethodGet, path+"/{id}/deviceCompliancePolicyStates", managedDevices, policyStates)
}

// shown is a device as Graph shows it.
func shown(m tenant.ManagedDevice) wire.ManagedDevice {
	d := m.ManagedDevice
	if d.ManagementState == "" {
		d.ManagementState = "managed"
	}
	for _, a := range m.Actions {
		if a.Name == tenant.ActionLogs {
			continue // is shown as a log collection
		}
		d.DeviceActionResults = append(d.DeviceActionResults, a.Result())
	}
	return d
}

// inSight leaves out what cleanup rules have taken out of sight.
func inSight(c *call, all []tenant.ManagedDevice) []tenant.ManagedDevice {
	want := c.t.InSight()
	if want == nil {
		return all
	}
	return slices.DeleteFunc(all, func(m tenant.ManagedDevice) bool { return !want(&m) })
}

// someDevices are the devices that a filter can let through: where it asks for
// one value of a property that is indexed, not all have to be looked at.
func someDevices(c *call) []tenant.ManagedDevice {
	if e, ok := c.query.Filter.(wire.Compare); ok && e.Op == "eq" {
		value, isText := e.Value.(string)
		switch {
		case isText && sameID(e.Path, "serialNumber"):
			return c.t.DevicesBySerial(value)
		case isText && sameID(e.Path, "azureADDeviceId"):
			if m, err := c.t.DeviceByEntraID(value); err == nil {
				return []tenant.ManagedDevice{m}
			}
			return nil
		case isText && sameID(e.Path, "id"):
			if m, err := c.t.Device(value); err == nil {
				return []tenant.ManagedDevice{m}
			}
			return nil
		}
	}
	return c.t.Devices()
}

// privileged adds a remote action. The actions answer 204 without a body.
func (h *Handler) privileged(pattern string, beta bool, read func(*call) (tenant.Action, error)) {
	h.routes.Add(http.MethodPost, pattern, route{name: http.MethodPost + " " + pattern, permission: privileged, exact: true, write: true, beta: beta,
		do: func(c *call) (answer, error) {
			a, err := read(c)
			if err == nil {
				_, err = c.t.Queue(c.Context(), c.Params["id"], a)
			}
			return noContent(err)
		}})
}

func action(name tenant.ActionName) func(*call) (tenant.Action, error) {
	return func(*call) (tenant.Action, error) { return tenant.Action{Name: name}, nil }
}

func readWipe(c *call) (tenant.Action, error) {
	var req wire.WipeRequest
	err := c.decodeOptional(&req)
	return tenant.Action{Name: tenant.ActionWipe, KeepEnrollmentData: req.KeepEnrollmentData, KeepUserData: req.KeepUserData}, err
}

func readClean(c *call) (tenant.Action, error) {
	var req wire.CleanRequest
	err := c.decodeOptional(&req)
	return tenant.Action{Name: tenant.ActionClean, KeepUserData: req.KeepUserData}, err
}

// patchDevice changes what an administrator can change of a device.
func patchDevice(c *call) (answer, error) {
	var req struct {
		ManagedDeviceName *string `json:"managedDeviceName"`
		Notes             *string `json:"notes"`
		OwnerType         *string `json:"managedDeviceOwnerType"`
	}
	if err := c.decode(&req); err != nil {
		return answer{}, err
	}
	if o := req.OwnerType; o != nil && *o != "company" && *o != "personal" {
		return answer{}, badRequest("owner type", "The value '"+*o+"' is not a managedDeviceOwnerType that can be set.")
	}
	m, err := c.t.UpdateDevice(c.Params["id"], func(m *tenant.ManagedDevice) error {
		for _, f := range []struct{ to, from *string }{{&m.ManagedDeviceName, req.ManagedDeviceName}, {&m.Notes, req.Notes}, {&m.ManagedDeviceOwnerType, req.OwnerType}} {
			if f.from != nil {
				*f.to = *f.from
			}
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return one(c, http.StatusOK, shown(m))
}
