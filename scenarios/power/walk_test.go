package power_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/spec"
)

// cutAt takes a PC's power away at the nth of all events of its life.
func cutAt(n int) spec.Option {
	return spec.Faults(fault.Rule{Name: "cut", When: fault.When{Event: "*", Nth: n}, Do: fault.Action{CutPower: true}})
}

// happened is how many events a PC has had.
func happened(pc *device.PC) int {
	GinkgoHelper()
	s, err := pc.Snapshot()
	Expect(err).NotTo(HaveOccurred())
	return s.Events
}

// shelf is how long a PC lies between the two flows.
const shelf = 48 * time.Hour

// technicianFlow takes a PC that is off to resealed. Somebody whose hand was on
// Reseal when the power went switches it on once more, and looks.
func technicianFlow(w *spec.World, pc *device.PC) error {
	for range 2 {
		if err := w.TryProvision(pc); err != nil {
			return err
		}
		if len(w.Events(pc, "device.resealed")) > 0 {
			if pc.On() { // somebody looked whether it is resealed, and holds the power button
				w.CutPower(pc)
			}
			return nil
		}
	}
	return errors.New("Reseal was pressed twice, and the PC is not resealed")
}

// end says how a PC's walk ended, nil where that is one of the ways in which it
// may: at success, on a failure's screen with code and log, or in a wait that
// Windows is known for.
func end(w *spec.World, pc *device.PC, err error) error {
	switch {
	case err == nil:
		return nil
	case spec.FailureOf(err) != nil:
		return documented(w, pc, spec.FailureOf(err))
	case spec.StuckAt(err) != nil:
		if wait := endless(w, pc); wait == "" {
			return fmt.Errorf("%w, which is no wait that Windows is known for:\n%s", err, pc.Screen())
		}
		return nil
	}
	return err
}

// life is both flows of a PC whose power is cut once. cut tells where that was.
func life(w *spec.World) (cut string, err error) {
	pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
	err = technicianFlow(w, pc)
	if err == nil {
		err = possible(w, pc)
	}
	if err == nil {
		w.Ship(pc, shelf)
		if err = w.TryUnpack(pc, w.User("alex")); err == nil {
			w.Wait(settling)
		}
	}
	return place(w, pc), errors.Join(end(w, pc, err), possible(w, pc))
}

// settling is what a PC that has reached the desktop gets to finish what goes on
// behind it.
const settling = 20 * time.Minute

// place names the event at which the power was cut.
func place(w *spec.World, pc *device.PC) string {
	for _, e := range w.Events(pc, fault.Fired) {
		return "event " + e.Text("n") + ", " + e.Text("operation")
	}
	return "no event"
}

// walk lives as many lives as there are events from the first to the last, each
// in such a world, and cuts the power at another event of each.
func walk(first, last int, world []spec.Option, life func(w *spec.World) (cut string, err error)) {
	GinkgoHelper()
	var wrong []string
	cuts := make([]string, last-first+1)
	errs := spec.SideBySide(len(cuts), func(i int) []spec.Option { return append(slices.Clone(world), cutAt(first+i)) }, func(i int, w *spec.World) (err error) {
		cuts[i], err = life(w)
		if cuts[i] == "no event" {
			err = errors.Join(err, errors.New("the power was not cut"))
		}
		return err
	})
	for i, err := range errs {
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("cut %d (%s): %v", first+i, cuts[i], err))
		}
	}
	AddReportEntry("cuts", len(cuts))
	if len(wrong) > 0 {
		Fail(fmt.Sprintf("%d of %d:\n%s", len(wrong), len(cuts), strings.Join(wrong[:min(len(wrong), 40)], "\n")))
	}
}

// lengths are the numbers of events of both flows where nothing is cut.
func lengths() (technician, both int) {
	GinkgoHelper()
	w := spec.NewWorld(rich...)
	pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
	Expect(technicianFlow(w, pc)).To(Succeed())
	Expect(possible(w, pc)).To(Succeed())
	technician = happened(pc)
	w.Ship(pc, shelf)
	w.Unpack(pc, w.User("alex"))
	both = happened(pc)
	w.Wait(settling)
	Expect(possible(w, pc)).To(Succeed())
	return technician, both
}

var _ = Describe("a PC whose power is cut once, and that is switched on again,", func() {
	It("ends as Windows can end, at whichever event of its technician flow that was", func() {
		technician, _ := lengths()
		walk(1, technician, rich, life)
	})

	It("ends as Windows can end, at whichever event of its user flow that was", func() {
		technician, both := lengths()
		walk(technician+1, both, rich, life)
	})
})
