package hybrid_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
)

// shelved are so many pre-provisioned PCs that lie in the office for longer than
// a password of the domain lives.
func shelved(w *spec.World, n int) (pcs []*device.PC) {
	GinkgoHelper()
	for range n {
		pc := newPC(w)
		w.Provision(pc)
		pcs = append(pcs, pc)
	}
	for _, pc := range pcs {
		w.ShipTo(pc, "office", 0)
	}
	w.Wait(w.Timing.Domain.PasswordMaxAge + day)
	return pcs
}

// alexOf thinks of a new password where the domain wants one.
func alexOf(w *spec.World) sim.User {
	alex := w.User("alex")
	return sim.User{UPN: alex.UPN, Password: alex.Password, Language: "en-US", Stays: time.Hour, NewPassword: "An0ther-battery"}
}

// changed tells how often a password was changed at a PC, and how often the page
// for that was shown.
func changed(w *spec.World, pc *device.PC) (times, asks int) {
	for _, e := range w.Events(pc, "screen.shown") {
		if e.Text("screen") == oobe.ScreenChangePassword {
			asks++
		}
	}
	return len(w.Events(pc, "password.changed")), asks
}

var _ = Describe("a user whose password in the domain has expired on the shelf", func() {
	It("changes it at the first PC, uses the new one at the next, and another one when that has expired too", func() {
		w := newWorld()
		pcs := shelved(w, 3)
		for i, want := range []int{1, 0, 1} {
			if i == 2 {
				w.Wait(w.Timing.Domain.PasswordMaxAge + day)
			}
			Expect(unpackAs(w, pcs[i], alexOf(w))).To(Succeed())
			times, asks := changed(w, pcs[i])
			Expect([]int{times, asks}).To(Equal([]int{want, want}), "PC %d", i+1)
			Expect(w.Events(pcs[i], "logon.failed")).To(BeEmpty(), "PC %d", i+1)
		}
	})

	It("thinks of the new one at a second PC while the first is still being set up with it", func() {
		w := newWorld()
		pcs := shelved(w, 2)
		errs := make([]error, len(pcs))
		w.Do(func(ctx context.Context) {
			both := w.Clock.NewSemaphore("both PCs", int64(len(pcs)))
			for i, pc := range pcs {
				Expect(both.Acquire(ctx, 1)).To(Succeed())
				user := w.NewUser(alexOf(w))
				w.Clock.Go(ctx, "alex at "+pc.Name, func(ctx context.Context) {
					defer both.Release(1)
					if errs[i] = w.Clock.Sleep(ctx, time.Duration(i)*90*time.Second, "alex goes to the next PC"); errs[i] == nil {
						errs[i] = user.Unpack(ctx, pc)
					}
				})
			}
			Expect(both.Acquire(ctx, int64(len(pcs)))).To(Succeed())
		})
		Expect(errs).To(HaveEach(BeNil()))
		Expect(w.Events(pcs[0], "password.changed")).To(HaveLen(1))
		Expect(w.Events(pcs[1], "password.changed")).To(BeEmpty())
		Expect(w.Texts(pcs[1], "logon.failed", "code")).To(ConsistOf("0xC000006D"), "the old one, once")
	})
})
