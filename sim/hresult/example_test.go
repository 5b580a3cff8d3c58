package hresult_test

import (
	"errors"
	"fmt"

	"windtunnel.test/sim/hresult"
)

func Example() {
	refused := errors.New("Enrollment blocked for AP device by SDM One Time Limit Check")
	err := fmt.Errorf("technician flow: %w", &hresult.Error{
		Op: "mdm.enroll", Phase: "MDMEnrolling", Code: hresult.EnrollDeviceNotSupported, Err: refused,
	})
	code, _ := hresult.CodeOf(err)
	fmt.Println(code)
	fmt.Println(code.Meaning())
	// Output:
	// 0x80180014 (MENROLL_E_DEVICENOTSUPPORTED)
	// platform or version is not accepted, or the one-time limit of a pre-provisioned device is used up
}
