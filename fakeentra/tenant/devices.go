package tenant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// Tombstone remembers an Autopilot device object that was deleted while its
// registration lives: its device must not join again until it is registered
// anew (learn.microsoft.com, Autopilot known issues).
type Tombstone struct {
	TenantID, DeviceID, ZTDID string
	HardwareID                string
	EKHash                    [32]byte
}

// Registration is what the Autopilot service says about a device when it has
// the device object made.
type Registration struct {
	TenantID            string
	ZTDID               string // registration id, a GUID
	OrderID             string // group tag; "" for none
	PurchaseOrder       string
	DisplayName         string // serial number, until the device is named
	EnrollmentProfile   string
	HardwareID          string // as device tickets carry it; see sim/wire/msa.HardwareID
	EKHash              [32]byte
	PreviousEntraDevice string // device id to take over; "" for a new one
}

// errNoRegistrationID is about a registration without an id.
var errNoRegistrationID = errors.New("registration has no id")

// Register makes the device object of an Autopilot registration, or updates the
// one that the same registration made before. Its device id is what the
// deployment profile later names.
func (d *Directory) Register(r Registration) (Device, error) {
	if r.ZTDID == "" {
		return Device{}, errNoRegistrationID
	}
	if _, err := d.Tenant(r.TenantID); err != nil {
		return Device{}, err
	}
	r.TenantID, r.ZTDID = strings.ToLower(r.TenantID), strings.ToLower(r.ZTDID)
	row := Device{
		TenantID: r.TenantID,
		ObjectID: d.core.Seed.UUID("device object", r.ZTDID), DeviceID: d.core.Seed.UUID("device", r.ZTDID),
		Enabled: true, Created: d.Now(),
	}
	return row, d.core.DB.Update(func(tx *store.Tx) error {
		if old, ok := d.registered(tx, r); ok {
			row = old
		}
		row.DisplayName, row.EnrollmentVia = r.DisplayName, r.EnrollmentProfile
		if ids := r.physicalIDs(); !slices.Equal(ids, row.PhysicalIDs) {
			row.PhysicalIDs, row.Identified = ids, d.Now()
		}
		row.HardwareID, row.EKHash = r.HardwareID, r.EKHash
		for _, t := range find(tx, d.gone, byHardware, firstOr(hardwareKeys(r.TenantID, r.HardwareID, r.EKHash))) {
			d.gone.Delete(tx, t.DeviceID)
		}
		d.devices.Put(tx, row.ObjectID, row)
		return nil
	})
}

func firstOr(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	return keys[0]
}

func (r Registration) physicalIDs() []string {
	ids := []string{graph.PhysicalZTDID + r.ZTDID}
	if r.OrderID != "" {
		ids = append(ids, graph.PhysicalOrderID+r.OrderID)
	}
	if r.PurchaseOrder != "" {
		ids = append(ids, graph.PhysicalPurchaseOrder+r.PurchaseOrder)
	}
	return ids
}

func (d *Directory) registered(tx *store.Tx, r Registration) (Device, bool) {
	if r.PreviousEntraDevice != "" {
		for _, v := range find(tx, d.devices, byDeviceID, strings.ToLower(r.PreviousEntraDevice)) {
			return v, v.TenantID == r.TenantID
		}
	}
	return d.devices.Get(tx, d.core.Seed.UUID("device object", r.ZTDID))
}

// Unregister takes the Autopilot marks off a device object: the registration
// was deleted. An object that no device holds goes with it.
func (d *Directory) Unregister(tenantID, ztdID string) error {
	return d.core.DB.Update(func(tx *store.Tx) error {
		for _, v := range find(tx, d.devices, byTenant, strings.ToLower(tenantID)) {
			if !strings.EqualFold(v.ZTDID(), ztdID) {
				continue
			}
			if !v.Joined() {
				d.devices.Delete(tx, v.ObjectID)
				return nil
			}
			v.PhysicalIDs, v.HardwareID, v.EKHash, v.Identified = nil, "", [32]byte{}, d.Now()
			d.devices.Put(tx, v.ObjectID, v)
			return nil
		}
		return fmt.Errorf("%w: registration %s", ErrNoDevice, ztdID)
	})
}

// Device finds a device of a tenant by object id or device id.
func (d *Directory) Device(tenantID, id string) (Device, error) {
	var out Device
	err := d.core.DB.View(func(tx *store.Tx) error {
		v, ok := d.findDevice(tx, strings.ToLower(tenantID), strings.ToLower(id))
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoDevice, id)
		}
		out = v
		return nil
	})
	return out, err
}

func (d *Directory) findDevice(tx *store.Tx, tenantID, id string) (Device, bool) {
	if v, ok := d.devices.Get(tx, id); ok && v.TenantID == tenantID {
		return v, true
	}
	for _, v := range find(tx, d.devices, byDeviceID, id) {
		if v.TenantID == tenantID {
			return v, true
		}
	}
	return Device{}, false
}

// ByThumbprint finds the device that a certificate was issued to last.
func (d *Directory) ByThumbprint(thumbprint string) (Device, error) {
	return d.oneDevice(byThumbprint, strings.ToUpper(thumbprint))
}

// ByHardware finds the Autopilot device object of a tenant whose registration
// knows the endorsement key (when it is not zero) or else the hardware id.
func (d *Directory) ByHardware(tenantID, hardwareID string, ek [32]byte) (Device, error) {
	for _, key := range slices.Backward(hardwareKeys(strings.ToLower(tenantID), hardwareID, ek)) {
		if v, err := d.oneDevice(byHardware, key); err == nil {
			return v, nil
		}
		if ek != [32]byte{} {
			break // the key was proved: what else the device says of itself does not matter
		}
	}
	return Device{}, fmt.Errorf("%w: unregistered hardware", ErrNoDevice)
}

// WasDeleted tells whether this hardware's Autopilot device object was deleted
// while its registration lives.
func (d *Directory) WasDeleted(tenantID, hardwareID string, ek [32]byte) bool {
	found := false
	// Reading cannot fail: the function returns nil.
	_ = d.core.DB.View(func(tx *store.Tx) error {
		for _, key := range hardwareKeys(strings.ToLower(tenantID), hardwareID, ek) {
			found = found || len(find(tx, d.gone, byHardware, key)) > 0
		}
		return nil
	})
	return found
}

func (d *Directory) oneDevice(index, key string) (Device, error) {
	var out Device
	err := d.core.DB.View(func(tx *store.Tx) error {
		for _, v := range find(tx, d.devices, index, key) {
			out = v
			return nil
		}
		return ErrNoDevice
	})
	return out, err
}

// Devices are a tenant's device objects.
func (d *Directory) Devices(tenantID string) []Device { return listTenant(d, d.devices, tenantID) }

// Update changes a device under the store's transaction. The change may refuse
// with an error; then nothing is written.
func (d *Directory) Update(tenantID, id string, change func(*Device) error) (Device, error) {
	var out Device
	err := d.core.DB.Update(func(tx *store.Tx) error {
		v, ok := d.findDevice(tx, strings.ToLower(tenantID), strings.ToLower(id))
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoDevice, id)
		}
		if err := change(&v); err != nil {
			return err
		}
		out = v
		d.devices.Put(tx, v.ObjectID, v)
		return nil
	})
	return out, err
}

// SetCompliance records the management service's verdict.
func (d *Directory) SetCompliance(tenantID, id string, managed, compliant Verdict) (Device, error) {
	return d.Update(tenantID, id, func(v *Device) error {
		v.Managed, v.Compliant = managed, compliant
		return nil
	})
}

// Delete removes a device object, as an administrator does. That of a living
// Autopilot registration leaves a tombstone.
func (d *Directory) Delete(tenantID, id string) error {
	return d.core.DB.Update(func(tx *store.Tx) error {
		v, ok := d.findDevice(tx, strings.ToLower(tenantID), strings.ToLower(id))
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoDevice, id)
		}
		if v.ZTDID() != "" {
			t := Tombstone{TenantID: v.TenantID, DeviceID: v.DeviceID, ZTDID: v.ZTDID(), HardwareID: v.HardwareID, EKHash: v.EKHash}
			d.gone.Put(tx, v.DeviceID, t)
		}
		d.devices.Delete(tx, v.ObjectID)
		return nil
	})
}

// newDevice is the object of a device that no registration knows.
func (d *Directory) newDevice(tenantID string, now time.Time) Device {
	return Device{TenantID: tenantID, ObjectID: d.core.NewID("device object"), DeviceID: d.core.NewID("device"), Enabled: true, Created: now}
}
