package aik_test

import (
	"fmt"

	"windtunnel.test/sim/wire/aik"
)

// Where a device with an Infineon TPM goes for its AIK certificate, and what it makes of a service that does not know
// its vendor's CA.
func Example() {
	tpm := aik.TPMName{Manufacturer: "id:49465800", Model: "SLB9670", Version: "id:00070055"}
	host := aik.Host(tpm.Vendor(), []byte{0xc2, 0xef, 0x64, 0x1c})
	fmt.Println(aik.URL(host, "GetCACaps"))

	answer := aik.NewAnswer(aik.UnknownAuthority, host)
	outcome, message := aik.OutcomeOf(answer.Status, answer.Body)
	fmt.Println(outcome, outcome.Code().Hex())
	fmt.Println(message)
	// Output:
	// https://ifx-keyid-c2ef641c.microsoftaik.azure.net/templates/Aik/scep?operation=GetCACaps
	// unknown authority 0x80190194
	// The authority "ifx-keyid-c2ef641c.microsoftaik.azure.net" does not exist.
}
