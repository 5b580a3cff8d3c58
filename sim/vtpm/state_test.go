package vtpm

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/ekcert"
)

// inState is alone with a chip that came in a state.
func inState(t *testing.T, model string, s State, f func(ctx context.Context, w *world, c *Chip)) {
	t.Helper()
	w := newWorld(t, 1)
	c, err := shared.Deal(w.clock, ChipID{model, 1}, w.run, InState(s, timing.Default().TPM))
	w.ok(err)
	w.Expect(c.State()).To(Equal(s))
	t.Cleanup(c.PowerOff)
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		f(ctx, w, c)
	})
	w.drive()
}

func TestClearedChipIsProvisionedAgain(t *testing.T) {
	inState(t, stm, Cleared, func(ctx context.Context, w *world, c *Chip) {
		_, err := c.AIK(ctx)
		w.Expect(err).To(MatchError(ErrNoKey))
		w.Expect(c.EKCertificate(ctx)).NotTo(BeEmpty())
		w.ok(c.Provision(ctx))
		_, err = must(c.AIK(ctx)).IDBinding(ctx, nil)
		w.ok(err)
		w.ok(must(c.NewKey(ctx, "a key of the new owner")).use(ctx, "TPM2_Load", Cost{}, func(transport.TPM, tpm2.TPMHandle) error { return nil }))
		w.Expect(must(rsaPublic(must(readEK(ctx, c))))).To(Equal(c.EKPublic()), "the EK's seed is not the owner's")
	})
}

func readEK(ctx context.Context, c *Chip) (public []byte, err error) {
	err = c.Do(ctx, "TPM2_ReadPublic", Cost{}, func(t transport.TPM) (err error) {
		public, _, err = readPublic(t, ekHandle)
		return err
	})
	return public, err
}

func TestChipOfSomebodyElseCannotBeProvisioned(t *testing.T) {
	inState(t, stm, NotReady, func(ctx context.Context, w *world, c *Chip) {
		_, err := c.AIK(ctx)
		w.Expect(err).To(MatchError(ErrNoKey))
		w.Expect(c.Provision(ctx)).NotTo(Succeed())
		w.Expect(c.EKCertificate(ctx)).NotTo(BeEmpty(), "for anybody to read")
		w.ok(c.Clear(ctx)) // what the documented advice does
		w.ok(c.Provision(ctx))
	})
}

func TestLockoutIsTheChipsOwnAndHeals(t *testing.T) {
	inState(t, infineon, LockedOut, func(ctx context.Context, w *world, c *Chip) {
		w.Expect(must(c.Properties(ctx)).LockedOut).To(BeTrue())
		tryPassword := func() error {
			return c.Do(ctx, "TPM2_Unseal", Cost{CreateRSA: 1}, func(t transport.TPM) error {
				o, err := createPrimary(t, tpm2.TPMRHNull, sealTemplate(), withPassword([]byte("right"), []byte("sealed")))
				if err != nil {
					return err
				}
				_, err = unseal(t, o.handle, []byte("right"))
				return errors.Join(err, flush(t, o.handle))
			})
		}
		w.Expect(tryPassword()).To(MatchError(tpm2.TPMRCLockout))
		w.ok(w.clock.Sleep(ctx, 9*time.Minute, "waiting"))
		w.Expect(must(c.Properties(ctx)).LockedOut).To(BeTrue())
		w.ok(w.clock.Sleep(ctx, 90*time.Second, "waiting"))
		w.Expect(must(c.Properties(ctx)).LockedOut).To(BeFalse())
		w.ok(tryPassword())
	})
}

func TestCertificateStates(t *testing.T) {
	inState(t, infineon, CertificateMissing, func(ctx context.Context, w *world, c *Chip) {
		_, err := c.EKCertificate(ctx)
		w.Expect(err).To(MatchError(ErrNoCertificate))
	})
	inState(t, infineon, CertificateWithdrawn, func(ctx context.Context, w *world, c *Chip) {
		cert := must(ekcert.Parse(must(c.EKCertificate(ctx))))
		w.Expect(cert.PublicKey).To(Equal(c.EKPublic()))
		w.Expect(cert.AuthorityKeyId).NotTo(Equal(must(VendorCA(infineon)).Cert.SubjectKeyId))
		w.Expect(cert.AuthorityKeyId).To(Equal(must(vendorCA(infineon, true)).Cert.SubjectKeyId))
	})
	inState(t, "amd-ftpm", CertificateMissing, func(_ context.Context, w *world, c *Chip) {
		w.Expect(c.Published()).To(BeEmpty())
	})
}

func TestStatesAreTheSameEachTime(t *testing.T) {
	w := newWorld(t, 1)
	for _, s := range States() {
		a := must(shared.Deal(w.clock, ChipID{stm, 1}, w.run, InState(State(s), timing.Default().TPM)))
		b := must(shared.Deal(w.clock, ChipID{stm, 1}, 99, InState(State(s), timing.Default().TPM)))
		x, y := must(unpack(a.parked)), must(unpack(b.parked))
		differ := 0
		for i := range x {
			if x[i] != y[i] {
				differ++
			}
		}
		// Each NV index that is written holds two bytes of the reference code's stack.
		w.Expect(differ).To(BeNumerically("<=", 2*2), s)
	}
	_, err := shared.Deal(w.clock, ChipID{stm, 1}, w.run, InState("broken", timing.Default().TPM))
	w.Expect(err).To(HaveOccurred())
	for model, impossible := range map[string]State{
		"infineon-slb9665-tpm12": LockedOut, "microsoft-vtpm": CertificateMissing, "amd-ftpm-fw3.58": CertificateWithdrawn,
	} {
		_, err := shared.Deal(w.clock, ChipID{model, 1}, w.run, InState(impossible, timing.Default().TPM))
		w.Expect(err).To(MatchError(ContainSubstring("cannot be")), model)
	}
}

// A stuck command is not answered while there is power.
func TestStuckCommand(t *testing.T) {
	w := newWorld(t, 1)
	c := w.deal("infineon-slb9672-fw15.22", 1)
	gaveUp := errors.New("nobody waits that long")
	var err error
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		ctx, cancel := w.clock.WithTimeout(ctx, time.Hour, gaveUp)
		defer cancel()
		_, err = must(c.AIK(ctx)).Activate(ctx, nil, nil)
	})
	w.drive()
	w.Expect(err).To(MatchError(gaveUp))
}

func TestDriverSubmitsAgain(t *testing.T) {
	w := newWorld(t, 1)
	c := w.deal(infineon, 1)
	rule := func(nth int) fault.Rule {
		return fault.Rule{Name: "again " + string(rune('0'+nth)), When: fault.When{Layer: fault.TPM, Operation: "TPM2_ReadPublic", Nth: nth}, Do: fault.Action{TPMResponse: uint32(tpm2.TPMRCRetry)}}
	}
	faults := fault.New(1, journal.New(w.clock), w.clock.Now(), []fault.Rule{rule(1), rule(2), rule(4), rule(5), rule(6)})
	c.Fit(Board{Device: "pc", Faults: faults, Resubmissions: 2, ResubmissionDelay: 20 * time.Millisecond})
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		begun := w.clock.Now()
		_, err := c.AIK(ctx)
		w.ok(err)
		w.Expect(w.clock.Now().Sub(begun)).To(Equal(2*20*time.Millisecond + 3*c.Model().Latency.Light.Value))
		_, err = c.AIK(ctx)
		w.Expect(err).To(MatchError(tpm2.TPMRCRetry))
	})
	w.drive()
}
