// Package rig is the bench on which the tests of Windows' parts stand: a
// network with nothing on it but what a test serves, and PCs that run a test's
// program. It is for tests alone.
package rig

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// Seed and Start are those of every rig.
const Seed vclock.Seed = 7

// Start is when a rig's clock begins.
var Start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

var lab *vtpm.Lab

// Main runs a test binary's tests with one lab of TPMs for all of them, and
// leaks for the goroutines that may be left.
func Main(m *testing.M, leaks func() error) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "rig")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if lab, err = vtpm.Open(vtpm.Options{CacheDir: dir}); err != nil {
			panic(err)
		}
		code := m.Run()
		if err := lab.Close(); err != nil {
			panic(err)
		}
		if err := leaks(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		return code
	}())
}

// Rig is one test's bench.
type Rig struct {
	*gomega.WithT
	T      *testing.T
	Clock  *vclock.Virtual
	Net    *vnet.Network
	Memory *journal.Memory
	Timing *timing.Profile
	Root   *pki.CA // of the web
	MDM    *pki.CA // issuer of MDM certificates
	Model  string  // of the PCs' TPMs
	site   *vnet.Site
	log    *journal.Journal
	faults *fault.Injector
}

// New makes a bench.
func New(t *testing.T, rules ...fault.Rule) *Rig {
	t.Helper()
	r := &Rig{WithT: gomega.NewWithT(t), T: t, Clock: vclock.NewVirtual(vclock.Options{Start: Start, Seed: Seed}), Memory: journal.NewMemory(0), Timing: timing.Default(), Model: "infineon-slb9670"}
	t.Cleanup(r.Clock.Stop)
	r.log = journal.New(r.Clock, r.Memory)
	r.faults = fault.New(Seed, r.log, Start, rules)
	var err error
	r.Root, err = pki.NewRoot(Start, Seed, "Web Root", pki.Options{})
	r.OK(err)
	r.MDM, err = pki.NewRoot(Start, Seed, "MDM Device CA", pki.Options{})
	r.OK(err)
	r.Net = vnet.New(r.Clock, vnet.Options{Seed: Seed, WebRoot: r.Root, Journal: r.log, Faults: r.faults})
	r.site, err = r.Net.AddSite(vnet.SiteConfig{Name: "bench", Wired: true, Latency: 10 * time.Millisecond, Down: 80e6, Up: 80e6})
	r.OK(err)
	return r
}

// OK fails the test where there is an error.
func (r *Rig) OK(err error) {
	r.T.Helper()
	r.Expect(err).NotTo(gomega.HaveOccurred())
}

// PC makes a wired PC; chip 0 is none.
func (r *Rig) PC(chip int, program device.Program) *device.PC {
	r.T.Helper()
	var pc *device.PC
	o := device.Options{
		Name: "PC-1", Hardware: device.Makes[0].Build(Seed.Stream("hardware")), Installation: device.Installation{Build: "26100.4652", Edition: "Pro"},
		Clock: r.Clock, Seed: Seed.Derive("pc"), Journal: r.log, Faults: r.faults, Timing: r.Timing, Roots: r.Root.Pool(), Program: program,
		NIC: r.Net.Attach(vnet.NICOptions{Device: "PC-1", Site: r.site, Now: func() time.Time { return pc.FirmwareTime() }, Harm: func(a fault.Action) { pc.Suffer(a) }}),
	}
	if chip > 0 {
		c, err := lab.Deal(r.Clock, vtpm.ChipID{Model: r.Model, N: chip}, Seed)
		r.OK(err)
		r.T.Cleanup(c.PowerOff)
		o.Chip = c
	}
	pc = device.New(o)
	return pc
}

// Actor is somebody in the world.
func (r *Rig) Actor(f func(ctx context.Context)) { r.Clock.Go(context.Background(), "hand", f) }

// Drive runs the world to its end.
func (r *Rig) Drive() {
	r.T.Helper()
	r.OK(r.Clock.Run(context.Background(), time.Time{}))
}

// Boot switches a PC on, and lets it live until it is off.
func (r *Rig) Boot(pc *device.PC) {
	r.T.Helper()
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
}

// Once runs f on a PC that is shut down afterwards.
func (r *Rig) Once(chip int, f func(w *device.Windows)) *device.PC {
	r.T.Helper()
	pc := r.PC(chip, func(w *device.Windows) error {
		f(w)
		return device.ErrShutdown
	})
	r.Boot(pc)
	return pc
}

// Serve answers for a host.
func (r *Rig) Serve(host string, f http.HandlerFunc, o ...vnet.ServeOption) {
	r.Net.Serve(host, f, o...)
}

// Enrol makes w look enrolled: an MDM certificate for a key in the TPM, and the
// account's entries in the registry.
func (r *Rig) Enrol(w *device.Windows, address string) {
	r.T.Helper()
	key, err := w.NewKey(w.Ctx, "mdm")
	r.OK(err)
	cert, err := r.MDM.Issue(Start, &x509.Certificate{Subject: pkix.Name{CommonName: "device"}, NotBefore: Start.Add(-time.Hour), NotAfter: Start.AddDate(1, 0, 0)}, key.Public())
	r.OK(err)
	w.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: "mdm", DER: cert.Raw, Container: "mdm"})
	reg, enrollment := w.Registry(), device.KeyEnrollments+`\{1}`
	reg.SetString(device.KeyEnrollments, "Current", "{1}")
	reg.SetString(enrollment, "Addr", address)
	reg.SetString(enrollment, "EntDMID", "dmid")
	reg.SetString(enrollment, "Enrolled", w.Clock.Now().Format(time.RFC3339Nano))
}

// Logged lists the lines of a log file, or the events of a kind, that hold text.
func (r *Rig) Logged(kind, text string) (lines []string) {
	for _, e := range r.Memory.Timeline("PC-1") {
		if s := e.String(); e.Kind == kind && strings.Contains(s, text) {
			lines = append(lines, s)
		}
	}
	return lines
}
