package vtpm

import (
	"fmt"
	"time"
)

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
	slot    int    // where the state is, for other processes
	state   []byte // a chip's slot, updated in place
	command []byte
	entropy [32]byte // what RAND_bytes answers from during this operation
	millis  uint64   // virtual time since the chip got power
	dies    bool     // the first engine to do it is lost, because a fault rule says so
}

// check refuses what no engine takes.
func (r *request) check() error {
	if r.op == opCommand && (len(r.command) < 10 || len(r.command) > maxCommand) {
		return fmt.Errorf("vtpm: command of %d bytes", len(r.command))
	}
	return nil
}

// engine executes operations on any chip, one at a time. Where run fails the
// chip is as it was.
type engine interface {
	run(r *request) (response []byte, took time.Duration, err error)
}

// lostError is what run returns when the engine is gone and the operation may
// be done again by another.
type lostError struct {
	why     error
	outside bool // somebody has killed it: it is not the operation's doing
}

func (e *lostError) Error() string { return e.why.Error() }
func (e *lostError) Unwrap() error { return e.why }

// home is the engine of this process.
type home interface {
	engine
	// stateSize is the number of bytes a chip's state takes.
	stateSize() int
	// field returns where a variable of the reference code lies in a state.
	field(name string) (offset, size int)
	close() error
}

// worker is an engine in a process of its own.
type worker interface {
	engine
	pid() int
	over() <-chan struct{} // closed when the process has ended
	kill()                 // and wait for its end
	release() error        // what it held here, after its end
}
