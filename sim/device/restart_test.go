package device_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
)

// A restart from inside a service ends the boot: what was cut off writes, shows
// and journals nothing any more, and the TPM is shut down in order.
func TestRestartFromInside(t *testing.T) {
	const key = `HKLM\SOFTWARE\Test`
	r := newRig(t)
	o := r.options("PC-1", func(w *device.Windows) error {
		if w.Boot > 1 {
			r.Expect(w.RestartNeeded()).To(gomega.BeEmpty(), "it has been restarted")
			_, on := w.LoggedOn()
			r.Expect(on).To(gomega.BeFalse())
			w.ShutDown("a test")
			w.Event("never")
			return errors.New("of no interest")
		}
		w.LogOn(device.Account{Name: "ada"})
		w.NeedRestart("b")
		w.NeedRestart("a")
		w.NeedRestart("b")
		r.Expect(w.RestartNeeded()).To(gomega.Equal([]string{"a", "b"}))
		w.Registry().SetString(key, "before", "yes")
		w.Service("installer", func(ctx context.Context) {
			_ = w.Clock.Sleep(ctx, time.Minute, "install")
			w.Restart("a package")
			w.Restart("another")
			w.Registry().SetString(key, "after", "yes")
			w.Event("never")
		})
		_, err := w.Ask(page)
		r.Expect(context.Cause(w.Ctx)).To(gomega.MatchError(device.ErrReboot))
		w.Registry().SetString(key, "later", "yes")
		w.Show(device.Screen{ID: "never"})
		return err
	})
	o.Chip = r.chip(1)
	pc := device.New(o)
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
	r.Expect(pc.Boots()).To(gomega.Equal(2))
	r.Expect(pc.WentDark()).To(gomega.BeFalse())
	r.Expect(pc.Disk.Registry.ValueNames(key)).To(gomega.Equal([]string{"before"}))
	r.Expect(r.kinds("PC-1", "device.", "never", "tpm.shutdown.failed")).To(gomega.Equal([]string{
		"device.power.on", "device.restart", "device.reboot", "device.power.on", "device.shutdown", "device.power.off",
	}))
}

// The power goes at the very event of a restart: that is a loss of power, and
// no restart.
func TestPowerCutAtARestart(t *testing.T) {
	r := newRig(t, fault.Rule{Name: "cut", When: fault.When{Layer: fault.Event, Operation: "device.restart"}, Do: fault.Action{CutPower: true}})
	pc := device.New(r.options("PC-1", func(w *device.Windows) error {
		w.Restart("a test")
		return context.Cause(w.Ctx)
	}))
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		r.ok(pc.AwaitOff(ctx))
		r.Expect(pc.WentDark()).To(gomega.BeTrue())
	})
	r.drive()
	r.Expect(pc.Boots()).To(gomega.Equal(1))
}

// What goes on behind a cover is seen when it is gone; what is pressed is
// pressed on the cover.
func TestCover(t *testing.T) {
	r := newRig(t)
	lock := device.Screen{ID: "lock", Buttons: []string{"Unlock"}}
	pc := device.New(r.options("PC-1", func(w *device.Windows) error {
		w.Show(page)
		c := w.Cover(lock)
		w.Show(device.Screen{ID: "behind"})
		in, err := c.Ask()
		r.ok(err)
		r.Expect(in.Values).To(gomega.HaveKeyWithValue("Password", "wrong"))
		c.Change(lock)
		_, err = c.Ask()
		r.ok(err)
		r.ok(w.Sleep(time.Minute, "behind"))
		r.Expect(w.Idle()).To(gomega.BeNumerically(">=", time.Minute))
		c.Remove()
		r.Expect(w.Idle()).To(gomega.BeZero())
		_, err = w.Ask(page)
		r.ok(err)
		return device.ErrShutdown
	}))
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		seen := 0
		for _, step := range []struct{ id, button string }{{"lock", "Unlock"}, {"lock", "Unlock"}, {page.ID, page.Buttons[0]}} {
			s, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == step.id && len(s.Buttons) > 0 && s.Shown > seen })
			r.ok(err)
			seen = s.Shown
			r.ok(r.clock.Sleep(ctx, time.Second, "look"))
			r.ok(pc.Press(ctx, step.button, map[string]string{"Password": "wrong"}))
		}
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
}

func TestReplaceBoard(t *testing.T) {
	r := newRig(t)
	o := r.options("PC-1", func(w *device.Windows) error {
		if w.Disk.Keys.Get("mine") == nil {
			_, err := w.NewKey(w.Ctx, "mine")
			r.ok(err)
			return device.ErrShutdown
		}
		_, err := w.Key(w.Ctx, "mine")
		r.Expect(err).To(gomega.MatchError(device.ErrNoKey), "of another TPM")
		return device.ErrShutdown
	})
	o.Chip, o.Packages = r.chip(1), map[string][]byte{"a.ppkg": []byte("{}")}
	pc := device.New(o)
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		r.Expect(pc.ReplaceBoard(pc.Hardware, nil)).To(gomega.MatchError(device.ErrOn))
		r.ok(pc.AwaitOff(ctx))
		h := pc.Hardware
		h.Serial = "NEW"
		r.ok(pc.ReplaceBoard(h, r.chip(2)))
		r.ok(pc.PowerOn(ctx))
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
	r.Expect(pc.Hardware.Serial).To(gomega.Equal("NEW"))
	pc.Disk.Files.Write("x", nil)
	pc.Disk.Wipe(pc.Hardware)
	pc.Wiped()
	r.Expect(pc.Disk.Files.List("")).To(gomega.Equal([]string{`c:\recovery\customizations\a.ppkg`}), "a wipe keeps the recovery image's packages")
}
