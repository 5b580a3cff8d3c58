package odj_test

import (
	"fmt"

	"windtunnel.test/sim/wire/odj"
)

// A producer writes a blob; a PC reads it.
func Example() {
	blob, err := odj.Encode(odj.Win7{Domain: "corp.contoso.com", MachineName: "AP-000001", MachinePassword: "secret",
		DNSDomain: odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	received, err := odj.ParseText(odj.Text(blob))
	if err != nil {
		fmt.Println(err)
		return
	}
	join, err := odj.Decode(received)
	fmt.Println(join.MachineName, join.DNSDomain.DNS, err)
	// Output: AP-000001 corp.contoso.com <nil>
}
