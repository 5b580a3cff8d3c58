package device_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/tcglog"
)

var update = flag.Bool("update", false, "write the golden files")

// start boots a PC once and gives what its log says.
func (r *rig) start(pc *device.PC, and func(w *device.Windows)) (log *tcglog.Log, boot tcglog.Windows) {
	r.t.Helper()
	pc.Program = func(w *device.Windows) error {
		var err error
		log, err = tcglog.Parse(w.TCGLog())
		r.ok(err)
		values, err := w.Chip.ReadPCRs(w.Ctx, 0, 7, 11, 12, 13)
		r.ok(err)
		replayed, err := log.Replay(tcglog.SHA256)
		r.ok(err)
		r.Expect(values).To(gomega.Equal([][]byte{replayed[0], replayed[7], replayed[11], replayed[12], replayed[13]}))
		if and != nil {
			and(w)
		}
		return device.ErrShutdown
	}
	r.run(pc)
	boot, err := log.Windows()
	r.ok(err)
	return log, boot
}

func (r *rig) measuring(change func(o *device.Options)) *device.PC {
	o := r.options("PC-1", func(*device.Windows) error { return device.ErrShutdown })
	o.Chip = r.chip(1)
	if change != nil {
		change(&o)
	}
	return device.New(o)
}

func TestBootIsMeasured(t *testing.T) {
	r := newRig(t)
	pc := r.measuring(nil)
	log, boot := r.start(pc, nil)
	r.Expect(log.Check(tcglog.SHA256)).To(gomega.Succeed())
	r.Expect(boot).To(gomega.Equal(tcglog.Windows{SecureBoot: true, CodeIntegrity: true, VSM: true, HVCI: true, IOMMU: true, ELAM: true}))
	for _, e := range log.Events {
		r.Expect(e.Digests).To(gomega.HaveLen(4), "all banks of the TPM are extended")
	}

	pc.Protection.SecureBootOff = true
	_, boot = r.start(pc, nil)
	r.Expect(boot.SecureBoot || boot.HVCI).To(gomega.BeFalse())
	pc.Protection.SecureBootOff, pc.Installation.Build = false, "19045.5011"
	_, boot = r.start(pc, nil)
	r.Expect(boot.SecureBoot && !boot.VSM).To(gomega.BeTrue(), "Windows 10 has no VBS unless it is told to")
}

func TestNothingIsMeasuredWithoutATPM(t *testing.T) {
	r := newRig(t)
	r.once(func(w *device.Windows) error {
		r.Expect(w.TCGLog()).To(gomega.BeNil())
		w.EncryptDevice()
		r.Expect(w.DriveEncrypted()).To(gomega.BeFalse())
		return device.ErrShutdown
	})
}

// What a PC's firmware and Windows write is in a file, so that other readers of
// event logs can be asked about it.
func TestBootLogIsAsItWas(t *testing.T) {
	const golden = "testdata/boot.bin"
	r := newRig(t)
	log, _ := r.start(r.measuring(nil), nil)
	if *update {
		r.ok(os.WriteFile(golden, log.Marshal(), 0o644))
	}
	want, err := os.ReadFile(golden)
	r.ok(err)
	r.Expect(log.Marshal()).To(gomega.Equal(want))
}

// The boot in which the drive is encrypted was measured before that.
func TestEncryptionShowsAfterARestart(t *testing.T) {
	r := newRig(t)
	pc := r.measuring(nil)
	_, boot := r.start(pc, func(w *device.Windows) {
		w.EncryptDevice()
		w.EncryptDevice()
		r.Expect(w.DriveEncrypted()).To(gomega.BeTrue())
	})
	r.Expect(boot.Unlock).To(gomega.Equal(tcglog.UnlockNone))
	r.Expect(r.kinds("PC-1", "bitlocker.on")).To(gomega.HaveLen(1))
	_, boot = r.start(pc, nil)
	r.Expect(boot.Unlock).To(gomega.Equal(tcglog.UnlockTPM))
	pc.Disk.Wipe(pc.Hardware)
	_, boot = r.start(pc, nil)
	r.Expect(boot.Unlock).To(gomega.Equal(tcglog.UnlockNone))

	for _, p := range []device.Protection{{SecureBootOff: true}, {BitLockerOff: true}} {
		r := newRig(t)
		r.start(r.measuring(func(o *device.Options) { o.Protection = p }), func(w *device.Windows) {
			w.EncryptDevice()
			r.Expect(w.DriveEncrypted()).To(gomega.BeFalse())
		})
	}
}

// Measuring is part of the time that a start takes, and no more.
func TestMeasuringIsPartOfTheStart(t *testing.T) {
	var took [2]time.Duration
	for i := range took {
		r := newRig(t)
		var at time.Time
		o := r.options("PC-1", func(w *device.Windows) error {
			at = w.Clock.Now()
			return device.ErrShutdown
		})
		begin := r.clock.Now()
		if i == 1 {
			o.Chip = r.chip(1)
			begin = begin.Add(o.Chip.Model().Latency.Startup.Value)
		}
		r.run(device.New(o))
		took[i] = at.Sub(begin)
	}
	r := newRig(t)
	r.Expect(took[1]).To(gomega.Equal(took[0]))
}
