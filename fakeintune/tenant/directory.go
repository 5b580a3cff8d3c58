package tenant

import (
	"context"
	"time"
)

// Directory is what Intune asks of Entra ID and tells it. Implementations are
// called outside of any lock and may take time.
type Directory interface {
	// EnsureAutopilotDevice makes the device object of a registration, or brings the
	// one that it made before up to date (physicalIds [ZTDID] and [OrderID]), and
	// gives its device id.
	EnsureAutopilotDevice(ctx context.Context, tenantID string, d AutopilotDevice) (deviceID string, err error)
	// DeleteAutopilotDevice takes the registration's marks off the object; one that
	// no device has joined as goes with them.
	DeleteAutopilotDevice(ctx context.Context, tenantID, deviceID string) error
	// Device finds a device object by its device id.
	Device(ctx context.Context, tenantID, deviceID string) (DirectoryDevice, bool)
	// User finds a user by user principal name or object id.
	User(ctx context.Context, tenantID, upnOrID string) (DirectoryUser, bool)
	// SetCompliance writes isManaged and isCompliant.
	SetCompliance(ctx context.Context, tenantID, deviceID string, managed, compliant bool) error
}

// AutopilotDevice is what the directory learns of a registration.
type AutopilotDevice struct {
	ZtdID         string
	Serial        string
	GroupTag      string // [OrderID]
	PurchaseOrder string // [PurchaseOrderId]
	DisplayName   string // "": the serial number
	HardwareID    string // as device tickets carry it, see sim/wire/msa
	EKHash        [32]byte
}

// DirectoryDevice is a device object.
type DirectoryDevice struct {
	ID, ObjectID string // device id, object id
	TrustType    string // "" while no device has joined as it
	Enabled      bool
	KeyHash      [32]byte // SHA-256 of its certificate's SubjectPublicKeyInfo; zero: not known
	Groups       []string // ids of the groups that it is in, dynamic ones included
	// GroupsDue is when the directory will next have evaluated a dynamic group for
	// the device; zero when nothing is outstanding. A directory that does not know
	// calls [Tenant.GroupsChanged] when it happens.
	GroupsDue time.Time
}

// DirectoryUser is a user.
type DirectoryUser struct {
	ID, UPN, DisplayName string
	Licensed, Enabled    bool
	Groups               []string
}

// Claims are what a verified access token says.
type Claims struct {
	TenantID string // tid
	ObjectID string // oid: user, service principal or device object
	UPN      string // "" for applications and devices
	DeviceID string // deviceid; "" where the token names no device
	AppID    string // appid
	Scopes   []string
	Roles    []string
	Expires  time.Time
}

// Tokens verifies access tokens of Entra ID.
type Tokens interface {
	// Verify checks signature, issuer, audience and times against now.
	Verify(ctx context.Context, token, audience string, now time.Time) (Claims, error)
}

// TicketInfo is what a Microsoft account device ticket says of the hardware.
type TicketInfo struct {
	PUID         string
	HardwareID   string // digest of system UUID and serial number, see sim/wire/msa
	TPMValidated bool   // the device proved its AIK
	EKHash       string // hex SHA-256 of the EK's SubjectPublicKeyInfo; only when TPMValidated
}

// Tickets verifies device tickets of login.live.com for the deployment service.
type Tickets interface {
	VerifyTicket(ctx context.Context, ticket string, now time.Time) (TicketInfo, error)
}
