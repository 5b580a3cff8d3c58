package vtpm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// commandHeader is tag, size and command code (TPM 2.0 Library Part 1,
// "Command/Response Structure"); a response's header is as long.
const commandHeader = 10

// Exchange runs one command of somebody else's making and returns the
// response, whatever it says: what the TPM refuses is a response, too. It takes
// the time of its command code's class, and journal and fault rules know it by
// the command's name.
//
// Bytes that are no command (shorter than a header, longer than the TPM's
// buffer, or of another length than they say) get TPM_RC_COMMAND_SIZE, as
// Part 3, "Command Header Validation", asks. Errors are ErrPowerOff, and those
// of the clock and of the machinery.
func (c *Chip) Exchange(ctx context.Context, command []byte) ([]byte, error) {
	if len(command) < commandHeader || len(command) > maxCommand ||
		int64(binary.BigEndian.Uint32(command[2:])) != int64(len(command)) {
		return refusalOf(tpm2.TPMRCCommandSize), nil
	}
	cc := tpm2.TPMCC(binary.BigEndian.Uint32(command[6:]))
	var response []byte
	err := c.Do(ctx, CommandName(cc), one(classOf(cc)), func(t transport.TPM) error {
		var err error
		if response, err = t.Send(command); err != nil {
			return err
		}
		rc := ResponseCode(response)
		if rc == tpm2.TPMRCSuccess && cc == tpm2.TPMCCClear {
			c.lasting = lasting{keys: poolKeys} // as Clear does
		}
		if rc != tpm2.TPMRCSuccess {
			return rc // for the journal
		}
		return nil
	})
	var rc tpm2.TPMRC
	switch {
	case response != nil:
		return response, nil
	case errors.As(err, &rc): // a fault rule's answer: no command reached the chip
		return refusalOf(rc), nil
	}
	return nil, fmt.Errorf("vtpm: %s: %w", c.id, err)
}

// ResponseCode reads the code of a response; what is too short for a response
// counts as TPM_RC_FAILURE.
func ResponseCode(response []byte) tpm2.TPMRC {
	if len(response) < commandHeader {
		return tpm2.TPMRCFailure
	}
	return tpm2.TPMRC(binary.BigEndian.Uint32(response[6:]))
}

// refusalOf is a response that is a code and nothing else.
func refusalOf(rc tpm2.TPMRC) []byte {
	f := &frame{}
	return f.u16(uint16(tpm2.TPMSTNoSessions)).u32(commandHeader).u32(uint32(rc)).b
}

// one is the cost of one command of a class.
func one(c class) Cost {
	var cost Cost
	*cost.fields()[c] = 1
	return cost
}
