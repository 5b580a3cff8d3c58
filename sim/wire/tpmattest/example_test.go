package tpmattest_test

import (
	"fmt"
	"os"

	"windtunnel.test/sim/wire/tpmattest"
)

// A service checks an AIK's word about itself, then the AIK's word about another key.
func Example() {
	raw, err := os.ReadFile("testdata/statement.bin")
	if err != nil {
		fmt.Println(err)
		return
	}
	statement, err := tpmattest.ParseStatement(raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	binding, err := tpmattest.ParseIDBinding(statement.IDBinding)
	if err != nil {
		fmt.Println(err)
		return
	}
	aik, err := binding.Verify(nil)
	fmt.Println("AIK:", aik.Area.ObjectAttributes.Restricted, err)

	kads, err := tpmattest.ParseKeyAttestation(statement.KeyAttestation)
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := kads.Public()
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = tpmattest.VerifyCertify(aik.Key, kads.Attest, kads.Signature, []byte("golden"), key, nil)
	fmt.Println("fresh:", err)
	_, err = tpmattest.VerifyCertify(aik.Key, kads.Attest, kads.Signature, []byte("replayed"), key, nil)
	fmt.Println("replayed:", tpmattest.CheckOf(err))
	// Output:
	// AIK: true <nil>
	// fresh: <nil>
	// replayed: qualifyingData
}
