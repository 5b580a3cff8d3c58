//go:build linux && amd64 && cgo

package vtpm

import (
	"bytes"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Replay asks everything of a recording again, one after the other, of one bare
// simulator: no swapping of chips, no entropy and no time of ours, no other
// process. What was replayed is forgotten. The lab's first engine stands still
// meanwhile.
func (l *Lab) Replay(r *Recording) (Replayed, error) {
	runtime.LockOSThread() // whose CPU time is read
	defer runtime.UnlockOSThread()
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.uptimes, r.now = nil, nil }()
	var out Replayed
	for _, uptime := range r.uptimes {
		if err := l.repeat(uptime, &out); err != nil {
			return out, fmt.Errorf("vtpm: replay: %w", err)
		}
	}
	return out, nil
}

func (l *Lab) repeat(uptime *uptime, out *Replayed) error {
	state := bytes.Clone(uptime.state)
	_, reset, err := (&localEngine{}).run(&request{op: opReset, state: state})
	if err != nil {
		return err
	}
	l.skipTests(state)
	local.Lock()
	defer local.Unlock()
	loadState(state)
	response := make([]byte, maxResponse)
	begin, err := threadTime()
	for i, command := range uptime.commands {
		if err != nil {
			return err
		}
		if _, err = local.simulator.Write(command); err != nil {
			return err
		}
		var n int
		n, err = local.simulator.Read(response)
		if responseCode(response[:n]) != uptime.codes[i] {
			out.Differed++
		}
	}
	if err != nil {
		return err
	}
	end, err := threadTime()
	out.CPU += reset + end - begin
	out.Commands += len(uptime.commands)
	return err
}

func threadTime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()), nil
}
