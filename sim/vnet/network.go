package vnet

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

// Home says how exchanges are carried.
type Home int

const (
	Direct Home = iota // handlers are called on the caller's goroutine
	TLS                // real TLS records and net/http over memory
)

// String is the home's name on the command line.
func (h Home) String() string {
	if h == TLS {
		return "tls"
	}
	return "direct"
}

// ParseHome reads "direct" or "tls".
func ParseHome(s string) (Home, error) {
	switch strings.ToLower(s) {
	case "direct", "":
		return Direct, nil
	case "tls":
		return TLS, nil
	}
	return Direct, fmt.Errorf("vnet: unknown home %q (direct, tls)", s)
}

// home carries connections and exchanges. It spends no virtual time of its own: links are charged by its caller, and
// only a TPM's signature or a handler's waiting passes time inside.
type home interface {
	// connect proves the service to the device and, where asked, the device to the service.
	connect(ctx context.Context, c *conn) error
	// carry hands the request to the service and brings back its whole answer.
	carry(ctx context.Context, c *conn, out *outgoing) (*answer, error)
	// drop closes what connect opened; c is not used again.
	drop(c *conn)
}

// Options are what a network is made from.
type Options struct {
	Home    Home             // Direct unless said otherwise
	Seed    vclock.Seed      // losses, nonces and server keys are derived from it
	Journal *journal.Journal // nil: nothing is journaled
	Faults  *fault.Injector  // nil: no faults
	WebRoot *pki.CA          // signs server certificates; nil: only http and streams
	// Stranger signs the certificates of whoever opens TLS because a fault rule says so; nil: whoever signs WebRoot's.
	Stranger *pki.CA
	Timing   *timing.Profile // what Windows' TCP waits for; nil: timing.Default()
	// Exchanged is told of every HTTP exchange when it is over, on the goroutine of whoever asked; nil: nobody is, which costs
	// nothing. It must not wait.
	Exchanged func(Exchange)
}

// Network is everything between the network cards. It is made by [New]; its methods may be called by any actor, and in
// wall time by any goroutine.
type Network struct {
	clock vclock.Clock
	o     Options
	home  home

	mu          sync.Mutex
	hosts       map[string]*host
	byAddr      map[netip.Addr]*host
	wild        []*service // "*.suffix", longest suffix first
	domain      []string   // globs of names that only sites with a domain controller see
	nameServers []string   // that such sites tell of
	sites       map[string]*Site
	cards       []*NIC
	minted      map[mintKey]*identity
	sockets     map[netip.AddrPort]*socket
	nat         map[*Site]int  // datagram ports that sites have dealt out
	connCount   map[string]int // connections made so far, by device: names of nonces
	webRoots    *x509.CertPool
	real        map[string]*realHome // by address

	verified chainCache
}

// Close ends all idle connections. It is for a network whose clock was stopped:
// nothing is under way any more.
func (n *Network) Close() {
	n.mu.Lock()
	cards := n.cards
	n.mu.Unlock()
	for _, nic := range cards {
		nic.CloseIdle()
		nic.cutRelays()
	}
}

// New makes an empty network: every name is unknown until somebody serves it.
func New(clock vclock.Clock, o Options) *Network {
	if o.Timing == nil {
		o.Timing = timing.Default()
	}
	n := &Network{
		clock: clock, o: o,
		hosts: map[string]*host{}, byAddr: map[netip.Addr]*host{}, sites: map[string]*Site{},
		minted: map[mintKey]*identity{}, connCount: map[string]int{},
		sockets: map[netip.AddrPort]*socket{}, nat: map[*Site]int{},
	}
	if o.Home == TLS {
		n.home = newTLSHome(n)
	} else {
		n.home = directHome{n}
	}
	return n
}

// ClientCertMode says whether a service asks for client certificates in TLS.
type ClientCertMode int

const (
	NoClientCert      ClientCertMode = iota // never asked for
	RequestClientCert                       // asked for; the handler decides what a missing one means
	RequireClientCert                       // the handshake fails without one
)

// service is one http.Handler under one name or suffix.
type service struct {
	n         *Network
	pattern   string // lower case, "host" or "*.suffix"
	handler   http.Handler
	mode      ClientCertMode
	operation func(*http.Request) string
	presents  *identity // nil: minted under the web root
	server    *tlsServer
	forward   *Forward // nil: served here
}

// ServeOption changes how a service is put on the network.
type ServeOption func(*service)

// ClientCert makes the service ask for client certificates. Which issuers it accepts is for the handler to check, with
// [PeerCertificates]; possession of the key has been proved by then.
func ClientCert(mode ClientCertMode) ServeOption { return func(s *service) { s.mode = mode } }

// Operation names a service's operations for the journal and for fault rules. f is given the client's request before it
// is sent and must not read its body. Without it the operation is the request's path.
func Operation(f func(*http.Request) string) ServeOption { return func(s *service) { s.operation = f } }

// Serve puts a handler on the network as https://host and http://host. The host may be "*.suffix", which serves every
// name below the suffix that has no service of its own. The certificate comes from the web root and is renewed in time.
// Serving a name again replaces its handler for the connections that follow.
func (n *Network) Serve(hostname string, h http.Handler, o ...ServeOption) {
	s := &service{n: n, pattern: normalName(hostname), handler: h}
	for _, f := range o {
		f(s)
	}
	s.server = newTLSServer(s)
	n.mu.Lock()
	defer n.mu.Unlock()
	if strings.HasPrefix(s.pattern, "*.") {
		n.addWild(s)
		return
	}
	n.hostLocked(s.pattern).service = s
}

func (n *Network) addWild(s *service) {
	at := len(n.wild)
	for i, w := range n.wild {
		if w.pattern == s.pattern {
			n.wild[i] = s
			return
		}
		if at == len(n.wild) && len(w.pattern) < len(s.pattern) {
			at = i
		}
	}
	n.wild = append(n.wild[:at], append([]*service{s}, n.wild[at:]...)...)
}

// operationOf is the name of what a request does at s.
func (s *service) operationOf(r *http.Request) string {
	if s == nil || s.operation == nil {
		return r.URL.Path
	}
	return s.operation(r)
}
