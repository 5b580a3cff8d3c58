package vnet

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
)

// SetNameServers says which name servers a site that sees a domain controller tells its devices of: host names, the
// domain's controllers. Other sites have the internet's names and no server that anybody could ask for a domain's records.
func (n *Network) SetNameServers(hosts ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nameServers = nil
	for _, h := range hosts {
		n.nameServers = append(n.nameServers, normalName(h))
	}
}

// NameServers are the name servers that the card was told of: host names without a port, and none where no domain
// controller is in reach.
func (nic *NIC) NameServers() []string {
	nic.mu.Lock()
	site, up, tunnel := nic.site, nic.up, nic.tunnel
	nic.mu.Unlock()
	if !up || !site.seesDC() && !tunnel {
		return nil
	}
	nic.n.mu.Lock()
	defer nic.n.mu.Unlock()
	return slices.Clone(nic.n.nameServers)
}

// Tunnel brings a VPN into the company's network up or down. While it stands, the card sees the domain's names, name
// servers and controllers as a site does that sees them; all other traffic goes past it (a split tunnel). It needs link and
// is gone with it: after Down or Move it has to be brought up anew. Whether the VPN's own gateway is in reach is for the
// caller to find out.
func (nic *NIC) Tunnel(up bool) {
	nic.mu.Lock()
	if nic.tunnel == (up && nic.up) {
		nic.mu.Unlock()
		return
	}
	nic.tunnel = up && nic.up
	site := nic.site
	var dead []*end
	var relays []*relayed
	if !nic.tunnel && !site.seesDC() {
		dead, relays = slices.Clone(nic.streams), slices.Clone(nic.relays)
	}
	nic.mu.Unlock()

	for _, e := range dead {
		if nic.n.behindTunnel(e.remote) {
			e.abort(os.NewSyscallError("read", syscall.ECONNRESET))
		}
	}
	for _, r := range relays {
		if nic.n.behindTunnel(r.remote) {
			r.cut()
		}
	}
	if !up {
		nic.CloseIdle()
	}
}

// Tunnelled tells whether a VPN stands.
func (nic *NIC) Tunnelled() bool {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	return nic.tunnel
}

// seesDC tells whether the domain's names are the card's to see.
func (nic *NIC) seesDC(site *Site) bool { return site.seesDC() || nic.Tunnelled() }

// behindTunnel tells whether an address is one of the domain's.
func (n *Network) behindTunnel(a net.Addr) bool {
	at, ok := a.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return false
	}
	n.mu.Lock()
	h := n.byAddr[at.AddrPort().Addr()]
	n.mu.Unlock()
	return h != nil && n.domainOnly(h.name)
}
