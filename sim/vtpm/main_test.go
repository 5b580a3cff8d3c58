package vtpm

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/vclock"
)

// shared is a lab whose cache the tests have in common: a chip's image takes a
// quarter of a second to make.
var shared *Lab

const infineon, stm = "infineon-slb9670", "stm-st33htph"

func TestMain(m *testing.M) {
	if dir := os.Getenv(builderVariable); dir != "" {
		os.Exit(builder(dir))
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "vtpm")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if shared, err = Open(Options{CacheDir: dir}); err != nil {
			panic(err)
		}
		code := m.Run()
		if err := shared.Close(); err != nil {
			panic(err)
		}
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		return code
	}())
}

// world is one run: a clock, and chips in it.
type world struct {
	gomega.Gomega
	t     *testing.T
	clock *vclock.Virtual
	run   vclock.Seed
}

func newWorld(t *testing.T, run vclock.Seed) *world {
	w := &world{Gomega: gomega.NewWithT(t), t: t, clock: vclock.NewVirtual(vclock.Options{Seed: run}), run: run}
	t.Cleanup(w.clock.Stop)
	return w
}

func (w *world) deal(model string, n int) *Chip {
	c, err := shared.Deal(w.clock, ChipID{model, n}, w.run)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.t.Cleanup(c.PowerOff)
	return c
}

// actor is someone in the world.
func (w *world) actor(name string, f func(ctx context.Context)) {
	w.clock.Go(context.Background(), name, f)
}

// drive runs the world to its end.
func (w *world) drive() {
	w.t.Helper()
	w.Expect(w.clock.Run(context.Background(), time.Time{})).To(gomega.Succeed())
}

// alone is a world with one actor and one chip that has power.
func alone(t *testing.T, run vclock.Seed, f func(ctx context.Context, w *world, c *Chip)) {
	t.Helper()
	w := newWorld(t, run)
	c := w.deal(infineon, 1)
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		f(ctx, w, c)
	})
	w.drive()
}

func (w *world) ok(err error) {
	w.t.Helper()
	w.Expect(err).NotTo(gomega.HaveOccurred())
}

// raw sends one frame to a chip.
func raw(ctx context.Context, c *Chip, f *frame) (*reader, error) {
	var r *reader
	err := c.Do(ctx, "test", Cost{Light: 1, NVRead: 1, NVWrite: 1, Load: 1}, func(t transport.TPM) error {
		var err error
		r, err = f.send(t)
		return err
	})
	return r, err
}

// must is for values that cannot fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
