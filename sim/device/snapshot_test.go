package device_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"runtime"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
)

// stages is a program that makes a key, restarts, signs with it, and ends; it
// finds out from the disk where it is.
func stages(r *rig, signature *[]byte) device.Program {
	return func(w *device.Windows) error {
		reg := w.Registry()
		if reg.String(disk, "made") == "" {
			if _, err := w.NewKey(w.Ctx, "k"); err != nil {
				return err
			}
			reg.SetString(disk, "made", "yes")
			if err := w.Sleep(10*time.Minute, "work"); err != nil {
				return err
			}
			return device.ErrReboot
		}
		key, err := w.Key(w.Ctx, "k")
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte("x"))
		sig, err := key.In(w.Ctx).Sign(nil, sum[:], crypto.SHA256)
		if err != nil {
			return err
		}
		public, ok := key.Public().(*rsa.PublicKey)
		r.Expect(ok).To(gomega.BeTrue())
		r.ok(rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], sig))
		*signature = sig
		reg.SetString(disk, "signed", "yes")
		return device.ErrShutdown
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	r := newRig(t)
	var want, got []byte
	o := r.options("PC-1", stages(r, &want))
	o.Chip, o.RTC = r.chip(1), device.RTC{Offset: time.Hour, Drift: 1e-6}
	first := device.New(o)
	var shot device.Snapshot
	r.actor("hand", func(ctx context.Context) {
		r.ok(first.PowerOn(ctx))
		r.ok(r.clock.Sleep(ctx, 5*time.Minute, "in the middle"))
		var err error
		shot, err = first.Snapshot()
		r.ok(err)
		r.ok(first.AwaitOff(ctx))
	})
	r.drive()
	text, err := json.Marshal(shot)
	r.ok(err)
	var back device.Snapshot
	r.ok(json.Unmarshal(text, &back))

	o2 := r.options("PC-1", stages(r, &got))
	o2.Chip = r.chip(1)
	second, err := device.Restore(o2, back)
	r.ok(err)
	r.Expect(second.On()).To(gomega.BeFalse())
	r.Expect(second.RTC).To(gomega.Equal(shot.RTC))
	r.Expect(second.Boots()).To(gomega.Equal(1))
	r.run(second)
	r.Expect(got).To(gomega.Equal(want), "the same key in the same TPM")
	a, err := json.Marshal(first.Disk)
	r.ok(err)
	b, err := json.Marshal(second.Disk)
	r.ok(err)
	r.Expect(b).To(gomega.MatchJSON(a))
}

func TestRestoreRefuses(t *testing.T) {
	r := newRig(t)
	var sig []byte
	o := r.options("PC-1", stages(r, &sig))
	s, err := device.New(o).Snapshot()
	r.ok(err)
	o.Chip = r.chip(1)
	_, err = device.Restore(o, s)
	r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("without a TPM")))
	s, err = device.New(o).Snapshot()
	r.ok(err)
	o.Chip = r.chip(2)
	_, err = device.Restore(o, s)
	r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("the snapshot is of")))
	s.Disk = []byte(`{"registry":[{"path":"x","values":[{"name":"v"}]}]}`)
	_, err = device.Restore(o, s)
	r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("no data")))
}

// A PC that is off keeps its disk and little else.
func TestParkedPCIsSmall(t *testing.T) {
	r := newRig(t)
	const count = 200
	pcs := make([]*device.PC, 0, count)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	program := func(w *device.Windows) error {
		for i := range 64 {
			key := device.KeyTracking + `\` + string(rune('A'+i%26)) + string(rune('A'+i/26))
			w.Registry().SetDWORD(key, "InstallationState", 1)
			w.Registry().SetString(key, "TrackingUri", "./Vendor/MSFT/"+key)
		}
		w.Signal("esp").Broadcast()
		w.Random(100)
		w.Disk.Files.Write(device.FileProfile, make([]byte, 2048))
		return device.ErrShutdown
	}
	before := heap()
	for range count {
		pcs = append(pcs, r.pc("PC-1", program))
	}
	r.actor("hand", func(ctx context.Context) {
		for _, pc := range pcs {
			r.ok(pc.PowerOn(ctx))
			r.ok(pc.AwaitOff(ctx))
		}
	})
	r.drive()
	each := (heap() - before) / count
	t.Logf("%d bytes a parked PC, journal included", each)
	r.Expect(each).To(gomega.BeNumerically("<", 40_000))
	runtime.KeepAlive(pcs)
}
