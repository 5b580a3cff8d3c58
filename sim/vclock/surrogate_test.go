package vclock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

// abroad runs f on a goroutine that acts for the calling actor.
func abroad(ctx context.Context, f func(ctx context.Context)) {
	sctx, run := vclock.Surrogate(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(sctx)
	}()
	run(done)
}

func TestSurrogateDoesAllThatAnActorDoes(t *testing.T) {
	both(t, func(ctx context.Context, g Gomega, c vclock.Clock) {
		begin := c.Now()
		cond, sem, q := c.NewCond("c"), c.NewSemaphore("s", 1), vclock.NewQueue[int](c, "q", 1)
		abroad(ctx, func(ctx context.Context) {
			g.Expect(c.Sleep(ctx, time.Millisecond, "nap")).To(Succeed())
			worked := false
			g.Expect(c.Offload(ctx, time.Millisecond, "work", func() { worked = true })).To(Succeed())
			g.Expect(worked).To(BeTrue())
			c.Go(ctx, "helper", func(ctx context.Context) {
				_ = c.Sleep(ctx, time.Millisecond, "help")
				cond.Change(func() { worked = false })
			})
			g.Expect(cond.Await(ctx, func() bool { return !worked })).To(Succeed())
			g.Expect(sem.Acquire(ctx, 1)).To(Succeed())
			c.AfterFunc(ctx, time.Millisecond, "release", func(context.Context) { sem.Release(1) })
			g.Expect(sem.Acquire(ctx, 1)).To(Succeed())
			g.Expect(q.Put(ctx, 1)).To(Succeed())
			g.Expect(q.Get(ctx)).To(Equal(1))
			g.Expect(c.NewTicker(ctx, time.Millisecond, "tick").Wait(ctx)).To(Succeed())
			short, cancel := c.WithTimeout(ctx, time.Millisecond, errPower)
			defer cancel()
			g.Expect(c.Sleep(short, time.Hour, "nap")).To(MatchError(errPower))
			g.Expect(c.Sleep(short, time.Hour, "nap")).To(MatchError(errPower))
			abroad(ctx, func(ctx context.Context) { g.Expect(c.Sleep(ctx, time.Millisecond, "nested")).To(Succeed()) })
		})
		if c.IsVirtual() {
			g.Expect(c.Now().Sub(begin)).To(Equal(7 * time.Millisecond))
		}
	})
}

// Real TLS and HTTP, whose handlers run on the server's goroutines and wait in
// virtual time, for many actors at once.
func TestSurrogateOfAnHTTPServer(t *testing.T) {
	l := newLab(t, vclock.Options{Seed: 1})
	for i := range 8 {
		l.Go(t.Context(), "client", func(ctx context.Context) {
			_ = l.Sleep(ctx, time.Duration(i)*time.Second, "start")
			abroad(ctx, func(ctx context.Context) {
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_ = l.Sleep(r.Context(), time.Hour, "handler")
					_ = l.Offload(r.Context(), time.Minute, "sign", func() {})
					_, _ = fmt.Fprintf(w, "hello %d", i)
				}))
				server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
				server.StartTLS()
				defer server.Close()
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				l.Expect(err).NotTo(HaveOccurred())
				resp, err := server.Client().Do(req)
				l.Expect(err).NotTo(HaveOccurred())
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				l.Expect(err).NotTo(HaveOccurred())
				l.Expect(string(body)).To(Equal(fmt.Sprintf("hello %d", i)))
			})
			l.say("%d", i)
		})
	}
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.said).To(HaveLen(8))
	for i, line := range l.said {
		l.Expect(line).To(Equal(fmt.Sprintf("1h1m%ds %d", i, i)))
	}
}

func TestSurrogateAndPanics(t *testing.T) {
	l := newLab(t, vclock.Options{})
	boom := errors.New("boom")
	abroadDone := false
	l.Go(t.Context(), "bad", func(ctx context.Context) {
		abroad(ctx, func(ctx context.Context) {
			err := l.Offload(ctx, time.Second, "work", func() { panic(boom) })
			l.Expect(err).To(MatchError(boom))
			abroadDone = true
		})
		l.say("never")
	})
	l.Expect(l.drive()).To(MatchError(boom))
	l.Expect(abroadDone).To(BeTrue())
	l.Expect(l.said).To(BeEmpty())
}

func TestSurrogateWhenStopped(t *testing.T) {
	l := newLab(t, vclock.Options{})
	calls := 0
	l.Go(t.Context(), "deaf", func(ctx context.Context) {
		defer l.say("gone")
		abroad(ctx, func(ctx context.Context) {
			for {
				_ = l.Sleep(ctx, time.Hour, "nap")
				calls++
			}
		})
		l.say("never")
	})
	cond := l.NewCond("never")
	l.Go(t.Context(), "deaf as well", func(ctx context.Context) {
		abroad(ctx, func(ctx context.Context) {
			for {
				_ = cond.Wait(ctx)
			}
		})
	})
	l.Expect(l.Run(t.Context(), vclock.DefaultStart.Add(time.Minute))).To(Succeed())
	l.Stop()
	l.Expect(calls).To(Equal(100))
	l.Expect(l.text()).To(Equal("1m0s gone"))
}

func TestSurrogateHasAnEnd(t *testing.T) {
	l := newLab(t, vclock.Options{})
	var late context.Context
	l.Go(t.Context(), "main", func(ctx context.Context) {
		abroad(ctx, func(ctx context.Context) { late = ctx })
		l.Expect(l.Sleep(ctx, 1, "itself")).To(Succeed())
	})
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.Sleep(late, 1, "too late")).To(MatchError(vclock.ErrSurrogateEnded))
}
