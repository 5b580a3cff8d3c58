package invariant

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// forge is a world in which nothing happens, and a watcher that is told what a
// test likes.
type forge struct {
	t    *testing.T
	w    *sim.World
	x    *Watcher
	eyes eyes
	now  time.Time
	seq  uint64
	pc   *device.PC // PC-0001, which is on and shows a page with a button
	off  *device.PC // PC-0002, which is off
}

const button = "Next"

func newForge(t *testing.T, lab *vtpm.Lab) *forge {
	t.Helper()
	g := gomega.NewWithT(t)
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, sim.LoadOptions(false))
	g.Expect(problems).To(gomega.BeEmpty())
	w, err := sim.NewWorld(sim.Options{Tenant: s.Tenant, Start: s.Start, Lab: lab, Program: func(string) device.Program {
		return func(w *device.Windows) error {
			_, err := w.Ask(device.Screen{ID: "oobe.language", Buttons: []string{button}})
			return err
		}
	}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	t.Cleanup(func() { _ = w.Close() }) // the world was stopped in the middle
	g.Expect(w.AddSite(vnet.SiteConfig{Name: "home"})).To(gomega.Succeed())
	f := &forge{t: t, w: w, eyes: own}
	for _, name := range []string{"PC-0001", "PC-0002"} {
		pc, err := w.AddPC(sim.Story{Name: name, Hardware: device.Makes[0].Build(w.Seed.Stream(name)), Installation: device.Installation{Build: "26100.4652", Edition: "Pro"}, Home: "home"})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		f.pc, f.off = f.off, pc
	}
	w.Clock.Go(context.Background(), "somebody", func(ctx context.Context) {
		_ = f.pc.PowerOn(ctx)
		_ = w.Clock.Sleep(ctx, 24*time.Hour, "looks at it")
	})
	g.Expect(w.Run(context.Background(), s.Start.Add(10*time.Minute))).To(gomega.Succeed())
	g.Expect(f.pc.Screen().ID).To(gomega.Equal("oobe.language"))
	f.now, f.x = w.Clock.Now(), &Watcher{eyes: &f.eyes}
	for _, name := range []string{"PC-0001", "PC-0002"} {
		f.event(name, "device.made")
	}
	f.start(1)
	f.shown("oobe.language")
	return f
}

// event tells the watcher of one, a second after the last.
func (f *forge) event(device, kind string, pairs ...any) {
	f.seq++
	f.now = f.now.Add(time.Second)
	e := journal.Event{Seq: f.seq, Time: f.now, Device: device, Kind: kind}
	for i := 0; i < len(pairs); i += 2 {
		e.Fields = append(e.Fields, journal.F(pairs[i].(string), pairs[i+1]))
	}
	f.x.Hear(f.w, e)
}

// on tells of an event of the PC that is on.
func (f *forge) on(kind string, pairs ...any) { f.t.Helper(); f.event("PC-0001", kind, pairs...) }

func (f *forge) start(boot int) {
	f.on("device.power.on", "boot", boot)
	f.on("screen.shown", "screen", firmware)
}

func (f *forge) shown(screen string) { f.on("screen.shown", "screen", screen) }

func (f *forge) set(key, name, value string) { f.pc.Disk.Registry.SetString(key, name, value) }

// enrolled is a PC with the management extension and its category begun.
func (f *forge) enrolled() {
	f.set(device.KeyEnrollments, "Current", "{1}")
	f.set(device.KeyEnrollments+`\{1}`, "ProviderID", "MS DM Server")
	f.pc.Disk.Registry.SetDWORD(device.KeyServices+`\`+device.ServiceIME, "Start", 2)
}

// certificate puts one into the PC's store that is valid from then for a day.
func (f *forge) certificate(name string, from time.Time) {
	ca, err := pki.NewRoot(from, 1, "Forged", pki.Options{NotBefore: from, Life: 24 * time.Hour})
	gomega.NewWithT(f.t).Expect(err).NotTo(gomega.HaveOccurred())
	f.pc.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: name, DER: ca.Cert.Raw})
}

// Each invariant sees what breaks it, and nothing where all is as it should be.
func TestInvariantsSeeWhatBreaksThem(t *testing.T) {
	lab, err := vtpm.Open(vtpm.Options{})
	gomega.NewWithT(t).Expect(err).NotTo(gomega.HaveOccurred())
	t.Cleanup(func() { gomega.NewWithT(t).Expect(lab.Close()).To(gomega.Succeed()) })
	named := map[string]bool{}
	for _, c := range forged {
		named[c.name] = true
		t.Run(strings.ReplaceAll(c.name+" "+c.how, " ", "_"), func(t *testing.T) {
			g := gomega.NewWithT(t)
			f := newForge(t, lab)
			if c.before != nil {
				c.before(f)
			}
			g.Expect(f.x.Err()).NotTo(gomega.HaveOccurred(), "before anything was forged")
			c.forge(f)
			var seen []string
			for _, v := range f.x.Violations() {
				seen = append(seen, v.Invariant.Name)
			}
			g.Expect(seen).To(gomega.ContainElement(c.name))
			g.Expect(f.x.Err()).To(gomega.MatchError(gomega.ContainSubstring(c.name)))
		})
	}
	for _, i := range All() {
		if !named[i.Name] {
			t.Errorf("nothing was forged against %s", i.Name)
		}
	}
}
