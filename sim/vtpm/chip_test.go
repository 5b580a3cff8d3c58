package vtpm

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

const testIndex tpm2.TPMHandle = 0x01400001

// life is all that a PC asks of its chip, and what came out of it.
func life(ctx context.Context, w *world, c *Chip) string {
	var out bytes.Buffer
	note := func(b []byte) { fmt.Fprintln(&out, w.clock.Now().Format(time.StampMilli), hex.EncodeToString(b)) }
	w.ok(c.PowerOn(ctx))
	note(must(c.EKCertificate(ctx)))
	aik := must(c.AIK(ctx))
	note(must(aik.IDBinding(ctx, nil)).Marshal())
	w.ok(c.ExtendPCR(ctx, 7, sha256.Sum256([]byte("secure boot"))))
	q := must(aik.Quote(ctx, []byte("nonce"), 0, 7))
	note(q.Attest)
	note(q.Signature)
	for _, label := range []string{"device", "transport"} {
		k := must(c.NewKey(ctx, label))
		note(k.Blob())
		note(must(aik.Certify(ctx, k, []byte(label))).Attest)
		note(must(k.In(ctx).Sign(nil, make([]byte, 32), &rsa.PSSOptions{Hash: crypto.SHA256})))
	}
	r, err := raw(ctx, c, newFrame(tpm2.TPMCCGetRandom, nil).u16(32))
	w.ok(err)
	note(r.sized())
	w.ok(c.Shutdown(ctx))
	return out.String()
}

// lives runs chips side by side in one world.
func lives(t *testing.T, run vclock.Seed, ids ...ChipID) map[ChipID]string {
	w := newWorld(t, run)
	out := map[ChipID]string{}
	for _, id := range ids {
		c := w.deal(id.Model, id.N)
		w.actor(id.String(), func(ctx context.Context) { out[id] = life(ctx, w, c) })
	}
	w.drive()
	return out
}

func TestSameSeedSameAnswersWhateverRunsBeside(t *testing.T) {
	g := NewWithT(t)
	a, b := ChipID{infineon, 1}, ChipID{stm, 1}
	both := lives(t, 1, a, b)
	g.Expect(lives(t, 1, a)[a]).To(Equal(both[a]))
	g.Expect(lives(t, 1, b)[b]).To(Equal(both[b]))
	other := lives(t, 2, a)[a]
	g.Expect(other).NotTo(Equal(both[a]))
	// The chip itself is the same in every run: its certificate is.
	line := func(s string) string { return s[:bytes.IndexByte([]byte(s), '\n')] }
	g.Expect(line(other)).To(Equal(line(both[a])))
}

// readClock returns TPMS_TIME_INFO: time, clock, resets, restarts, safe.
func readClock(ctx context.Context, w *world, c *Chip) (millis, clock uint64, resets uint32, safe bool) {
	r, err := raw(ctx, c, newFrame(tpm2.TPMCCReadClock, nil))
	w.ok(err)
	b := r.rest()
	w.Expect(b).To(HaveLen(25))
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint32(b[16:]), b[24] == 1
}

func TestSixMonthsShowExactly(t *testing.T) {
	w := newWorld(t, 1)
	c := w.deal(infineon, 1)
	w.actor("pc", func(ctx context.Context) {
		begin := w.clock.Now()
		w.ok(c.PowerOn(ctx))
		w.ok(w.clock.Sleep(ctx, 182*24*time.Hour+7*time.Millisecond, "shelf"))
		want := uint64(w.clock.Now().Sub(begin).Milliseconds())
		millis, clock, _, _ := readClock(ctx, w, c)
		w.Expect(millis).To(Equal(want))
		w.Expect(clock).To(Equal(want))
	})
	w.drive()
}

func TestPowerCutLosesVolatileStateAndKeepsNV(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		_, _, resets, safe := readClock(ctx, w, c)
		w.Expect(safe).To(BeTrue())
		w.ok(c.ExtendPCR(ctx, 5, sha256.Sum256(nil)))
		before := must(must(c.AIK(ctx)).Quote(ctx, nil, 5)).Attest
		w.ok(c.Do(ctx, "write", Cost{NVWrite: 2}, func(t transport.TPM) error {
			return nvStore(t, testIndex, []byte("kept"))
		}))
		blob := must(c.NewKey(ctx, "device")).Blob()

		c.PowerOff()
		c.PowerOff()
		w.Expect(c.On()).To(BeFalse())
		_, err := c.EKCertificate(ctx)
		w.Expect(err).To(MatchError(ErrPowerOff))
		w.Expect(c.Shutdown(ctx)).To(MatchError(ErrPowerOff))

		w.ok(c.PowerOn(ctx))
		w.Expect(c.PowerOn(ctx)).NotTo(Succeed())
		_, _, again, safe := readClock(ctx, w, c)
		w.Expect(again).To(Equal(resets + 1))
		w.Expect(safe).To(BeFalse(), "nobody told the TPM that power would go")
		after := must(must(c.AIK(ctx)).Quote(ctx, nil, 5)).Attest
		w.Expect(after[len(after)-32:]).NotTo(Equal(before[len(before)-32:]), "digest of the registers")
		w.ok(c.Do(ctx, "read", Cost{Light: 1, NVRead: 1}, func(t transport.TPM) error {
			data, err := nvFetch(t, testIndex, 4)
			w.Expect(string(data)).To(Equal("kept"))
			return err
		}))
		_, err = c.LoadKey(ctx, blob)
		w.ok(err)
	})
}

func TestPowerCutDuringAJobComesAfterIt(t *testing.T) {
	w := newWorld(t, 1)
	c := w.deal(infineon, 1)
	cut := errors.New("power lost")
	var ran bool
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		boot, cancel := w.clock.WithCancel(ctx)
		w.clock.AfterFunc(ctx, time.Second, "cut", func(context.Context) {
			cancel(cut)
			c.PowerOff()
		})
		w.clock.Go(boot, "waits for its turn", func(ctx context.Context) {
			_, err := c.AIK(ctx)
			w.Expect(err).To(MatchError(cut))
		})
		err := c.Do(boot, "create", Cost{CreateRSA: 1, NVWrite: 2}, func(t transport.TPM) error {
			ran = true
			return nvStore(t, testIndex, []byte("done"))
		})
		w.Expect(err).To(MatchError(cut))
		w.Expect(ran).To(BeTrue())
		w.ok(w.clock.Sleep(ctx, time.Hour, "dark"))
		w.ok(c.PowerOn(ctx))
		w.ok(c.Do(ctx, "read", Cost{NVRead: 1}, func(t transport.TPM) error {
			_, err := nvFetch(t, testIndex, 4)
			return err
		}))
	})
	w.drive()
}

func TestCommandsOfAChipQueue(t *testing.T) {
	w := newWorld(t, 1)
	c := w.deal(infineon, 1)
	extend := c.Model().Latency.Extend.Value
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		begin := w.clock.Now()
		for range 4 {
			w.clock.Go(ctx, "program", func(ctx context.Context) { w.ok(c.ExtendPCR(ctx, 1, [32]byte{})) })
		}
		w.ok(w.clock.Sleep(ctx, extend/2, "later"))
		w.ok(c.ExtendPCR(ctx, 1, [32]byte{}))
		w.Expect(w.clock.Now().Sub(begin)).To(Equal(5 * extend))
	})
	w.drive()
}

func TestJobMustDeclareItsCost(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		before := w.clock.Now()
		err := c.Do(ctx, "too much", Cost{Extend: 1}, func(t transport.TPM) error {
			return errors.Join(pcrExtend(t, 1, tpm2.TPMAlgSHA256, make([]byte, 32)), pcrExtend(t, 1, tpm2.TPMAlgSHA256, make([]byte, 32)))
		})
		w.Expect(err).To(MatchError(ErrCost))
		w.Expect(w.clock.Now().Sub(before)).To(Equal(c.Model().Latency.Extend.Value))
	})
}

func TestSnapshotIsWhatAPowerCutWouldLeave(t *testing.T) {
	w := newWorld(t, 1)
	c, twin, foreign := w.deal(infineon, 1), w.deal(infineon, 1), w.deal(stm, 1)
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		first := must(c.NewKey(ctx, "device"))
		s, err := c.Snapshot()
		w.ok(err)
		parked := must(twin.Snapshot())
		w.Expect(parked).NotTo(BeEmpty())
		want := must(c.NewKey(ctx, "next")).Blob()

		w.Expect(foreign.Restore(s)).NotTo(Succeed())
		w.Expect(twin.Restore([]byte("nonsense"))).NotTo(Succeed())
		w.ok(twin.Restore(s))
		w.ok(c.Restore(s))
		w.Expect(c.On()).To(BeFalse())
		quotes := map[string]bool{}
		for _, c := range []*Chip{c, twin} {
			w.ok(c.PowerOn(ctx))
			_, err = c.LoadKey(ctx, first.Blob())
			w.ok(err)
			w.Expect(must(c.NewKey(ctx, "next")).Blob()).To(Equal(want))
			r, err := raw(ctx, c, newFrame(tpm2.TPMCCGetRandom, nil).u16(16))
			w.ok(err)
			quotes[string(r.sized())] = true
		}
		w.Expect(quotes).To(HaveLen(1), "the same chip at the same boot of the same run draws the same")
	})
	w.drive()
}

func TestClearTakesTheOwnersKeys(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		key := must(c.NewKey(ctx, "device"))
		aik := must(c.AIK(ctx))
		w.ok(c.Clear(ctx))
		_, err := c.AIK(ctx)
		w.Expect(err).To(MatchError(ErrNoKey))
		_, err = aik.IDBinding(ctx, nil)
		w.Expect(err).To(MatchError(ErrNoKey))
		w.ok(c.Provision(ctx))
		w.Expect(must(c.AIK(ctx)).Name()).NotTo(Equal(aik.Name()))
		w.Expect(must(must(c.AIK(ctx)).IDBinding(ctx, nil)).Marshal()).NotTo(BeEmpty())
		_, err = c.LoadKey(ctx, key.Blob())
		w.Expect(err).To(MatchError(tpm2.TPMRCIntegrity))
		ek, _, err := func() (ek, name []byte, err error) {
			err = c.Do(ctx, "read EK", Cost{Light: 1}, func(t transport.TPM) error {
				ek, name, err = readPublic(t, ekHandle)
				return err
			})
			return ek, name, err
		}()
		w.ok(err)
		w.Expect(must(rsaPublic(ek))).To(Equal(c.EKPublic()), "its seed is not the owner's")
		w.Expect(must(c.EKCertificate(ctx))).NotTo(BeEmpty())
		w.Expect(must(c.NewKey(ctx, "made now")).Public()).NotTo(Equal(key.Public()))
	})
}

func TestTimeDoesNotGoBackwards(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		clock := newFrame(tpm2.TPMCCReadClock, nil)
		var last uint64
		for range 3 {
			w.ok(c.Do(ctx, "more than declared", Cost{Light: 1}, func(t transport.TPM) error {
				for range 5 {
					r, err := clock.send(t)
					if err != nil {
						return err
					}
					b := r.rest()
					now := binary.BigEndian.Uint64(b)
					w.Expect(now).To(And(BeNumerically(">=", last), Equal(binary.BigEndian.Uint64(b[8:]))))
					last = now
				}
				return nil
			}))
		}
		w.Expect(last).To(BeNumerically("<", 1000))
	})
}

// In wall time actors are goroutines.
func TestChipsInWallTime(t *testing.T) {
	g := NewWithT(t)
	clock := vclock.NewWall()
	var wg sync.WaitGroup
	for _, model := range []string{infineon, stm} {
		c, err := shared.Deal(clock, ChipID{model, 1}, 1)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(c.PowerOn(t.Context())).To(Succeed())
		for range 4 {
			wg.Go(func() {
				for range 5 {
					_, _ = c.EKCertificate(t.Context()) // may find no power
				}
			})
		}
		wg.Go(c.PowerOff)
	}
	wg.Wait()
}
