package scep_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/scep"
)

// atOnce posts messages at the same time, and gives the certificates that came
// of them.
func (w *world) atOnce(id wire.Identity, messages [][]byte) (thumbprints []string) {
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := make(chan struct{})
	for _, der := range messages {
		all.Go(func() {
			<-begin
			r := httptest.NewRequestWithContext(w.T.Context(), http.MethodPost, server+"?operation=PKIOperation", bytes.NewReader(der))
			rec := httptest.NewRecorder()
			w.h.ServeHTTP(rec, r)
			reply, err := wire.Parse(rec.Body.Bytes())
			if err != nil {
				w.T.Error(err)
				return
			}
			if reply.Status != wire.Success {
				return
			}
			content, err := wire.Open(reply.Content, id)
			if err != nil {
				w.T.Error(err)
				return
			}
			certs, err := wire.ParseCertificates(content)
			if err != nil {
				w.T.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			thumbprints = append(thumbprints, pki.Thumbprint(certs[0]))
		})
	}
	close(begin)
	all.Wait()
	return thumbprints
}

// tick lets a second pass each time somebody looks at the clock.
func (w *world) tick() {
	var looks atomic.Int64
	w.Service.Now = func() time.Time { return w.Clock.Now().Add(time.Duration(looks.Add(1)) * time.Second) }
}

// A challenge is good once, and a transaction has one certificate, however many
// ask at the same time.
func TestAtOnce(t *testing.T) {
	t.Run("challenge", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		id, challenge := w.self(5), w.challenge(scep.Challenge{})
		messages := make([][]byte, 8)
		for i := range messages {
			messages[i] = w.message(wire.PKCSReq, id, fmt.Sprint("t", i), csr(t, 5, named("PC-1"), challenge))
		}
		g.Expect(w.atOnce(id, messages)).To(HaveLen(1))
	})
	t.Run("one request", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		w.tick()
		id := w.self(5)
		message := w.message(wire.PKCSReq, id, "t", csr(t, 5, named("PC-1"), w.challenge(scep.Challenge{})))
		got := w.atOnce(id, [][]byte{message, message, message, message, message, message, message, message})
		g.Expect(got).NotTo(BeEmpty())
		g.Expect(got).To(HaveEach(got[0]))
	})
	t.Run("approved", func(t *testing.T) {
		g, w := NewWithT(t), newWorld(t)
		w.tick() // at another time it is another certificate
		g.Expect(w.s.Configure(w.Tenant.ID, scep.Settings{Approval: true})).To(Succeed())
		id := w.self(5)
		message := w.message(wire.PKCSReq, id, "t", csr(t, 5, named("PC-1"), w.challenge(scep.Challenge{})))
		w.send(id, message)
		g.Expect(w.s.Approve(w.Tenant, "t")).To(Succeed())
		messages := make([][]byte, 8)
		for i := range messages {
			messages[i] = message
		}
		got := w.atOnce(id, messages)
		g.Expect(got).To(HaveLen(8))
		g.Expect(got).To(HaveEach(got[0]))
	})
}
