package vtpm

import "errors"

var (
	// ErrClosed is returned by a Lab that was closed.
	ErrClosed = errors.New("vtpm: the lab is closed")
	// ErrPowerOff is returned for a command to a chip without power, also
	// when power went away while the command waited for its turn.
	ErrPowerOff = errors.New("vtpm: the chip has no power")
	// ErrNoKey is returned when a persistent key is not in the chip, as after
	// TPM2_Clear; Provision makes new ones.
	ErrNoKey = errors.New("vtpm: no such persistent key in the chip")
	// ErrNoCertificate is returned when the chip has no EK certificate in NV.
	ErrNoCertificate = errors.New("vtpm: no EK certificate in the chip")
	// ErrFamily is returned by a chip that is a TPM 1.2.
	ErrFamily = errors.New("vtpm: the chip is not a TPM 2.0")
	// ErrCost is returned when the commands of a job are more than the Cost
	// that was declared for it, so that their virtual duration was too short.
	ErrCost = errors.New("vtpm: more commands than the job's cost allows")

	errShort = errors.New("vtpm: response is too short")
)
