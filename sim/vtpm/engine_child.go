//go:build linux && amd64 && cgo

package vtpm

// #include "engine.h"
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childVariable in the environment and childName as its own name make a process
// an engine, whichever binary it is that links this package. The variable alone
// may come from somebody's shell.
const (
	childVariable = "WINDTUNNEL_TPM_ENGINE"
	childName     = "windtunnel-tpm-engine"
)

// helloLimit is how long a child may take from its start to its first word, on
// a machine that is busy with other things too.
const helloLimit = 60 * time.Second

func init() {
	if os.Getenv(childVariable) == "" || len(os.Args) != 1 || os.Args[0] != childName {
		return
	}
	runtime.LockOSThread()
	if _, err := openEngine(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	C.vtpm_serve(C.uint32_t(local.size))
}

// child is an engine in a process of its own. It works on a copy of the chip
// in its mailbox; the chip's slot changes when the whole answer is there.
type child struct {
	cmd    *exec.Cmd
	do     *os.File // pipes of one byte for each operation
	done   *os.File
	box    *C.struct_vtpm_mailbox
	memory []byte // box, as mapped
	limit  time.Duration
	first  firstWords
	ended  chan struct{} // closed when the process was reaped
	how    error         // it ended, once it has

	mu       sync.Mutex // an operation, or the end
	released bool
}

// startChild starts this same binary again: /proc/self/exe is it even when the
// file was replaced meanwhile. The process is killed when the calling thread
// ends, see pool.keep.
func startChild(slots *os.File, limit time.Duration) (worker, error) {
	c := &child{limit: limit, ended: make(chan struct{})}
	files, err := c.connect()
	if err != nil {
		return nil, err
	}
	c.cmd = exec.Command("/proc/self/exe")
	c.cmd.Args = []string{childName}
	c.cmd.Env = append(os.Environ(), childVariable+"=1", "GOTRACEBACK=none")
	c.cmd.Stderr = &c.first
	c.cmd.ExtraFiles = append([]*os.File{slots}, files...)
	// A group of its own: Ctrl-C is the parent's to hear.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err = c.cmd.Start()
	for _, f := range files {
		_ = f.Close() // the child has its own now
	}
	if err != nil {
		return nil, errors.Join(err, c.release())
	}
	go func() {
		c.how = c.cmd.Wait()
		close(c.ended)
	}()
	if err := c.hello(); err != nil {
		c.kill()
		return nil, errors.Join(err, c.release())
	}
	return c, nil
}

// connect makes mailbox and pipes and returns the child's ends. Pipes, since a
// byte there and back takes 7 µs, and 13 µs over a socket.
func (c *child) connect() (files []*os.File, err error) {
	fd, err := unix.MemfdCreate("windtunnel-tpm-mailbox", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	mailbox := os.NewFile(uintptr(fd), "mailbox")
	if err := mailbox.Truncate(int64(unsafe.Sizeof(*c.box))); err != nil {
		return nil, errors.Join(err, mailbox.Close())
	}
	c.memory, err = unix.Mmap(fd, 0, int(unsafe.Sizeof(*c.box)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mailbox: %w", err), mailbox.Close())
	}
	c.box = (*C.struct_vtpm_mailbox)(unsafe.Pointer(&c.memory[0]))
	theirDo, do, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pipe: %w", err), mailbox.Close(), unix.Munmap(c.memory))
	}
	done, theirDone, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pipe: %w", err), mailbox.Close(), theirDo.Close(), do.Close(), unix.Munmap(c.memory))
	}
	c.do, c.done = do, done
	return []*os.File{mailbox, theirDo, theirDone}, nil
}

// hello waits for the child's first word, and looks whether it means the same
// as this process by a chip's state.
func (c *child) hello() error {
	if err := c.await(helloLimit); err != nil {
		return err
	}
	var digest [len(c.box.digest)]byte
	C.vtpm_digest(bytePointer(digest[:]))
	if !bytes.Equal(c.memory[:len(digest)], digest[:]) || int(c.box.state_size) != local.size {
		return errors.New("the child process is another build of the simulator")
	}
	return nil
}

// await waits for the child's word. On a deadline it looks once more: this
// process may have been stopped itself.
func (c *child) await(limit time.Duration) error {
	var word [1]byte
	err := c.done.SetReadDeadline(time.Now().Add(limit))
	if err == nil {
		_, err = c.done.Read(word[:])
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if err = c.done.SetReadDeadline(time.Now().Add(limit / 10)); err == nil {
			_, err = c.done.Read(word[:])
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.kill()
		return &lostError{why: fmt.Errorf("engine process %d gave no answer for %v and was killed", c.pid(), limit)}
	}
	return c.obituary()
}

// obituary is the error of a child that hung up.
func (c *child) obituary() *lostError {
	c.kill() // if it only closed its pipe
	how := "exit status 0"
	if c.how != nil {
		how = c.how.Error()
	}
	return &lostError{
		why:     fmt.Errorf("engine process %d ended: %s%s", c.pid(), how, c.first.text()),
		outside: wasKilled(c.cmd.ProcessState),
	}
}

// wasKilled tells whether a process ended by a signal that nothing in it raises.
func wasKilled(p *os.ProcessState) bool {
	if p == nil {
		return false // nobody could wait for it
	}
	status, ok := p.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && slices.Contains([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}, status.Signal())
}

func (c *child) run(r *request) ([]byte, time.Duration, error) {
	if err := r.check(); err != nil {
		return nil, 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.released {
		return nil, 0, c.obituary()
	}
	m := c.box
	m.op, m.slot, m.millis = C.uint32_t(r.op), C.uint64_t(r.slot)*slotSize, C.uint64_t(r.millis)
	m.length = C.uint32_t(len(r.command))
	copy(unsafe.Slice((*byte)(&m.key[0]), len(m.key)), r.entropy[:])
	copy(unsafe.Slice((*byte)(&m.command[0]), len(m.command)), r.command)
	if _, err := c.do.Write([]byte{1}); err != nil {
		return nil, 0, c.obituary()
	}
	if err := c.await(c.limit); err != nil {
		return nil, 0, err
	}
	copy(r.state[:local.size], unsafe.Slice((*byte)(&m.state[0]), len(m.state)))
	response := bytes.Clone(unsafe.Slice((*byte)(&m.response[0]), len(m.response))[:min(m.size, maxResponse)])
	return response, time.Duration(m.nanos), nil
}

func (c *child) pid() int              { return c.cmd.Process.Pid }
func (c *child) over() <-chan struct{} { return c.ended }

// kill ends the process, whatever state it is in, and waits until it is reaped.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have ended by itself
	<-c.ended
}

// release gives memory and pipes back, once the process has ended.
func (c *child) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.released = true
	return errors.Join(c.do.Close(), c.done.Close(), unix.Munmap(c.memory))
}

// firstWords keeps the beginning of what a process writes: a crash names its
// reason first.
type firstWords struct {
	mu sync.Mutex
	b  []byte
}

const manyWords = 1024

func (w *firstWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, p[:min(len(p), manyWords-len(w.b))]...)
	return len(p), nil
}

func (w *firstWords) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.b) == 0 {
		return ""
	}
	return ": " + string(bytes.TrimSpace(w.b))
}
