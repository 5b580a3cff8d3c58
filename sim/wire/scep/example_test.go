package scep_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"time"

	"windtunnel.test/sim/wire/scep"
)

// A reply that refuses, as the requester reads it.
func Example() {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := scep.NewSigner(key, time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), 367*24*time.Hour, stream("server"))
	if err != nil {
		fmt.Println(err)
		return
	}
	nonce, err := scep.NewNonce(stream("nonce"))
	if err != nil {
		fmt.Println(err)
		return
	}
	request := scep.Attributes{MessageType: scep.PKCSReq, TransactionID: "42", SenderNonce: nonce}

	attrs := request.Reply(scep.Failure, nonce)
	attrs.FailInfo, attrs.FailText = scep.BadRequest, "not today"
	der, err := scep.Message{Attributes: attrs}.Sign(server)
	if err != nil {
		fmt.Println(err)
		return
	}

	reply, err := scep.Parse(der)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(reply.CheckReply(request), reply.FailInfo, reply.FailText)
	// Output: <nil> badRequest not today
}
