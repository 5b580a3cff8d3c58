package csp_test

import (
	"fmt"

	"windtunnel.test/sim/wire/csp"
)

// A server tells the status page to wait for one policy and one MSI.
func Example() {
	lock := csp.Policy{Scope: csp.Device, Area: "DeviceLock", Name: "MinDevicePasswordLength"}
	agent := csp.MSI{Scope: csp.Device, ProductCode: "{A}"}
	expected := csp.Expected{Policies: []string{lock.Config()}, MSIs: []csp.Counted{{URI: agent.Status(), Count: 1}}}
	for _, node := range expected.Nodes(csp.Device) {
		fmt.Println(node.URI)
		fmt.Println(" ", node.Value)
	}
	// Output:
	// ./Device/Vendor/MSFT/DMClient/Provider/MS%20DM%20Server/FirstSyncStatus/ExpectedPolicies
	//   ./Device/Vendor/MSFT/Policy/Config/DeviceLock/MinDevicePasswordLength
	// ./Device/Vendor/MSFT/DMClient/Provider/MS%20DM%20Server/FirstSyncStatus/ExpectedMSIAppPackages
	//   ./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7BA%7D/Status;1
}
