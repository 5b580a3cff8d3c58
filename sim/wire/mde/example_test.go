package mde_test

import (
	"errors"
	"fmt"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/mde"
)

// A technician's device asks to enrol, and the service refuses it.
func Example() {
	request, err := mde.EncodeEnrol(
		mde.Header{MessageID: "urn:uuid:1", To: "https://mdm.example" + mde.EnrolPath, Security: mde.EntraSecurity("device.access.token")},
		&mde.Enrol{Request: []byte("PKCS#10"), Context: mde.Context{EnrollmentType: mde.EnrolDevice, WhiteGlove: true}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	header, enrol, err := mde.DecodeEnrol(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("pre-provisioning:", enrol.Context.WhiteGlove, "by", header.Security.Mode())

	fault, _ := mde.NewFault(hresult.EnrollDeviceNotSupported, "was pre-provisioned before")
	response, err := mde.EncodeFault(header.Reply(), fault)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = mde.DecodeEnrolResult(response)
	var refused *mde.Fault
	if errors.As(err, &refused) {
		fmt.Println("device shows", refused.Code().Hex())
	}
	// Output:
	// pre-provisioning: true by entra
	// device shows 0x80180014
}
