package target

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"windtunnel.test/sim/load/figure"
)

// dieWithParent has the kernel end the child when we die, however that comes.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// onThread runs f on a thread that is not given back: it would take the child
// with it (prctl(2), PR_SET_PDEATHSIG).
func onThread(f func() error) error {
	runtime.LockOSThread()
	return f()
}

// ticks is the unit of processes' times, a second's part (proc(5), USER_HZ).
const ticks = 100

// useOf reads what a process has used.
func useOf(pid int) (u figure.Process, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, false
	}
	// The name, in brackets, may hold anything; fields count from behind it.
	i := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[i+1:])
	if i < 0 || len(fields) < 13 {
		return u, false
	}
	user, err1 := strconv.ParseFloat(string(fields[11]), 64)
	system, err2 := strconv.ParseFloat(string(fields[12]), 64)
	if err1 != nil || err2 != nil {
		return u, false
	}
	u.CPUSeconds = (user + system) / ticks
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, false
	}
	for line := range bytes.Lines(status) {
		if rest, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			if kb, err := strconv.ParseUint(string(bytes.Fields(rest)[0]), 10, 64); err == nil {
				u.RSS = kb << 10
			}
		}
	}
	return u, true
}
