package vclock_test

import (
	"context"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

// Work of several actors really overlaps: each waits for all of the others.
func TestOffloadsOverlap(t *testing.T) {
	const n = 4
	l := newLab(t, vclock.Options{Workers: n})
	var all sync.WaitGroup
	all.Add(n)
	for i := range n {
		l.Go(t.Context(), "actor", func(ctx context.Context) {
			l.Expect(l.Offload(ctx, time.Duration(n-i)*time.Second, "work", func() {
				all.Done()
				all.Wait()
			})).To(Succeed())
			l.say("%d", i)
		})
	}
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.said).To(Equal([]string{"1s 3", "2s 2", "3s 1", "4s 0"}))
	l.Expect(l.Stats().Offloads).To(BeNumerically("==", n))
}

// Never more at once than there are workers.
func TestOffloadsAreBounded(t *testing.T) {
	const workers = 2
	l := newLab(t, vclock.Options{Workers: workers})
	var mu sync.Mutex
	busy, most, done := 0, 0, 0
	note := func(change int) {
		mu.Lock()
		defer mu.Unlock()
		busy += change
		most = max(most, busy)
	}
	for range 50 {
		l.Go(t.Context(), "actor", func(ctx context.Context) {
			_ = l.Offload(ctx, time.Second, "work", func() { note(1); note(-1) })
			done++
		})
	}
	l.Expect(l.drive()).To(Succeed())
	l.Expect(most).To(BeNumerically("<=", workers))
	l.Expect(done).To(Equal(50))
	l.Expect(l.Now().Sub(vclock.DefaultStart)).To(Equal(time.Second))
}
