package ldap

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/krb5"
	wire "windtunnel.test/sim/wire/ldap"
)

// Directory is what a server needs of the database behind it; *directory.Replica is one. Errors are *wire.Error.
type Directory interface {
	Directory() *directory.Directory
	Name() string
	HostName() string
	Site() string
	RootDSE() wire.Entry
	Authenticate(ctx context.Context, name, password string) (directory.Identity, error)
	AccountByName(name string) (directory.Account, bool)
	Identify(a directory.Account) directory.Identity
	Search(ctx context.Context, id directory.Identity, q directory.Query) (*directory.Results, error)
	Add(ctx context.Context, id directory.Identity, dn string, attributes []wire.Attribute) error
	Modify(ctx context.Context, id directory.Identity, dn string, changes []wire.Change) error
	Delete(ctx context.Context, id directory.Identity, dn string, tree bool) error
	ModifyDN(ctx context.Context, id directory.Identity, q wire.ModifyDNRequest) error
	Compare(ctx context.Context, id directory.Identity, dn, attribute string, value []byte) (bool, error)
}

// Server serves one controller. Only Directory must be set.
type Server struct {
	Directory Directory
	// Accept makes the accepting side of a security context for one bind by GSSAPI or GSS-SPNEGO; nil: neither is offered.
	Accept func() *krb5.Acceptor
	// Certificate is what the server shows in TLS now; nil: no TLS.
	Certificate func() (*tls.Certificate, error)
	// RequireTLS refuses simple binds that anybody on the way could read, and SASL binds whose messages anybody could
	// change ([MS-ADTS] 5.1.1.1: LDAPServerIntegrity).
	RequireTLS bool
	Clock      vclock.Clock     // in whose time connections have deadlines; nil: sessions may idle for ever
	Timing     *timing.Profile  // nil: Windows'
	Journal    *journal.Journal // nil: nothing is recorded
	// Address is what the server says of its own address over UDP; the zero address leaves it out.
	Address netip.Addr
}

// windows is Windows' profile, of which there need be only one: nobody changes it.
var windows = sync.OnceValue(timing.Default)

func (s *Server) timing() *timing.Profile {
	if s.Timing == nil {
		return windows()
	}
	return s.Timing
}

// ServeStream serves a connection to port 389 and closes it.
func (s *Server) ServeStream(ctx context.Context, c net.Conn) { s.serve(ctx, c, false, false) }

// ServeTLS serves a connection to port 636, where TLS comes first, and closes it.
func (s *Server) ServeTLS(ctx context.Context, c net.Conn) { s.serve(ctx, c, true, false) }

// ServeCatalog serves a connection to port 3268, the global catalogue, and closes it.
func (s *Server) ServeCatalog(ctx context.Context, c net.Conn) { s.serve(ctx, c, false, true) }

func (s *Server) serve(ctx context.Context, c net.Conn, secure, global bool) {
	defer c.Close()
	t := &session{s: s, ctx: ctx, wire: c, conn: c, global: global}
	t.reader = wire.NewReader(c, wire.Limits{Message: s.timing().Hybrid.LDAPMessage})
	if secure && t.handshake() != nil {
		return
	}
	t.run()
}

// longestRecorded is how much of a name is journalled: it may be as long as a message.
const longestRecorded = 1024

// record journals one operation: who, what, on which object, and how it ended.
func (s *Server) record(who directory.Identity, operation, dn string, err error) {
	if s.Journal == nil {
		return
	}
	dn = dn[:min(len(dn), longestRecorded)]
	f := make([]journal.Field, 0, 5)
	f = append(f, journal.F("service", s.Directory.HostName()), journal.F("operation", operation), journal.F("name", dn), journal.F("by", who.Name))
	if err == nil {
		s.Journal.Record("", "ldap.request", f...)
		return
	}
	s.Journal.Record("", journal.Refused, append(f, journal.F("check", wire.CodeOf(err).String()), journal.F("why", err.Error()))...)
}
