package rig

import (
	"context"
	"errors"
	"strings"
	"time"

	"windtunnel.test/fakeintune/tenant"
)

// Directory is a stand-in for Entra ID. Devices are in the group tag-<tag> of
// their group tag, once the rule was evaluated.
type Directory struct {
	Users map[string]tenant.DirectoryUser // by lower-case user principal name
	Delay time.Duration                   // of the evaluation of dynamic groups
	Quiet bool                            // does not say when groups are due
	Down  bool                            // refuses to make device objects
	// KeyHash is of every device's certificate; zero: not known.
	KeyHash [32]byte

	// Managed and Compliant are what was told last, by device id.
	Managed, Compliant map[string]bool

	clock   interface{ Now() time.Time }
	devices map[string]tenant.AutopilotDevice
	changed map[string]time.Time
	Deleted []string
}

var errDown = errors.New("the directory is down")

// EnsureAutopilotDevice makes a device id of the registration's.
func (d *Directory) EnsureAutopilotDevice(_ context.Context, _ string, a tenant.AutopilotDevice) (string, error) {
	if d.Down {
		return "", errDown
	}
	id := "dev-" + a.ZtdID
	d.devices[id] = a
	if d.changed == nil {
		d.changed = map[string]time.Time{}
	}
	d.changed[id] = d.clock.Now()
	return id, nil
}

// DeleteAutopilotDevice remembers the deletion.
func (d *Directory) DeleteAutopilotDevice(_ context.Context, _, deviceID string) error {
	delete(d.devices, deviceID)
	d.Deleted = append(d.Deleted, deviceID)
	return nil
}

// Device finds a device with its groups of this moment.
func (d *Directory) Device(_ context.Context, _, deviceID string) (tenant.DirectoryDevice, bool) {
	a, ok := d.devices[deviceID]
	if !ok {
		return tenant.DirectoryDevice{}, false
	}
	v := tenant.DirectoryDevice{ID: deviceID, ObjectID: "obj-" + deviceID, Enabled: true, KeyHash: d.KeyHash}
	due := d.changed[deviceID].Add(d.Delay)
	switch {
	case a.GroupTag == "":
	case !d.clock.Now().Before(due):
		v.Groups = []string{"tag-" + a.GroupTag}
	case !d.Quiet:
		v.GroupsDue = due
	}
	return v, true
}

// User finds a user.
func (d *Directory) User(_ context.Context, _, name string) (tenant.DirectoryUser, bool) {
	u, ok := d.Users[strings.ToLower(name)]
	return u, ok
}

// SetCompliance remembers what was told.
func (d *Directory) SetCompliance(_ context.Context, _, deviceID string, managed, compliant bool) error {
	if d.Managed == nil {
		d.Managed, d.Compliant = map[string]bool{}, map[string]bool{}
	}
	d.Managed[deviceID], d.Compliant[deviceID] = managed, compliant
	return nil
}
