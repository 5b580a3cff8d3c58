package vnet

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// tlsHome carries connections as real TLS over memory, with net/http at both ends. Those libraries have goroutines of
// their own, and no two goroutines may run virtual-time code at once. So whatever could wait comes back to the actor whose
// request it is: it stays in its RoundTrip, runs the handler when the server has parsed the request, signs when the
// handshake needs its key, and goes on when the answer has been read to its end.
type tlsHome struct {
	n         *Network
	transport *http.Transport
}

// dialled carries a connection that is already up through http.Transport to its dial function.
type dialled struct{}

func newTLSHome(n *Network) *tlsHome { return &tlsHome{n: n, transport: overDialled()} }

// overDialled makes clients of connections that are up.
func overDialled() *http.Transport {
	take := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ctx.Value(dialled{}).(net.Conn), nil
	}
	return &http.Transport{DialContext: take, DialTLSContext: take, DisableCompression: true, WriteBufferSize: 2048, ReadBufferSize: 2048}
}

// tlsChannel is a connection's two ends.
type tlsChannel struct {
	client *http.ClientConn
	mem    *memConn
}

// keyExchange is the one group that both ends offer. A hybrid with ML-KEM would triple the handshake's cost and tell
// nobody anything.
var keyExchange = []tls.CurveID{tls.X25519}

func (h *tlsHome) connect(ctx context.Context, c *conn) error {
	client, server := memPipe(addrText{"tcp", c.local}, addrText{"tcp", c.remote})
	var (
		near, far net.Conn = client, server
		err       error
	)
	if c.id != nil {
		if near, far, err = h.handshake(ctx, c, client, server); err != nil {
			client.Close()
			return err
		}
	}
	if err := c.service.server.take(far); err != nil {
		client.Close()
		return err
	}
	scheme := "http"
	if c.key.secure {
		scheme = "https"
	}
	cc, err := h.transport.NewClientConn(context.WithValue(context.Background(), dialled{}, near), scheme, c.remote)
	if err != nil {
		client.Close()
		return err
	}
	c.carriage = &tlsChannel{client: cc, mem: client}
	return nil
}

// handshake lets both ends of TLS greet each other. Both run to their end before it returns, so that a client certificate
// that the service refuses fails here, as it does in 1.2, and not with the first answer.
func (h *tlsHome) handshake(ctx context.Context, c *conn, client, server *memConn) (net.Conn, net.Conn, error) {
	signatures := make(chan signature)
	near := tls.Client(client, h.clientConfig(c, signatures))
	far := tls.Server(server, h.serverConfig(c))
	var nearErr, farErr, signErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		var greeted sync.WaitGroup
		greeted.Go(func() {
			if farErr = far.HandshakeContext(context.Background()); farErr != nil {
				server.Close()
			}
		})
		if nearErr = near.HandshakeContext(context.Background()); nearErr != nil {
			client.Close()
		}
		greeted.Wait()
	}()
	for greeting := true; greeting; {
		select {
		case s := <-signatures:
			signErr = s.make(ctx, c.cert)
		case <-done:
			greeting = false
		}
	}
	switch {
	case signErr != nil:
		return nil, nil, signErr
	case nearErr != nil:
		return nil, nil, nearErr
	case farErr != nil:
		_, err := near.Read(make([]byte, 1)) // the alert that says why
		return nil, nil, err
	}
	state := near.ConnectionState()
	c.clientState = &state
	return near, far, nil
}

// clientConfig is read out on the actor: roots and clock are the device's, and not to be asked from elsewhere.
func (h *tlsHome) clientConfig(c *conn, signatures chan<- signature) *tls.Config {
	now := c.nic.now()
	cfg := deviceConfig(c, func() time.Time { return now })
	if c.cert == nil {
		return cfg
	}
	cert := deviceCertificate(c.cert)
	cert.PrivateKey = &actorSigner{public: c.cert.Cert.PublicKey, signatures: signatures}
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	return cfg
}

// deviceConfig is what a device wants of TLS.
func deviceConfig(c *conn, now func() time.Time) *tls.Config {
	return &tls.Config{
		RootCAs: c.nic.trusted(), ServerName: c.key.host, MinVersion: tls.VersionTLS12, MaxVersion: c.version(),
		Time: now, CurvePreferences: keyExchange, NextProtos: []string{"http/1.1"},
	}
}

// actorSigner has the actor sign that waits for the handshake: its key may spend virtual time.
type actorSigner struct {
	public     crypto.PublicKey
	signatures chan<- signature
}

// signature is one that a handshake asks for.
type signature struct {
	digest []byte
	opts   crypto.SignerOpts
	reply  chan signed
}

type signed struct {
	sig []byte
	err error
}

func (s *actorSigner) Public() crypto.PublicKey { return s.public }

func (s *actorSigner) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	q := signature{digest, o, make(chan signed, 1)}
	s.signatures <- q
	r := <-q.reply
	return r.sig, r.err
}

// make signs on the actor. Its error is kept by the caller, because crypto/tls passes only its text on. If the actor is
// unwound meanwhile, the handshake learns that, and ends.
func (s signature) make(ctx context.Context, cert *ClientCertificate) error {
	r := signed{err: errUnwound}
	defer func() { s.reply <- r }()
	r.sig, r.err = cert.signer(ctx).Sign(nil, s.digest, s.opts)
	if r.err != nil {
		return signFailed(r.err)
	}
	return nil
}

var errUnwound = errors.New("vnet: the device is gone")

func (h *tlsHome) serverConfig(c *conn) *tls.Config {
	now := h.n.clock.Now()
	cfg := &tls.Config{
		Certificates: []tls.Certificate{c.id.cert}, SessionTicketsDisabled: true, MinVersion: tls.VersionTLS12,
		Time: func() time.Time { return now }, CurvePreferences: keyExchange, NextProtos: []string{"http/1.1"},
	}
	if c.id.passes {
		switch c.service.mode {
		case RequestClientCert:
			cfg.ClientAuth = tls.RequestClientCert
		case RequireClientCert:
			cfg.ClientAuth = tls.RequireAnyClientCert
		}
	}
	return cfg
}

func (h *tlsHome) drop(c *conn) {
	if ch, ok := c.carriage.(*tlsChannel); ok {
		ch.client.Close()
		ch.mem.Close()
	}
}

// carriage is one request under way: the place where the server's goroutine meets the actor whose request it is.
type carriage struct {
	requests chan handling
	over     chan struct{} // closed when the actor is gone
}

// handling is a parsed request that waits for its actor.
type handling struct {
	r     *http.Request
	reply chan *answer // nil: the handler broke off
}

func (h *tlsHome) carry(ctx context.Context, c *conn, out *outgoing) (*answer, error) {
	ch := c.carriage.(*tlsChannel)
	x := &carriage{requests: make(chan handling), over: make(chan struct{})}
	defer close(x.over)
	ch.mem.peer.exchange.Store(x)
	type result struct {
		ans *answer
		err error
	}
	results := make(chan result, 1)
	go func() {
		ans, err := roundTrip(ch.client, wireRequest(out), nil)
		results <- result{ans, err}
	}()
	for {
		select {
		case q := <-x.requests:
			q.reply <- runHandler(c.service.handler, q.r.WithContext(withDevice(ctx, c.nic.o.Device)), h.n.clock.Now())
		case r := <-results:
			if r.err != nil {
				return nil, reset("read", c)
			}
			return r.ans, nil
		}
	}
}

// wireRequest is the caller's request with what prepare has made of it. It does not carry the actor's context: when that
// ends, the handler's clock call says so, and nothing else may.
func wireRequest(out *outgoing) *http.Request {
	r := out.req.WithContext(context.Background())
	r.Close = false // its header says so
	r.Header, r.Body, r.GetBody, r.ContentLength = out.header, http.NoBody, nil, 0
	if _, ok := r.Header["User-Agent"]; !ok {
		r.Header["User-Agent"] = nil // net/http would send its own name
	}
	if n := len(out.body); n > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(out.body)), int64(n)
	}
	return r
}

// roundTrip sends a request and reads the whole answer, as slowly as slowed has
// it; nil: as fast as it comes.
func roundTrip(cc *http.ClientConn, r *http.Request, slowed func(io.ReadCloser) io.ReadCloser) (*answer, error) {
	resp, err := cc.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if slowed != nil {
		resp.Body = slowed(resp.Body)
	}
	if resp.ContentLength > maxAnswer {
		return nil, errTooLong
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxAnswer:
		return nil, errTooLong
	}
	dropHopByHop(resp.Header)
	return &answer{status: resp.StatusCode, header: resp.Header, body: slices.Clip(body)}, nil
}
