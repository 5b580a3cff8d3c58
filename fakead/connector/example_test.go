package connector_test

import (
	"fmt"

	"windtunnel.test/fakead/connector"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// A connector is made of the server that it is on; Run is its actor.
func Example() {
	clock := vclock.NewVirtual(vclock.Options{})
	defer clock.Stop()
	network := vnet.New(clock, vnet.Options{})
	c, err := connector.New(connector.Options{Clock: clock, Net: network.Attach(vnet.NICOptions{Device: "server1"}), Name: "server1",
		Domain: "corp.contoso.com", OUs: []string{"OU=Autopilot,DC=corp,DC=contoso,DC=com"}, Account: "msaODJ12345$", Password: "its own"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Name(), c.Status().Running)
	// Output: server1 false
}
