package samba

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"windtunnel.test/sim/vclock"
)

//go:embed samba.sh
var script []byte

// Of every controller.
const (
	Address  = "127.0.0.11"
	Name     = "dc1"
	Password = "Passw0rd!" // the administrator's
)

// Domain is one that was provisioned into a directory, and may be served from
// copies of it.
type Domain struct {
	dir, name, netbios string
}

// Make provisions a domain into dir, with its time at since: nothing in it is
// younger.
func Make(dir, domain, netbios string, since time.Time) (*Domain, error) {
	d := &Domain{dir: dir, name: domain, netbios: netbios}
	if err := os.WriteFile(d.script(), script, 0o755); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	if err := d.SetTime(since); err != nil {
		return nil, err
	}
	out, err := d.command("provision", d.served(), domain, netbios, Password).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("samba: provision: %w\n%s", err, out)
	}
	// It is served where it was provisioned, and kept beside it.
	if err := os.Rename(d.served(), d.kept()); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	return d, nil
}

func (d *Domain) script() string { return filepath.Join(d.dir, "samba.sh") }
func (d *Domain) served() string { return filepath.Join(d.dir, "domain") }
func (d *Domain) kept() string   { return filepath.Join(d.dir, "kept") }

// TimeFile is what libfaketime reads.
func (d *Domain) TimeFile() string { return filepath.Join(d.dir, "time") }

// SetTime lets it be t in the domain.
func (d *Domain) SetTime(t time.Time) error {
	beside := d.TimeFile() + ".new"
	if err := os.WriteFile(beside, fmt.Appendf(nil, "%+.3f\n", t.Sub(vclock.RealNow()).Seconds()), 0o644); err != nil {
		return fmt.Errorf("samba: %w", err)
	}
	return os.Rename(beside, d.TimeFile())
}

func (d *Domain) command(args ...string) *exec.Cmd {
	c := exec.Command(d.script(), args...)
	c.Env = append(os.Environ(), "FAKETIME_TIMESTAMP_FILE="+d.TimeFile())
	return c
}

// Services of a controller: those that hybrid PCs use, and with them those that
// NetProvisionComputerAccount and NetRequestOfflineDomainJoin need.
const (
	Directory = "ldap, cldap, kdc, dns"
	Members   = "s3fs, rpc, winbindd, ldap, cldap, kdc, dns"
)

// Controller is a running one.
type Controller struct {
	server *exec.Cmd
	stdin  io.Closer
	log    string
}

// Start serves the domain as it was provisioned, with some services, and waits
// until they answer. One controller runs at a time.
func (d *Domain) Start(services string) (*Controller, error) {
	if err := d.clear(); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	if out, err := exec.Command("cp", "-a", "--reflink=auto", d.kept(), d.served()).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("samba: copy: %w\n%s", err, out)
	}
	c := &Controller{server: d.command("serve", d.served()), log: filepath.Join(d.served(), "log", "samba")}
	c.server.Env = append(c.server.Env, "SAMBA_SERVICES="+services)
	c.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said strings.Builder
	c.server.Stderr = &said
	in, err := c.server.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	out, err := c.server.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	c.stdin = in
	if err := c.server.Start(); err != nil {
		return nil, fmt.Errorf("samba: %w", err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		return nil, errors.Join(fmt.Errorf("samba: it does not start: %w", err), c.Close(), errors.New(said.String()))
	}
	return c, nil
}

// clear puts the domain that was served last away. Its last processes may still be ending, and writing: what they leave
// there goes with the directory of the run.
func (d *Domain) clear() error {
	old, err := os.MkdirTemp(d.dir, "old")
	if err != nil {
		return err
	}
	if err := os.Rename(d.served(), filepath.Join(old, "domain")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = os.RemoveAll(old) // see above
	return nil
}

// Close ends the controller with all of its processes.
func (c *Controller) Close() error {
	err := syscall.Kill(-c.server.Process.Pid, syscall.SIGKILL)
	// That it was ended by a signal is no failure.
	var ended *exec.ExitError
	if werr := c.server.Wait(); werr != nil && !errors.As(werr, &ended) {
		err = errors.Join(err, werr)
	}
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// Log is what it said so far.
func (c *Controller) Log() string {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
