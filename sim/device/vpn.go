package device

import (
	"errors"
	"net"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/csp"
)

// Where Windows keeps VPNs. That of the clients is our model: what the
// installer of a VPN client writes, a key each with the values Gateway (its
// host), PreLogon (DWORD 1: it offers itself before anybody signs in),
// Certificate ("machine" or "user") and Plugin (DWORD 1: an app of the Store, a
// UWP plug-in).
const (
	KeyVPNProfiles = `HKLM\SOFTWARE\Microsoft\RasMan\Profiles`
	KeyVPNClients  = `HKLM\SOFTWARE\Microsoft\RasMan\Clients`
)

// vpnGate is the port that a gateway is asked at whether it is there.
const vpnGate = "443"

// ConnectVPN connects the first VPN that works before anybody has signed in,
// and tells whether one stands. Those are a desktop app's or a device tunnel,
// with a certificate of the machine's; a UWP plug-in and a user's certificate
// wait for the user (learn.microsoft.com, "Deploy Microsoft Entra hybrid joined
// devices by using Intune and Windows Autopilot", BYO VPN). A profile's state is
// not looked at before its gateway answers.
func (w *Windows) ConnectVPN() bool {
	if w.NIC.Tunnelled() {
		return true
	}
	for _, v := range w.vpns() {
		if v.why == "" && !w.gateway(v.host) {
			v.why = errGateway.Error()
		}
		if v.why != "" {
			w.Event("vpn.failed", field("vpn", v.name), field("why", v.why))
			continue
		}
		w.NIC.Tunnel(true)
		w.Event("vpn.connected", field("vpn", v.name), field("gateway", v.host))
		return true
	}
	return false
}

var errGateway = errors.New("the VPN's gateway does not answer")

// vpnClient is one VPN, with what keeps it from connecting now.
type vpnClient struct{ name, host, why string }

func (w *Windows) vpns() []vpnClient {
	var found []vpnClient
	r := w.Registry()
	for _, name := range r.Subkeys(KeyVPNProfiles) {
		p, err := csp.ParseVPNProfile(r.String(KeyVPNProfiles+`\`+name, csp.VPNXML))
		if err != nil {
			continue // not a profile, but the profiles of a user
		}
		v := vpnClient{name: name, host: p.Native.Servers}
		switch {
		case !p.DeviceTunnel:
			v.why = "it is the user's"
		case !strings.EqualFold(p.Native.Auth, "Certificate"):
			v.why = "it does not use the machine's certificate"
		case !w.ownCertificate():
			v.why = "the machine has no certificate"
		}
		found = append(found, v)
	}
	for _, name := range r.Subkeys(KeyVPNClients) {
		key := KeyVPNClients + `\` + name
		v := vpnClient{name: name, host: r.String(key, "Gateway")}
		early, _ := r.DWORD(key, "PreLogon")
		plugin, _ := r.DWORD(key, "Plugin")
		switch {
		case plugin != 0:
			v.why = "it is a UWP plug-in"
		case early == 0:
			v.why = "it does not connect before a logon"
		case !strings.EqualFold(r.String(key, "Certificate"), "machine"):
			v.why = "it uses the user's certificate"
		case !w.ownCertificate():
			v.why = "the machine has no certificate"
		}
		found = append(found, v)
	}
	return found
}

// ownCertificate tells whether a certificate profile has given the machine a
// certificate beside those that Windows' own parts keep there.
func (w *Windows) ownCertificate() bool {
	own := []string{"aik", "entra-device", "hybrid-claim", "mdm", "ime"}
	return slices.ContainsFunc(w.Disk.Certs.All(StoreMySystem), func(c Certificate) bool {
		return !slices.Contains(own, c.Name) // whatever is in this store has a key, be it in software
	})
}

// gateway tells whether a VPN's gateway answers.
func (w *Windows) gateway(host string) bool {
	if host == "" {
		return false
	}
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, w.Timing.Network.ConnectTimeout, errGateway)
	defer cancel()
	c, err := w.NIC.Dial(ctx, "tcp", net.JoinHostPort(host, vpnGate))
	if err != nil {
		return false
	}
	return c.Close() == nil
}
