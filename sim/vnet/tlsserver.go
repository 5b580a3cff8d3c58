package vnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
)

// tlsServer is net/http's server in front of one service. It has no listener that waits: a connection is handed to it
// when it is up, and the goroutine that then serves it ends with the connection.
type tlsServer struct {
	s    *service
	http http.Server
}

type memConnKey struct{}

func newTLSServer(s *service) *tlsServer {
	t := &tlsServer{s: s}
	t.http = http.Server{
		Handler:  http.HandlerFunc(t.serve),
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if u, ok := c.(interface{ NetConn() net.Conn }); ok {
				c = u.NetConn()
			}
			return context.WithValue(ctx, memConnKey{}, c)
		},
	}
	return t
}

// oneConn is a listener with one connection to give.
type oneConn struct{ c net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	c := l.c
	if c == nil {
		return nil, net.ErrClosed
	}
	l.c = nil
	return c, nil
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return addrText{"tcp", "memory"} }

func (t *tlsServer) take(c net.Conn) error {
	if err := t.http.Serve(&oneConn{c}); !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("vnet: serve %s: %w", t.s.pattern, err)
	}
	return nil
}

// serve has the actor run the handler whose request this is, and writes what it answers.
func (t *tlsServer) serve(w http.ResponseWriter, r *http.Request) {
	x := r.Context().Value(memConnKey{}).(*memConn).exchange.Load()
	q := handling{r: r, reply: make(chan *answer, 1)}
	if x == nil || !q.complete() {
		panic(http.ErrAbortHandler)
	}
	select {
	case x.requests <- q:
	case <-x.over:
		panic(http.ErrAbortHandler)
	}
	select {
	case ans := <-q.reply:
		if ans == nil {
			panic(http.ErrAbortHandler)
		}
		// An error here means that the client is gone; it says so itself.
		_ = ans.replay(w)
	case <-x.over:
		panic(http.ErrAbortHandler)
	}
}

// complete reads the body, so that the actor never waits for the wire.
func (q *handling) complete() bool {
	body, err := io.ReadAll(q.r.Body)
	if err != nil {
		return false
	}
	q.settle(body)
	return true
}

// settle makes the request the one that the direct home gives, with a body that has arrived.
func (q *handling) settle(body []byte) {
	q.r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 {
		q.r.Body = http.NoBody
	}
	if len(body) > 0 || announcesLength(q.r.Method) {
		q.r.Header["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	dropHopByHop(q.r.Header)
}
