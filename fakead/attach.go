package fakead

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// Attach serves every controller in a network, each on its own ports under
// <controller>.<domain>, and the first under <domain> too. The domain's names
// are then seen only where a domain controller is, and its controllers are the
// name servers there.
func (f *Forest) Attach(n *vnet.Network) error {
	ctx := vclock.Daemon(context.Background())
	h := f.home(f.o.Clock)
	var names []string
	for i, c := range f.controllers {
		s := h.servers[i]
		hosts := []string{c.replica.HostName()}
		if i == 0 {
			hosts = append(hosts, f.Domain())
		}
		for _, host := range hosts {
			if err := f.attachHost(ctx, n, s, host); err != nil {
				return fmt.Errorf("fakead: %s: %w", host, err)
			}
		}
		names = append(names, hosts[0])
	}
	n.DomainOnly(f.Domain(), "*."+f.Domain())
	n.SetNameServers(names...)
	return nil
}

func (f *Forest) attachHost(ctx context.Context, n *vnet.Network, s *servers, host string) error {
	for _, p := range s.streams() {
		l, err := n.Listen(host, p.port)
		if err != nil {
			return err
		}
		if strings.EqualFold(host, s.c.replica.HostName()) {
			s.setAddress(l.Addr())
		}
		f.o.Clock.GoDaemon(ctx, "fakead."+p.name, func(ctx context.Context) {
			// It ends when the listener or the clock does.
			_ = l.Serve(ctx, "fakead."+p.name, func(ctx context.Context, c *vnet.Conn) { p.stream(ctx, c) })
		})
	}
	for _, p := range s.packets() {
		if err := n.ServePacket(host, p.port, p.packet); err != nil {
			return err
		}
	}
	return nil
}

// setAddress says where the server is reached, which it tells its clients.
func (s *servers) setAddress(a net.Addr) {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return
	}
	s.ldap.Address = ap.Addr()
	s.home.addresses[s.c.index] = []netip.Addr{ap.Addr()}
}
