package tenant

import (
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/wire/graph"
)

// Tenant is one directory.
type Tenant struct {
	ID          string
	DisplayName string
	Country     string // two letters
	Domains     []graph.VerifiedDomain

	// DevicesPerUser limits joins by one user; 0 takes the timing profile's.
	DevicesPerUser int
	// JoinDenied keeps users from joining devices.
	JoinDenied bool
	// Join and Register say who may join devices and who may register them;
	// zero values allow all users.
	Join, Register Allowed
	// MDMGroups limits the management application's scope to members of these
	// groups; empty: all users.
	MDMGroups []string `json:",omitempty"`
	// JoinMFA: joining and registering need a second factor.
	JoinMFA bool `json:",omitempty"`
	// MDM holds the addresses that the directory tells joining devices; the
	// zero value is Intune's.
	MDM MDM
	// OtherMDM are discovery addresses of further management applications.
	OtherMDM []string `json:",omitempty"`
}

// MDM is a management application's entry in the directory.
type MDM struct {
	EnrollmentURL, TermsURL, ComplianceURL string
	// Off: no user is in the application's scope.
	Off bool
}

// Intune's addresses (learn.microsoft.com, "Set up automatic enrollment").
var intune = MDM{
	EnrollmentURL: "https://enrollment.manage.microsoft.com/enrollmentserver/discovery.svc",
	TermsURL:      "https://portal.manage.microsoft.com/TermsofUse.aspx",
	ComplianceURL: "https://portal.manage.microsoft.com/?portalAction=Compliance",
}

// Addresses gives the MDM's addresses for a user who is in its scope.
func (t Tenant) Addresses() MDM {
	if t.MDM == (MDM{}) {
		return intune
	}
	return t.MDM
}

// DefaultDomain is the domain of new users, or the first one.
func (t Tenant) DefaultDomain() string {
	for _, d := range t.Domains {
		if d.IsDefault {
			return d.Name
		}
	}
	if len(t.Domains) > 0 {
		return t.Domains[0].Name
	}
	return ""
}

// Has tells whether a name is the tenant's id or one of its domains.
func (t Tenant) Has(name string) bool {
	return strings.EqualFold(t.ID, name) ||
		slices.ContainsFunc(t.Domains, func(d graph.VerifiedDomain) bool { return strings.EqualFold(d.Name, name) })
}

// User is an account: the Graph resource, and what Graph does not show.
type User struct {
	TenantID string
	Resource graph.User
	Password string

	MFA         bool      `json:",omitempty"` // a second factor is registered
	ForceChange bool      `json:",omitempty"` // the password must be changed at the next sign-in
	Expired     bool      `json:",omitempty"` // the password is too old
	Blocked     bool      `json:",omitempty"` // locked until an administrator says otherwise
	Failed      int       `json:",omitempty"` // wrong passwords in a row
	LockedUntil time.Time `json:",omitzero"`  // smart lockout
	Roles       []string  `json:",omitempty"` // directory roles' names, such as "Intune Administrator"
	Terms       []string  `json:",omitempty"` // ids of the terms of use that were accepted
	Package     bool      `json:",omitempty"` // stands for a provisioning package (bulk token); it has no password
}

// Group is the Graph resource with its assigned members' object ids.
type Group struct {
	TenantID string
	Resource graph.DirectoryGroup
	Members  []string
	Changed  time.Time // when the rule was set
}

// Verdict is a yes, a no, or nothing yet.
type Verdict int8

// Verdicts.
const (
	Unknown Verdict = 0
	Yes     Verdict = 1
	No      Verdict = -1
)

// VerdictOf reads Graph's nullable boolean.
func VerdictOf(b *bool) Verdict {
	switch {
	case b == nil:
		return Unknown
	case *b:
		return Yes
	}
	return No
}

// Bool is Graph's nullable boolean.
func (v Verdict) Bool() *bool {
	if v == Unknown {
		return nil
	}
	b := v == Yes
	return &b
}

// Device is a device object. It is kept small: thousands of them live at once,
// so keys are bytes and certificates are only named.
type Device struct {
	TenantID    string
	ObjectID    string
	DeviceID    string
	DisplayName string
	TrustType   string // "" for an object that waits for its device
	PhysicalIDs []string
	Enabled     bool
	Managed     Verdict
	Compliant   Verdict
	Owner       string // object id of the user who joined it; "" for a join without a user

	OSVersion     string
	ManagementApp string // application id of the MDM
	EnrollmentVia string // profile name, as Graph's enrollmentProfileName

	Created, Registered time.Time
	Identified          time.Time // when PhysicalIDs were set; dynamic groups count from it

	// What the join brought.
	Thumbprint   string   // SHA-1 of the device certificate, upper-case hex; "" when not joined
	TransportKey []byte   // BCRYPT RSA blob
	KeyHash      [32]byte // SHA-256 of the certificate's SubjectPublicKeyInfo
	Attested     bool     // joined with a TPM attestation

	// What the Autopilot registration knows of the hardware; zero for others.
	HardwareID string   // see Registration
	EKHash     [32]byte // SHA-256 of the EK's RSA modulus

	OnPremises *OnPremises `json:",omitempty"` // nil: not from a directory sync
}

// Joined tells whether a device holds a certificate of the object.
func (d Device) Joined() bool { return d.Thumbprint != "" }

// ZTDID is the Autopilot registration that the object belongs to, or "".
func (d Device) ZTDID() string {
	for _, id := range d.PhysicalIDs {
		if v, ok := strings.CutPrefix(id, graph.PhysicalZTDID); ok {
			return v
		}
	}
	return ""
}

// Ownership is Company, or Personal for a device that is only registered.
func (d Device) Ownership() string {
	if d.TrustType == graph.TrustWorkplace {
		return "Personal"
	}
	return "Company"
}

// Graph is the resource as Microsoft Graph shows it.
func (d Device) Graph() graph.Device {
	out := graph.Device{
		ID: d.ObjectID, DeviceID: d.DeviceID, DisplayName: d.DisplayName, AccountEnabled: d.Enabled,
		CreatedDateTime: graph.At(d.Created), DeviceOwnership: d.Ownership(),
		IsCompliant: d.Compliant.Bool(), IsManaged: d.Managed.Bool(), MdmAppID: d.ManagementApp,
		EnrollmentProfileName: d.EnrollmentVia, OperatingSystem: "Windows", OperatingSystemVersion: d.OSVersion,
		PhysicalIDs: d.PhysicalIDs, ProfileType: "RegisteredDevice", TrustType: d.TrustType, SystemLabels: []string{},
	}
	if d.Managed == Yes {
		out.ManagementType = "MDM"
	}
	if !d.Registered.IsZero() {
		t := graph.At(d.Registered)
		out.RegistrationDateTime = &t
	}
	if out.PhysicalIDs == nil {
		out.PhysicalIDs = []string{}
	}
	if d.OnPremises != nil {
		synced, at := true, graph.At(d.OnPremises.Synced)
		out.OnPremisesSyncEnabled, out.OnPremisesLastSyncDateTime, out.OnPremisesSecurityIdentifier = &synced, &at, d.OnPremises.SID
	}
	return out
}
