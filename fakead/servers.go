package fakead

import (
	"context"
	"net"
	"net/netip"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/fakead/dns"
	"windtunnel.test/fakead/kdc"
	"windtunnel.test/fakead/ldap"
	"windtunnel.test/sim/vclock"
)

// controller is a domain controller, whatever home it is served in.
type controller struct {
	f       *Forest
	index   int
	replica *directory.Replica
	certificate
}

// home is where a forest is served: a network, or real sockets. Controllers
// have other addresses in each.
type home struct {
	f         *Forest
	servers   []*servers
	addresses [][]netip.Addr // by controller; written before anything is served
}

// servers are one controller's in a home.
type servers struct {
	home *home
	c    *controller
	dns  *dns.Server
	ldap *ldap.Server
	kdc  *kdc.Server
}

// home makes the servers; clock is in whose time their connections have
// deadlines, nil for none.
func (f *Forest) home(clock vclock.Clock) *home {
	h := &home{f: f, addresses: make([][]netip.Addr, len(f.controllers))}
	for _, c := range f.controllers {
		s := &servers{home: h, c: c}
		s.dns = &dns.Server{Domain: f.Domain(), DomainGUID: f.GUID().String(), Host: c.replica.HostName(), Sites: f.siteNames,
			Controllers: h.zone, TTL: f.Timing().Domain.RecordLife, Clock: clock, Idle: f.Timing().Network.IdleConnection}
		// What another process of the same state drew must not come again.
		seed := f.o.Seed.Derive("fakead", "kdc", f.o.DB.Numbered(0, f.o.Starts))
		s.kdc = &kdc.Server{Directory: c.replica, Seed: seed, Clock: clock, Timing: f.Timing(), Journal: f.o.Journal}
		s.ldap = &ldap.Server{Directory: c.replica, Accept: s.kdc.Acceptor, Certificate: c.tls, RequireTLS: f.o.RequireTLS, Clock: clock,
			Timing: f.Timing(), Journal: f.o.Journal}
		h.servers = append(h.servers, s)
	}
	return h
}

func (f *Forest) siteNames() []string {
	var names []string
	for _, s := range f.Sites() {
		names = append(names, s.Name)
	}
	return names
}

// zone is what the name servers of a home say.
func (h *home) zone() []dns.Controller {
	list := make([]dns.Controller, len(h.servers))
	for i, s := range h.servers {
		r := s.c.replica
		list[i] = dns.Controller{Host: r.HostName(), Site: r.Site(), Settings: r.InvocationID().String(), Primary: i == 0, Catalog: true,
			Addresses: h.addresses[i]}
	}
	return list
}

// Ports of a domain controller (learn.microsoft.com/troubleshoot/windows-server/
// networking/service-overview-and-network-port-requirements).
const (
	portDNS      = 53
	portKerberos = 88
	portLDAP     = 389
	portPassword = 464
	portLDAPS    = 636
	portCatalog  = 3268
)

type streamPort struct {
	name   string
	port   uint16
	stream func(context.Context, net.Conn)
}

type packetPort struct {
	name   string
	port   uint16
	packet func(context.Context, net.Addr, []byte) []byte
}

func (s *servers) streams() []streamPort {
	return []streamPort{
		{"dns", portDNS, s.dns.ServeStream}, {"kerberos", portKerberos, s.kdc.ServeStream}, {"ldap", portLDAP, s.ldap.ServeStream}, {"ldaps", portLDAPS, s.ldap.ServeTLS},
		{"kpasswd", portPassword, s.kdc.Passwords().ServeStream}, {"catalog", portCatalog, s.ldap.ServeCatalog},
	}
}

func (s *servers) packets() []packetPort {
	return []packetPort{
		{"dns", portDNS, s.dns.HandlePacket}, {"kerberos", portKerberos, s.kdc.HandlePacket}, {"ldap", portLDAP, s.ldap.HandlePacket},
		{"kpasswd", portPassword, s.kdc.Passwords().HandlePacket},
	}
}
