package vtpm

import "time"

// maxCommand and maxResponse are the reference code's buffer sizes
// (TpmProfile.h).
const (
	maxCommand  = 4096
	maxResponse = 4096
)

// operation is what an engine can do with a chip.
type operation int

const (
	// opCommand runs one TPM command.
	opCommand operation = iota
	// opReset is power coming back: _TPM_Init without a manufacturing step.
	opReset
	// opManufacture wipes the chip and seeds it anew, then does opReset.
	opManufacture
)

// request is everything an engine may know: the answer and the new state are
// a function of these four and of nothing else.
type request struct {
	op      operation
	state   []byte // a chip's slot, updated in place
	command []byte
	entropy [32]byte // what RAND_bytes answers from during this operation
	millis  uint64   // virtual time since the chip got power
}

// engine executes operations on any chip, one at a time.
type engine interface {
	run(r *request) (response []byte, took time.Duration, err error)
	// stateSize is the number of bytes a chip's state takes.
	stateSize() int
	// field returns where a variable of the reference code lies in a state.
	field(name string) (offset, size int)
	close() error
}
