package graph

import (
	"net/http"

	wire "windtunnel.test/sim/wire/graph"
)

// Permissions, without what is allowed: reading or writing.
const (
	serviceConfig  = "DeviceManagementServiceConfig"
	managedDevices = "DeviceManagementManagedDevices"
	configuration  = "DeviceManagementConfiguration"
	apps           = "DeviceManagementApps"
)

// addImports: how hardware hashes come in (learn.microsoft.com/graph,
// importedWindowsAutopilotDeviceIdentity).
func (h *Handler) addImports() {
	const path = "deviceManagement/importedWindowsAutopilotDeviceIdentities"
	h.handle(http.MethodGet, path, serviceConfig, func(c *call) (answer, error) {
		return list(c, c.t.Imports(), "importId", "serialNumber")
	})
	h.handle(http.MethodPost, path, serviceConfig, func(c *call) (answer, error) {
		var d wire.ImportedDevice
		if err := c.decode(&d); err != nil {
			return answer{}, err
		}
		rows, err := c.t.Import(c.Context(), []wire.ImportedDevice{d})
		if err != nil {
			return answer{}, err
		}
		return one(c, http.StatusCreated, rows[0])
	})
	h.handle(http.MethodPost, path+"/import", serviceConfig, func(c *call) (answer, error) {
		var req wire.ImportRequest
		if err := c.decode(&req); err != nil {
			return answer{}, err
		}
		rows, err := c.t.Import(c.Context(), req.Devices)
		if err != nil {
			return answer{}, err
		}
		return answer{http.StatusOK, wire.Collection[wire.ImportedDevice]{Context: c.context(""), Value: rows}}, nil
	})
	h.handle(http.MethodGet, path+"/{id}", serviceConfig, func(c *call) (answer, error) {
		d, err := c.t.ImportRow(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		return one(c, http.StatusOK, d)
	})
	h.handle(http.MethodDelete, path+"/{id}", serviceConfig, func(c *call) (answer, error) {
		return noContent(c.t.DeleteImport(c.Params["id"]))
	})
}
