package sim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"windtunnel.test/sim/wire/graph"
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
