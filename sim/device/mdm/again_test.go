package mdm_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/syncml"
)

// A package that was given up is taken up again by whoever wants another try,
// and only then; on the status page's list it is pending meanwhile.
func TestAgain(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	exec := publish(r, installer.Manifest{Product: "Agent", Version: "1.0", MSI: true, Duration: time.Second, ExitCodes: []int{1603, 1603}}, 100, false)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		list := csp.JoinCounted([]csp.Counted{{URI: pkg.Status(), Count: 1}})
		s.codes(w, deviceSession, replace(csp.FirstSyncStatus(csp.Device, csp.ExpectedMSIAppPackages), list), exec)
		uri, err := csp.Canonical(pkg.Status())
		r.OK(err)
		listed := func() uint32 {
			key := device.KeyESPInfo + `\ExpectedMSIAppPackages\`
			v, _ := w.Registry().DWORD(key+w.Registry().Subkeys(key)[0], uri)
			return v
		}
		r.OK(w.Sleep(10*time.Minute, "both attempts"))
		r.Expect(status(w)).To(gomega.Equal(csp.MSIEnforceFailed))
		r.Expect(listed()).NotTo(gomega.BeElementOf(uint32(0), uint32(1)))
		mdm.Again(w, "")
		r.Expect(listed()).To(gomega.BeZero())
		r.OK(w.Sleep(10*time.Minute, "another attempt"))
		r.Expect(status(w)).To(gomega.Equal(csp.MSIEnforced))
		r.Expect(listed()).To(gomega.Equal(uint32(1)))
		mdm.Again(w, "")
		r.Expect(listed()).To(gomega.Equal(uint32(1)), "nothing was given up")
	})
}

// The first sync's nodes take some values for good (DMClient CSP).
func TestLatches(t *testing.T) {
	for _, c := range []struct {
		node   string
		values []string
		want   []int
	}{
		{csp.ServerHasFinishedProvisioning, []string{"false", "true", "true", "false"}, []int{200, 200, 200, 405}},
		{csp.IsSyncDone, []string{"false", "true", "true", "false"}, []int{200, 200, 405, 405}},
		{csp.WasDeviceSuccessfullyProvisioned, []string{"2", "0", "0", "1", "2"}, []int{200, 200, 200, 405, 405}},
		{csp.WasDeviceSuccessfullyProvisioned, []string{"1", "0"}, []int{200, 405}},
		{csp.InstallQualityUpdates, []string{"true", "false"}, []int{200, 200}},
	} {
		r := rig.New(t)
		s := serve(r)
		r.Once(1, func(w *device.Windows) {
			r.Enrol(w, address)
			var commands []syncml.Command
			for _, v := range c.values {
				commands = append(commands, replace(csp.FirstSyncStatus(csp.Device, c.node), v))
			}
			r.Expect(s.codes(w, deviceSession, commands...)).To(gomega.Equal(c.want), c.node)
		})
	}
}
