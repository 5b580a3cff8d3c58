package vnet

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
)

// Panicked is the journal's kind for a handler that failed by a defect of its own. Its fields are host and operation, and
// outside the hash what it said and where.
const Panicked = "service.panicked"

func (g *Gateway) serveTLS(w http.ResponseWriter, r *http.Request) {
	host := normalName(hostOnly(r.Host))
	n := g.network.Load()
	// A connection is for the name that its certificate is for; with HTTP/2 a client may take it for others that the
	// certificate covers too (RFC 9113 9.1.1, RFC 9110 7.4).
	s, asked := n.serviceFor(host), certified(r)
	if asked != host && (s == nil || n.serviceFor(asked) != s || s.certName(asked) != s.certName(host)) {
		g.misdirected(w, r)
		return
	}
	g.serve(w, r, host)
}

func (g *Gateway) servePlain(w http.ResponseWriter, r *http.Request) {
	g.serve(w, r, normalName(hostOnly(r.Host)))
}

func (g *Gateway) misdirected(w http.ResponseWriter, r *http.Request) {
	g.deadline(w)
	g.refused(r.Method, "Host is served on this connection", "421", r.Host)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusMisdirectedRequest)
	fmt.Fprintf(w, "Windtunnel serves no %q on this connection.\n", shortened(r.Host))
}

// visit is one exchange of a real client.
type visit struct {
	n         *Network
	s         *service
	host      string
	operation string
	method    string
	number    int
	sent      int
	proto     string
	action    fault.Action
}

// serve reads a request, and writes what the network answers.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, host string) {
	if g.network.Load().serviceFor(host) == nil {
		g.misdirected(w, r)
		return
	}
	r.Host = host // what a client adds of ports is about how it got here
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.o.MaxBody))
	if err == nil { // the deadline was for the client; the service may take its time
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	ans := g.exchange(r, host, body, err)
	if ans == nil {
		panic(http.ErrAbortHandler)
	}
	g.reply(w, ans)
}

// exchange takes a request through fault rules and handler, and journals it; nil is a connection that breaks. err says why
// the body did not arrive.
func (g *Gateway) exchange(r *http.Request, host string, body []byte, err error) (ans *answer) {
	turn, ok := g.gate.enter(r.Context())
	if !ok {
		return nil
	}
	defer func() {
		if !g.gate.leave(turn) {
			ans = nil
		}
	}()
	n := g.network.Load()
	v := &visit{n: n, s: n.serviceFor(host), host: host, method: r.Method, proto: r.Proto, sent: len(body)}
	if v.s == nil { // it has gone meanwhile
		return nil
	}
	v.number = int(g.count.Add(1))
	v.operation = v.name(r)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		g.refused(v.operation, "body of at most "+strconv.FormatInt(g.o.MaxBody, 10)+" bytes", "413", host)
		ans = v.failed("The request's body is longer than this gateway takes.", http.StatusRequestEntityTooLarge)
	case err == nil:
		q := handling{r: r}
		q.settle(body)
		ans = v.answer(r, g)
		err = v.broken(ans)
	}
	v.report(ans, err) // an err here: the client was too slow, or is gone
	return ans
}

// failed is an answer of the gateway itself.
func (v *visit) failed(text string, status int) *answer {
	rec := newRecorder(v.n.clock.Now())
	http.Error(rec, text, status)
	return rec.finish(v.method)
}

// name is the operation, asked as a client's own request.
func (v *visit) name(r *http.Request) string {
	asked := r.Clone(r.Context())
	asked.Body = http.NoBody
	asked.URL = &url.URL{Scheme: "https", Host: v.host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if r.TLS == nil {
		asked.URL.Scheme = "http"
	}
	return shortened(v.s.operationOf(asked))
}

// answer is the service's or a fault rule's, nil for a connection that breaks.
func (v *visit) answer(r *http.Request, g *Gateway) *answer {
	ctx := r.Context()
	v.action, _ = v.n.o.Faults.At(fault.Point{Layer: fault.HTTP, Host: v.host, Operation: v.operation, N: v.number})
	if d := g.o.Latency + v.action.Delay; d > 0 && v.n.clock.Sleep(ctx, d, "gateway") != nil {
		return nil
	}
	late := v.action.Drop && v.n.droppedLate("", v.number)
	if v.action.Refuse || v.action.NoSuchName || v.action.Drop && !late {
		return nil
	}
	out := &outgoing{req: r, action: v.action}
	if v.action.Status != 0 {
		return v.n.faulty(out)
	}
	ans := v.handle(r)
	if ans == nil || late {
		return nil
	}
	out.spoil(ans)
	return ans
}

// handle runs the handler. What panics is a defect of the service: the client gets a 500 that says nothing of it.
func (v *visit) handle(r *http.Request) (ans *answer) {
	defer func() {
		if p := recover(); p != nil {
			if j := v.n.o.Journal; j != nil {
				j.Record("", Panicked, journal.F("host", v.host), journal.F("operation", v.operation),
					journal.Loose("panic", fmt.Sprint(p)), journal.Loose("stack", string(debug.Stack())))
			}
			ans = v.failed("The simulated service failed. The journal has the details.", http.StatusInternalServerError)
		}
	}()
	return runHandler(v.s.handler, r, v.n.clock.Now())
}

// broken is the error of an exchange without an answer.
func (v *visit) broken(ans *answer) error {
	if ans != nil {
		return nil
	}
	return reset("read", &conn{remote: v.host})
}

// report journals one exchange, as a card does for its device.
func (v *visit) report(ans *answer, err error) {
	j := v.n.o.Journal
	if j == nil {
		return
	}
	f := []journal.Field{journal.F("host", v.host), journal.F("operation", v.operation), journal.F("method", v.method), journal.F("n", v.number)}
	if ans == nil {
		f = append(f, journal.F("status", 0), journal.F("code", ErrorCode(err).Hex()), journal.Loose("error", err.Error()))
	} else {
		f = append(f, journal.F("status", ans.status), journal.Loose("received", len(ans.body)))
	}
	j.Record("", "http.request", append(f, journal.Loose("sent", v.sent), journal.Loose("protocol", v.proto))...)
}

// reply writes an answer to a client, which has to read it in time.
func (g *Gateway) reply(w http.ResponseWriter, ans *answer) {
	g.deadline(w)
	err := ans.replay(w)
	if !ans.cut && err == nil {
		return
	}
	_ = http.NewResponseController(w).Flush() // the half that is to arrive
	panic(http.ErrAbortHandler)
}

// deadline is when an answer has to be read.
func (g *Gateway) deadline(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(vclock.RealNow().Add(g.o.SlowBody)) // every connection here has deadlines
}
