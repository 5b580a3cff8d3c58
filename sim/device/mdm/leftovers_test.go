package mdm_test

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/hosts"
)

// What an image brings of an earlier management keeps a PC from enrolling.
func TestLeftovers(t *testing.T) {
	const other = device.KeyEnrollments + `\{other}`
	for name, c := range map[string]struct {
		image func(r *device.Registry)
		want  hresult.Code
	}{
		"somebody else's enrolment": {func(r *device.Registry) {
			r.SetString(other, "ProviderID", "MS DM Server")
			r.SetString(other, "UPN", "sam@contoso.com")
		}, hresult.EnrollAlreadyEnrolled},
		"the user's own": {func(r *device.Registry) {
			r.SetString(other, "ProviderID", "MS DM Server")
			r.SetString(other, "UPN", "ADA@contoso.com")
		}, hresult.OK},
		"no provider": {func(r *device.Registry) { r.SetString(other, "UPN", "sam@contoso.com") }, hresult.OK},
		"account":     {func(r *device.Registry) { r.SetString(`HKLM\SOFTWARE\Microsoft\OnlineManagement`, "AccountId", "x") }, hresult.InstallSourceAbsent},
		"agent": {func(r *device.Registry) {
			r.SetDWORD(device.KeyServices+`\OnlineManagementAgent`, "Start", device.StartAutomatic)
		}, hresult.EnrollManagementBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			r.Net.Serve(hosts.Enrollment, &authority{Rig: r, version: "7.0"})
			r.Once(1, func(w *device.Windows) {
				c.image(w.Registry())
				code, _ := hresult.CodeOf(mdm.Enroll(w, mdm.Enrollment{Token: "a.b.c", UPN: "ada@contoso.com", UserDriven: true}))
				r.Expect(code).To(gomega.Equal(c.want))
			})
		})
	}
}
