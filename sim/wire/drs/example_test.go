package drs_test

import (
	"fmt"

	"windtunnel.test/sim/wire/drs"
)

func Example() {
	d := drs.NewDiscovery(drs.TenantInfo{TenantID: "3d1f6e5a-9c0b-4b7e-8a64-0f2c51d7e9ab", TenantName: "contoso.com"})
	fmt.Println(d.DeviceJoinService.URL)

	refused := drs.ErrorDetails{Code: drs.AuthorizationError, SubCode: drs.SubMsaTicketTPM, Message: "no TPM validation"}
	fmt.Println(refused.HResult())

	sid, _ := drs.SID("5ac77e30-1d2e-4f3a-8b9c-0d1e2f3a4b5c")
	fmt.Println(sid)
	// Output:
	// https://enterpriseregistration.windows.net/EnrollmentServer/device/
	// 0x801C0003 (DSREG_E_DEVICE_AUTHORIZATION_ERROR)
	// S-1-12-1-1523023408-1329208622-504208523-1548433967
}
