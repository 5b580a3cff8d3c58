package syncml_test

import (
	"fmt"

	"windtunnel.test/sim/wire/syncml"
)

// A server answers a device's first message and asks for a node.
func Example() {
	device := syncml.Initiation{
		SessionID: "1", Server: "https://mdm.example/omadm", Device: "pc-1", Login: syncml.LoginNone,
		BootstrapSync: syncml.BootstrapDevice, DevInfo: syncml.DevInfo{DevID: "pc-1", DmV: "1.3"},
	}
	received, err := syncml.Decode(device.Message().Encode())
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := &syncml.Message{Header: syncml.Header{SessionID: "1", MsgID: 1}, Final: true}
	answer.Append(syncml.HeaderStatus(received, syncml.OK))
	for i := range received.Commands {
		answer.Append(syncml.StatusFor(received, &received.Commands[i], syncml.OK))
	}
	answer.Append(syncml.NewGet("./DevDetail/SwV"))
	answer.Number()
	fmt.Println(len(received.Commands), "commands answered; session over:", answer.EndsSession())
	// Output: 4 commands answered; session over: false
}
