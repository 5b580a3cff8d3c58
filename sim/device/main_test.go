package device_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// lab is shared by all tests: a chip's image takes a quarter of a second to make.
var lab *vtpm.Lab

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "device")
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
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		return code
	}())
}

const seed vclock.Seed = 7

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// rig is a bench with a network on which PCs can be put.
type rig struct {
	*gomega.WithT
	t      *testing.T
	clock  *vclock.Virtual
	net    *vnet.Network
	site   *vnet.Site
	memory *journal.Memory
	log    *journal.Journal
	faults *fault.Injector
	root   *pki.CA
	timing *timing.Profile
}

func newRig(t *testing.T, rules ...fault.Rule) *rig { return newRigAt(t, vnet.Direct, rules...) }

func newRigAt(t *testing.T, home vnet.Home, rules ...fault.Rule) *rig {
	t.Helper()
	r := &rig{WithT: gomega.NewWithT(t), t: t, clock: vclock.NewVirtual(vclock.Options{Start: start, Seed: seed}), memory: journal.NewMemory(0)}
	t.Cleanup(r.clock.Stop)
	r.Expect(fault.ValidateAll(rules)).To(gomega.Succeed())
	r.log = journal.New(r.clock, r.memory)
	r.faults = fault.New(seed, r.log, start, rules)
	var err error
	r.root, err = pki.NewRoot(start, seed, "Web Root", pki.Options{})
	r.ok(err)
	r.net = vnet.New(r.clock, vnet.Options{Home: home, Seed: seed, WebRoot: r.root, Journal: r.log, Faults: r.faults})
	r.site, err = r.net.AddSite(vnet.SiteConfig{Name: "bench", Wired: true, Latency: 10 * time.Millisecond, Down: 8e6, Up: 8e6})
	r.ok(err)
	r.timing = timing.Default()
	return r
}

func (r *rig) ok(err error) {
	r.t.Helper()
	r.Expect(err).NotTo(gomega.HaveOccurred())
}

func (r *rig) chip(n int) *vtpm.Chip {
	r.t.Helper()
	c, err := lab.Deal(r.clock, vtpm.ChipID{Model: "infineon-slb9670", N: n}, seed)
	r.ok(err)
	r.t.Cleanup(c.PowerOff)
	return c
}

// options are those of a wired PC without a TPM.
func (r *rig) options(name string, program device.Program) device.Options {
	var pc *device.PC
	o := device.Options{
		Name: name, Hardware: device.Makes[0].Build(seed.Stream("hardware", name)), Installation: device.Installation{Build: "26100.4652", Edition: "Pro"},
		Clock: r.clock, Seed: seed.Derive("pc", name), Journal: r.log, Faults: r.faults, Timing: r.timing, Roots: r.root.Pool(),
	}
	o.NIC = r.net.Attach(vnet.NICOptions{Device: name, Site: r.site, Now: func() time.Time { return pc.FirmwareTime() }, Harm: func(a fault.Action) { pc.Suffer(a) }})
	o.Program = func(w *device.Windows) error {
		pc = w.PC
		return program(w)
	}
	return o
}

func (r *rig) pc(name string, program device.Program) *device.PC {
	return device.New(r.options(name, program))
}

// actor is somebody in the world.
func (r *rig) actor(name string, f func(ctx context.Context)) {
	r.clock.Go(context.Background(), name, f)
}

// drive runs the world to its end.
func (r *rig) drive() {
	r.t.Helper()
	r.ok(r.clock.Run(context.Background(), time.Time{}))
}

// once runs a program on a PC that is switched on, until the PC is off.
func (r *rig) once(program device.Program) *device.PC {
	r.t.Helper()
	pc := r.pc("PC-1", program)
	r.run(pc)
	return pc
}

func (r *rig) run(pc *device.PC) {
	r.t.Helper()
	r.actor("hand", func(ctx context.Context) {
		r.ok(pc.PowerOn(ctx))
		r.ok(pc.AwaitOff(ctx))
	})
	r.drive()
}

// kinds lists a device's events of the given kinds, with their "why" or the
// like cut off.
func (r *rig) kinds(name string, prefix ...string) []string {
	var out []string
	for _, e := range r.memory.Timeline(name) {
		for _, p := range prefix {
			if strings.HasPrefix(e.Kind, p) {
				out = append(out, e.Kind)
			}
		}
	}
	return out
}

// serve answers a host by a function.
func (r *rig) serve(host string, f http.HandlerFunc) { r.net.Serve(host, f) }

// timingWith is the default profile with one value changed.
func timingWith(r *rig, key, value string) *timing.Profile {
	p := timing.Default()
	r.ok(p.Override(map[string]any{key: value}))
	return p
}
