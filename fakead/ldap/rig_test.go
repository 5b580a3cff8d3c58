package ldap_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/fakead/kdc"
	"windtunnel.test/fakead/ldap"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/krb5"
	wire "windtunnel.test/sim/wire/ldap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	seed     vclock.Seed = 7
	domain               = "corp.contoso.com"
	domainDN             = "DC=corp,DC=contoso,DC=com"
	host                 = "dc1.corp.contoso.com"
	users                = "CN=Users," + domainDN
	password             = "Sommer-2026"
)

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// rig is one controller in a network on virtual time, and a computer that may talk to it.
type rig struct {
	*gomega.WithT
	clock   *vclock.Virtual
	net     *vnet.Network
	nic     *vnet.NIC
	dir     *directory.Directory
	server  *ldap.Server
	root    *pki.CA
	client  adclient.Host
	journal []journal.Event
}

func newRig(t testing.TB, change ...func(*ldap.Server)) *rig {
	t.Helper()
	r := &rig{WithT: gomega.NewWithT(t)}
	r.clock = vclock.NewVirtual(vclock.Options{Start: start, Seed: seed})
	t.Cleanup(r.clock.Stop)
	var err error
	r.root, err = pki.NewRoot(start, seed, "corp-DC1-CA", pki.Options{})
	r.must(err)
	log := journal.New(r.clock, journal.SinkFunc(func(e journal.Event) { r.journal = append(r.journal, e) }))
	r.dir, err = directory.New(directory.Options{Domain: domain, Clock: r.clock, Seed: seed, Controllers: []directory.Controller{{Name: "dc1"}}})
	r.must(err)
	_, err = r.dir.AddUser(directory.User{SAM: "anna", UPN: "anna@contoso.com", Password: password})
	r.must(err)
	certificate := r.certificate()
	r.server = &ldap.Server{
		Directory: r.dir.Primary(), Clock: r.clock, Journal: log,
		Accept:      (&kdc.Server{Directory: r.dir.Primary(), Seed: seed}).Acceptor,
		Certificate: func() (*tls.Certificate, error) { return certificate, nil },
	}
	for _, f := range change {
		f(r.server)
	}
	r.net = vnet.New(r.clock, vnet.Options{Seed: seed})
	for port, serve := range map[uint16]func(context.Context, *vnet.Conn){
		389:  func(ctx context.Context, c *vnet.Conn) { r.server.ServeStream(ctx, c) },
		636:  func(ctx context.Context, c *vnet.Conn) { r.server.ServeTLS(ctx, c) },
		3268: func(ctx context.Context, c *vnet.Conn) { r.server.ServeCatalog(ctx, c) },
	} {
		l, err := r.net.Listen(host, port)
		r.must(err)
		r.clock.GoDaemon(context.Background(), "ldap", func(ctx context.Context) { _ = l.Serve(ctx, "ldap.conn", serve) })
	}
	r.must(r.net.ServePacket(host, 389, r.server.HandlePacket))
	site, err := r.net.AddSite(vnet.SiteConfig{Name: "office", Latency: 5 * time.Millisecond, SeesDC: true})
	r.must(err)
	r.nic = r.net.Attach(vnet.NICOptions{Device: "PC-1", Site: site})
	trusted := x509.NewCertPool()
	trusted.AddCert(r.root.Cert)
	r.client = adclient.Host{
		Net: r.nic, Clock: r.clock, Random: octets(seed.Stream("test", "client")), Roots: func() *x509.CertPool { return trusted }, Name: "PC-1",
	}
	return r
}

// certificate is the controller's, for a year.
func (r *rig) certificate() *tls.Certificate {
	key := pki.Key(seed, "test", host)
	leaf, err := r.root.Issue(start, &x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: []string{host, domain}, NotAfter: start.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key.Public())
	r.must(err)
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// octets draws from a stream.
func octets(s interface{ Uint64() uint64 }) func(int) []byte {
	return func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(s.Uint64())
		}
		return b
	}
}

func (r *rig) must(err error) {
	if err != nil {
		panic(err)
	}
}

// run drives one actor to its end.
func (r *rig) run(f func(ctx context.Context)) {
	r.clock.Go(context.Background(), "test", f)
	r.Expect(r.clock.Run(context.Background(), time.Time{})).To(gomega.Succeed())
}

// dial runs f on a connection to port 389, which is closed after it.
func (r *rig) dial(f func(ctx context.Context, c *adclient.LDAP)) {
	r.run(func(ctx context.Context) {
		c, err := adclient.DialLDAP(ctx, r.client, host)
		r.Expect(err).NotTo(gomega.HaveOccurred())
		f(ctx, c)
		r.Expect(c.Close()).To(gomega.Succeed())
	})
}

// asAdministrator is dial with the administrator bound over TLS.
func (r *rig) asAdministrator(f func(c *adclient.LDAP)) {
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		r.Expect(c.StartTLS()).To(gomega.Succeed())
		r.Expect(c.Bind(r.dir.Administrator())).To(gomega.Succeed())
		f(c)
	})
}

// initiator is a security context of an account, with a ticket that the test seals itself.
func (r *rig) initiator(account string, spnego bool, flags krb5.ContextFlags) *krb5.Initiator {
	at := r.dir.Primary()
	self, _ := at.Self()
	k := at.Keys(self)[0]
	session := krb5.NewKey(krb5.AES256, r.client.Random)
	part := krb5.TicketPart{
		Key: session, ClientRealm: at.Directory().Realm(), Client: krb5.ParseName(account),
		AuthTime: r.clock.Now(), EndTime: r.clock.Now().Add(10 * time.Hour),
	}
	ticket, err := part.Seal(krb5.Key{Type: k.EType, Value: k.Value}, k.Kvno, at.Directory().Realm(), krb5.ParseName("ldap/"+host))
	r.must(err)
	return &krb5.Initiator{
		Ticket: ticket, Session: session, ClientRealm: part.ClientRealm, Client: part.Client, Now: r.clock.Now, Random: r.client.Random,
		Flags: flags, SPNEGO: spnego,
	}
}

// refusal matches an *ldap.Error by its code and a part of its text.
func refusal(code wire.ResultCode, text string) gomega.OmegaMatcher {
	return gomega.And(
		gomega.WithTransform(wire.CodeOf, gomega.Equal(code)),
		gomega.WithTransform(func(err error) string { return err.Error() }, gomega.ContainSubstring(text)),
	)
}

func search(base string, scope wire.Scope, filter string, attributes ...string) wire.SearchRequest {
	return wire.SearchRequest{Base: base, Scope: scope, Filter: wire.MustFilter(filter), Attributes: attributes}
}
