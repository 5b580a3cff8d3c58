package vtpm

import (
	"context"
	"testing"

	"github.com/google/go-tpm/tpm2/transport"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/timing"
)

// TestTurn: a chip under power comes into a state as one does that was dealt in
// it, and what the state does not take away stays.
func TestTurn(t *testing.T) {
	for s, c := range map[State]struct {
		model                      string
		noKey, noCertificate, lock bool
	}{
		Ready:              {model: stm},
		NotReady:           {model: stm, noKey: true},
		Cleared:            {model: stm, noKey: true},
		LockedOut:          {model: stm, lock: true},
		CertificateMissing: {model: stm, noCertificate: true},
	} {
		t.Run(string(s), func(t *testing.T) {
			inState(t, c.model, Ready, func(ctx context.Context, w *world, chip *Chip) {
				_, err := chip.AIK(ctx)
				w.ok(err)
				before := w.clock.Now()
				w.ok(chip.Turn(ctx, s, timing.Default().TPM))
				w.Expect(w.clock.Now().After(before)).To(BeTrue(), "commands take time")
				_, err = chip.AIK(ctx)
				if c.noKey {
					w.Expect(err).To(MatchError(ErrNoKey))
				} else {
					w.ok(err)
				}
				_, err = chip.EKCertificate(ctx)
				w.Expect(err != nil).To(Equal(c.noCertificate), "%v", err)
				w.Expect(must(chip.Properties(ctx)).LockedOut).To(Equal(c.lock))
			})
		})
	}
}

// TestTurnWithdrawn: the certificate is another one, of the same key.
func TestTurnWithdrawn(t *testing.T) {
	inState(t, stm, Ready, func(ctx context.Context, w *world, chip *Chip) {
		before := must(chip.EKCertificate(ctx))
		w.ok(chip.Turn(ctx, CertificateWithdrawn, timing.Default().TPM))
		after := must(chip.EKCertificate(ctx))
		w.Expect(after).NotTo(Equal(before))
		w.Expect(after).NotTo(BeEmpty())
	})
}

// TestTurnOfAChipWithoutCertificates: its maker has them.
func TestTurnOfAChipWithoutCertificates(t *testing.T) {
	inState(t, "intel-ptt", Ready, func(ctx context.Context, w *world, chip *Chip) {
		for _, s := range []State{CertificateMissing, CertificateWithdrawn} {
			w.Expect(chip.Turn(ctx, s, timing.Default().TPM)).To(MatchError(ContainSubstring("its maker keeps its certificates")))
		}
	})
}

// TestTurnRefuses what there is not, and a chip without power.
func TestTurnRefuses(t *testing.T) {
	inState(t, stm, Ready, func(ctx context.Context, w *world, chip *Chip) {
		w.Expect(chip.Turn(ctx, "broken", timing.Default().TPM)).To(MatchError(`vtpm: no chip state "broken"`))
		chip.PowerOff()
		w.Expect(chip.Turn(ctx, Cleared, timing.Default().TPM)).To(MatchError(ContainSubstring("into state cleared")))
		w.Expect(chip.Do(ctx, "TPM2_ReadPublic", Cost{}, func(transport.TPM) error { return nil })).NotTo(Succeed())
	})
}
