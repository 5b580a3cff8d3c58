package vnet

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"sync"
	"time"

	"windtunnel.test/sim/pki"
)

// BlockMode is what a firewall does with a connection that it does not let through.
type BlockMode string

const (
	Allow      BlockMode = ""         // lets it through; a rule with it exempts hosts from the rules after it
	Refuse     BlockMode = "refuse"   // answers with a reset: connection refused
	TimeOut    BlockMode = "timeout"  // swallows it: the connection attempt times out
	NoSuchName BlockMode = "nxdomain" // the site's name server denies the name
)

// BlockRule is one line of a site's firewall. The first rule whose host matches decides.
type BlockRule struct {
	Host string // glob over names; * also spans dots: "*.microsoftaik.azure.net", "*"
	Mode BlockMode
}

// ProxyConfig is a proxy that every HTTP exchange of a site passes through, whether the device knows of it or not.
type ProxyConfig struct {
	TLSIntercept *pki.CA       // opens TLS and presents certificates under this CA; nil: lets TLS through untouched
	Bypass       []string      // globs of hosts that are not intercepted
	Latency      time.Duration // what the proxy adds to each request and to each answer
	Unannounced  bool          // only what is sent to it gets out, and no WPAD leads devices to it: they reach nothing outside
}

// SiteConfig describes a place where devices stand.
type SiteConfig struct {
	Name     string
	Kind     string        // "bench", "office", "home", "depot"; for reports
	Wired    bool          // wireless sites make a device show its network pages
	Latency  time.Duration // one way, between the site and any service; a round trip is twice that
	Down, Up int64         // bandwidth in bits a second, shared by the site's devices; 0: unlimited
	Loss     float64       // share of packets lost, 0 to below 1
	Block    []BlockRule
	Proxy    *ProxyConfig // nil: none
	SeesDC   bool         // a domain controller can be reached from here
	Metered  bool         // what passes costs money: Windows leaves its updates alone
}

// Site is a place on a network, made by [Network.AddSite]. A nil *Site is the backbone on which services stand: no
// latency, no limits, everything visible.
type Site struct {
	n        *Network
	c        SiteConfig
	addr     netip.Addr
	down, up *pipe

	mu    sync.Mutex
	rules []BlockRule
	proxy *ProxyConfig
}

// AddSite adds a place. It refuses a name that exists, an empty one, and impossible numbers, all of them in one error.
func (n *Network) AddSite(c SiteConfig) (*Site, error) {
	var errs []error
	bad := func(format string, a ...any) {
		errs = append(errs, fmt.Errorf("vnet: site %q: "+format, append([]any{c.Name}, a...)...))
	}
	if c.Name == "" {
		bad("has no name")
	}
	if c.Latency < 0 {
		bad("latency %v is negative", c.Latency)
	}
	if c.Down < 0 || c.Up < 0 {
		bad("bandwidth %d/%d bit/s is negative", c.Down, c.Up)
	}
	if c.Loss < 0 || c.Loss >= 1 {
		bad("loss %v is not in [0, 1)", c.Loss)
	}
	for _, r := range c.Block {
		if err := r.validate(); err != nil {
			bad("%w", err)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.sites[c.Name]; ok {
		bad("exists already")
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s := &Site{
		n: n, c: c, addr: nth(siteBlock, len(n.sites)), rules: append([]BlockRule(nil), c.Block...), proxy: c.Proxy,
		down: newPipe(n.clock, "vnet.down", c.Down), up: newPipe(n.clock, "vnet.up", c.Up),
	}
	n.sites[c.Name] = s
	return s, nil
}

func (r BlockRule) validate() error {
	if _, err := path.Match(r.Host, ""); err != nil || r.Host == "" {
		return fmt.Errorf("firewall rule: bad host glob %q", r.Host)
	}
	switch r.Mode {
	case Allow, Refuse, TimeOut, NoSuchName:
		return nil
	}
	return fmt.Errorf("firewall rule for %q: unknown mode %q (refuse, timeout, nxdomain)", r.Host, r.Mode)
}

// Config is what the site was made from, with the firewall as it is now.
func (s *Site) Config() SiteConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.c
	c.Block, c.Proxy = append([]BlockRule(nil), s.rules...), s.proxy
	return c
}

// Name is the site's name; "" for the backbone.
func (s *Site) Name() string {
	if s == nil {
		return ""
	}
	return s.c.Name
}

// Block puts a rule before all others. Connections that stand are not cut: a firewall judges new ones.
func (s *Site) Block(hostGlob string, mode BlockMode) error {
	r := BlockRule{Host: normalName(hostGlob), Mode: mode}
	if err := r.validate(); err != nil {
		return fmt.Errorf("vnet: site %q: %w", s.c.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append([]BlockRule{r}, s.rules...)
	return nil
}

// Unblock takes away every rule with exactly this host glob and tells whether there was one.
func (s *Site) Unblock(hostGlob string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.rules[:0:0]
	for _, r := range s.rules {
		if normalName(r.Host) != normalName(hostGlob) {
			kept = append(kept, r)
		}
	}
	found := len(kept) < len(s.rules)
	s.rules = kept
	return found
}

// SetProxy puts a proxy in (or takes it out, nil) for connections that follow.
func (s *Site) SetProxy(p *ProxyConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proxy = p
}

// Proxied tells whether a proxy stands between the site and the rest.
func (s *Site) Proxied() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proxy != nil
}

// Address is where services see the site's devices come from.
func (s *Site) Address() netip.Addr { return s.address() }

func (s *Site) blocks(name string) BlockMode {
	if s == nil {
		return Allow
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if matchHost(normalName(r.Host), name) {
			return r.Mode
		}
	}
	return Allow
}

// shut tells whether what does not go by a proxy stays inside, and devices do not know of the proxy.
func (s *Site) shut() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proxy != nil && s.proxy.Unannounced
}

// proxyFor is the proxy on the way to a host, and whether it opens TLS.
func (s *Site) proxyFor(name string) (p *ProxyConfig, intercepts bool) {
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	p = s.proxy
	s.mu.Unlock()
	if p == nil || p.TLSIntercept == nil {
		return p, false
	}
	for _, g := range p.Bypass {
		if matchHost(normalName(g), name) {
			return p, false
		}
	}
	return p, true
}

func (s *Site) latency() time.Duration {
	if s == nil {
		return 0
	}
	return s.c.Latency
}

func (s *Site) seesDC() bool { return s == nil || s.c.SeesDC }

func (s *Site) address() netip.Addr {
	if s == nil {
		return backboneAddr
	}
	return s.addr
}

// Metered tells whether what passes there costs money. Nobody pays on the backbone.
func (s *Site) Metered() bool { return s != nil && s.c.Metered }
