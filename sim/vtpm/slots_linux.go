package vtpm

import (
	"os"

	"golang.org/x/sys/unix"
)

// sharedFile is a memory file, mapped shared.
type sharedFile struct{ fd int }

func newMemory() (memory, error) {
	fd, err := unix.MemfdCreate("windtunnel-tpm", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return sharedFile{fd}, nil
}

func (f sharedFile) grow(at, size int64) ([]byte, error) {
	if err := unix.Ftruncate(f.fd, at+size); err != nil {
		return nil, err
	}
	return unix.Mmap(f.fd, at, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (f sharedFile) release(b []byte) error { return unix.Madvise(b, unix.MADV_REMOVE) }

func (f sharedFile) unmap(chunk []byte) error { return unix.Munmap(chunk) }

func (f sharedFile) share() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(f.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "windtunnel-tpm"), nil
}

func (f sharedFile) close() error { return unix.Close(f.fd) }
