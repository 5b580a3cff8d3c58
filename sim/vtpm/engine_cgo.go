//go:build linux && amd64 && cgo

package vtpm

// #cgo CFLAGS: -O2
// #cgo LDFLAGS: -lcrypto
// #include "engine.h"
import "C"

import (
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/google/go-tpm-tools/simulator"
)

// local is the engine of this process. The reference code exists once in a
// process, so it is shared by every Lab and released with the last of them.
var local struct {
	sync.Mutex
	users     int
	simulator *simulator.Simulator
	home      []byte // the state that simulator.Get left, for its Close
	size      int
	response  [maxResponse]byte
}

type localEngine struct{ once sync.Once }

// openEngine takes the reference code for this package. It blocks while
// someone else in the process holds simulator.Get.
func openEngine() (home, error) {
	local.Lock()
	defer local.Unlock()
	if local.users == 0 {
		size := int(C.vtpm_init())
		if size == 0 {
			return nil, fmt.Errorf("vtpm: the linked simulator is not go-tpm-tools %s: a variable is missing", simulatorVersion)
		}
		sim, err := simulator.Get()
		if err != nil {
			return nil, fmt.Errorf("vtpm: take the simulator: %w", err)
		}
		local.simulator, local.size = sim, size
		local.home = make([]byte, size)
		saveState(local.home)
		C.vtpm_random_hook()
	}
	local.users++
	return &localEngine{}, nil
}

func (e *localEngine) close() error {
	var err error
	e.once.Do(func() {
		local.Lock()
		defer local.Unlock()
		local.users--
		if local.users > 0 {
			return
		}
		C.vtpm_random_unhook()
		loadState(local.home)
		err = local.simulator.Close()
		local.simulator = nil
	})
	return err
}

func (e *localEngine) stateSize() int { return local.size }

func (e *localEngine) field(name string) (offset, size int) {
	for _, v := range variables() {
		if v.name == name {
			return v.offset, v.size
		}
	}
	panic("vtpm: no variable " + name) // a misprint in this package
}

// variable is one global of the reference code that belongs to a chip.
type variable struct {
	name         string
	offset, size int
}

// variables is the table of the C side.
var variables = sync.OnceValue(func() (list []variable) {
	for i := C.int(0); ; i++ {
		v := C.vtpm_variable(i)
		if v == nil {
			return list
		}
		list = append(list, variable{C.GoString(v.name), int(v.offset), int(v.size)})
	}
})

func (e *localEngine) run(r *request) ([]byte, time.Duration, error) {
	if err := r.check(); err != nil {
		return nil, 0, err
	}
	if len(r.state) < local.size {
		return nil, 0, fmt.Errorf("vtpm: slot of %d bytes, state has %d", len(r.state), local.size)
	}
	local.Lock()
	defer local.Unlock()
	if local.simulator == nil {
		return nil, 0, ErrClosed
	}
	var nanos C.uint64_t
	n := C.vtpm_run(C.int(r.op), bytePointer(r.state), bytePointer(r.command), C.uint32_t(len(r.command)),
		bytePointer(r.entropy[:]), C.uint64_t(r.millis), bytePointer(local.response[:]), &nanos)
	response := make([]byte, int(n))
	copy(response, local.response[:n])
	return response, time.Duration(nanos), nil
}

// saveState and loadState copy the reference code's variables out and in.
// local is locked.
func saveState(state []byte) { C.vtpm_save(bytePointer(state)) }
func loadState(state []byte) { C.vtpm_load(bytePointer(state)) }

func bytePointer(b []byte) *C.uchar {
	if len(b) == 0 {
		return nil
	}
	return (*C.uchar)(unsafe.Pointer(&b[0]))
}
