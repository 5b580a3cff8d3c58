package vnet

import (
	"context"
	"net/netip"
	"path"
	"strings"
)

// host is one name with its address and what answers there.
type host struct {
	name    string
	addr    netip.Addr
	service *service             // http and https; nil where only streams or datagrams are served
	streams map[uint16]*Listener // by port
	packets map[uint16]*socket   // by port
	relays  map[relayPort]Relay
}

// Names are compared without case and without the root's dot (RFC 4343, RFC 1034 3.1).
func normalName(s string) string { return strings.TrimSuffix(strings.ToLower(s), ".") }

// matchHost tells whether a name fits a glob in which * stands for any run of characters, dots too.
func matchHost(glob, name string) bool {
	if glob == name || glob == "*" {
		return true
	}
	if !strings.ContainsAny(glob, "*?[") {
		return false
	}
	ok, err := path.Match(glob, name)
	return err == nil && ok
}

// Addresses of hosts come from the range for benchmarks (RFC 2544 C.2.2), those of sites from the range that carriers
// share (RFC 6598), so that none of them can be mistaken for a real machine.
var (
	hostBlock    = netip.MustParseAddr("198.18.0.1")
	siteBlock    = netip.MustParseAddr("100.64.0.1")
	backboneAddr = netip.MustParseAddr("192.0.2.1") // RFC 5737: callers that stand at no site
)

// nth is the n-th address after base.
func nth(base netip.Addr, n int) netip.Addr {
	b := base.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// hostLocked finds or makes the table's row for an exact name.
func (n *Network) hostLocked(name string) *host {
	if h, ok := n.hosts[name]; ok {
		return h
	}
	h := &host{name: name, addr: nth(hostBlock, len(n.hosts))}
	n.hosts[name] = h
	n.byAddr[h.addr] = h
	return h
}

// find is the DNS table: a row for a served name or for one below a served suffix, otherwise nil.
func (n *Network) find(name string) *host {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h, ok := n.hosts[name]; ok {
		return h
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return n.byAddr[a]
	}
	if s := n.wildLocked(name); s != nil {
		return n.hostLocked(name)
	}
	return nil
}

func (n *Network) wildLocked(name string) *service {
	for _, s := range n.wild {
		if strings.HasSuffix(name, s.pattern[1:]) && len(name) >= len(s.pattern) {
			return s
		}
	}
	return nil
}

// serviceAt is what answers HTTP for a row.
func (n *Network) serviceAt(h *host) *service {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.service != nil {
		return h.service
	}
	return n.wildLocked(h.name)
}

// DomainOnly marks names (globs) that are resolved only at sites that see a domain controller and through a VPN, such as
// the domain's own zone.
func (n *Network) DomainOnly(globs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, g := range globs {
		n.domain = append(n.domain, normalName(g))
	}
}

func (n *Network) domainOnly(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, g := range n.domain {
		if matchHost(g, name) {
			return true
		}
	}
	return false
}

// Lookup resolves a name as the card's site sees it. It costs a round trip unless the card still knows the answer; an
// unknown name is a *net.DNSError with IsNotFound, a card without link one with IsTemporary.
func (nic *NIC) Lookup(ctx context.Context, hostname string) ([]netip.Addr, error) {
	h, err := nic.resolve(ctx, normalName(hostname))
	if err != nil {
		return nil, err
	}
	return []netip.Addr{h.addr}, nil
}

// resolve is Lookup for the package's own use.
func (nic *NIC) resolve(ctx context.Context, name string) (*host, error) {
	site, epoch, up := nic.place()
	_, notName := netip.ParseAddr(name)
	literal := notName == nil
	switch {
	case !up && literal:
		return nil, unreachable("ip", name)
	case !up:
		return nil, noNameServer(name)
	}
	known := literal || nic.knows(name)
	if !known {
		if err := nic.wait(ctx, 2*site.latency(), "vnet.dns"); err != nil {
			return nil, err
		}
		if !nic.still(epoch) {
			return nil, noNameServer(name)
		}
	}
	h := nic.n.find(name)
	if h == nil || site.blocks(h.name) == NoSuchName || nic.n.domainOnly(h.name) && !nic.seesDC(site) {
		return nil, noSuchName(name)
	}
	if !known {
		nic.learn(name)
	}
	return h, nil
}
