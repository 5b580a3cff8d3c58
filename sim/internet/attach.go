package internet

import (
	"fmt"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/hosts"
)

// Attach puts the connectivity test, a time server on true time and the
// content networks of Intune, the Store and Office on n.
func Attach(n *vnet.Network, clock vclock.Clock, content *Content) error {
	n.Serve(hosts.NCSI, NCSI{})
	for _, host := range []string{hosts.ContentCDN, hosts.Store, hosts.OfficeCDN} { // each path has one home
		n.Serve(host, content)
	}
	if err := n.ServePacket(hosts.NTP, 123, TimeServer(clock.Now)); err != nil {
		return fmt.Errorf("internet: time server: %w", err)
	}
	return nil
}
