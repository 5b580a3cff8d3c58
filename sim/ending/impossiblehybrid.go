package ending

import (
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/ldap"
)

// ofDomain tells whether a PC is a member of a domain, or will be from its next
// start on, and as which computer.
func (s *state) ofDomain() (m device.Membership, ok bool) {
	if m, ok = s.pc.Domain(); !ok {
		m, ok = s.pc.DomainStaged()
	}
	return m, ok
}

// membership: who is a member of a domain, or will be, has all of it, and the
// state of the offline domain join says so.
func membership(s *state) (found []string) {
	m, member := s.pc.Domain()
	_, staged := s.pc.DomainStaged()
	if staged && s.r.String(device.KeyLSASecrets, "NewVal") == "" {
		found = append(found, "a membership that waits for a start, without the machine's password")
	}
	if member {
		if s.r.String(device.KeyLSASecrets, "CurrVal") == "" {
			found = append(found, "a member of a domain without the machine's password")
		}
		if name := s.r.String(device.KeyOOBE, "ComputerName"); name != m.Computer {
			found = append(found, fmt.Sprintf("%s is a member of its domain as %s", name, m.Computer))
		}
	}
	join, asked := s.r.DWORD(device.KeyODJ, "State")
	switch processed := device.ODJState(join) == device.ODJProcessed; {
	case asked && processed && !member && !staged:
		found = append(found, "an offline domain join that was processed, and no membership")
	case asked && !processed && s.stage == "resealed":
		found = append(found, "resealed without its offline domain join")
	}
	if !member && staged && s.stage == "resealed" && len(s.r.Subkeys(device.KeyJoinInfo)) > 0 {
		found = append(found, "resealed for a domain and joined to Entra ID")
	}
	if !member && asked && (s.stage == "user" || s.stage == "signOut" || s.stage == "done") {
		found = append(found, "a domain user's account on a PC that is no member")
	}
	return found
}

// inDirectory: a PC of a domain is one computer object there, and where it is
// registered with Entra ID, one device of that object's identifier.
func inDirectory(c *cloud, s *state) (found []string, err error) {
	m, ok := s.ofDomain()
	if !ok {
		return nil, nil
	}
	a, err := c.w.DomainAdministrator(c.ctx)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	objects, err := a.Computers("sAMAccountName", "objectGUID")
	if err != nil {
		return nil, err
	}
	var devices graph.Collection[graph.Device]
	if err := c.graph("/v1.0/devices", &devices); err != nil {
		return nil, err
	}
	var own []ldap.Entry
	for _, e := range objects {
		if strings.EqualFold(e.Text("sAMAccountName"), m.Computer+"$") {
			own = append(own, e)
		}
	}
	if len(own) != 1 {
		return s.list("%d computer objects for the member %s of a domain", len(own), m.Computer), nil
	}
	for _, thumbprint := range s.r.Subkeys(device.KeyJoinInfo) {
		id, err := ldap.GUIDFromBytes(own[0].Bytes("objectGUID"))
		if err != nil {
			return s.list("computer object of %s: %v", m.Computer, err), nil
		}
		if _, member := s.pc.Domain(); !member {
			continue
		}
		if as := s.r.String(device.KeyJoinInfo+`\`+thumbprint, "DeviceId"); !strings.EqualFold(as, id.String()) {
			found = append(found, fmt.Sprintf("registered with Entra ID as %s, and its computer object is %s", as, id))
		}
		n := 0
		for _, d := range devices.Value {
			if d.TrustType == "ServerAd" && strings.EqualFold(d.DeviceID, id.String()) {
				n++
			}
		}
		if n != 1 {
			found = append(found, fmt.Sprintf("registered with Entra ID, which has %d devices of the computer object %s", n, id))
		}
	}
	return found, nil
}
