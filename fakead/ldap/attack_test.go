package ldap_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/adclient"
	wire "windtunnel.test/sim/wire/ldap"
)

// raw sends octets on a connection of its own and gives what comes back until the server closes it.
func (r *rig) raw(send ...[]byte) (answers []*wire.Message) {
	r.run(func(ctx context.Context) {
		c, err := r.nic.Dial(ctx, "tcp", host+":389")
		r.Expect(err).NotTo(gomega.HaveOccurred())
		defer c.Close()
		r.must(c.SetDeadline(r.clock.Now().Add(time.Hour)))
		for _, b := range send {
			if _, err := c.Write(b); err != nil {
				break // the server has closed it
			}
		}
		for in := wire.NewReader(c, wire.Limits{}); ; {
			m, err := in.Read()
			if err != nil {
				r.Expect(err).To(gomega.MatchError(io.EOF))
				return
			}
			answers = append(answers, m)
		}
	})
	return answers
}

func TestWhatIsNoMessageEndsTheConnection(t *testing.T) {
	r := newRig(t)
	deep := wire.Eq("a", "b")
	for range 500 {
		deep = &wire.Filter{Kind: wire.Not, Children: []*wire.Filter{deep}}
	}
	wide := wire.AnyOf()
	for range 10000 {
		wide.Children = append(wide.Children, wire.Has("a"))
	}
	ask := func(f *wire.Filter) []byte {
		return (&wire.Message{ID: 7, Op: &wire.SearchRequest{Filter: f}}).Append(nil)
	}
	for name, b := range map[string][]byte{
		"text":                    []byte("GET / HTTP/1.1\r\n\r\n"),
		"indefinite length":       {0x30, 0x80, 2, 1, 1, 0x42, 0, 0, 0},
		"100 MB":                  {0x30, 0x84, 0x06, 0x40, 0, 0, 2, 1, 1},
		"length of 8 octets":      {0x30, 0x88, 0, 0, 0, 1, 0, 0, 0, 0},
		"unknown operation":       {0x30, 5, 2, 1, 1, 0x7c, 0},
		"an answer":               (&wire.Message{ID: 1, Op: &wire.SearchDone{}}).Append(nil),
		"number 0":                (&wire.Message{Op: &wire.DeleteRequest{DN: users}}).Append(nil),
		"filter without end":      ask(deep),
		"filter with many terms":  ask(wide),
		"value in place of a set": {0x30, 0x12, 2, 1, 1, 0x68, 0x0d, 4, 1, 'x', 0x30, 8, 0x30, 6, 4, 1, 'a', 4, 1, 'b'},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			got := r.raw(b, (&wire.Message{ID: 9, Op: &wire.ExtendedRequest{Name: wire.WhoAmI}}).Append(nil))
			g.Expect(got).To(gomega.HaveLen(1))
			notice := got[0].Op.(*wire.ExtendedResponse)
			g.Expect(got[0].ID).To(gomega.BeZero())
			g.Expect(notice.Name).To(gomega.Equal(wire.NoticeOfDisconnection))
			g.Expect(notice.Code).To(gomega.Equal(wire.ProtocolError))
		})
	}
}

// counted counts what the server reads.
type counted struct {
	net.Conn
	from io.Reader
	read int
	out  bytes.Buffer
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.read += n
	return n, err
}
func (c *counted) Write(p []byte) (int, error) { return c.out.Write(p) }
func (c *counted) Close() error                { return nil }
func (c *counted) SetDeadline(time.Time) error { return nil }

// TestHugeMessagesAreNotRead: 100 MB announced and sent are refused after their header.
func TestHugeMessagesAreNotRead(t *testing.T) {
	r := newRig(t)
	c := &counted{from: io.MultiReader(bytes.NewReader([]byte{0x30, 0x84, 0x06, 0x40, 0, 0}), bytes.NewReader(make([]byte, 100<<20)))}
	r.server.ServeStream(context.Background(), c)
	r.Expect(c.read).To(gomega.Equal(6))
	m, err := wire.Decode(c.out.Bytes(), wire.Limits{})
	r.Expect(err).NotTo(gomega.HaveOccurred())
	r.Expect(m.Op.(*wire.ExtendedResponse).Code).To(gomega.Equal(wire.ProtocolError))
}

func TestSilentClientsAreLetGo(t *testing.T) {
	r := newRig(t)
	r.Expect(r.raw()).To(gomega.BeEmpty())
	r.Expect(r.clock.Now()).To(gomega.BeTemporally("~", start.Add(120*time.Second), time.Second))
	r.Expect(r.raw([]byte{0x30})).To(gomega.BeEmpty())
	before := r.clock.Now()
	r.Expect(r.raw((&wire.Message{ID: 1, Op: &wire.ExtendedRequest{Name: wire.WhoAmI}}).Append(nil))).To(gomega.HaveLen(1))
	r.Expect(r.clock.Now()).To(gomega.BeTemporally("~", before.Add(15*time.Minute), time.Second))
}

func TestUnknownExtendedOperations(t *testing.T) {
	r := newRig(t)
	got := r.raw(
		(&wire.Message{ID: 4, Op: &wire.ExtendedRequest{Name: "1.2.3.4"}}).Append(nil),
		(&wire.Message{ID: 5, Op: &wire.ExtendedRequest{Name: wire.WhoAmI}, Controls: []wire.Control{{Type: "1.2", Critical: true}}}).Append(nil),
		(&wire.Message{ID: 6, Op: &wire.BindRequest{Version: 9}}).Append(nil),
		(&wire.Message{ID: 7, Op: &wire.AbandonRequest{ID: 6}}).Append(nil),
		(&wire.Message{ID: 8, Op: &wire.UnbindRequest{}}).Append(nil),
	)
	r.Expect(got).To(gomega.HaveLen(3))
	r.Expect(got[0].Op.(*wire.ExtendedResponse).Result.Err()).To(refusal(wire.ProtocolError, "0000203D"))
	r.Expect(got[1].Op.(*wire.ExtendedResponse).Code).To(gomega.Equal(wire.UnavailableCriticalExtension))
	r.Expect(got[2].Op.(*wire.BindResponse).Code).To(gomega.Equal(wire.ProtocolError))
}

// TestGarbageUnderALayer: what is not protected as agreed ends the connection, and nothing is done.
func TestGarbageUnderALayer(t *testing.T) {
	r := newRig(t)
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		i := r.initiator("anna", true, 0)
		r.Expect(c.BindSASL(wire.MechanismSPNEGO, &signsOnly{i})).To(gomega.Succeed())
		_, err := c.WhoAmI()
		r.Expect(err).To(gomega.MatchError(io.ErrUnexpectedEOF))
	})
}

// signsOnly agrees on sealing and then does not.
type signsOnly struct{ adclient.SecurityContext }

func (s *signsOnly) Wrap(_ bool, p []byte) ([]byte, error) { return s.SecurityContext.Wrap(false, p) }

// TestReferralsAreNotFollowed: a name of another domain is referred, and the client hands that back.
func TestReferralsAreNotFollowed(t *testing.T) {
	r := newRig(t)
	r.asAdministrator(func(c *adclient.LDAP) {
		_, err := c.Read("DC=fabrikam,DC=com")
		r.Expect(wire.CodeOf(err)).To(gomega.BeElementOf(wire.Referral, wire.NoSuchObject))
		err = c.Delete("CN=x,DC=fabrikam,DC=com")
		r.Expect(wire.CodeOf(err)).To(gomega.BeElementOf(wire.Referral, wire.NoSuchObject))
	})
}

func FuzzSession(f *testing.F) {
	f.Add((&wire.Message{ID: 1, Op: &wire.SearchRequest{Base: domainDN, Scope: wire.WholeSubtree, Filter: wire.MustFilter("(cn=a*)")}}).Append(nil))
	f.Add((&wire.Message{ID: 1, Op: &wire.BindRequest{Version: 3, Name: "x", Password: []byte("y")}}).Append(nil))
	f.Add((&wire.Message{ID: 1, Op: &wire.BindRequest{Version: 3, Mechanism: "GSSAPI", Credentials: []byte{0x60, 2, 6, 0}}}).Append(nil))
	f.Add((&wire.Message{ID: 1, Op: &wire.SearchRequest{Filter: wire.All}, Controls: []wire.Control{wire.Paged{Size: 1}.Control()}}).Append(nil))
	r := newRig(f)
	f.Fuzz(func(_ *testing.T, b []byte) {
		r.server.ServeStream(context.Background(), &counted{from: bytes.NewReader(b)})
		r.server.HandlePacket(context.Background(), nil, b)
	})
}
