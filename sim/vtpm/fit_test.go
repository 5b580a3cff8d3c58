package vtpm

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

func TestBoardBreaksAndRecords(t *testing.T) {
	w := newWorld(t, 1)
	c := w.deal(infineon, 1)
	memory := journal.NewMemory(0)
	j := journal.New(w.clock, memory)
	cut := errors.New("power lost")
	w.actor("pc", func(ctx context.Context) {
		boot, cancel := w.clock.WithCancel(ctx)
		c.Fit(Board{
			Device: "PC-1", Journal: j, Harm: func(fault.Action) { cancel(cut) },
			Faults: fault.New(1, j, w.clock.Now(), []fault.Rule{
				{Name: "busy", When: fault.When{Layer: fault.TPM, Operation: "TPM2_Create", Nth: 1}, Do: fault.Action{TPMResponse: uint32(tpm2.TPMRCRetry), Delay: time.Minute}},
				{Name: "cut", When: fault.When{Layer: fault.TPM, Operation: "TPM2_Quote"}, Do: fault.Action{CutPower: true}},
			}),
		})
		w.ok(c.PowerOn(boot))
		begin := w.clock.Now()
		_, err := c.NewKey(boot, "device")
		w.Expect(err).To(MatchError(tpm2.TPMRCRetry))
		w.Expect(w.clock.Now().Sub(begin)).To(Equal(time.Minute + c.Model().Latency.CreateRSA.Value))
		_, err = c.NewKey(boot, "device")
		w.ok(err)
		_, err = must(c.AIK(boot)).Quote(boot, nil, 0)
		w.Expect(err).To(MatchError(cut))
	})
	w.drive()
	var results []string
	for _, e := range memory.Timeline("PC-1") {
		if e.Kind == "tpm.command" {
			results = append(results, e.Fields[0].Value.(string)+" "+e.Fields[1].Value.(string))
		}
	}
	w.Expect(results).To(Equal([]string{"TPM2_Startup ok", "TPM2_Create 0x922", "TPM2_Create ok", "TPM2_ReadPublic ok"}))
}
