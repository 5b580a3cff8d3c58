package sidecar_test

import (
	"fmt"

	"windtunnel.test/sim/wire/sidecar"
)

// The gateway answers GetSelectedApp, and the agent reads its apps.
func Example() {
	request, err := sidecar.NewSession("11111111-2222-4333-8444-555555555555", sidecar.GetSelectedApp, "AgentRestart", sidecar.ClientInfo{DeviceName: "PC-1"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	payload, err := sidecar.EncodeApps([]sidecar.App{{ID: "a", Name: "VPN client", Intent: sidecar.Required}})
	if err != nil {
		fmt.Println(err)
		return
	}
	apps, err := sidecar.DecodeApps(*request.Answer(payload).ResponsePayload)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(apps[0].Name, apps[0].Intent == sidecar.Required)
	// Output: VPN client true
}
