package maa_test

import (
	"fmt"

	"windtunnel.test/sim/wire/maa"
)

// The first message, and what its answer brings.
func Example() {
	question, err := maa.Encode(maa.ToService{Type: maa.TypeAIKCert})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(question))
	answer, err := maa.Decode[maa.ToClient]([]byte(`{"challenge":"YSBub25jZQ","service_context":"AQID"}`))
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %x\n", answer.Challenge, []byte(answer.ServiceContext))
	// Output:
	// {"data":"eyJ0eXBlIjoiYWlrY2VydCJ9"}
	// a nonce 010203
}
