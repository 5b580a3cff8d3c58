package mssim

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

// fleet is how many TPMs the comparison is about.
const fleet = 200

// BenchmarkPromiseTPM200 starts so many TPMs of ours and so many swtpm
// processes, each until it has answered a command, and measures what memory
// they have of their own while they stand. Both find their NV memory made.
func BenchmarkPromiseTPM200(b *testing.B) {
	program, err := exec.LookPath("swtpm")
	if err != nil {
		b.Fatalf("%v; apt install swtpm", err)
	}
	dir, err := os.MkdirTemp("", "swtpm")
	check(b, err)
	b.Cleanup(func() { check(b, os.RemoveAll(dir)) })
	stop(b, startSwtpm(b, program, dir)) // makes the states
	id := vtpm.ChipID{Model: "infineon-slb9670", N: 1}
	check(b, lab.Build(b.Context(), []vtpm.ChipID{id}, nil))
	for b.Loop() {
		before := private(b, os.Getpid())
		begin := time.Now()
		chips := startOurs(b, id)
		took := time.Since(begin)
		b.ReportMetric(float64(took.Milliseconds()), "ours-200-ms")
		b.ReportMetric(float64(private(b, os.Getpid())-before), "ours-200-KB")
		for _, c := range chips {
			c.PowerOff()
		}

		begin = time.Now()
		others := startSwtpm(b, program, dir)
		took = time.Since(begin)
		b.ReportMetric(float64(took.Milliseconds()), "swtpm-200-ms")
		sum := 0
		for _, p := range others {
			sum += private(b, p.cmd.Process.Pid)
		}
		b.ReportMetric(float64(sum), "swtpm-200-KB")
		stop(b, others)
	}
}

func check(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// each calls f for all TPMs, as many at a time as there are cores.
func each(b *testing.B, f func(i int) error) {
	b.Helper()
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for i := range fleet {
		g.Go(func() error { return f(i) })
	}
	check(b, g.Wait())
}

func startOurs(b *testing.B, id vtpm.ChipID) []*vtpm.Chip {
	b.Helper()
	chips := make([]*vtpm.Chip, fleet)
	each(b, func(i int) (err error) {
		if chips[i], err = lab.Deal(clock, id, vclock.Seed(i)); err != nil {
			return err
		}
		if err := chips[i].PowerOn(b.Context()); err != nil {
			return err
		}
		_, err = chips[i].Exchange(b.Context(), getRandom)
		return err
	})
	return chips
}

// peer is a swtpm process and our end of the socket that it was given.
type peer struct {
	cmd  *exec.Cmd
	conn net.Conn
}

func startSwtpm(b *testing.B, program, dir string) []peer {
	b.Helper()
	peers := make([]peer, fleet)
	each(b, func(i int) error {
		state := filepath.Join(dir, strconv.Itoa(i))
		if err := os.MkdirAll(state, 0o700); err != nil {
			return err
		}
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
		defer theirs.Close()
		defer ours.Close()
		if peers[i].conn, err = net.FileConn(ours); err != nil {
			return err
		}
		cmd := exec.Command(program, "socket", "--tpm2", "--tpmstate", "dir="+state, "--flags", "not-need-init,startup-clear", "--fd", "3")
		cmd.ExtraFiles = []*os.File{theirs}
		peers[i].cmd = cmd
		if err := cmd.Start(); err != nil {
			return err
		}
		if _, err := peers[i].conn.Write(getRandom); err != nil {
			return err
		}
		_, err = io.ReadFull(peers[i].conn, make([]byte, 20))
		return err
	})
	return peers
}

// stop ends the processes, which is over when they have written their state.
func stop(b *testing.B, peers []peer) {
	b.Helper()
	for _, p := range peers {
		check(b, p.conn.Close()) // it ends when its client goes
		var exit *exec.ExitError
		if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
			b.Fatal(err)
		}
	}
}

// private is the memory that a process shares with none, in KB.
func private(b *testing.B, pid int) int {
	b.Helper()
	if pid == os.Getpid() {
		debug.FreeOSMemory()
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	check(b, err)
	sum := 0
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var n int
		if f := bytes.Fields(lines.Bytes()); len(f) == 3 && bytes.HasPrefix(f[0], []byte("Private_")) {
			n, err = strconv.Atoi(string(f[1]))
			check(b, err)
		}
		sum += n
	}
	return sum
}
