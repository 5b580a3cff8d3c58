package mdm_test

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/wire/syncml"
)

const (
	kioskNode    = "./Device/Vendor/MSFT/AssignedAccess/Configuration"
	firmwareNode = "./Device/Vendor/MSFT/Uefi/Settings/Apply"
	proxyNode    = "./Device/Vendor/MSFT/NetworkProxy/ProxyServer/ProxyAddress"
)

// A kiosk's own account is signed in by what Winlogon reads; a configuration that
// is there already does not write that again.
func TestKiosk(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		user := func() string { return w.Registry().String(device.KeyWinlogon, "DefaultUserName") }
		const configuration = "<Config><AutoLogonAccount/></Config>"
		r.Expect(s.codes(w, deviceSession, replace(kioskNode, configuration))).To(gomega.Equal([]int{200}))
		r.Expect(user()).To(gomega.Equal(device.KioskUser))
		w.Registry().Delete(device.KeyWinlogon, "DefaultUserName")
		r.Expect(s.codes(w, deviceSession, replace(kioskNode, configuration))).To(gomega.Equal([]int{200}))
		r.Expect(user()).To(gomega.BeEmpty())
		r.Expect(s.codes(w, deviceSession, replace(kioskNode, configuration+" "))).To(gomega.Equal([]int{200}))
		r.Expect(user()).To(gomega.Equal(device.KioskUser))
		r.Expect(s.codes(w, deviceSession, syncml.NewDelete(kioskNode))).To(gomega.Equal([]int{200}))
		r.Expect(user()).To(gomega.BeEmpty())
	})
}

// Some builds of Windows Pro have no node for firmware before somebody is at
// work; other builds and editions have.
func TestFirmwareOfProComesLate(t *testing.T) {
	for _, c := range []struct {
		build, edition string
		setup, work    int
	}{
		{"26100.2453", "Pro", 404, 200}, {"26100.2454", "Pro", 200, 200}, {"26100.2453", "Enterprise", 200, 200},
	} {
		r := rig.New(t)
		s := serve(r)
		r.Once(1, func(w *device.Windows) {
			w.Installation.Build, w.Installation.Edition = c.build, c.edition
			r.Enrol(w, address)
			r.Expect(s.codes(w, deviceSession, replace(firmwareNode, "YQ=="))).To(gomega.Equal([]int{c.setup}), c.build+c.edition)
			w.LogOn(device.Account{SID: "S-1-12-1-1", Name: "alex"})
			r.Expect(s.codes(w, deviceSession, replace(firmwareNode, "YQ=="))).To(gomega.Equal([]int{c.work}), c.build+c.edition)
		})
	}
}

// A proxy whose name is not known where the PC is lets nothing out.
func TestProxyOfPolicy(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		r.Expect(s.codes(w, deviceSession, replace("./Device/Vendor/MSFT/NetworkProxy/AutoDetect", "0"))).To(gomega.Equal([]int{200}))
		w.Registry().SetString(device.KeyProxy, "ProxyAddress", "proxy.nowhere.test:8080")
		_, err := w.Do(device.Request{Op: "ask", Method: "GET", URL: address})
		r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("no such host")))
		w.Registry().Delete(device.KeyProxy, "ProxyAddress")
		_, err = w.Do(device.Request{Op: "ask", Method: "GET", URL: address})
		r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("certificate required")), "the server was reached")
		value, code := s.value(w, proxyNode)
		r.Expect(code).To(gomega.Equal(404))
		r.Expect(value).To(gomega.BeEmpty())
	})
}
