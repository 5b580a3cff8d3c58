package vnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
)

// GatewayOptions say where real clients find a network, and how much of it they may take. RealRoot is needed.
type GatewayOptions struct {
	// Addresses to listen on, "127.0.0.1:0" where they are empty. Others than those of the machine itself are refused unless
	// AnyAddress is set: nothing here is fit for a network.
	ListenTLS, ListenProxy, ListenHTTP string
	AnyAddress                         bool

	RealRoot *pki.CA       // signs the certificates that clients see; see [NewRealRoot]
	Latency  time.Duration // added to each exchange, by the network's clock

	MaxBody    int64         // bytes of a request's body, 413 above; 0: 64 MiB
	MaxHeader  int           // bytes of a request's header, 431 above; 0: 64 KiB
	SlowHeader time.Duration // real time in which TLS and a request's header have to arrive; 0: 10 s
	SlowBody   time.Duration // real time for header and body, and again for reading the answer; 0: 1 min
	Idle       time.Duration // real time after which a connection without requests is closed; 0: 2 min
}

func (o GatewayOptions) withDefaults() GatewayOptions {
	for _, a := range []*string{&o.ListenTLS, &o.ListenProxy, &o.ListenHTTP} {
		if *a == "" {
			*a = "127.0.0.1:0"
		}
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 20
	}
	if o.MaxHeader == 0 {
		o.MaxHeader = 64 << 10
	}
	if o.SlowHeader == 0 {
		o.SlowHeader = 10 * time.Second
	}
	if o.SlowBody == 0 {
		o.SlowBody = time.Minute
	}
	if o.Idle == 0 {
		o.Idle = 2 * time.Minute
	}
	return o
}

// Gateway is a network's third home: real listeners, through which clients that know nothing of the simulation reach its
// services. One listener speaks TLS (HTTP/1.1 and HTTP/2) and routes by the name that the client asks for, one speaks plain
// HTTP, and a proxy answers CONNECT and plain requests for the names that are served and refuses all others, so that a
// client which is pointed at it cannot reach the real services by mistake.
//
// Services run as in the other homes: handlers are given whole requests, and answer whole. Fault rules apply to the
// exchanges of the device "", that is, of all real clients together, whose exchanges are numbered from 1 in the order in
// which they arrive; a connection that stands cannot be refused, so Refuse and NoSuchName break it off as Drop does.
// Each exchange is journaled as `http.request`. Certificates and TLS are in real time, everything else by the network's
// clock, which must be a wall clock.
type Gateway struct {
	o       GatewayOptions
	network atomic.Pointer[Network]
	gate    gate         // of exchanges with the network
	count   atomic.Int64 // exchanges

	listeners [3]net.Listener // tls, proxy, http
	secure    *http.Server
	plain     *http.Server
	proxy     *http.Server
	tunnelled feed // what comes through CONNECT to port 443
	unsecured feed // to port 80
	serving   sync.WaitGroup

	mu    sync.Mutex
	leafs map[string]*identity // by name on the certificate
}

// ListenError says which of a gateway's listeners cannot be where it is wanted: TLS, proxy or HTTP.
type ListenError struct {
	Listener string
	Err      error
}

func (e *ListenError) Error() string { return "vnet: gateway: " + e.Listener + ": " + e.Err.Error() }
func (e *ListenError) Unwrap() error { return e.Err }

// Gateway opens the network to clients outside of it.
func (n *Network) Gateway(o GatewayOptions) (*Gateway, error) {
	switch {
	case o.RealRoot == nil:
		return nil, errors.New("vnet: gateway: no authority for its certificates")
	case n.clock.IsVirtual():
		return nil, errors.New("vnet: gateway: real clients need a wall clock")
	}
	g := &Gateway{o: o.withDefaults(), leafs: map[string]*identity{}, tunnelled: newFeed(), unsecured: newFeed()}
	g.network.Store(n)
	for i, address := range []string{g.o.ListenTLS, g.o.ListenProxy, g.o.ListenHTTP} {
		l, err := g.listen(address)
		if err != nil {
			g.closeListeners()
			return nil, &ListenError{Listener: [...]string{"TLS", "proxy", "HTTP"}[i], Err: err}
		}
		g.listeners[i] = l
	}
	g.secure = g.server(http.HandlerFunc(g.serveTLS))
	g.secure.TLSConfig = g.tlsConfig()
	g.secure.ConnContext = withTarget
	g.plain = g.server(http.HandlerFunc(g.servePlain))
	g.proxy = g.server(http.HandlerFunc(g.serveProxy))
	var one http.Protocols
	one.SetHTTP1(true)
	g.plain.Protocols, g.proxy.Protocols = &one, &one
	g.run(func() error { return g.secure.ServeTLS(g.listeners[0], "", "") })
	g.run(func() error { return g.secure.ServeTLS(g.tunnelled, "", "") })
	g.run(func() error { return g.proxy.Serve(g.listeners[1]) })
	g.run(func() error { return g.plain.Serve(g.listeners[2]) })
	g.run(func() error { return g.plain.Serve(g.unsecured) })
	return g, nil
}

// NewRealRoot makes an authority for a gateway's certificates: a key that nobody can derive, in this process only, and
// dates in real time. Its subject names the moment, so that two of them in one trust store can be told apart.
func NewRealRoot() (*pki.CA, error) {
	now := vclock.RealNow()
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	name := "Windtunnel test root, not for production, " + now.UTC().Format("2006-01-02 15:04:05")
	return pki.NewRoot(now, 0, name, pki.Options{Key: key, NotBefore: now.Add(-certGrace), Life: rootLife})
}

func (g *Gateway) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ErrorLog: log.New(io.Discard, "", 0), MaxHeaderBytes: g.o.MaxHeader,
		ReadHeaderTimeout: g.o.SlowHeader, ReadTimeout: g.o.SlowBody, IdleTimeout: g.o.Idle,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is for a service, too
	}
}

func (g *Gateway) run(serve func() error) {
	g.serving.Go(func() {
		_ = serve() // it ends when its listener does, by Close
	})
}

func (g *Gateway) listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && !g.o.AnyAddress && (err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %s: only addresses of this machine itself are allowed, such as 127.0.0.1", address)
	}
	return net.Listen("tcp", address)
}

// TLSAddr is where the TLS listener is, "127.0.0.1:41234".
func (g *Gateway) TLSAddr() string { return g.listeners[0].Addr().String() }

// ProxyAddr is where the proxy is.
func (g *Gateway) ProxyAddr() string { return g.listeners[1].Addr().String() }

// HTTPAddr is where the listener for plain HTTP is.
func (g *Gateway) HTTPAddr() string { return g.listeners[2].Addr().String() }

// Names lists the names that are served, sorted; "*.suffix" stands for all names below it.
func (g *Gateway) Names() []string { return g.network.Load().served() }

// Close stops listening, waits until the exchanges under way have ended or ctx has, and closes every connection.
func (g *Gateway) Close(ctx context.Context) error {
	servers := []*http.Server{g.proxy, g.secure, g.plain}
	var all sync.WaitGroup
	errs := make([]error, len(servers))
	for i, s := range servers {
		all.Go(func() {
			if errs[i] = s.Shutdown(ctx); errs[i] != nil {
				errs[i] = errors.Join(errs[i], s.Close())
			}
		})
	}
	all.Wait()
	g.serving.Wait()
	return errors.Join(errs...)
}

func (g *Gateway) closeListeners() {
	for _, l := range g.listeners {
		if l != nil {
			l.Close()
		}
	}
}

// served lists the patterns of all services.
func (n *Network) served() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	names := map[string]bool{}
	for name, h := range n.hosts {
		if h.service != nil {
			names[name] = true
		}
	}
	for _, s := range n.wild {
		names[s.pattern] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// serviceFor is what answers HTTP under a name for those outside, nil for nobody. It remembers nothing of the name.
func (n *Network) serviceFor(name string) *service {
	if n.domainOnly(name) {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.hosts[name]; h != nil && h.service != nil {
		return h.service
	}
	return n.wildLocked(name)
}

// feed is a listener for connections that came in elsewhere.
type feed struct {
	conns chan net.Conn
	end   *sync.Once
	over  chan struct{}
}

func newFeed() feed { return feed{make(chan net.Conn), new(sync.Once), make(chan struct{})} }

// give hands a connection over; once the listener is closed it closes the connection.
func (f feed) give(c net.Conn) {
	select {
	case f.conns <- c:
	case <-f.over:
		c.Close()
	}
}

func (f feed) Accept() (net.Conn, error) {
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.over:
		return nil, net.ErrClosed
	}
}

func (f feed) Close() error {
	f.end.Do(func() { close(f.over) })
	return nil
}

func (f feed) Addr() net.Addr { return addrText{"tcp", "tunnel"} }
