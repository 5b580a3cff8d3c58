package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/ztd"
)

// AssignUser assigns a user to a registered PC.
func (a *Administrator) AssignUser(ctx context.Context, serial, upn string) error {
	return a.onIdentity(ctx, serial, "assignUserToDevice", graph.AssignUserRequest{UserPrincipalName: upn, AddressableUserName: upn})
}

// Identity finds a PC's Autopilot registration.
func (a *Administrator) Identity(ctx context.Context, serial string) (graph.AutopilotDevice, error) {
	var found []graph.AutopilotDevice
	if err := list(ctx, a, identitiesURL+"?$filter="+url.QueryEscape("contains(serialNumber,'"+serial+"')"), &found); err != nil {
		return graph.AutopilotDevice{}, err
	}
	if len(found) == 0 {
		return graph.AutopilotDevice{}, fmt.Errorf("registration of %s: %w", serial, ErrNoSuchPC)
	}
	return found[0], nil
}

func (a *Administrator) onIdentity(ctx context.Context, serial, action string, body any) error {
	d, err := a.Identity(ctx, serial)
	if err != nil {
		return err
	}
	return a.Graph(ctx, http.MethodPost, identitiesURL+"/"+d.ID+"/"+action, body, nil)
}

// ManagedDevice finds a PC's record in Intune.
func (a *Administrator) ManagedDevice(ctx context.Context, serial string) (graph.ManagedDevice, error) {
	var found []graph.ManagedDevice
	if err := list(ctx, a, graphRoot+"/v1.0/deviceManagement/managedDevices?$filter="+url.QueryEscape("serialNumber eq '"+serial+"'"), &found); err != nil {
		return graph.ManagedDevice{}, err
	}
	if len(found) == 0 {
		return graph.ManagedDevice{}, fmt.Errorf("managed device %s: %w", serial, ErrNoSuchPC)
	}
	return found[0], nil
}

// DeleteManagedDevice deletes Intune's record of a PC, as the portal does.
func (a *Administrator) DeleteManagedDevice(ctx context.Context, serial string) error {
	d, err := a.ManagedDevice(ctx, serial)
	if err != nil {
		return err
	}
	return a.Graph(ctx, http.MethodDelete, graphRoot+"/v1.0/deviceManagement/managedDevices/"+d.ID, nil, nil)
}

// DeleteEntraDevice deletes the directory's object of a registered PC, which
// Autopilot needs (learn.microsoft.com, "Windows Autopilot known issues",
// 0x801C03F3).
func (a *Administrator) DeleteEntraDevice(ctx context.Context, serial string) error {
	d, err := a.Identity(ctx, serial)
	if err != nil {
		return err
	}
	k, err := a.entraDevice(ctx, d)
	if err != nil {
		return err
	}
	return a.Graph(ctx, http.MethodDelete, graphRoot+"/v1.0/devices/"+k.ID, nil, nil)
}

// entraDevice is the directory's object of a registration.
func (a *Administrator) entraDevice(ctx context.Context, of graph.AutopilotDevice) (graph.Device, error) {
	var known []graph.Device
	if err := list(ctx, a, graphRoot+"/v1.0/devices", &known); err != nil {
		return graph.Device{}, err
	}
	for _, k := range known {
		if strings.EqualFold(k.DeviceID, of.AzureActiveDirectoryDeviceID) {
			return k, nil
		}
	}
	return graph.Device{}, fmt.Errorf("directory object of %s: %w", of.SerialNumber, ErrNoSuchPC)
}

// DeleteRegistration takes a PC out of the tenant's list.
func (a *Administrator) DeleteRegistration(ctx context.Context, serial string) error {
	d, err := a.Identity(ctx, serial)
	if err != nil {
		return err
	}
	return a.Graph(ctx, http.MethodDelete, identitiesURL+"/"+d.ID, nil, nil)
}

// importAgain imports the hashes of the PCs that fit a glob.
func (w *World) importAgain(ctx context.Context, admin *Administrator, glob string) error {
	var rows []ztd.Row
	err := w.each(glob, func(pc *device.PC) error {
		row, err := pc.Row(w.Clock.Now())
		rows = append(rows, row)
		return err
	})
	if err != nil {
		return err
	}
	files, err := csvFiles(rows)
	for _, file := range files {
		err = errors.Join(err, admin.ImportCSV(ctx, file))
	}
	return err
}
