package graph

import (
	"net/http"

	wire "windtunnel.test/sim/wire/graph"
)

// addDevices: enrolled devices (learn.microsoft.com/graph, managedDevice).
func (h *Handler) addDevices() {
	const path = "deviceManagement/managedDevices"
	h.handle(http.MethodGet, path, managedDevices, func(c *call) (answer, error) {
		var all []wire.ManagedDevice
		for _, m := range c.t.Devices() {
			all = append(all, m.ManagedDevice)
		}
		return list(c, all, "id", "serialNumber", "azureADDeviceId", "deviceName", "userPrincipalName", "operatingSystem", "complianceState", "managedDeviceOwnerType")
	})
	h.handle(http.MethodGet, path+"/{id}", managedDevices, func(c *call) (answer, error) {
		m, err := c.t.Device(c.Params["id"])
		if err != nil {
			return answer{}, err
		}
		return one(c, http.StatusOK, m.ManagedDevice)
	})
	h.handle(http.MethodDelete, path+"/{id}", managedDevices, func(c *call) (answer, error) {
		return noContent(c.t.DeleteDevice(c.Context(), c.Params["id"]))
	})
}
