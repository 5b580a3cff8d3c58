package dns

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Ports that controllers register ([MS-ADTS] 6.3.2.3).
const (
	portKerberos = 88
	portLDAP     = 389
	portPassword = 464
	portCatalog  = 3268
)

// Priority and weight that netlogon registers by default.
const (
	priority = 0
	weight   = 100
)

// resolve fills a reply from the zone.
func (s *Server) resolve(reply *dns.Msg, q dns.Question) {
	zone := dns.CanonicalName(s.Domain)
	name := dns.CanonicalName(q.Name)
	if q.Qclass != dns.ClassINET && q.Qclass != dns.ClassANY || !dns.IsSubDomain(zone, name) {
		reply.Rcode = dns.RcodeRefused
		return
	}
	switch q.Qtype {
	case dns.TypeAXFR, dns.TypeIXFR:
		reply.Rcode = dns.RcodeRefused
		return
	}
	reply.Authoritative = true
	table := s.zone()
	records, exists := table[name]
	for _, rr := range records {
		if t := rr.Header().Rrtype; t == q.Qtype || q.Qtype == dns.TypeANY {
			reply.Answer = append(reply.Answer, rr)
		} else if alias, ok := rr.(*dns.CNAME); ok {
			reply.Answer = append(append(reply.Answer, rr), find(table, alias.Target, q.Qtype)...)
		}
	}
	if len(reply.Answer) == 0 {
		if !exists {
			reply.Rcode = dns.RcodeNameError
		}
		reply.Ns = append(reply.Ns, s.soa())
		return
	}
	// What the answer's names will be looked up for next.
	asked := map[string]bool{}
	for _, rr := range reply.Answer {
		target := ""
		switch rr := rr.(type) {
		case *dns.SRV:
			target = rr.Target
		case *dns.NS:
			target = rr.Ns
		}
		if target != "" && !asked[target] {
			asked[target] = true
			reply.Extra = append(reply.Extra, find(table, target, dns.TypeA)...)
			reply.Extra = append(reply.Extra, find(table, target, dns.TypeAAAA)...)
		}
	}
}

func find(table map[string][]dns.RR, name string, kind uint16) []dns.RR {
	var out []dns.RR
	for _, rr := range table[name] {
		if rr.Header().Rrtype == kind {
			out = append(out, rr)
		}
	}
	return out
}

// zone is the records by owner, made anew when the controllers are others. A
// name between others exists without records (RFC 8020).
func (s *Server) zone() map[string][]dns.RR {
	list := s.Controllers()
	s.mu.Lock()
	defer s.mu.Unlock()
	same := func(a, b Controller) bool {
		return a.Host == b.Host && a.Site == b.Site && a.Settings == b.Settings && a.Primary == b.Primary && a.Catalog == b.Catalog && slices.Equal(a.Addresses, b.Addresses)
	}
	if s.table != nil && slices.EqualFunc(s.known, list, same) {
		return s.table
	}
	s.known, s.table = list, map[string][]dns.RR{}
	apex := dns.CanonicalName(s.Domain)
	for _, rr := range s.records(list) {
		owner := rr.Header().Name
		s.table[owner] = append(s.table[owner], rr)
		for owner != apex {
			i, end := dns.NextLabel(owner, 0)
			if end {
				break
			}
			owner = owner[i:]
			if _, ok := s.table[owner]; !ok {
				s.table[owner] = nil
			}
		}
	}
	return s.table
}

func (s *Server) header(owner string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: dns.CanonicalName(owner), Rrtype: kind, Class: dns.ClassINET, Ttl: uint32(s.TTL.Seconds())}
}

// soa is the zone's, which nobody transfers and so has one serial; its intervals
// are those of a new zone of Windows' server.
func (s *Server) soa() dns.RR {
	return &dns.SOA{Hdr: s.header(s.Domain, dns.TypeSOA), Ns: dns.CanonicalName(s.Host), Mbox: dns.CanonicalName("hostmaster." + s.Domain),
		Serial: 1, Refresh: 900, Retry: 600, Expire: 86400, Minttl: 3600}
}

// records are the zone's, in a fixed order.
func (s *Server) records(list []Controller) []dns.RR {
	out := []dns.RR{s.soa()}
	for _, c := range list {
		out = append(out, &dns.NS{Hdr: s.header(s.Domain, dns.TypeNS), Ns: dns.CanonicalName(c.Host)})
	}
	for _, c := range list {
		out = append(out, s.addresses(s.Domain, c)...)
		out = append(out, s.addresses(c.Host, c)...)
		if c.Catalog {
			out = append(out, s.addresses("gc._msdcs."+s.Domain, c)...)
		}
		if c.Settings != "" {
			out = append(out, &dns.CNAME{Hdr: s.header(c.Settings+"._msdcs."+s.Domain, dns.TypeCNAME), Target: dns.CanonicalName(c.Host)})
		}
		out = s.services(out, c, list)
	}
	return out
}

func (s *Server) addresses(owner string, c Controller) []dns.RR {
	var out []dns.RR
	for _, a := range c.Addresses {
		if a.Is4() {
			out = append(out, &dns.A{Hdr: s.header(owner, dns.TypeA), A: a.AsSlice()})
		} else {
			out = append(out, &dns.AAAA{Hdr: s.header(owner, dns.TypeAAAA), AAAA: a.AsSlice()})
		}
	}
	return out
}

// services are a controller's SRV records. A site without a controller of its
// own is covered by all ("automatic site coverage").
func (s *Server) services(out []dns.RR, c Controller, all []Controller) []dns.RR {
	add := func(owner string, port uint16) {
		out = append(out, &dns.SRV{Hdr: s.header(owner+"."+s.Domain, dns.TypeSRV), Priority: priority, Weight: weight, Port: port, Target: dns.CanonicalName(c.Host)})
	}
	add("_ldap._tcp", portLDAP)
	add("_ldap._tcp.dc._msdcs", portLDAP)
	add("_kerberos._tcp", portKerberos)
	add("_kerberos._udp", portKerberos)
	add("_kerberos._tcp.dc._msdcs", portKerberos)
	add("_kpasswd._tcp", portPassword)
	add("_kpasswd._udp", portPassword)
	if s.DomainGUID != "" {
		add("_ldap._tcp."+s.DomainGUID+".domains._msdcs", portLDAP)
	}
	if c.Primary {
		add("_ldap._tcp.pdc._msdcs", portLDAP)
	}
	if c.Catalog {
		add("_gc._tcp", portCatalog)
		add("_ldap._tcp.gc._msdcs", portCatalog)
	}
	for _, site := range s.covered(c, all) {
		in := "." + label(site) + "._sites"
		add("_ldap._tcp"+in, portLDAP)
		add("_ldap._tcp"+in+".dc._msdcs", portLDAP)
		add("_kerberos._tcp"+in, portKerberos)
		add("_kerberos._tcp"+in+".dc._msdcs", portKerberos)
		if c.Catalog {
			add("_gc._tcp"+in, portCatalog)
			add("_ldap._tcp"+in+".gc._msdcs", portCatalog)
		}
	}
	return out
}

func (s *Server) covered(c Controller, all []Controller) []string {
	sites := []string{c.Site}
	if s.Sites == nil {
		return sites
	}
	for _, site := range s.Sites() {
		if !slices.ContainsFunc(all, func(o Controller) bool { return strings.EqualFold(o.Site, site) }) {
			sites = append(sites, site)
		}
	}
	return sites
}

// label is a site's name as one label; site names have no dots.
func label(site string) string { return strings.NewReplacer(".", `\.`, " ", `\032`).Replace(site) }
