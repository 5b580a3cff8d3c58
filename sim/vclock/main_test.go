package vclock_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/vclock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a virtual clock and what its actors said.
type lab struct {
	*vclock.Virtual
	gomega.Gomega
	said []string
}

func newLab(t *testing.T, o vclock.Options) *lab {
	l := &lab{Virtual: vclock.NewVirtual(o), Gomega: gomega.NewWithT(t)}
	t.Cleanup(l.Stop)
	return l
}

// say notes a line with the time that has gone by.
func (l *lab) say(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf("%v %s", l.Now().Sub(vclock.DefaultStart), fmt.Sprintf(format, args...)))
}

// drive runs to the end.
func (l *lab) drive() error { return l.Run(context.Background(), time.Time{}) }

func (l *lab) text() string { return strings.Join(l.said, "\n") }

// both runs a test on each kind of clock; main is an actor.
func both(t *testing.T, main func(ctx context.Context, g gomega.Gomega, c vclock.Clock)) {
	t.Run("virtual", func(t *testing.T) {
		l := newLab(t, vclock.Options{})
		l.Go(t.Context(), "main", func(ctx context.Context) { main(ctx, l, l.Virtual) })
		l.Expect(l.drive()).To(gomega.Succeed())
	})
	t.Run("wall", func(t *testing.T) {
		w := vclock.NewWall()
		main(t.Context(), gomega.NewWithT(t), w)
		w.Stop()
	})
}
