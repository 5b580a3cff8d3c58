package namespace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// inside is the environment variable that tells the binary that it is inside.
const inside = "WINDTUNNEL_NAMESPACE"

// Main runs a package's tests in namespaces of their own and ends the process
// with their exit code.
func Main(m *testing.M) {
	if os.Getenv(inside) != "" {
		if err := enter(); err != nil {
			fmt.Fprintln(os.Stderr, "namespace:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	code, err := again()
	if err != nil {
		fmt.Fprintln(os.Stderr, "namespace:", err)
	}
	os.Exit(code)
}

// again runs this binary inside, with the same arguments, and gives its exit
// code.
func again() (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	// A child is killed when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := exec.Command(self, os.Args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), inside+"=1")
	c.SysProcAttr = attributes()
	err = c.Run()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended) && ended.Exited():
		return ended.ExitCode(), nil
	case errors.Is(err, syscall.EPERM):
		return 1, fmt.Errorf("%w: these specs have a network of their own (unshare -n -m); that takes root, or user namespaces: sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0", err)
	case err != nil:
		return 1, err
	}
	return 0, nil
}

func attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	if uid := os.Getuid(); uid != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return a
}
