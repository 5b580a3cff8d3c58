package determinism_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

// thousand is how many actors there are, each with a TPM of its own. To make a
// thousand images takes minutes, so ten chips are dealt a hundred times each:
// every copy has its own state, and randomness of its own after power-on.
const (
	thousand   = 1000
	identities = 10
)

// actorsWithTPMs lets a thousand actors work with their TPMs in so many cells
// and gives the trace hash, and the hash over what each actor got out of its TPM.
func actorsWithTPMs(lab *vtpm.Lab, cells, parallel, cores int) (trace, results string) {
	GinkgoHelper()
	before := runtime.GOMAXPROCS(cores)
	defer runtime.GOMAXPROCS(before)
	got := make([][sha256.Size]byte, thousand)
	failed, hashes := make([]error, thousand), make([]string, cells)
	var group errgroup.Group
	group.SetLimit(parallel)
	for c := range cells {
		group.Go(func() error {
			clock := vclock.NewVirtual(vclock.Options{Seed: vclock.Seed(5).Derive("cell", strconv.Itoa(c))})
			defer clock.Stop()
			log := journal.New(clock)
			for i := c * thousand / cells; i < (c+1)*thousand/cells; i++ {
				seed := vclock.Seed(5).Derive("actor", strconv.Itoa(i))
				models := []string{"infineon-slb9670", "nuvoton-npct750", "stm-st33htph"} // with EK certificates to read
				chip, err := lab.Deal(clock, vtpm.ChipID{Model: models[i%identities%len(models)], N: i%identities + 1}, seed)
				if err != nil {
					return err
				}
				clock.Go(context.Background(), fmt.Sprintf("actor %d", i), func(ctx context.Context) {
					defer chip.PowerOff()
					a := &worker{ctx: ctx, clock: clock, chip: chip, log: log, name: fmt.Sprintf("actor %d", i), seed: seed}
					failed[i] = a.work()
					got[i] = a.sum
				})
			}
			err := clock.Run(context.Background(), time.Time{})
			hashes[c] = log.Hash()
			return err
		})
	}
	Expect(group.Wait()).To(Succeed())
	Expect(errors.Join(failed...)).To(Succeed())
	all := sha256.New()
	for _, sum := range got {
		all.Write(sum[:])
	}
	return journal.Combine(hashes), hex.EncodeToString(all.Sum(nil))
}

// worker is one of the actors. What its TPM answers goes into sum and into the
// trace.
type worker struct {
	ctx   context.Context
	clock vclock.Clock
	chip  *vtpm.Chip
	log   *journal.Journal
	name  string
	seed  vclock.Seed
	sum   [sha256.Size]byte
}

func (a *worker) note(command string, answer []byte) {
	a.sum = sha256.Sum256(append(a.sum[:], answer...))
	a.log.Record(a.name, "tpm.command", journal.F("command", command), journal.F("answer", hex.EncodeToString(a.sum[:8])))
}

// work powers the TPM on, extends a register, draws random numbers, reads NV
// and has the TPM sign its registers, with pauses between.
func (a *worker) work() error {
	r := a.seed.Stream("pauses")
	pause := func() error {
		return a.clock.Sleep(a.ctx, time.Duration(r.IntN(1000))*time.Millisecond, "a pause")
	}
	if err := pause(); err != nil {
		return err
	}
	if err := a.chip.PowerOn(a.ctx); err != nil {
		return err
	}
	for n := range 2 {
		err := a.chip.Do(a.ctx, "TPM2_PCR_Extend", vtpm.Cost{Extend: 1}, func(t transport.TPM) error {
			digest := sha256.Sum256(binary.BigEndian.AppendUint64(nil, r.Uint64()))
			_, err := tpm2.PCRExtend{PCRHandle: tpm2.AuthHandle{Handle: 16, Auth: tpm2.PasswordAuth(nil)}, Digests: tpm2.TPMLDigestValues{
				Digests: []tpm2.TPMTHA{{HashAlg: tpm2.TPMAlgSHA256, Digest: digest[:]}},
			}}.Execute(t)
			return err
		})
		if err != nil {
			return err
		}
		var random []byte
		err = a.chip.Do(a.ctx, "TPM2_GetRandom", vtpm.Cost{Light: 1}, func(t transport.TPM) error {
			answer, err := tpm2.GetRandom{BytesRequested: 16}.Execute(t)
			if err == nil {
				random = answer.RandomBytes.Buffer
			}
			return err
		})
		if err != nil {
			return err
		}
		a.note(fmt.Sprintf("TPM2_GetRandom %d", n), random)
		if err := pause(); err != nil {
			return err
		}
	}
	certificate, err := a.chip.EKCertificate(a.ctx)
	if err != nil {
		return err
	}
	a.note("TPM2_NV_Read", certificate)
	key, err := a.chip.AIK(a.ctx)
	if err != nil {
		return err
	}
	quote, err := key.Quote(a.ctx, a.sum[:], 16)
	if err != nil {
		return err
	}
	a.note("TPM2_Quote", append(quote.Attest, quote.Signature...))
	return nil
}

var _ = Describe("a thousand actors with real TPM commands", func() {
	It("come to one hash, in one cell and in ten, on one core and on two", func() {
		lab := open("")
		defer func() { Expect(lab.Close()).To(Succeed()) }()
		one, results := actorsWithTPMs(lab, 1, 1, 2)
		ten, inTen := actorsWithTPMs(lab, 10, 2, 2)
		Expect(inTen).To(Equal(results), "what a TPM answers does not depend on who else is there")
		Expect(ten).NotTo(Equal(one), "a trace is the order of its cell")

		again, same := actorsWithTPMs(lab, 1, 1, 1)
		Expect(again).To(Equal(one))
		Expect(same).To(Equal(results))
		again, same = actorsWithTPMs(lab, 10, 1, 1)
		Expect(again).To(Equal(ten))
		Expect(same).To(Equal(results))
	})
})
