package scenario

import (
	"time"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vnet"
)

// Site is a place with its link to the internet.
type Site struct {
	Name      string        `yaml:"name" need:"yes" doc:"How other sections call it."`
	Kind      SiteKind      `yaml:"kind" default:"office" doc:"What it is, for reports."`
	Wired     bool          `yaml:"wired" default:"true" doc:"There is a network cable for PCs that have a socket for it; others choose a wireless network in OOBE."`
	Latency   time.Duration `yaml:"latency" default:"10ms" max:"1h" doc:"One way, to any service; a round trip is twice that."`
	Bandwidth Bandwidth     `yaml:"bandwidth" default:"0" doc:"From the internet, shared by the PCs of the site, such as 500Mbit; 0 is unlimited."`
	Upload    Bandwidth     `yaml:"upload" default:"0" doc:"To the internet; 0 is the same as bandwidth."`
	Loss      Share         `yaml:"loss" doc:"Part of the packets that is lost, such as 0.5%; below 100%."`
	Block     []Block       `yaml:"block" doc:"The firewall. The first rule whose host fits decides; without one a connection is let through."`
	Proxy     *Proxy        `yaml:"proxy" doc:"A proxy that all traffic to the internet passes, known to the PCs or not."`
	Metered   bool          `yaml:"metered" doc:"What passes the link costs money; Windows leaves quality updates for later."`
	SeesDC    bool          `yaml:"seesDC" doc:"A domain controller can be reached from here."`
}

// SiteKind is what a place is.
type SiteKind string

// Kinds of sites.
const (
	Bench  SiteKind = "bench"
	Office SiteKind = "office"
	Home   SiteKind = "home"
	Depot  SiteKind = "depot"
)

func (SiteKind) choices() []string { return []string{"bench", "office", "home", "depot"} }

// Block is one rule of a firewall.
type Block struct {
	Host string    `yaml:"host" need:"yes" doc:"Glob over host names; * spans dots too: *.microsoftaik.azure.net"`
	Mode BlockMode `yaml:"mode" default:"refuse" doc:"What happens to a connection: refused at once, swallowed until it times out, its name denied, or let through (which exempts the host from later rules)."`
}

// BlockMode is a vnet.BlockMode in words.
type BlockMode string

func (BlockMode) choices() []string { return []string{"refuse", "timeout", "nxdomain", "allow"} }

// Mode is what vnet calls it.
func (m BlockMode) Mode() vnet.BlockMode {
	if m == "allow" {
		return vnet.Allow
	}
	return vnet.BlockMode(m)
}

// Proxy is a proxy of a site.
type Proxy struct {
	TLSIntercept bool          `yaml:"tlsIntercept" doc:"It opens TLS and shows certificates of its own authority, which PCs do not trust."`
	Bypass       []string      `yaml:"bypass" doc:"Globs of hosts whose TLS it lets through untouched."`
	Latency      time.Duration `yaml:"latency" max:"1h" doc:"What it adds to each request and to each answer."`
	WPAD         *bool         `yaml:"wpad" doc:"Whether PCs find it by WPAD, in the system's context too; false: they do not, and nothing but the proxy gets out. Missing: there is nothing to find, all traffic passes it anyway."`
}

// Config is the site as vnet wants it. ca signs for a proxy that opens TLS.
func (s Site) Config(ca *pki.CA) vnet.SiteConfig {
	c := vnet.SiteConfig{Name: s.Name, Kind: string(s.Kind), Wired: s.Wired, Latency: s.Latency, Down: int64(s.Bandwidth), Up: int64(s.Upload), Loss: float64(s.Loss), SeesDC: s.SeesDC, Metered: s.Metered}
	if c.Up == 0 {
		c.Up = c.Down
	}
	for _, b := range s.Block {
		c.Block = append(c.Block, vnet.BlockRule{Host: b.Host, Mode: b.Mode.Mode()})
	}
	if s.Proxy != nil {
		c.Proxy = &vnet.ProxyConfig{Bypass: s.Proxy.Bypass, Latency: s.Proxy.Latency, Unannounced: s.Proxy.WPAD != nil && !*s.Proxy.WPAD}
		if s.Proxy.TLSIntercept {
			c.Proxy.TLSIntercept = ca
		}
	}
	return c
}

// Site finds a place by name.
func (s *Scenario) Site(name string) (Site, bool) {
	for _, site := range s.Sites {
		if site.Name == name {
			return site, true
		}
	}
	return Site{}, false
}
