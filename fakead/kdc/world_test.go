package kdc

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/krb5"
)

const (
	realm    = "CORP.CONTOSO.COM"
	password = "Correct-Horse-7"
)

var began = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// stopped is a clock that tests move.
type stopped struct {
	vclock.Clock
	at time.Time
}

func (c *stopped) Now() time.Time { return c.at }

// world is a domain with a client in front of its first controller.
type world struct {
	clock  *stopped
	dir    *directory.Directory
	server *Server
	host   adclient.Host
	wire   *cable
}

// cable is a network card whose every dial ends at one controller, at once.
type cable struct {
	server  *Server
	clock   *stopped
	loseUDP bool
	dialled []string
	asked   [][]byte // datagrams
	answers [][]byte
}

func (c *cable) NameServers() []string { return nil }

func (c *cable) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.dialled = append(c.dialled, network)
	if network == "udp" {
		return &packetConn{cable: c, ctx: ctx}, nil
	}
	near, far := net.Pipe()
	serve := c.server.ServeStream
	if _, port, _ := net.SplitHostPort(address); port == "464" {
		serve = c.server.Passwords().ServeStream
	}
	go serve(ctx, timeless{far})
	return timeless{near}, nil
}

// timeless has no deadlines: the clock stands still.
type timeless struct{ net.Conn }

func (timeless) SetDeadline(time.Time) error { return nil }

type packetConn struct {
	net.Conn
	cable  *cable
	ctx    context.Context
	answer []byte
}

func (p *packetConn) SetDeadline(time.Time) error { return nil }
func (p *packetConn) Close() error                { return nil }

func (p *packetConn) Write(b []byte) (int, error) {
	p.answer = p.cable.server.HandlePacket(p.ctx, &net.UDPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 50000}, b)
	p.cable.asked, p.cable.answers = append(p.cable.asked, b), append(p.cable.answers, p.answer)
	return len(b), nil
}

func (p *packetConn) Read(b []byte) (int, error) {
	if p.answer == nil || p.cable.loseUDP {
		return 0, context.DeadlineExceeded
	}
	return copy(b, p.answer), nil
}

func newWorld(t testing.TB) *world {
	g := gomega.NewWithT(t)
	clock := &stopped{vclock.NewWall(), began}
	d, err := directory.New(directory.Options{
		Domain: "corp.contoso.com", Clock: clock, Seed: 7, Since: began.Add(-48 * time.Hour),
		Controllers: []directory.Controller{{Name: "dc1"}, {Name: "dc2"}}, Replication: time.Hour, Policy: directory.Policy{LockoutThreshold: 3},
	})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	w := &world{clock: clock, dir: d}
	for _, u := range []directory.User{
		{SAM: "anna", UPN: "anna@contoso.com", Password: password},
		{SAM: "off", Password: password, Disabled: true},
		{SAM: "gone", Password: password, Expires: began.Add(-time.Hour)},
		{SAM: "stale", Password: password, PasswordExpired: true},
		{SAM: "new", Password: password, MustChange: true},
	} {
		_, err := d.AddUser(u)
		g.Expect(err).NotTo(gomega.HaveOccurred(), u.SAM)
	}
	clock.at = clock.at.Add(2 * time.Hour) // all replicas know
	w.server = &Server{Directory: d.Primary(), Seed: 7, Timing: timing.Default()}
	w.wire = &cable{server: w.server, clock: clock}
	random := vclock.Seed(9).Reader("client")
	w.host = adclient.Host{Net: w.wire, Clock: clock, Random: func(n int) []byte {
		b := make([]byte, n)
		_, _ = random.Read(b)
		return b
	}}
	return w
}

func (w *world) logon(t testing.TB, user, with string) (*adclient.Credentials, error) {
	t.Helper()
	return adclient.Logon(t.Context(), w.host, "dc1.corp.contoso.com", realm, user, adclient.Secret{Password: with})
}

func (w *world) mustLogon(t testing.TB) *adclient.Credentials {
	t.Helper()
	c, err := w.logon(t, "anna", password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func refusedWith(code int32) gomega.OmegaMatcher { return gomega.MatchError(krb5.Refusal(code)) }

func asError(err error, e **krb5.Error) bool { return errors.As(err, e) }

type ctxt = context.Context

// swapped gives each request the answer to another one of the same client.
type swapped struct{ *cable }

func (s *swapped) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := s.cable.Dial(ctx, network, address)
	if p, ok := c.(*packetConn); ok {
		return &late{p}, err
	}
	return c, err
}

type late struct{ *packetConn }

// Read gives an earlier answer where there is one that granted something.
func (l *late) Read(b []byte) (int, error) {
	if n := len(l.cable.answers); n == 2 {
		r := &krb5.Request{Type: krb5.TypeAS, Realm: realm, Client: krb5.ParseName("anna"), Server: krb5.TGS(realm), Nonce: 1, EncryptionTypes: krb5.EncryptionTypes}
		a, _ := l.cable.server.Directory.AccountBySAM("anna")
		k := l.cable.server.Directory.Keys(a)[0]
		stamp, _ := krb5.EncryptedTimestamp(krb5.Key{Type: k.EType, Value: k.Value}, l.cable.clock.at)
		r.PAData = []krb5.PAData{{Type: krb5.PAEncTimestamp, Value: stamp}}
		return copy(b, l.cable.server.HandlePacket(l.ctx, nil, r.Encode())), nil
	}
	return l.packetConn.Read(b)
}
