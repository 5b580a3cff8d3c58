package tenant

import (
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/store"
)

// Join is what a device brings when it joins, after all checks of the service.
type Join struct {
	TenantID string
	// DeviceID names the object to take over; "" makes a new one.
	DeviceID    string
	Trust       string // graph's trustType
	Owner       string // object id of the user; "" for the device's own join
	DisplayName string
	OSVersion   string

	TransportKey []byte
	KeyHash      [32]byte // SHA-256 of the device certificate's SubjectPublicKeyInfo
	Attested     bool
	// Claimed is the moment that a computer of Active Directory signed its claim
	// for; zero for every other join.
	Claimed time.Time
	// NoQuota: the owner may have any number of devices, as the account of a
	// provisioning package has.
	NoQuota bool
	// Certify issues the device certificate for the object and gives its
	// thumbprint. It runs inside the transaction and must not wait.
	Certify func(Device) (thumbprint string, err error)
}

// ErrQuota is about a user who has joined as many devices as allowed.
var ErrQuota = errors.New("the user has joined too many devices")

// Join writes a joined device. A device that was compliant or not is not
// compliant until its new owner's management session says so
// (learn.microsoft.com, Autopilot pre-provisioning: compliance is reset).
func (d *Directory) Join(j Join) (Device, error) {
	now := d.Now()
	t, err := d.Tenant(j.TenantID)
	if err != nil {
		return Device{}, err
	}
	limit := t.DevicesPerUser
	if limit == 0 {
		limit = d.core.Timing.Entra.DevicesPerUser
	}
	var out Device
	err = d.core.DB.Update(func(tx *store.Tx) error {
		v := d.newDevice(t.ID, now)
		if j.DeviceID != "" {
			var ok bool
			if v, ok = d.findDevice(tx, t.ID, j.DeviceID); !ok {
				return fmt.Errorf("%w: %q", ErrNoDevice, j.DeviceID)
			}
		}
		if j.Owner != "" && !j.NoQuota && v.Owner != j.Owner && len(find(tx, d.devices, byOwner, j.Owner)) >= limit {
			return fmt.Errorf("%w: %d", ErrQuota, limit)
		}
		if !j.Claimed.IsZero() {
			if err := v.claim(j.Claimed); err != nil {
				return err
			}
		}
		if v.Compliant != Unknown {
			v.Compliant = No
		}
		v.TrustType, v.Owner, v.OSVersion = j.Trust, j.Owner, j.OSVersion
		if j.DisplayName != "" {
			v.DisplayName = j.DisplayName
		}
		v.TransportKey, v.KeyHash, v.Attested, v.Registered = j.TransportKey, j.KeyHash, j.Attested, now
		if v.Thumbprint, err = j.Certify(v); err != nil {
			return err
		}
		out = v
		d.devices.Put(tx, v.ObjectID, v)
		return nil
	})
	return out, err
}

// Leave undoes a join. The object of a living Autopilot registration stays, as
// the anchor of groups and profiles, and that of a computer which a directory
// sync looks after is pending again; any other goes.
func (d *Directory) Leave(tenantID, deviceID string) error {
	return d.core.DB.Update(func(tx *store.Tx) error {
		v, ok := d.findDevice(tx, tenantID, deviceID)
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoDevice, deviceID)
		}
		if v.ZTDID() == "" && v.OnPremises == nil {
			d.devices.Delete(tx, v.ObjectID)
			return nil
		}
		v.Thumbprint, v.TransportKey, v.KeyHash, v.Owner, v.Attested = "", nil, [32]byte{}, "", false
		if v.OnPremises != nil {
			v.Registered = time.Time{}
		}
		d.devices.Put(tx, v.ObjectID, v)
		return nil
	})
}
