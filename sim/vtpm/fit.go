package vtpm

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/go-tpm/tpm2"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

// Board is the PC that a chip is soldered to, as far as the chip knows it. The
// zero value is a chip on a table.
type Board struct {
	Device  string           // the PC's name in journal and fault rules
	Journal *journal.Journal // gets a "tpm.command" for each job; nil: none
	Faults  *fault.Injector  // asked before each job; nil: nothing breaks
	// Resubmissions is how often the driver gives the chip a command again that
	// it answers with TPM_RC_RETRY, and ResubmissionDelay how long it waits
	// before that.
	Resubmissions     int
	ResubmissionDelay time.Duration
	// Harm does to the PC what a rule says besides the TPM: it takes its power
	// away, say; nil: that has no effect.
	Harm func(fault.Action)
}

// Fit puts the chip on a board. Call it before the chip gets power.
func (c *Chip) Fit(b Board) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.board = b
}

// ask finds out what breaks at a job. A rule's answer stands for the job's
// main command, after which its tag is called: the job takes its time, no
// command reaches the chip, and the rule's response code is the error.
func (b *Board) ask(tag string) (delay time.Duration, dies bool, answer error) {
	do, ok := b.Faults.At(fault.Point{Layer: fault.TPM, Operation: tag, Device: b.Device})
	if !ok {
		return 0, false, nil
	}
	if do.Harms() && b.Harm != nil {
		b.Harm(do)
	}
	if do.TPMResponse != 0 {
		answer = fmt.Errorf("%s: %w", tag, tpm2.TPMRC(do.TPMResponse))
	}
	return do.Delay, do.EngineDeath, answer
}

// record journals a job and how it ended: "ok", the TPM's response code, or
// "error" for what no TPM said.
func (b *Board) record(tag string, err error) {
	if b.Journal == nil {
		return
	}
	result := "ok"
	var rc tpm2.TPMRC
	switch {
	case errors.As(err, &rc):
		result = fmt.Sprintf("0x%03X", uint32(rc))
	case err != nil:
		result = "error"
	}
	b.Journal.Record(b.Device, "tpm.command", journal.F("operation", tag), journal.F("result", result))
}
