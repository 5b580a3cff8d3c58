package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// ErrEnrolled keeps a registration from being deleted before its managed device.
var ErrEnrolled = errors.New("the device is still enrolled; delete the managed device first")

// Registration is a device in the Autopilot deployment service, and, once it is
// Synced, an Autopilot device identity in Intune.
type Registration struct {
	TenantID string
	ID       string // ZtdRegistrationId
	Hardware Hardware

	Serial              string // as registered; can differ from the hash's
	ProductKey          string
	GroupTag            string
	PurchaseOrder       string
	DisplayName         string
	UserPrincipalName   string
	AddressableUserName string

	Registered    time.Time
	Synced        bool // Intune knows it
	Deleting      bool // goes at the next sync
	EntraDeviceID string

	EnrollmentState    graph.EnrollmentState
	ManagedDeviceID    string
	LastContacted      time.Time
	Userless           graph.UserlessEnrollment
	Remediation        graph.RemediationState
	RemediationChanged time.Time

	// The profile that the device gets now, and the one that it is to get.
	ProfileID, IntendedID string
	Explicit, IntendExpl  bool // through a group, not as the default for all devices
	Status                graph.AssignmentStatus
	AssignedAt            time.Time
	Generation            int       // of the intention, so that an older one's timer does nothing
	Recheck               time.Time // when the directory will have evaluated its groups

	Version    int // of what the device would download
	Downloaded int // version that it downloaded last
}

// Graph gives the resource, without expansions.
func (r Registration) Graph() graph.AutopilotDevice {
	d := graph.AutopilotDevice{
		ID: r.ID, GroupTag: r.GroupTag, PurchaseOrderIdentifier: r.PurchaseOrder, SerialNumber: r.Serial, ProductKey: r.ProductKey,
		Manufacturer: r.Hardware.Manufacturer, Model: r.Hardware.Product, SkuNumber: r.Hardware.SKU, SystemFamily: r.Hardware.Family,
		EnrollmentState: r.EnrollmentState, LastContactedDateTime: graph.At(r.LastContacted),
		AddressableUserName: r.AddressableUserName, UserPrincipalName: r.UserPrincipalName, DisplayName: r.DisplayName,
		AzureActiveDirectoryDeviceID: orDefault(r.EntraDeviceID, graph.NeverManaged), AzureAdDeviceID: orDefault(r.EntraDeviceID, graph.NeverManaged),
		ManagedDeviceID:                   orDefault(r.ManagedDeviceID, graph.NeverManaged),
		DeploymentProfileAssignmentStatus: r.Status, DeploymentProfileAssignmentDetailedStatus: "none",
		DeploymentProfileAssignedDateTime: graph.At(r.AssignedAt),
		RemediationState:                  r.Remediation, RemediationStateLastModifiedDateTime: graph.At(r.RemediationChanged),
		UserlessEnrollmentStatus: r.Userless,
	}
	return d
}

// Registrations are the Autopilot device identities that Intune knows, by id.
func (t *Tenant) Registrations() []Registration {
	return slices.DeleteFunc(list(t.s, t.s.registrations, byTenant, t.ID), func(r Registration) bool { return !r.Synced })
}

// RegistrationsFrom are at most n of them, from the skip-th on.
func (t *Tenant) RegistrationsFrom(skip, n int) []Registration {
	return window(t.s, t.s.registrations, byTenant, t.ID, skip, n, synced)
}

// RegistrationCount is how many they are.
func (t *Tenant) RegistrationCount() int {
	return number(t.s, t.s.registrations, byTenant, t.ID, synced)
}

func synced(r *Registration) bool { return r.Synced }

// Registration finds an Autopilot device identity by id; ErrNotFound.
func (t *Tenant) Registration(id string) (Registration, error) {
	r, ok := read(t.s, t.s.registrations, t.key(id))
	if !ok || !r.Synced {
		return Registration{}, fmt.Errorf("windowsAutopilotDeviceIdentities %q: %w", id, ErrNotFound)
	}
	return r, nil
}

// ByHardware finds the registration of a hardware id, in whatever tenant.
func (s *Service) ByHardware(hardwareID string) (Registration, bool) {
	return first(s, s.registrations, byHardware, "hw/"+hardwareID)
}

// ByEK finds the registration of an endorsement key, in whatever tenant.
func (s *Service) ByEK(ek [32]byte) (Registration, bool) {
	return first(s, s.registrations, byHardware, ekKey(ek))
}

// BySerial finds a registration by serial number, in whatever tenant: serial
// numbers of different makers can be the same.
func (s *Service) BySerial(serial string) (Registration, bool) {
	if serial = foldSerial(serial); serial == "" {
		return Registration{}, false
	}
	return first(s, s.registrations, bySerial, serial)
}

// ByEntraDevice finds a registration by the device id of its directory object.
func (t *Tenant) ByEntraDevice(deviceID string) (Registration, bool) {
	for _, r := range list(t.s, t.s.registrations, byEntraDevice, strings.ToLower(deviceID)) {
		if r.TenantID == t.ID {
			return r, true
		}
	}
	return Registration{}, false
}

// change changes a registration in a transaction.
func (t *Tenant) change(id string, f func(*Registration) error) (Registration, error) {
	var out Registration
	err := t.s.DB.Update(func(tx *store.Tx) error {
		r, ok := t.s.registrations.Get(tx, t.key(id))
		if !ok {
			return fmt.Errorf("windowsAutopilotDeviceIdentities %q: %w", id, ErrNotFound)
		}
		if err := f(&r); err != nil {
			return err
		}
		t.s.registrations.Put(tx, t.key(id), r)
		out = r
		return nil
	})
	return out, err
}

// changeVisible is change for an identity that Intune knows.
func (t *Tenant) changeVisible(id string, f func(*Registration)) (Registration, error) {
	return t.change(id, func(r *Registration) error {
		if !r.Synced {
			return fmt.Errorf("windowsAutopilotDeviceIdentities %q: %w", id, ErrNotFound)
		}
		f(r)
		r.Version++
		return nil
	})
}

// AssignUser assigns a user, whose name the device shows. The user must exist
// and be licensed.
func (t *Tenant) AssignUser(ctx context.Context, id, upn, addressable string) error {
	u, ok := t.s.Directory.User(ctx, t.ID, upn)
	switch {
	case !ok:
		return fmt.Errorf("user %q: %w: no such user", upn, ErrInvalid)
	case !u.Licensed:
		return fmt.Errorf("user %q: %w: no licence for Intune", upn, ErrInvalid)
	}
	_, err := t.changeVisible(id, func(r *Registration) {
		r.UserPrincipalName, r.AddressableUserName = u.UPN, orDefault(addressable, u.DisplayName)
	})
	return err
}

// UnassignUser takes the user away.
func (t *Tenant) UnassignUser(id string) error {
	_, err := t.changeVisible(id, func(r *Registration) { r.UserPrincipalName, r.AddressableUserName = "", "" })
	return err
}

// UpdateProperties changes what updateDeviceProperties can. A new group tag
// goes to the directory, where it can move the device to other groups.
func (t *Tenant) UpdateProperties(ctx context.Context, id string, p graph.UpdateDeviceProperties) error {
	if p.UserPrincipalName != nil && *p.UserPrincipalName != "" {
		if _, ok := t.s.Directory.User(ctx, t.ID, *p.UserPrincipalName); !ok {
			return fmt.Errorf("user %q: %w: no such user", *p.UserPrincipalName, ErrInvalid)
		}
	}
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	r, err := t.changeVisible(id, func(r *Registration) {
		set(&r.UserPrincipalName, p.UserPrincipalName)
		set(&r.AddressableUserName, p.AddressableUserName)
		set(&r.GroupTag, p.GroupTag)
		set(&r.DisplayName, p.DisplayName)
	})
	if err != nil || p.GroupTag == nil && p.DisplayName == nil {
		return err
	}
	if _, err := t.s.Directory.EnsureAutopilotDevice(ctx, t.ID, r.directoryDevice()); err != nil {
		return fmt.Errorf("update device properties: %w", err)
	}
	t.evaluate(ctx, r.ID)
	return nil
}

func (r Registration) directoryDevice() AutopilotDevice {
	return AutopilotDevice{ZtdID: r.ID, Serial: r.Serial, GroupTag: r.GroupTag, PurchaseOrder: r.PurchaseOrder,
		DisplayName: r.DisplayName, HardwareID: r.Hardware.ID, EKHash: r.Hardware.EKHash}
}

// AllowNextEnrollment lifts the one-time limit.
func (t *Tenant) AllowNextEnrollment(id string) error {
	_, err := t.changeVisible(id, func(r *Registration) { r.Userless = graph.UserlessAllowed })
	return err
}

// Unregister marks an identity for deletion; it goes at the next sync.
// ErrEnrolled while its device is managed.
func (t *Tenant) Unregister(ctx context.Context, id string) error {
	_, err := t.change(id, func(r *Registration) error {
		switch {
		case !r.Synced:
			return fmt.Errorf("windowsAutopilotDeviceIdentities %q: %w", id, ErrNotFound)
		case r.ManagedDeviceID != "":
			return ErrEnrolled
		}
		r.Deleting = true
		return nil
	})
	if err == nil {
		t.needSync(ctx)
	}
	return err
}

// Deletion is what became of a serial number in deleteDevices.
type Deletion struct {
	Serial, RegistrationID string
	Err                    error // nil: it goes at the next sync
}

// UnregisterSerials marks the identities of serial numbers for deletion, each
// as Unregister does (learn.microsoft.com/graph, windowsAutopilotDeviceIdentity:
// deleteDevices).
func (t *Tenant) UnregisterSerials(ctx context.Context, serialNumbers []string) []Deletion {
	out := make([]Deletion, 0, len(serialNumbers))
	for _, serial := range serialNumbers {
		d := Deletion{Serial: serial, Err: fmt.Errorf("serial number %q: %w", serial, ErrNotFound)}
		if found := t.RegistrationsBySerial(serial); len(found) > 0 {
			d.RegistrationID = found[0].ID
			d.Err = t.Unregister(ctx, found[0].ID)
		}
		out = append(out, d)
	}
	return out
}

// RegistrationsBySerial are the Autopilot device identities with a serial
// number.
func (t *Tenant) RegistrationsBySerial(serial string) []Registration {
	folded := foldSerial(serial)
	if folded == "" {
		return nil
	}
	return slices.DeleteFunc(list(t.s, t.s.registrations, bySerial, folded), func(r Registration) bool { return r.TenantID != t.ID || !r.Synced })
}

// Contacted records that the device asked for its profile. mismatch says that
// its hardware is not the registered one any more, which somebody must look at.
func (t *Tenant) Contacted(id string, mismatch bool) error {
	now := t.s.Now()
	_, err := t.change(id, func(r *Registration) error {
		state := graph.RemediationNone
		if mismatch {
			state = graph.RemediationManual
		} else {
			r.LastContacted, r.Downloaded = now, r.Version
		}
		if r.Remediation != state {
			r.Remediation, r.RemediationChanged = state, now
		}
		return nil
	})
	return err
}
