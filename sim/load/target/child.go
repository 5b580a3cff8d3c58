package target

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"windtunnel.test/sim/load/figure"
)

// ServeOptions say what is served.
type ServeOptions struct {
	Scenario []byte    // the file, resolved
	Binary   string    // windtunnel; "": this program
	Warn     io.Writer // takes what it complains of; nil: nobody
}

// readyLimit is how long a child may take until it serves, and endLimit until it
// has ended.
const (
	readyLimit = time.Minute
	endLimit   = 10 * time.Second
)

// child is a windtunnel serve of ours.
type child struct {
	cmd  *exec.Cmd
	dir  string
	done chan struct{} // closed when it has ended
	err  error         // how
	once sync.Once
	last figure.Process // as it was last seen
	mu   sync.Mutex
}

// Serve starts a windtunnel serve of the scenario, on free ports of loopback. It
// ends with the target, and if this process is killed, with that.
func Serve(ctx context.Context, o ServeOptions) (_ *Target, err error) {
	binary := o.Binary
	if binary == "" {
		if binary, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("load target: %w", err)
		}
	}
	c := &child{done: make(chan struct{})}
	if c.dir, err = os.MkdirTemp("", "windtunnel-load-"); err != nil {
		return nil, fmt.Errorf("load target: %w", err)
	}
	file := filepath.Join(c.dir, "scenario.yaml")
	if err := os.WriteFile(file, o.Scenario, 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	c.cmd = exec.Command(binary, "serve", file, "--listen", "127.0.0.1:0", "--proxy", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ca", filepath.Join(c.dir, "ca.pem"), "--json")
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us; we end it when the load is over
	dieWithParent(c.cmd.SysProcAttr)
	var complaints tail
	c.cmd.Stderr = io.MultiWriter(&complaints, cmp.Or[io.Writer](o.Warn, io.Discard))
	out, in, err := os.Pipe() // not the command's own: its Wait would close it under the reader
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	c.cmd.Stdout = in
	err = c.start()
	in.Close()
	if err != nil {
		out.Close()
		return nil, errors.Join(fmt.Errorf("load target: start %s serve: %w", binary, err), os.RemoveAll(c.dir))
	}
	t, err := c.ready(ctx, out)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load target: windtunnel serve: %w%s", err, complaints.text()), c.stop())
	}
	t.name, t.child = "windtunnel serve, a process of its own", c
	return t, nil
}

// start starts it, on a thread that lives as long as it: the kernel's word that
// the parent died is about the thread.
func (c *child) start() error {
	started := make(chan error)
	go func() {
		err := onThread(c.cmd.Start)
		started <- err
		if err == nil {
			c.err = c.cmd.Wait()
		}
		close(c.done)
	}()
	return <-started
}

// ready waits for the ready document.
func (c *child) ready(ctx context.Context, out io.ReadCloser) (*Target, error) {
	type result struct {
		text json.RawMessage
		err  error
	}
	results := make(chan result, 1)
	go func() {
		var r result
		buffered := bufio.NewReader(out)
		r.err = json.NewDecoder(buffered).Decode(&r.text)
		results <- r
		_, _ = io.Copy(io.Discard, buffered) // it says no more, until it ends
		out.Close()
	}()
	limit := time.NewTimer(readyLimit)
	defer limit.Stop()
	select {
	case r := <-results:
		if r.err != nil {
			return nil, fmt.Errorf("it did not say where it serves: %w", r.err)
		}
		return readDocument(r.text)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-limit.C:
		return nil, fmt.Errorf("it does not serve after %v", readyLimit)
	}
}

// stop ends it: in order first, then at once.
func (c *child) stop() (err error) {
	c.once.Do(func() {
		c.note()
		_ = c.cmd.Process.Signal(os.Interrupt) // one that has ended needs none
		limit := time.NewTimer(endLimit)
		defer limit.Stop()
		select {
		case <-c.done:
		case <-limit.C:
			err = fmt.Errorf("load target: windtunnel serve did not end within %v and was killed", endLimit)
			_ = c.cmd.Process.Kill()
			<-c.done
		}
		err = errors.Join(err, os.RemoveAll(c.dir))
	})
	return err
}

// Use is what the child has used so far; nil where there is none.
func (t *Target) Use() *figure.Process {
	if t == nil || t.child == nil {
		return nil
	}
	t.child.note()
	t.child.mu.Lock()
	defer t.child.mu.Unlock()
	last := t.child.last
	return &last
}

func (c *child) note() {
	use, ok := useOf(c.cmd.Process.Pid)
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok {
		c.last = use
	}
}

// tail keeps the end of what is written.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.Write(p)
	if over := t.b.Len() - tailSize; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b.Len() == 0 {
		return ""
	}
	return "\n" + t.b.String()
}
