package mdm_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
)

// Whoever signs in on an ordinary day is synced at once; under the status page
// it is the page that opens sessions.
func TestSessionsAtSignIn(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	seen := func() (logins []string) {
		for _, b := range s.begun {
			logins = append(logins, string(b.Login))
		}
		return logins
	}
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		mdm.ProvideTokens(w, func(*device.Windows) (string, bool) { return "of.the.broker", true })
		w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
		w.InstallService(mdm.ServiceSchedule)
		w.LogOn(device.Account{SID: sid, Name: "anna"})
		r.OK(w.Sleep(time.Minute, "under the status page"))
		r.Expect(seen()).To(gomega.BeEmpty())
		w.LogOff()
		w.Registry().SetDWORD(device.KeyEnrollments+`\{1}\FirstSync\`+sid, "IsSyncDone", 1)
		w.LogOn(device.Account{SID: sid, Name: "anna"})
		r.OK(w.Sleep(time.Minute, "an ordinary day"))
		r.Expect(seen()).To(gomega.Equal([]string{mdm.LoginOthers, mdm.LoginUser}))
		w.LogOff()
		w.LogOn(device.Account{SID: sid, Name: "defaultuser0", Default: true})
		r.OK(w.Sleep(time.Minute, "setup's own account"))
		r.Expect(seen()).To(gomega.HaveLen(2))
	})
}
