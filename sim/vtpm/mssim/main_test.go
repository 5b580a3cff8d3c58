package mssim

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

// lab and clock are the tests' own: a chip's image takes a quarter of a second
// to make.
var (
	lab   *vtpm.Lab
	clock = vclock.NewWall()
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "mssim")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if lab, err = vtpm.Open(vtpm.Options{CacheDir: dir, Engines: 1}); err != nil {
			panic(err)
		}
		code := m.Run()
		if err := lab.Close(); err != nil {
			panic(err)
		}
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		return code
	}())
}

// rig is a server with a chip that has power.
type rig struct {
	gomega.Gomega
	t                 *testing.T
	chip              Chip
	command, platform net.Listener
	stop              context.CancelFunc
	served            chan error
}

func serve(t *testing.T, chip Chip) *rig {
	t.Helper()
	r := &rig{Gomega: gomega.NewWithT(t), t: t, chip: chip, served: make(chan error, 1)}
	var err error
	r.command, r.platform, err = Listen(0)
	r.ok(err)
	var ctx context.Context
	ctx, r.stop = context.WithCancel(t.Context())
	server := &Server{Chip: chip, Log: func(line string) { t.Log(line) }}
	go func() { r.served <- server.Serve(ctx, r.command, r.platform) }()
	t.Cleanup(func() {
		r.stop()
		if err, open := <-r.served; open && err != nil {
			t.Errorf("server: %v", err)
		}
	})
	return r
}

func serveReal(t *testing.T) *rig {
	t.Helper()
	return serveModel(t, "infineon-slb9670")
}

func serveModel(t *testing.T, model string) *rig {
	t.Helper()
	chip, err := lab.Deal(clock, vtpm.ChipID{Model: model, N: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := chip.PowerOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chip.PowerOff)
	return serve(t, chip)
}

func (r *rig) ok(err error) {
	r.t.Helper()
	r.Expect(err).NotTo(gomega.HaveOccurred())
}

// client is the other end of a connection.
type client struct {
	net.Conn
	in *bufio.Reader
}

func (r *rig) dial(l net.Listener) *client {
	r.t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	r.ok(err)
	r.t.Cleanup(func() { c.Close() })
	return &client{c, bufio.NewReader(c)}
}

func (c *client) send(q request) error {
	_, err := c.Write(q.append(nil))
	return err
}

func (c *client) word() (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(c.in, b[:])
	return binary.BigEndian.Uint32(b[:]), err
}

// signal sends a request without parameters and returns its end.
func (c *client) signal(s signal) (uint32, error) {
	if err := c.send(request{signal: s}); err != nil {
		return 0, err
	}
	return c.word()
}

// run is a command and its response.
func (c *client) run(locality byte, command []byte) ([]byte, error) {
	if err := c.send(request{signal: signalCommand, locality: locality, command: command}); err != nil {
		return nil, err
	}
	size, err := c.word()
	if err != nil {
		return nil, err
	}
	response := make([]byte, size)
	if _, err := io.ReadFull(c.in, response); err != nil {
		return nil, err
	}
	if end, err := c.word(); err != nil || end != 0 {
		return nil, errors.Join(err, fmt.Errorf("the answer ends with %d", end))
	}
	return response, nil
}
