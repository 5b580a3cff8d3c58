package vtpm

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"windtunnel.test/sim/wire/tcglog"
)

// Measurement is one extend of a register, in all banks at once.
type Measurement struct {
	PCR     int
	Digests []tcglog.Digest // at most one for each bank
}

// Banks are the register banks that a chip has, all of them in use.
var Banks = []tcglog.Algorithm{tcglog.SHA1, tcglog.SHA256, tcglog.SHA384, tcglog.SHA512}

// Measure extends registers one after the other, as firmware and boot loader
// do: TPM2_PCR_Extend, with nobody else's commands between. It is one job, and
// its commands are written before it begins. Where one is refused those before
// it have been done.
func (c *Chip) Measure(ctx context.Context, list []Measurement) error {
	if len(list) == 0 {
		return nil
	}
	frames := make([]*frame, len(list))
	for i, m := range list {
		f := newFrame(tpm2.TPMCCPCRExtend, handles{tpm2.TPMHandle(m.PCR)}, empty).u32(uint32(len(m.Digests)))
		for _, d := range m.Digests {
			f.u16(uint16(d.Algorithm)).raw(d.Value)
		}
		frames[i] = f
	}
	err := c.Do(ctx, "TPM2_PCR_Extend", Cost{Extend: len(list)}, func(t transport.TPM) error {
		for i, f := range frames {
			if _, err := f.send(t); err != nil {
				return fmt.Errorf("register %d: %w", list[i].PCR, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("vtpm: measure: %w", err)
	}
	return nil
}

// pcrsPerRead is how many values one TPM2_PCR_Read returns at most
// (TPML_DIGEST, TPM 2.0 Library Part 2, 10.9.5).
const pcrsPerRead = 8

// ReadPCRs reads SHA-256 registers, in the order of that list.
func (c *Chip) ReadPCRs(ctx context.Context, pcrs ...int) ([][]byte, error) {
	sorted := slices.Compact(slices.Sorted(slices.Values(pcrs))) // the TPM answers in this order
	values := make(map[int][]byte, len(sorted))
	cost := Cost{Light: (len(sorted) + pcrsPerRead - 1) / pcrsPerRead}
	err := c.Do(ctx, "TPM2_PCR_Read", cost, func(t transport.TPM) error {
		for some := range slices.Chunk(sorted, pcrsPerRead) {
			if err := readPCRs(t, some, values); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("vtpm: read registers: %w", err)
	}
	out := make([][]byte, len(pcrs))
	for i, pcr := range pcrs {
		out[i] = values[pcr]
	}
	return out, nil
}

func readPCRs(t transport.TPM, pcrs []int, into map[int][]byte) error {
	selection, err := selectPCRs(pcrs)
	if err != nil {
		return err
	}
	r, err := newFrame(tpm2.TPMCCPCRRead, nil).raw(selection).send(t)
	if err != nil {
		return err
	}
	r.u32() // update counter
	r.take(len(selection))
	if n := r.u32(); r.err == nil && int(n) != len(pcrs) {
		return fmt.Errorf("%d registers asked for, %d values: %w", len(pcrs), n, errShort)
	}
	for _, pcr := range pcrs {
		into[pcr] = r.sized()
	}
	return r.err
}
