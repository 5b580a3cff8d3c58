package spec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
)

// happening tells whoever waits for an event of it.
type happening struct {
	mu   sync.Mutex
	told []func(journal.Event)
}

func (h *happening) hear(e journal.Event) {
	h.mu.Lock()
	told := slices.Clone(h.told)
	h.mu.Unlock()
	for _, f := range told {
		f(e)
	}
}

// AwaitEvent waits until an event of that kind happens on a PC, from now on, with
// these values of its fields, and gives it. The world is then as it was at that
// moment: nobody has gone on.
func (w *World) AwaitEvent(pc *device.PC, kind string, fields map[string]string) (seen journal.Event) {
	ginkgo.GinkgoHelper()
	found, cond := false, w.Clock.NewCond("event "+kind)
	w.happening.mu.Lock()
	w.happening.told = append(w.happening.told, func(e journal.Event) {
		if found || e.Kind != kind || e.Device != pc.Name {
			return
		}
		for name, value := range fields {
			if e.Text(name) != value {
				return
			}
		}
		cond.Change(func() { found, seen = true, e })
	})
	w.happening.mu.Unlock()
	err := w.try(func(ctx context.Context) error {
		ctx, cancel := w.Clock.WithTimeout(ctx, patience, errNotSeen)
		defer cancel()
		return cond.Await(ctx, func() bool { return found })
	})
	if errors.Is(err, errNotSeen) {
		ginkgo.Fail(fmt.Sprintf("no event %s %v of %s within %s, but\n%s", kind, fields, pc.Name, patience, pc.Screen()))
	}
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return seen
}
