package device_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/vclock"
)

const disk = `HKLM\Test`

func TestPowerOnTwice(t *testing.T) {
	r := newRig(t)
	pc := r.pc("PC-1", func(w *device.Windows) error { return device.ErrShutdown })
	r.Expect(pc.On()).To(gomega.BeFalse())
	r.Expect(pc.NIC.IsUp()).To(gomega.BeFalse())
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		r.Expect(pc.PowerOn(ctx)).To(gomega.MatchError(gomega.ContainSubstring("it is on already")))
		r.ok(pc.AwaitOff(ctx))
		r.ok(pc.PowerOn(ctx))
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
	r.Expect(pc.Boots()).To(gomega.Equal(2))
	r.Expect(pc.NIC.IsUp()).To(gomega.BeFalse())
}

func TestRebootLoop(t *testing.T) {
	r := newRig(t)
	var boots []int
	pc := r.once(func(w *device.Windows) error {
		boots = append(boots, w.Boot)
		n, _ := w.Registry().DWORD(disk, "n")
		w.Registry().SetDWORD(disk, "n", n+1)
		if n < 3 {
			return device.ErrReboot
		}
		return device.ErrShutdown
	})
	r.Expect(boots).To(gomega.Equal([]int{1, 2, 3, 4}))
	r.Expect(r.kinds("PC-1", "device.")).To(gomega.Equal([]string{
		"device.power.on", "device.reboot", "device.power.on", "device.reboot", "device.power.on", "device.reboot", "device.power.on", "device.power.off",
	}))
	r.Expect(pc.Screen().ID).To(gomega.Equal("off"))
}

// The power goes while the program waits for something; what it had written is
// there, what it wanted to write is not, and the next boot finds it so.
func TestPowerCutInTheMiddle(t *testing.T) {
	for name, wait := range map[string]func(w *device.Windows) error{
		"sleep": func(w *device.Windows) error { return w.Sleep(time.Hour, "sleep") },
		"tpm": func(w *device.Windows) error {
			for {
				if _, err := w.NewKey(w.Ctx, "k"); err != nil {
					return err
				}
			}
		},
		"http": func(w *device.Windows) error {
			_, err := w.Do(device.Request{Op: "get", Method: http.MethodGet, URL: "https://slow.example/"})
			return err
		},
		"screen": func(w *device.Windows) error { _, err := w.Ask(page); return err },
		"signal": func(w *device.Windows) error { return w.Signal("never").Wait(w.Ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.serve("slow.example", func(_ http.ResponseWriter, q *http.Request) { _ = r.clock.Sleep(q.Context(), time.Hour, "slow") })
			program := func(w *device.Windows) error {
				if w.Boot == 2 {
					return device.ErrShutdown
				}
				w.Registry().SetString(disk, "before", "yes")
				err := wait(w)
				w.Registry().SetString(disk, "after", err.Error())
				w.Disk.Files.Write("after", nil)
				w.Event("after")
				w.Show(page)
				return err
			}
			o := r.options("PC-1", program)
			o.Chip = r.chip(1)
			pc := device.New(o)
			r.actor("hand", func(ctx context.Context) {
				r.ok(pc.PowerOn(ctx))
				r.ok(r.clock.Sleep(ctx, 90*time.Second+17*time.Millisecond, "wait"))
				pc.CutPower()
				began := r.clock.Now()
				r.ok(pc.AwaitOff(ctx))
				r.Expect(r.clock.Now()).To(gomega.Equal(began), "at once")
				pc.CutPower() // of a PC that is off: nothing
				r.ok(pc.PowerOn(ctx))
				r.ok(pc.AwaitOff(ctx))
			})
			r.drive()
			r.Expect(pc.Disk.Registry.String(disk, "before")).To(gomega.Equal("yes"))
			r.Expect(pc.Disk.Registry.ValueNames(disk)).To(gomega.Equal([]string{"before"}))
			r.Expect(pc.Disk.Files.List("after")).To(gomega.BeEmpty())
			r.Expect(r.kinds("PC-1", "device.", "after")).To(gomega.Equal([]string{"device.power.on", "device.power.off", "device.power.on", "device.power.off"}))
			r.Expect(r.memory.Timeline("PC-1")).To(gomega.ContainElement(gomega.HaveField("Kind", "device.power.off")))
		})
	}
}

// The power goes at the nth event, whichever that is: during the boot, during
// the shutdown, between two boots. The PC is off then, and starts again.
func TestPowerCutAtEveryEvent(t *testing.T) {
	count := 0
	for n := 1; n == 1 || n <= count; n++ {
		r := newRig(t, fault.Rule{Name: "cut", When: fault.When{Layer: fault.Event, Nth: n}, Do: fault.Action{CutPower: true}})
		o := r.options("PC-1", func(w *device.Windows) error {
			w.Service("s", func(ctx context.Context) { _ = w.Clock.Sleep(ctx, time.Hour, "s") })
			w.Event("one")
			w.Show(page)
			w.Event("two")
			if w.Boot == 1 {
				return device.ErrReboot
			}
			return device.ErrShutdown
		})
		o.Chip = r.chip(1)
		pc := device.New(o)
		r.actor("hand", func(ctx context.Context) {
			r.ok(pc.PowerOn(ctx))
			r.ok(pc.AwaitOff(ctx))
			r.Expect(pc.On()).To(gomega.BeFalse())
			r.Expect(pc.Chip.On()).To(gomega.BeFalse())
			if count == 0 {
				return
			}
			r.ok(pc.PowerOn(ctx))
			r.ok(pc.AwaitOff(ctx))
		})
		r.drive()
		var why []any
		for _, e := range r.memory.Timeline("PC-1") {
			if e.Kind == "device.power.off" {
				why = append(why, e.Fields[0].Value)
			}
		}
		if count > 0 && n <= 11 {
			r.Expect(why[0]).To(gomega.Equal(device.ErrPowerLost.Error()), "event %d", n)
		}
		if n == 1 {
			count = 12 // power on, firmware, one, page, two, reboot; and again
		}
	}
}

func TestPowerCutBeforeAnythingRan(t *testing.T) {
	r := newRig(t)
	pc := r.pc("PC-1", func(w *device.Windows) error { return device.ErrShutdown })
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		pc.CutPower()
		r.ok(r.clock.Sleep(ctx, time.Second, "look"))
		r.Expect(pc.On()).To(gomega.BeFalse())
	})
	r.drive()
	r.Expect(pc.Boots()).To(gomega.BeZero())
}

func TestPowerCutDuringShutdown(t *testing.T) {
	r := newRig(t)
	r.timing = timingWith(r, "device.shutdown", "10m..10m")
	o := r.options("PC-1", func(w *device.Windows) error { return device.ErrReboot })
	pc := device.New(o)
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		r.ok(r.clock.Sleep(ctx, 5*time.Minute, "in the middle of the shutdown"))
		pc.CutPower()
		r.ok(r.clock.Sleep(ctx, time.Second, "look"))
		r.Expect(pc.On()).To(gomega.BeFalse())
	})
	r.drive()
	r.Expect(pc.Boots()).To(gomega.Equal(1))
}

func TestServicesEndWithTheBoot(t *testing.T) {
	r := newRig(t)
	var ended []time.Duration
	began := 0
	pc := r.once(func(w *device.Windows) error {
		w.Service("forever", func(ctx context.Context) {
			began++
			_ = w.Clock.Sleep(ctx, 1000*time.Hour, "forever")
			ended = append(ended, w.Clock.Now().Sub(start))
		})
		w.Service("forever", func(context.Context) { began += 100 })
		if w.Boot == 1 {
			r.ok(w.Sleep(time.Minute, "work"))
			return device.ErrReboot
		}
		return device.ErrShutdown // the service has not even begun
	})
	r.Expect(pc.On()).To(gomega.BeFalse())
	r.Expect(began).To(gomega.Equal(2))
	r.Expect(ended).To(gomega.HaveLen(2))
}

// A service outlives the step in whose course it was started.
func TestServiceOutlivesTheStep(t *testing.T) {
	r := newRig(t)
	ticks := 0
	r.once(func(w *device.Windows) error {
		w.Provide("svc", func(ctx context.Context) {
			for w.Clock.Sleep(ctx, time.Minute, "tick") == nil {
				ticks++
			}
		})
		ctx, cancel := w.Clock.WithTimeout(w.Ctx, time.Minute, errors.New("step over"))
		w.Under(ctx).InstallService("svc")
		cancel()
		r.ok(w.Sleep(10*time.Minute+time.Second, "page"))
		return device.ErrShutdown
	})
	r.Expect(ticks).To(gomega.Equal(10))
}

func TestServiceStartTypes(t *testing.T) {
	r := newRig(t)
	var ran []string
	r.once(func(w *device.Windows) error {
		for _, n := range []string{"auto", "manual", "disabled", "absent"} {
			w.Provide(n, func(context.Context) { ran = append(ran, n) })
		}
		r.Expect(w.ServiceEnabled("auto")).To(gomega.BeTrue())
		w.Registry().SetDWORD(device.KeyServices+`\auto`, "Start", device.StartAutomatic)
		w.Registry().SetDWORD(device.KeyServices+`\manual`, "Start", device.StartManual)
		w.Registry().SetDWORD(device.KeyServices+`\disabled`, "Start", device.StartDisabled)
		w.Registry().SetDWORD(device.KeyServices+`\unknown`, "Start", device.StartAutomatic)
		w.StartServices()
		r.Expect(w.StartService("disabled")).To(gomega.BeFalse())
		r.Expect(w.StartService("absent")).To(gomega.BeFalse())
		r.Expect(w.StartService("unknown")).To(gomega.BeFalse())
		r.ok(w.Sleep(time.Second, "a"))
		r.Expect(ran).To(gomega.Equal([]string{"auto"}))
		r.Expect(w.StartService("manual")).To(gomega.BeTrue())
		r.Expect(w.ServiceEnabled("disabled")).To(gomega.BeFalse())
		r.ok(w.Sleep(time.Second, "b"))
		return device.ErrShutdown
	})
	r.Expect(ran).To(gomega.Equal([]string{"auto", "manual"}))
}

func TestStopScreen(t *testing.T) {
	r := newRig(t)
	pc := r.pc("PC-1", func(w *device.Windows) error { return errors.New("a bug") })
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		s, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return s.ID == "stop" })
		r.ok(err)
		r.Expect(s.Line("Error")).To(gomega.Equal("a bug"))
		r.ok(r.clock.Sleep(ctx, time.Hour, "it stays so"))
		r.Expect(pc.On()).To(gomega.BeTrue())
		pc.CutPower()
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
	r.Expect(r.kinds("PC-1", "device.stopped")).To(gomega.HaveLen(1))
}

// A simulation that is stopped is no event in a PC's life.
func TestStopOfTheClockIsNoEvent(t *testing.T) {
	r := newRig(t)
	pc := r.pc("PC-1", func(w *device.Windows) error {
		w.Service("s", func(ctx context.Context) { _ = w.Clock.Sleep(ctx, 1000*time.Hour, "s") })
		return w.Sleep(1000*time.Hour, "p")
	})
	r.actor("hand", func(ctx context.Context) { r.ok(pc.PowerOn(ctx)) })
	r.ok(r.clock.Run(context.Background(), start.Add(time.Hour)))
	before := r.log.Count()
	r.clock.Stop()
	r.Expect(r.clock.Run(context.Background(), time.Time{})).To(gomega.MatchError(vclock.ErrStopped))
	r.Expect(r.log.Count()).To(gomega.Equal(before))
}

func TestFirmwareClock(t *testing.T) {
	r := newRig(t)
	o := r.options("PC-1", func(w *device.Windows) error {
		r.Expect(w.Now().Sub(w.Clock.Now())).To(gomega.BeNumerically("~", -24*time.Hour, time.Second))
		w.SetFirmwareTime(w.Clock.Now())
		r.Expect(w.Now()).To(gomega.Equal(w.Clock.Now()))
		return device.ErrShutdown
	})
	o.RTC = device.RTC{Offset: -24 * time.Hour, Drift: 1e-5}
	pc := device.New(o)
	r.Expect(pc.FirmwareTime()).To(gomega.Equal(start.Add(-24 * time.Hour)))
	r.run(pc)
	r.Expect(pc.RTC.Offset).To(gomega.BeZero())
}

// A wireless PC has no link before somebody has chosen a network; at a place
// that it knows it connects by itself.
func TestWirelessNetworkIsRemembered(t *testing.T) {
	r := newRig(t)
	var up []bool
	o := r.options("PC-1", func(w *device.Windows) error {
		up = append(up, w.NIC.IsUp())
		w.Connect()
		return device.ErrShutdown
	})
	o.Hardware.Wireless = true
	pc := device.New(o)
	r.run(pc)
	r.run(pc)
	pc.NIC.Move(nil)
	r.run(pc)
	r.Expect(up).To(gomega.Equal([]bool{false, true, false}))
}

// Firmware goes on without a TPM that it cannot start.
func TestTPMThatDoesNotStart(t *testing.T) {
	r := newRig(t, fault.Rule{Name: "dead", When: fault.When{Layer: fault.TPM, Operation: "TPM2_Startup", Nth: 1}, Do: fault.Action{TPMResponse: 0x101}})
	var usable []bool
	o := r.options("PC-1", func(w *device.Windows) error {
		_, err := w.Chip.Properties(w.Ctx)
		usable = append(usable, err == nil)
		if w.Boot == 1 {
			return device.ErrReboot
		}
		return device.ErrShutdown
	})
	o.Chip = r.chip(1)
	r.run(device.New(o))
	r.Expect(usable).To(gomega.Equal([]bool{false, true}), "the next start finds it again")
	r.Expect(r.kinds("PC-1", "tpm.startup.failed")).To(gomega.HaveLen(1))
	r.Expect(r.kinds("PC-1", "device.stopped")).To(gomega.BeEmpty())
}

// A TPM that fails at the shutdown keeps Windows neither from restarting nor
// from ending.
func TestTPMThatDoesNotShutDown(t *testing.T) {
	r := newRig(t, fault.Rule{Name: "late", When: fault.When{Layer: fault.TPM, Operation: "TPM2_Shutdown"}, Do: fault.Action{TPMResponse: 0x101}})
	o := r.options("PC-1", func(w *device.Windows) error {
		if w.Boot == 1 {
			return device.ErrReboot
		}
		return device.ErrShutdown
	})
	o.Chip = r.chip(1)
	pc := device.New(o)
	r.run(pc)
	r.Expect(pc.Boots()).To(gomega.Equal(2))
	r.Expect(r.kinds("PC-1", "tpm.shutdown")).To(gomega.HaveLen(2))
}

// The board knows its chip: fault rules reach the TPM, and its jobs are
// journaled under the PC's name.
func TestChipIsOnTheBoard(t *testing.T) {
	r := newRig(t, fault.Rule{Name: "cut", When: fault.When{Layer: fault.TPM, Operation: "TPM2_Create"}, Do: fault.Action{CutPower: true}})
	o := r.options("PC-1", func(w *device.Windows) error {
		_, err := w.NewKey(w.Ctx, "k")
		return err
	})
	o.Chip = r.chip(1)
	pc := device.New(o)
	r.run(pc)
	r.Expect(pc.Disk.Keys.Containers()).To(gomega.BeEmpty())
	r.Expect(r.kinds("PC-1", "tpm.command")).NotTo(gomega.BeEmpty())
	r.Expect(r.kinds("PC-1", "fault.fired")).To(gomega.HaveLen(1))
}
