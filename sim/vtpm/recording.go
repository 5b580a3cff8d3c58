package vtpm

import (
	"bytes"
	"encoding/binary"
	"sync"
	"time"
)

// Recording takes down what is asked of a lab's chips, from power-on to
// power-on, so that [Lab.Replay] can ask it again of the simulator as
// go-tpm-tools gives it. What the TPMs themselves had to do is a part of what
// a run costs that nothing can take away. The zero value is ready; see
// [Options].
type Recording struct {
	mu      sync.Mutex
	uptimes []*uptime
	now     map[int]*uptime // by slot
}

// uptime is one chip between two power-ons.
type uptime struct {
	state    []byte // before the reset
	commands [][]byte
	codes    []uint32 // what they were answered
}

// Replayed is what a replay took and found.
type Replayed struct {
	CPU      time.Duration
	Commands int
	// Differed is how many were answered with another response code than in the
	// run, where the chip's random numbers and time are others.
	Differed int
}

// power begins an uptime. The state is the chip's without power.
func (r *Recording) power(slot int, state []byte) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil {
		r.now = map[int]*uptime{}
	}
	l := &uptime{state: bytes.Clone(state)}
	r.now[slot] = l
	r.uptimes = append(r.uptimes, l)
}

func (r *Recording) command(slot int, command, response []byte) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.now[slot]; l != nil {
		l.commands, l.codes = append(l.commands, bytes.Clone(command)), append(l.codes, responseCode(response))
	}
}

func responseCode(response []byte) uint32 {
	if len(response) < 10 {
		return 0
	}
	return binary.BigEndian.Uint32(response[6:])
}
