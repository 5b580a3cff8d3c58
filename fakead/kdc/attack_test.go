package kdc

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/krb5"
)

// elsewhere is where a datagram comes from that nobody answered before.
var elsewhere = &net.UDPAddr{IP: net.IPv4(10, 9, 9, 9), Port: 1}

// code is the number that an answer refuses with; 0 where it grants.
func code(t *testing.T, answer []byte) int32 {
	t.Helper()
	e, err := krb5.DecodeError(answer)
	if err != nil {
		return 0
	}
	return e.Code
}

// forged is a TGS-REQ for a ticket with a session key that who forges knows.
func forged(t *testing.T, w *world, ticket krb5.Ticket, session krb5.Key, change func(r *krb5.Request, a *krb5.Authenticator)) []byte {
	t.Helper()
	r := &krb5.Request{
		Type: krb5.TypeTGS, Realm: realm, Server: krb5.ParseName("ldap/dc1.corp.contoso.com"), Till: w.clock.at.Add(time.Hour), Nonce: 1,
		EncryptionTypes: krb5.EncryptionTypes,
	}
	a := &krb5.Authenticator{ClientRealm: realm, Client: krb5.ParseName("anna"), Time: w.clock.at.Add(time.Duration(len(w.wire.asked)) * time.Microsecond)}
	sum, err := krb5.BodyChecksum(session, r.EncodeBody())
	if err != nil {
		t.Fatal(err)
	}
	a.Checksum = sum
	change(r, a)
	proof, err := krb5.NewAPRequest(ticket, session, 0, a)
	if err != nil {
		t.Fatal(err)
	}
	r.PAData = []krb5.PAData{{Type: krb5.PATGSRequest, Value: proof}}
	return r.Encode()
}

func TestForgedTicketRequests(t *testing.T) {
	other := krb5.Key{Type: krb5.AES256, Value: bytes.Repeat([]byte{1}, 32)}
	for name, c := range map[string]struct {
		ticket func(w *world, own krb5.Ticket) krb5.Ticket // nil: its own
		change func(r *krb5.Request, a *krb5.Authenticator)
		code   int32
	}{
		"nothing changed":        {code: 0},
		"another body":           {change: func(r *krb5.Request, _ *krb5.Authenticator) { r.Server = krb5.ParseName("cifs/dc1.corp.contoso.com") }, code: krb5.ErrModified},
		"more options":           {change: func(r *krb5.Request, _ *krb5.Authenticator) { r.Options = krb5.Forwardable }, code: krb5.ErrModified},
		"no checksum":            {change: func(_ *krb5.Request, a *krb5.Authenticator) { a.Checksum = krb5.Checksum{} }, code: krb5.ErrInappropriateCksum},
		"a weak checksum":        {change: func(_ *krb5.Request, a *krb5.Authenticator) { a.Checksum.Type = 7 }, code: krb5.ErrChecksumType},
		"a cut checksum":         {change: func(_ *krb5.Request, a *krb5.Authenticator) { a.Checksum.Value = a.Checksum.Value[:4] }, code: krb5.ErrModified},
		"another client":         {change: func(_ *krb5.Request, a *krb5.Authenticator) { a.Client = krb5.ParseName("Administrator") }, code: krb5.ErrBadMatch},
		"a foreign clock":        {change: func(_ *krb5.Request, a *krb5.Authenticator) { a.Time = a.Time.Add(time.Hour) }, code: krb5.ErrSkew},
		"another realm's ticket": {ticket: func(_ *world, own krb5.Ticket) krb5.Ticket { own.Realm = "EVIL.EXAMPLE"; return own }, code: krb5.ErrNotUs},
		"another realm's service": {ticket: func(_ *world, own krb5.Ticket) krb5.Ticket {
			own.Server = krb5.TGS("EVIL.EXAMPLE")
			return own
		}, code: krb5.ErrNotUs},
		"a ticket of their own making": {ticket: func(w *world, own krb5.Ticket) krb5.Ticket {
			p := krb5.TicketPart{Key: other, ClientRealm: realm, Client: krb5.ParseName("anna"), AuthTime: w.clock.at, EndTime: w.clock.at.Add(time.Hour)}
			made, err := p.Seal(other, own.Kvno, realm, own.Server)
			if err != nil {
				panic(err)
			}
			return made
		}, code: krb5.ErrModified},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			w := newWorld(t)
			c0 := w.mustLogon(t)
			ticket, change := c0.TGT.Ticket, c.change
			if c.ticket != nil {
				ticket = c.ticket(w, ticket)
			}
			if change == nil {
				change = func(*krb5.Request, *krb5.Authenticator) {}
			}
			g.Expect(code(t, w.server.HandlePacket(t.Context(), elsewhere, forged(t, w, ticket, c0.TGT.Session, change)))).To(gomega.Equal(c.code))
		})
	}
}

func TestWrongSessionKey(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	c := w.mustLogon(t)
	stolen := forged(t, w, c.TGT.Ticket, krb5.Key{Type: krb5.AES256, Value: make([]byte, 32)}, func(*krb5.Request, *krb5.Authenticator) {})
	g.Expect(code(t, w.server.HandlePacket(t.Context(), elsewhere, stolen))).To(gomega.BeEquivalentTo(krb5.ErrIntegrity))
}

// The same datagram again from where it came is a client that missed the
// answer; from elsewhere, or over a stream, it is a replay.
func TestReplay(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	c := w.mustLogon(t)
	_, err := c.Service(t.Context(), "ldap/dc1.corp.contoso.com")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	last := len(w.wire.asked) - 1
	packet, answer := w.wire.asked[last], w.wire.answers[last]
	g.Expect(w.server.HandlePacket(t.Context(), &net.UDPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 50000}, packet)).To(gomega.Equal(answer))
	g.Expect(code(t, w.server.HandlePacket(t.Context(), elsewhere, packet))).To(gomega.BeEquivalentTo(krb5.ErrReplay))
	g.Expect(code(t, overStream(t, w.server.ServeStream, packet))).To(gomega.BeEquivalentTo(krb5.ErrReplay))
	w.clock.at = w.clock.at.Add(11 * time.Minute)
	g.Expect(code(t, w.server.HandlePacket(t.Context(), elsewhere, packet))).To(gomega.BeEquivalentTo(krb5.ErrSkew), "when it is forgotten it is too old")
}

// A ticket for a service is none for getting others.
func TestServiceTicketAsGrantingTicket(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	c := w.mustLogon(t)
	s, err := c.Service(t.Context(), "ldap/dc1.corp.contoso.com")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	b := forged(t, w, s.Ticket, s.Session, func(*krb5.Request, *krb5.Authenticator) {})
	g.Expect(code(t, w.server.HandlePacket(t.Context(), elsewhere, b))).To(gomega.BeEquivalentTo(krb5.ErrNotUs))
}

func TestRequestsThatAreNotServed(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		r    krb5.Request
		code int32
	}{
		"another realm":       {krb5.Request{Realm: "EVIL.EXAMPLE", Client: krb5.ParseName("anna"), Server: krb5.TGS("EVIL.EXAMPLE")}, krb5.ErrWrongRealm},
		"another realm's TGS": {krb5.Request{Realm: realm, Client: krb5.ParseName("anna"), Server: krb5.TGS("EVIL.EXAMPLE")}, krb5.ErrServerUnknown},
		"DES":                 {krb5.Request{Realm: realm, Client: krb5.ParseName("anna"), Server: krb5.TGS(realm), EncryptionTypes: []int32{3, 1}}, krb5.ErrEncryptionType},
		"no types":            {krb5.Request{Realm: realm, Client: krb5.ParseName("anna"), Server: krb5.TGS(realm), EncryptionTypes: []int32{}}, krb5.ErrEncryptionType},
		"postdated":           {krb5.Request{Realm: realm, Client: krb5.ParseName("anna"), Server: krb5.TGS(realm), Options: krb5.AllowPostdate}, krb5.ErrBadOption},
		"nobody":              {krb5.Request{Realm: realm, Server: krb5.TGS(realm)}, krb5.ErrClientUnknown},
		"a service":           {krb5.Request{Realm: realm, Client: krb5.ParseName("host/dc1.corp.contoso.com"), Server: krb5.TGS(realm)}, krb5.ErrClientUnknown},
		"no server":           {krb5.Request{Realm: realm, Client: krb5.ParseName("anna")}, krb5.ErrServerUnknown},
		"without proof":       {krb5.Request{Realm: realm, Client: krb5.ParseName("anna"), Server: krb5.TGS(realm)}, krb5.ErrPreauthRequired},
		"with a proof that is none": {krb5.Request{Realm: realm, Client: krb5.ParseName("anna"), Server: krb5.TGS(realm),
			PAData: []krb5.PAData{{Type: krb5.PAEncTimestamp, Value: []byte("x")}}}, krb5.ErrPreauthFailed},
		"in lower case":            {krb5.Request{Realm: strings.ToLower(realm), Client: krb5.ParseName("anna"), Server: krb5.TGS(realm)}, krb5.ErrPreauthRequired},
		"a TGS-REQ without ticket": {krb5.Request{Type: krb5.TypeTGS, Realm: realm, Server: krb5.TGS(realm)}, krb5.ErrPreauthType},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.r
			if r.Type == 0 {
				r.Type = krb5.TypeAS
			}
			if r.EncryptionTypes == nil {
				r.EncryptionTypes = krb5.EncryptionTypes
			}
			gomega.NewWithT(t).Expect(code(t, w.server.HandlePacket(t.Context(), elsewhere, r.Encode()))).To(gomega.Equal(c.code))
		})
	}
}

// overStream sends one request over a connection and gives the answer; nil
// where the server hangs up.
func overStream(t *testing.T, serve func(ctxt, net.Conn), packet []byte) []byte {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); serve(t.Context(), timeless{far}) }()
	defer func() { _ = near.Close(); <-done }()
	if krb5.WriteFrame(near, packet) != nil {
		return nil
	}
	b, err := krb5.ReadFrame(near)
	if err != nil {
		return nil
	}
	return b
}

func TestStreamsThatAreNone(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	g.Expect(overStream(t, w.server.ServeStream, []byte("GET / HTTP/1.1"))).To(gomega.BeNil())
	near, far := net.Pipe()
	go w.server.ServeStream(t.Context(), timeless{far})
	_, err := near.Write(binary.BigEndian.AppendUint32(nil, 100<<20))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	b, err := krb5.ReadFrame(near)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(code(t, b)).To(gomega.BeEquivalentTo(krb5.ErrFieldTooLong), "100 MB are not read")
	_, err = near.Read(make([]byte, 1))
	g.Expect(err).To(gomega.MatchError(io.EOF))
}

func TestTruncatedRequests(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	w.mustLogon(t)
	whole := w.wire.asked[1]
	for n := range len(whole) {
		answer := w.server.HandlePacket(t.Context(), elsewhere, whole[:n])
		if n == 0 {
			g.Expect(answer).To(gomega.BeNil())
		} else {
			g.Expect(code(t, answer)).To(gomega.BeEquivalentTo(krb5.ErrGeneric))
		}
	}
	a, _ := w.dir.Primary().AccountBySAM("anna")
	g.Expect(w.dir.Primary().Restriction(a)).To(gomega.BeZero(), "none of it counted as a wrong password")
}

func FuzzPackets(f *testing.F) {
	w := newWorld(f)
	c := w.mustLogon(f)
	if _, err := c.Service(f.Context(), "ldap/dc1.corp.contoso.com"); err != nil {
		f.Fatal(err)
	}
	for _, b := range w.wire.asked {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = w.server.HandlePacket(t.Context(), elsewhere, b)
		_ = w.server.Passwords().HandlePacket(t.Context(), elsewhere, b)
	})
}

// What a controller answers to a client may come from somebody else.
func TestClientTakesNoForgedAnswer(t *testing.T) {
	g := gomega.NewWithT(t)
	w := newWorld(t)
	liar := &Server{Directory: w.dir.Primary(), Seed: vclock.Seed(99)}
	w.wire.server = liar
	w.host.Net = &swapped{w.wire}
	_, err := adclient.Logon(t.Context(), w.host, "dc1", realm, "anna", adclient.Secret{Password: password})
	g.Expect(err).To(gomega.HaveOccurred())
}
