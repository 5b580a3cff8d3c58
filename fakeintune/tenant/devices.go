package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// ErrOneTimeLimit keeps a device from being deployed without a user a second
// time, until its managed device is deleted or the next enrolment is allowed
// (learn.microsoft.com, Autopilot known issues: 0x80180014).
var ErrOneTimeLimit = errors.New("the device was deployed without a user before")

// ErrDeviceLimit keeps a user from having more devices than allowed.
var ErrDeviceLimit = errors.New("the user has as many devices as allowed")

// EnrollmentKind says how a device came to be managed.
type EnrollmentKind string

// Enrolment kinds.
const (
	EnrolledByUser        EnrollmentKind = "user"
	EnrolledWhiteGlove    EnrollmentKind = "whiteGlove"
	EnrolledSelfDeploying EnrollmentKind = "selfDeploying"
	EnrolledBulk          EnrollmentKind = "bulk" // by a provisioning package's token; nobody's
)

// Userless tells whether nobody had signed in.
func (k EnrollmentKind) Userless() bool {
	return k == EnrolledWhiteGlove || k == EnrolledSelfDeploying
}

// ManagedDevice is an enrolled device: the Graph resource, and what Graph does
// not show.
type ManagedDevice struct {
	graph.ManagedDevice

	TenantID       string
	RegistrationID string // of the Autopilot registration; "" without one
	Kind           EnrollmentKind
	Thumbprint     string // SHA-1 of the MDM client certificate
	// PreviousThumbprint is that of the certificate that the last one renewed, good
	// until the new one is used for the first time; "" then.
	PreviousThumbprint string
	HWDevID            string // hardware device id, as the device said when it enrolled
	IMEThumbprint      string // SHA-1 of the management extension's certificate; "" while it has none
	Attested           bool   // the MDM key was proved to be in the TPM
	Attestation        AttestationResult
	Hybrid             bool // its Autopilot profile makes it join a domain

	// DeviceSent and UsersSent: all that is due to the device, or to these users
	// (object ids), was sent once.
	DeviceSent bool
	UsersSent  []string
	// PageShown: it was told to show the enrolment status page, and nothing takes
	// that back but another enrolment.
	PageShown bool

	Apps     []AppState
	Settings []SettingState
	Scripts  []ScriptState

	// Lapsed: the device has not reported for so long that its compliance state
	// ran out.
	Lapsed bool
	// Broken are the compliance policies (ids) that the device does not meet, and
	// since when: the grace of a policy counts from there.
	Broken map[string]time.Time

	Actions     []Action // one a name, the oldest first
	ActionCount int      // of all that were ever asked for
	LogCount    int      // log collections so far
}

// AttestationResult is what came of the attestation of a device's keys when it
// enrolled.
type AttestationResult struct {
	MDMKey   bool   // the MDM key is in the TPM
	EntraKey bool   // so is the key of its Entra certificate
	Check    string // that the proof failed at; "" where none did
	// The device's own word, from EnrollmentVersion 7.0: "Status=...;
	// AttestationErrorMsg=..." and an HRESULT; "" where it did not say.
	Status, HResult string
}

// AppState is how far an app is on a device.
type AppState struct {
	AppID    string
	User     string // object id; "" for the device
	State    int    // enforcement state of the management extension, or status of EnterpriseDesktopAppManagement
	Detected bool
	Error    hresult.Code // 0 if none
	At       time.Time
}

// SettingState is what a device answered for a setting of a configuration or
// policy.
type SettingState struct {
	OwnerID string // of the configuration or policy
	URI     string
	User    string // object id; "" for the device
	Status  int    // OMA-DM status
	At      time.Time
	// Conflict: another policy gives the same node another value, and that one is
	// what the device has. Status is 0.
	Conflict bool
}

// SetApp records a state, in the place of the one before.
func (m *ManagedDevice) SetApp(s AppState) {
	m.Apps = put(m.Apps, s, func(o AppState) bool { return o.AppID == s.AppID && o.User == s.User })
}

// SetSetting records a state, in the place of the one before.
func (m *ManagedDevice) SetSetting(s SettingState) {
	m.Settings = put(m.Settings, s, func(o SettingState) bool {
		return o.OwnerID == s.OwnerID && o.URI == s.URI && o.User == s.User
	})
}

// App finds the state of an app.
func (m ManagedDevice) App(appID, user string) (AppState, bool) {
	i := slices.IndexFunc(m.Apps, func(s AppState) bool { return s.AppID == appID && s.User == user })
	if i < 0 {
		return AppState{}, false
	}
	return m.Apps[i], true
}

// put replaces in a copy, because rows share their lists with the store.
func put[T any](in []T, v T, same func(T) bool) []T {
	out := slices.Clone(in)
	if i := slices.IndexFunc(out, same); i >= 0 {
		out[i] = v
		return out
	}
	return append(out, v)
}

// Enroll adds a managed device and fills its id and dates. It takes the place
// of an older one with the same registration or device object. ErrOneTimeLimit
// for a device that may not be deployed without a user again.
func (t *Tenant) Enroll(ctx context.Context, m ManagedDevice) (ManagedDevice, error) {
	return t.EnrollWithin(ctx, m, 0)
}

// EnrollWithin is Enroll for a user who may have so many devices, this one
// counted; 0 is any number. ErrDeviceLimit where they are more.
func (t *Tenant) EnrollWithin(ctx context.Context, m ManagedDevice, limit int) (ManagedDevice, error) {
	now := t.s.Now()
	err := t.s.DB.Update(func(tx *store.Tx) error {
		id, _, err := t.nextID(tx, "managedDevice")
		if err != nil {
			return err
		}
		m.TenantID, m.ID, m.RegistrationID = t.ID, id, strings.ToLower(m.RegistrationID)
		m.Thumbprint = strings.ToUpper(m.Thumbprint)
		m.EnrolledDateTime, m.LastSyncDateTime = graph.At(now), graph.At(now)
		m.ComplianceState = orDefault(m.ComplianceState, graph.ComplianceUnknown)
		if m.RegistrationID != "" {
			r, ok := t.s.registrations.Get(tx, t.key(m.RegistrationID))
			switch {
			case !ok:
				return fmt.Errorf("registration %q: %w", m.RegistrationID, ErrNotFound)
			case m.Kind.Userless() && r.Userless == graph.UserlessBlocked:
				return ErrOneTimeLimit
			}
			m.AutopilotEnrolled = true
			t.begin(tx, m, r)
			r.EnrollmentState, r.ManagedDeviceID, r.LastContacted = graph.EnrollmentEnrolled, m.ID, now
			if m.Kind.Userless() {
				r.Userless = graph.UserlessBlocked
			}
			t.s.registrations.Put(tx, t.key(r.ID), r)
		}
		for _, key := range t.predecessors(tx, m) {
			t.s.devices.Delete(tx, key)
		}
		if limit > 0 && t.countOf(tx, m.UserPrincipalName) >= limit {
			return ErrDeviceLimit
		}
		t.s.devices.Put(tx, t.key(m.ID), m)
		return nil
	})
	if err != nil {
		return ManagedDevice{}, fmt.Errorf("enrol %s: %w", m.SerialNumber, err)
	}
	t.s.Record(ctx, "mdm.device.added", journal.F("serial", m.SerialNumber), journal.F("kind", string(m.Kind)), journal.F("id", m.ID))
	return m, nil
}

func (t *Tenant) countOf(tx *store.Tx, upn string) (n int) {
	for _, m := range t.s.devices.By(tx, byUser, strings.ToLower(upn)) {
		if m.TenantID == t.ID {
			n++
		}
	}
	return n
}

func (t *Tenant) predecessors(tx *store.Tx, m ManagedDevice) []string {
	var keys []string
	for _, w := range []struct{ index, value string }{{byRegistration, m.RegistrationID}, {byEntraDevice, m.AzureADDeviceID}} {
		if w.value == "" {
			continue
		}
		for key, old := range t.s.devices.By(tx, w.index, strings.ToLower(w.value)) {
			if old.TenantID == t.ID {
				keys = append(keys, key)
			}
		}
	}
	if m.AzureADDeviceID == "" && m.HWDevID != "" { // only its hardware tells it
		for key, old := range t.s.devices.By(tx, byUser, strings.ToLower(m.UserPrincipalName)) {
			if old.TenantID == t.ID && old.HWDevID == m.HWDevID && old.AzureADDeviceID == "" {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// Devices are the managed devices, by id.
func (t *Tenant) Devices() []ManagedDevice { return list(t.s, t.s.devices, byTenant, t.ID) }

// DevicesFrom are at most n of those that the portal shows, from the skip-th on.
func (t *Tenant) DevicesFrom(skip, n int) []ManagedDevice {
	return window(t.s, t.s.devices, byTenant, t.ID, skip, n, t.InSight())
}

// DeviceCount is how many the portal shows.
func (t *Tenant) DeviceCount() int { return number(t.s, t.s.devices, byTenant, t.ID, t.InSight()) }

// Device finds a managed device by id; ErrNotFound.
func (t *Tenant) Device(id string) (ManagedDevice, error) {
	m, ok := read(t.s, t.s.devices, t.key(id))
	if !ok {
		return m, fmt.Errorf("managed device %q: %w", id, ErrNotFound)
	}
	return m, nil
}

// DeviceByEntraID finds a managed device by the device id of its Entra object.
func (t *Tenant) DeviceByEntraID(deviceID string) (ManagedDevice, error) {
	for _, m := range list(t.s, t.s.devices, byEntraDevice, strings.ToLower(deviceID)) {
		if m.TenantID == t.ID {
			return m, nil
		}
	}
	return ManagedDevice{}, fmt.Errorf("managed device of %q: %w", deviceID, ErrNotFound)
}

// DevicesBySerial are the managed devices with a serial number.
func (t *Tenant) DevicesBySerial(serial string) []ManagedDevice {
	if serial = foldSerial(serial); serial == "" {
		return nil
	}
	return slices.DeleteFunc(list(t.s, t.s.devices, bySerial, serial), func(m ManagedDevice) bool { return m.TenantID != t.ID })
}

// DevicesOf are the managed devices whose primary user this is.
func (t *Tenant) DevicesOf(upn string) []ManagedDevice {
	return slices.DeleteFunc(list(t.s, t.s.devices, byUser, strings.ToLower(upn)), func(m ManagedDevice) bool { return m.TenantID != t.ID })
}

// DeviceByThumbprint finds the managed device that holds an MDM client
// certificate, and its tenant.
func (s *Service) DeviceByThumbprint(thumbprint string) (*Tenant, ManagedDevice, error) {
	m, ok := first(s, s.devices, byThumbprint, strings.ToLower(thumbprint))
	if !ok {
		return nil, m, fmt.Errorf("managed device with certificate %s: %w", thumbprint, ErrNotFound)
	}
	t, err := s.Tenant(m.TenantID)
	return t, m, err
}

// UpdateDevice changes a managed device. The function runs in a transaction: it
// must not wait, and must replace lists instead of changing them.
func (t *Tenant) UpdateDevice(id string, change func(*ManagedDevice) error) (ManagedDevice, error) {
	var out, before ManagedDevice
	err := t.s.DB.Update(func(tx *store.Tx) error {
		m, ok := t.s.devices.Get(tx, t.key(id))
		if !ok {
			return fmt.Errorf("managed device %q: %w", id, ErrNotFound)
		}
		before = m
		if err := change(&m); err != nil {
			return err
		}
		t.s.devices.Put(tx, t.key(id), m)
		t.follow(tx, before, m)
		out = m
		return nil
	})
	if err != nil {
		return out, err
	}
	if asked, err := t.collectOnFailure(before, out); err != nil || !asked {
		return out, err
	}
	return t.Device(id)
}

// DeleteDevice forgets a managed device: its registration can be deployed
// again, and the directory's object is no longer managed.
func (t *Tenant) DeleteDevice(ctx context.Context, id string) error {
	var m ManagedDevice
	err := t.s.DB.Update(func(tx *store.Tx) error {
		var ok bool
		if m, ok = t.s.devices.Get(tx, t.key(id)); !ok {
			return fmt.Errorf("managed device %q: %w", id, ErrNotFound)
		}
		t.s.devices.Delete(tx, t.key(id))
		if r, ok := t.s.registrations.Get(tx, t.key(m.RegistrationID)); ok && r.ManagedDeviceID == m.ID {
			r.ManagedDeviceID, r.EnrollmentState, r.Userless = "", graph.EnrollmentNotContacted, graph.UserlessAllowed
			t.s.registrations.Put(tx, t.key(r.ID), r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.s.Record(ctx, "mdm.device.deleted", journal.F("serial", m.SerialNumber), journal.F("id", m.ID))
	if m.AzureADDeviceID == "" {
		return nil
	}
	if err := t.s.Directory.SetCompliance(ctx, t.ID, m.AzureADDeviceID, false, false); err != nil {
		return fmt.Errorf("delete managed device %s: %w", id, err)
	}
	return nil
}
