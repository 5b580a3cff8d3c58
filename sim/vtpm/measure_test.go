package vtpm

import (
	"context"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/tcglog"
	"windtunnel.test/sim/wire/tpmattest"
)

// measurements are those of a log.
func measurements(l *tcglog.Log) []Measurement {
	var list []Measurement
	for _, e := range l.Events {
		list = append(list, Measurement{PCR: e.PCR, Digests: e.Digests})
	}
	return list
}

func bootLog() *tcglog.Log {
	l := &tcglog.Log{Algorithms: Banks}
	l.Add(0, tcglog.CRTMVersion, tcglog.UTF16("1.14.2"))
	for pcr := range 8 {
		l.Add(pcr, tcglog.Separator, make([]byte, 4))
	}
	l.Add(12, tcglog.EventTag, tcglog.Bool(tcglog.CodeIntegrity, true).Marshal())
	return l
}

func TestRegistersAreAsTheLogReplays(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		l := bootLog()
		w.ok(c.Measure(ctx, nil))
		w.ok(c.Measure(ctx, measurements(l)))
		want := must(l.Replay(tcglog.SHA256))
		list := []int{12, 0, 1, 2, 3, 4, 5, 6, 7, 8}
		for i, value := range must(c.ReadPCRs(ctx, list...)) {
			w.Expect(value).To(Equal(want[list[i]]), "register %d", list[i])
		}
		h := sha256.New()
		for _, pcr := range []int{0, 4, 7, 12} {
			h.Write(want[pcr])
		}
		aik := must(c.AIK(ctx))
		quoted := must(aik.Quote(ctx, []byte("nonce"), 0, 4, 7, 12))
		_, err := tpmattest.VerifyQuote(aik.Public(), quoted.Attest, quoted.Signature, []byte("nonce"), h.Sum(nil))
		w.ok(err)

		w.Expect(c.Measure(ctx, []Measurement{{PCR: 24}})).To(MatchError(ContainSubstring("register 24")))
		_, err = c.ReadPCRs(ctx, 24)
		w.Expect(err).To(HaveOccurred())
		c.PowerOff()
		w.Expect(c.Measure(ctx, measurements(l))).To(MatchError(ErrPowerOff))
		w.ok(c.PowerOn(ctx))
		w.Expect(must(c.ReadPCRs(ctx, 0, 17))).To(Equal([][]byte{make([]byte, 32), want[17]}))
	})
}

// Every bank that the chip has in use is extended: none can be quoted at its
// value after a reset.
func TestBanksAreThoseOfTheChip(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		var banks []tcglog.Algorithm
		w.ok(c.Do(ctx, "TPM2_GetCapability", Cost{Light: 1}, func(t transport.TPM) error {
			r, err := newFrame(tpm2.TPMCCGetCapability, nil).u32(uint32(tpm2.TPMCapPCRs)).u32(0).u32(1).send(t)
			if err != nil {
				return err
			}
			r.take(1) // more data
			r.u32()   // capability
			for n := r.u32(); n > 0 && r.err == nil; n-- {
				a, size := tcglog.Algorithm(r.u16()), r.take(1)
				if mask := r.take(int(size[0])); slices.Max(mask) > 0 {
					banks = append(banks, a)
				}
			}
			return r.err
		}))
		w.Expect(banks).To(Equal(Banks))
	})
}

func TestMeasuringTakesTheExtendsTime(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		before := w.clock.Now()
		w.ok(c.Measure(ctx, measurements(bootLog())))
		w.Expect(w.clock.Now().Sub(before)).To(Equal(10 * c.Model().Latency.Extend.Value))
		w.Expect(c.Model().Latency.Extend.Value).To(BeNumerically("<", time.Second))
	})
}

// BenchmarkMeasuredBoot is what a boot's measurements cost in the engine.
func BenchmarkMeasuredBoot(b *testing.B) {
	list := measurements(bootLog())
	e := thousand(b, 1)[0]
	for b.Loop() {
		for _, m := range list {
			f := newFrame(tpm2.TPMCCPCRExtend, handles{tpm2.TPMHandle(m.PCR)}, empty).u32(uint32(len(m.Digests)))
			for _, d := range m.Digests {
				f.u16(uint16(d.Algorithm)).raw(d.Value)
			}
			_, err := f.send(e)
			check(b, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(list)), "µs/extend")
}
