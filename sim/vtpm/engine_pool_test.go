package vtpm

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"
)

// weak is a child that dies of every command.
type weak struct {
	runs    *int
	outside bool
	die     sync.Once
	end     chan struct{}
}

func (w *weak) run(*request) ([]byte, time.Duration, error) {
	*w.runs++
	w.kill()
	return nil, 0, &lostError{why: errors.New("it fell over"), outside: w.outside}
}
func (w *weak) pid() int              { return 1 }
func (w *weak) over() <-chan struct{} { return w.end }
func (w *weak) kill()                 { w.die.Do(func() { close(w.end) }) }
func (w *weak) release() error        { return nil }

// crewless is a lab for two engines whose children come from start.
func crewless(t *testing.T, start func() (worker, error)) (*Lab, func() []string) {
	var mu sync.Mutex
	var warnings []string
	l, err := Open(Options{CacheDir: t.TempDir(), Engines: 2, Warn: func(s string) {
		mu.Lock()
		defer mu.Unlock()
		warnings = append(warnings, s)
	}})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	l.engine.start = func(*os.File, time.Duration) (worker, error) { return start() }
	t.Cleanup(func() { NewWithT(t).Expect(l.Close()).To(Succeed()) })
	return l, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(warnings)
	}
}

func TestCommandThatCostsThreeEnginesIsGivenUp(t *testing.T) {
	g := NewWithT(t)
	runs := 0
	l, _ := crewless(t, func() (worker, error) {
		w := &weak{runs: &runs, end: make(chan struct{})}
		return w, nil
	})
	chip := newTurns(t, l, 1)
	l.engine.mu.Lock()
	l.engine.order()
	l.engine.mu.Unlock()
	g.Eventually(l.EnginePIDs).Should(HaveLen(1))
	withoutHome(t, l, func() {
		_, err := random(&bench{ctx: t.Context(), lab: l, slot: chip.slot})
		g.Expect(err).To(MatchError(And(ContainSubstring("cost 3 engines"), ContainSubstring("it fell over"))))
	})
	g.Expect(runs).To(Equal(3))
	g.Expect(l.Stats().EnginesLost).To(Equal(3))
}

// What somebody else kills is not the command's fault, however often.
func TestCommandOutlivesAnyNumberOfKilledEngines(t *testing.T) {
	g := NewWithT(t)
	runs, left := 0, lossLimit+2
	l, warnings := crewless(t, func() (worker, error) {
		if left == 0 {
			return nil, errors.New("enough")
		}
		left--
		return &weak{runs: &runs, end: make(chan struct{}), outside: true}, nil
	})
	chip := newTurns(t, l, 1)
	l.engine.mu.Lock()
	l.engine.order()
	l.engine.mu.Unlock()
	g.Eventually(l.EnginePIDs).Should(HaveLen(1))
	ended := make(chan error, 1)
	withoutHome(t, l, func() {
		go func() {
			_, err := random(&bench{ctx: t.Context(), lab: l, slot: chip.slot})
			ended <- err
		}()
		g.Eventually(warnings, time.Minute).Should(ConsistOf(HavePrefix("vtpm: no more than 1 engine: ")))
	})
	g.Expect(<-ended).To(Succeed())
	g.Expect(runs).To(Equal(lossLimit + 2))
}

func TestOneEngineWhereNoProcessCanBeStarted(t *testing.T) {
	g := NewWithT(t)
	tries := 0
	l, warnings := crewless(t, func() (worker, error) {
		tries++
		return nil, errors.New("operation not permitted")
	})
	var callers sync.WaitGroup
	for n := range 3 {
		b := &bench{ctx: t.Context(), lab: l, slot: newTurns(t, l, n).slot}
		callers.Go(func() {
			for range 8 { // 0.2 s of work each: more than a process costs
				k, err := createPrimary(b, tpm2.TPMRHOwner, templates().srk)
				if err == nil {
					err = flush(b, k.handle)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	g.Eventually(warnings).Should(ConsistOf(ContainSubstring("operation not permitted")))
	g.Expect(tries).To(Equal(startTries))
	g.Expect(l.Stats().Engines).To(Equal(1))
}

func TestCallersLeaveTheQueue(t *testing.T) {
	g := NewWithT(t)
	l, _ := crewless(t, func() (worker, error) { return nil, errors.New("none") })
	withoutHome(t, l, func() {
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		cancel(enough)
		_, err := l.engine.take(ctx, false)
		g.Expect(err).To(MatchError(enough))
	})
	g.Expect(l.engine.queue).To(BeEmpty())
	g.Expect(l.engine.idle).To(HaveLen(1))
}
