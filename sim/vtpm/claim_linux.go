package vtpm

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockRange locks a range of a file for this open file: shared with others who
// share it, or alone. Without wait it returns errBusy at once.
func lockRange(f *os.File, s span, shared, wait bool) error {
	l := unix.Flock_t{Type: unix.F_WRLCK, Start: s.start, Len: s.size}
	if shared {
		l.Type = unix.F_RDLCK
	}
	command := unix.F_OFD_SETLK
	if wait {
		command = unix.F_OFD_SETLKW
	}
	for {
		err := unix.FcntlFlock(f.Fd(), command, &l)
		switch {
		case errors.Is(err, unix.EINTR):
		case !wait && (errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES)):
			return errBusy
		default:
			return err
		}
	}
}

// allocated is what a file takes on the disk, in bytes.
func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return info.Size()
}
