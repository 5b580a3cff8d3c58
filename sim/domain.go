package sim

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/connector"
	ad "windtunnel.test/fakead/directory"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// Hybrid is what hybrid PCs need beside the cloud.
type Hybrid struct {
	Domain     scenario.Domain
	Connectors []scenario.Connector
	Connect    *scenario.EntraConnect // nil: nothing is synchronised
}

// HybridOf is what a scenario says of it, nil where it has no domain.
func HybridOf(s *scenario.Scenario) *Hybrid {
	if s.Domain == nil {
		return nil
	}
	return &Hybrid{Domain: *s.Domain, Connectors: s.Connectors, Connect: s.Connect}
}

// AddDomain puts a domain on the network, with the servers that belong to it:
// Intune Connectors and directory synchronisation. The sites that see it are
// there already. The built-in forest is prepared at once, by its own
// administrator's methods, which takes next to no time; a Samba domain is by
// LDAP, as its administrator, when the world begins to run.
func (w *World) AddDomain(h Hybrid) error {
	if w.hybrid != nil {
		return errors.New("world: there is a domain already")
	}
	w.hybrid = &h
	d := h.Domain
	var err error
	if d.Type == scenario.SambaDomain {
		err = w.relaySamba(d)
	} else {
		err = w.makeForest(d)
	}
	if err != nil {
		return fmt.Errorf("world: domain %s: %w", d.Name, err)
	}
	names, servers := []string{strings.ToLower(d.Name)}, []string(nil)
	for _, dc := range d.Servers() {
		servers = append(servers, d.Host(dc.Name))
	}
	w.Network.DomainOnly(append(names, servers...)...)
	w.Network.SetNameServers(servers...)
	for _, host := range d.VPNGateways {
		if err := w.openGateway(host); err != nil {
			return fmt.Errorf("world: VPN gateway %s: %w", host, err)
		}
	}
	if err := w.addConnectors(h); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	if err := w.addConnect(h); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	w.Clock.GoDaemon(context.Background(), "domain", w.beginDomain)
	return nil
}

// beginDomain lets the domain's servers live, once there is what they need.
func (w *World) beginDomain(ctx context.Context) {
	if w.hybrid.Domain.Type == scenario.SambaDomain {
		if err := w.prepareSamba(ctx); err != nil {
			w.Journal.Record("", "domain.failed", journal.F("domain", w.hybrid.Domain.Name), journal.F("error", err.Error()))
			return
		}
	}
	for _, c := range w.Connectors {
		w.Clock.GoDaemon(ctx, "connector "+c.Name(), c.Run)
	}
	if w.Connect != nil {
		w.Clock.GoDaemon(ctx, "Entra Connect", w.Connect.Run)
	}
}

// makeForest makes the built-in forest, fills it unless it was kept, and puts
// it where the scenario wants it.
func (w *World) makeForest(d scenario.Domain) (err error) {
	o := fakead.Options{
		Clock: w.Clock, Journal: w.Journal, Timing: w.Timing, Seed: w.Seed.Derive("domain"), DB: w.options.State, Since: w.options.Since, Starts: w.options.Starts,
		Domain: d.Name, NetBIOS: d.NetBIOS, Replication: d.Replication, MachineAccountQuota: d.MachineAccountQuota, RequireTLS: d.RequireTLS,
		Policy: policyOf(d.PasswordPolicy), Sites: w.directorySites(d),
	}
	for _, dc := range d.Servers() {
		o.Controllers = append(o.Controllers, fakead.Controller{Name: dc.Name, Site: dc.Site, Skew: time.Duration(dc.Clock)})
	}
	if w.Forest, err = fakead.New(o); err != nil {
		return err
	}
	if err := w.once("domain "+d.Name, func() error { return w.fillForest(d) }); err != nil {
		return err
	}
	if d.Home != scenario.DomainTCP {
		return w.Forest.Attach(w.Network)
	}
	if w.sockets, err = w.Forest.Listen(fakead.ListenOptions{Ephemeral: true}); err != nil {
		return err
	}
	for _, dc := range d.Servers() {
		err := w.relay(d, dc.Name, func(network string, port int) string { return w.sockets.Addr(dc.Name, network, port) }, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// directoryPorts are a controller's, by network.
var directoryPorts = map[string][]int{"tcp": {53, 88, 389, 464, 636, 3268}, "udp": {53, 88, 389, 464}}

// relay leads a controller's ports out of the network.
func (w *World) relay(d scenario.Domain, controller string, at func(network string, port int) string, before func()) error {
	hosts := []string{d.Host(controller)}
	if controller == d.Servers()[0].Name {
		hosts = append(hosts, d.Name)
	}
	for network, ports := range directoryPorts {
		for _, port := range ports {
			for _, host := range hosts {
				if err := w.Network.Relay(host, uint16(port), vnet.Relay{Network: network, Address: at(network, port), Before: before}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

var siteLabel = regexp.MustCompile(`^[A-Za-z0-9-]{1,15}$`)

// directorySites are the directory's sites: those of the world that see it, if
// controllers are bound to sites, and one for everybody else.
func (w *World) directorySites(d scenario.Domain) []fakead.Site {
	bound := false
	for _, dc := range d.Controllers {
		bound = bound || dc.Site != ""
	}
	if !bound {
		return nil
	}
	sites := []fakead.Site{{Name: ad.DefaultSite}}
	for _, name := range w.siteNames {
		if s := w.Sites[name]; s.Config().SeesDC && siteLabel.MatchString(name) {
			sites = append(sites, fakead.Site{Name: name, Subnets: []string{s.Address().String() + "/32"}})
		}
	}
	return sites
}

// policyOf is a password policy as the directory wants it: what the file does
// not say is 0, what it sets to 0 less than that.
func policyOf(p scenario.PasswordPolicy) fakead.Policy {
	number := func(n *int) int {
		switch {
		case n == nil:
			return 0
		case *n == 0:
			return -1
		}
		return *n
	}
	length := func(d *time.Duration) time.Duration {
		switch {
		case d == nil:
			return 0
		case *d == 0:
			return -1
		}
		return *d
	}
	return fakead.Policy{
		MinLength: number(p.MinLength), History: number(p.History), MaxAge: length(p.MaxAge), MinAge: length(p.MinAge),
		LockoutThreshold: number(p.LockoutThreshold), LockoutDuration: length(p.LockoutDuration), LockoutWindow: length(p.LockoutWindow),
	}
}

// once does something that a kept state has not seen yet.
func (w *World) once(what string, f func() error) error {
	if w.options.State == nil {
		return f()
	}
	if w.prepared == nil {
		w.prepared = store.NewTable[time.Time](w.options.State, "sim.prepared")
	}
	known := false
	err := w.options.State.View(func(tx *store.Tx) error {
		_, known = w.prepared.Get(tx, what)
		return nil
	})
	if err != nil || known {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return w.options.State.Update(func(tx *store.Tx) error {
		w.prepared.Put(tx, what, w.Clock.Now())
		return nil
	})
}

// openGateway has a VPN's gateway answer.
func (w *World) openGateway(host string) error {
	l, err := w.Network.Listen(host, 443)
	if err != nil {
		return err
	}
	w.Clock.GoDaemon(context.Background(), "VPN gateway "+host, func(ctx context.Context) {
		for {
			c, err := l.Accept(ctx)
			if err != nil {
				return
			}
			_ = c.Close() // that it was there is all that is asked of it
		}
	})
	return nil
}

// server is the network card of a server of the domain.
func (w *World) server(name, site string) *vnet.NIC {
	return w.Network.Attach(vnet.NICOptions{Device: name, Site: w.Sites[site], Roots: w.trusted})
}

func (w *World) addConnectors(h Hybrid) error {
	for i, c := range h.Connectors {
		units, _ := c.Units(h.Domain)
		o := connector.Options{
			Clock: w.Clock, Journal: w.Journal, Timing: w.Timing, Seed: w.Seed.Derive("domain"), Net: w.server(c.Name, c.Site),
			Name: c.Name, Domain: h.Domain.Name, Version: c.Version, OUs: units,
			Account: c.ServiceAccount(i), Password: w.servicePassword(c.Name), Token: w.Administrator().Token,
			NoLogOnAsService: c.NoLogOnAsService, PrivilegesPending: c.PrivilegesPending, SkipPrivilegeCheck: c.SkipPrivilegeCheck, NoModernTLS: c.NoModernTLS,
			Now: w.clockOf(time.Duration(c.Clock)),
		}
		made, err := connector.New(o)
		if err != nil {
			return err
		}
		if c.Stopped {
			made.Stop()
		}
		w.Connectors = append(w.Connectors, made)
	}
	return nil
}

// clockOf is a server's own clock; nil is the right one.
func (w *World) clockOf(ahead time.Duration) func() time.Time {
	if ahead == 0 {
		return nil
	}
	return func() time.Time { return w.Clock.Now().Add(ahead) }
}

// servicePassword is that of a server's account. It belongs to the run's first
// start: a kept directory has it still.
func (w *World) servicePassword(server string) string {
	return "Wt-" + vclock.Seed(0).UUID("service password", w.Tenant.ID, strings.ToLower(server))
}
