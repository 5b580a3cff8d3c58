package ldap

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"windtunnel.test/fakead/directory"
	wire "windtunnel.test/sim/wire/ldap"
)

// packetLimit is the longest question over UDP that is looked at.
const packetLimit = 4096

// HandlePacket answers a search over UDP ([MS-ADTS] 6.3.3): of the root's object only, for anybody. A question for its
// attribute Netlogon is a ping. What is no search, or none of the root, is not answered.
func (s *Server) HandlePacket(_ context.Context, from net.Addr, packet []byte) []byte {
	m, err := wire.Decode(packet, wire.Limits{Message: packetLimit, FilterDepth: 4, FilterTerms: 32})
	if err != nil {
		return nil
	}
	r, ok := m.Op.(*wire.SearchRequest)
	if !ok || r.Base != "" || r.Scope != wire.BaseObject {
		return nil
	}
	var results found
	if isPing(r) {
		results = s.netlogon(from, r)
	} else {
		results = (&session{s: s}).rootDSE(r)
	}
	var out []byte
	if e, ok := results.Next(); ok {
		out = (&wire.Message{ID: m.ID, Op: &e}).Append(out)
	}
	return (&wire.Message{ID: m.ID, Op: &wire.SearchDone{}}).Append(out)
}

// isPing tells whether a search of the root's object asks for the attribute Netlogon, which makes it a ping over UDP and
// TCP alike.
func isPing(r *wire.SearchRequest) bool {
	return len(r.Attributes) == 1 && strings.EqualFold(r.Attributes[0], wire.NetlogonAttribute)
}

// netlogon answers a ping. One for another domain, or in a form that is too old, finds nothing.
func (s *Server) netlogon(from net.Addr, r *wire.SearchRequest) found {
	ask, err := wire.ParseNetlogonRequest(r.Filter)
	if err != nil || ask.NTVersion&(wire.NTVersion5EX|wire.NTVersion5EXWithIP) == 0 {
		return &one{}
	}
	d := s.Directory.Directory()
	switch {
	case ask.DNSDomain != "" && !strings.EqualFold(ask.DNSDomain, d.Domain()),
		!ask.DomainGUID.IsZero() && ask.DomainGUID != wire.GUID(d.GUID()),
		ask.DomainSID != "" && ask.DomainSID.String() != d.SID().String():
		return &one{}
	}
	answer := s.describe(addressOf(from), ask.NTVersion)
	if ask.User != "" {
		answer.User = ask.User
		if a, ok := s.Directory.AccountByName(ask.User); !ok || !suits(a, ask.AAC) {
			answer.Opcode = wire.NetlogonUnknownEX
		}
	}
	return &one{wire.Entry{Attributes: []wire.Attribute{wire.Binary(wire.NetlogonAttribute, answer.Append(nil))}}, 1}
}

// describe is what the controller says of itself to a client at an address.
func (s *Server) describe(client netip.Addr, version uint32) *wire.NetlogonResponse {
	d := s.Directory.Directory()
	r := &wire.NetlogonResponse{
		Opcode: wire.NetlogonResponseEX, DomainGUID: wire.GUID(d.GUID()), Forest: d.Domain(), Domain: d.Domain(),
		Host: s.Directory.HostName(), NetBIOSDomain: d.NetBIOS(), NetBIOSComputer: strings.ToUpper(s.Directory.Name()),
		Site: s.Directory.Site(), ClientSite: d.SiteOf(client),
		Flags: wire.DSGlobalCatalog | wire.DSLDAP | wire.DSDirectory | wire.DSKDC | wire.DSTimeService | wire.DSWritable |
			wire.DSFullSecret | wire.DSServer2012 | wire.DSServer2012R2 | wire.DSServer2016,
		NTVersion: wire.NTVersion1 | wire.NTVersion5EX,
	}
	if primary := d.Primary(); primary.Name() == s.Directory.Name() {
		r.Flags |= wire.DSPDC | wire.DSGoodTime
	}
	if strings.EqualFold(r.Site, r.ClientSite) {
		r.Flags |= wire.DSClosest
	}
	if version&wire.NTVersion5EXWithIP != 0 && s.Address.Unmap().Is4() {
		r.NTVersion |= wire.NTVersion5EXWithIP
		r.Address = s.Address.Unmap()
	}
	return r
}

// suits tells whether an account is of the kinds that a ping allows: AAC has bits of SAM ([MS-SAMR] 2.2.1.12), of which
// normal and machine accounts count here. None allows none.
func suits(a directory.Account, aac uint32) bool {
	const normal, machine = 0x10, 0x80 | 0x100
	if a.Computer {
		return aac&machine != 0
	}
	return aac&normal != 0
}

func addressOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
