package tenant

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// OnPremises is what a directory sync told of a computer.
type OnPremises struct {
	SID         string
	Certificate []byte    // its userCertificate, whose key claims the object
	Synced      time.Time // the last export about it
	Claimed     time.Time // the moment that the last claim was signed for
}

// SyncedComputer is a computer of Active Directory as a directory sync exports
// it.
type SyncedComputer struct {
	TenantID    string
	GUID        string // objectGUID
	SID         string
	Name        string
	OSVersion   string
	Certificate []byte // DER
	Enabled     bool
}

// errNotSynced is about an object that no directory sync looks after.
var errNotSynced = errors.New("the object is not synchronised from a directory")

// SyncComputer makes the device object of a computer or updates it. A new one is
// pending: it has no registration date until the computer claims it. The device
// id is the computer's objectGUID, as Entra ID has it for hybrid devices.
func (d *Directory) SyncComputer(c SyncedComputer) (row Device, created bool, err error) {
	if _, err := d.Tenant(c.TenantID); err != nil {
		return Device{}, false, err
	}
	tenantID, guid, now := strings.ToLower(c.TenantID), strings.ToLower(c.GUID), d.Now()
	err = d.core.DB.Update(func(tx *store.Tx) error {
		var known bool
		if row, known = d.findDevice(tx, tenantID, guid); known && row.OnPremises == nil {
			return fmt.Errorf("%w: %q", errNotSynced, guid)
		}
		if created = !known; created {
			row = Device{TenantID: tenantID, ObjectID: d.core.Seed.UUID("device object", tenantID, guid), DeviceID: guid, Created: now, TrustType: graph.TrustHybrid}
		}
		claimed := time.Time{}
		if known {
			claimed = row.OnPremises.Claimed
			if !bytes.Equal(row.OnPremises.Certificate, c.Certificate) {
				claimed = time.Time{} // another key: nothing that it signed was seen yet
			}
		}
		row.DisplayName, row.Enabled = c.Name, c.Enabled
		if c.OSVersion != "" {
			row.OSVersion = c.OSVersion
		}
		row.OnPremises = &OnPremises{SID: c.SID, Certificate: c.Certificate, Synced: now, Claimed: claimed}
		d.devices.Put(tx, row.ObjectID, row)
		return nil
	})
	return row, created, err
}

// DeleteComputer deletes the device object of a computer that a directory sync
// no longer finds. One that is gone already is nothing.
func (d *Directory) DeleteComputer(tenantID, guid string) (deleted bool, err error) {
	err = d.core.DB.Update(func(tx *store.Tx) error {
		row, ok := d.findDevice(tx, strings.ToLower(tenantID), strings.ToLower(guid))
		switch {
		case !ok:
			return nil
		case row.OnPremises == nil:
			return fmt.Errorf("%w: %q", errNotSynced, guid)
		}
		d.devices.Delete(tx, row.ObjectID)
		deleted = true
		return nil
	})
	return deleted, err
}

// SyncedComputers are the object GUIDs of the computers that a directory sync
// has brought to a tenant, sorted.
func (d *Directory) SyncedComputers(tenantID string) []string {
	guids := []string{}
	for _, row := range d.Devices(tenantID) {
		if row.OnPremises != nil {
			guids = append(guids, row.DeviceID)
		}
	}
	slices.Sort(guids)
	return guids
}

// ErrReplayed is about a claim that was signed no later than one before it.
var ErrReplayed = errors.New("the signature was used before")

// claim takes note of when a computer's claim was signed; see Join.
func (v *Device) claim(at time.Time) error {
	if v.OnPremises == nil {
		return fmt.Errorf("%w: %q", errNotSynced, v.DeviceID)
	}
	if !at.After(v.OnPremises.Claimed) {
		return ErrReplayed
	}
	next := *v.OnPremises
	next.Claimed = at
	v.OnPremises = &next
	return nil
}

// SyncedUser is a user of Active Directory as a directory sync exports it.
type SyncedUser struct {
	TenantID string
	UPN      string
	Anchor   string // immutable id: base64 of the objectGUID
	SAM      string
	SID      string
	DN       string
}

// SyncUser marks a tenant's user as one that Active Directory looks after. The
// accounts themselves are in the tenant from the start: our model.
func (d *Directory) SyncUser(u SyncedUser) error {
	found, err := d.User(u.TenantID, u.UPN)
	if err != nil {
		return err
	}
	synced := true
	return d.core.DB.Update(func(tx *store.Tx) error {
		row, ok := d.users.Get(tx, found.Resource.ID)
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoUser, u.UPN)
		}
		g := &row.Resource
		g.OnPremisesImmutableID, g.OnPremisesSamAccountName, g.OnPremisesSecurityIdentifier = u.Anchor, u.SAM, u.SID
		g.OnPremisesDistinguishedName, g.OnPremisesSyncEnabled = u.DN, &synced
		d.users.Put(tx, found.Resource.ID, row)
		return nil
	})
}
