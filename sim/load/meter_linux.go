package load

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownCPU is what the threads of this process have used; 0 where the system does
// not say.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// ticksPerSecond is USER_HZ, the unit of times in /proc; it is part of the
// kernel's interface (proc_pid_stat(5), time(7)).
const ticksPerSecond = 100

// childCPU is what another process has used, all its threads together; 0 where
// it is gone.
func childCPU(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is a name in parentheses that may have anything in it; utime
	// and stime are the fields 14 and 15.
	at := strings.LastIndexByte(string(b), ')')
	fields := strings.Fields(string(b[at+1:]))
	if at < 0 || len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * (time.Second / ticksPerSecond)
}
