package join

import (
	"windtunnel.test/sim/device"
)

// CertAIK is the name of the AIK certificate in My\System.
const CertAIK = "aik"

// Names of certificates in My\System and of key containers.
const (
	certDevice   = "entra-device"
	keyDevice    = "entra-device"
	keyTransport = "entra-transport"
)

const keyPRT = device.KeyIdentityStore + `\PRT`

// Tenant is an Entra tenant as the Autopilot profile names it.
type Tenant struct{ ID, Domain string }

// State is what `dsregcmd /status` would sum up.
type State struct {
	Joined    bool
	DeviceID  string
	TenantID  string
	UserEmail string // who joined; autopilot@<domain> where it was the device itself
	UserSID   string
	PRT       bool
}

// Status reads the join's state from the disk.
func Status(w *device.Windows) State {
	r := w.Registry()
	s := State{UserSID: r.String(keyPRT, "UserSID"), PRT: r.String(keyPRT, "Token") != ""}
	if _, ok := w.Disk.Certs.Find(device.StoreMySystem, certDevice); !ok {
		return s
	}
	for _, thumbprint := range r.Subkeys(device.KeyJoinInfo) {
		key := device.KeyJoinInfo + `\` + thumbprint
		s.Joined, s.DeviceID, s.TenantID, s.UserEmail = true, r.String(key, "DeviceId"), r.String(key, "TenantId"), r.String(key, "UserEmail")
	}
	return s
}
