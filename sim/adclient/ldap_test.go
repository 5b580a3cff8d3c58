package adclient_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/ldap"
)

// script is a server that answers each request with what the test says, then stays silent.
func (w *world) script(answers func(m *ldap.Message) []ldap.Message) {
	l, err := w.net.Listen("dc1."+domain, 389)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.clock.GoDaemon(context.Background(), "script", func(ctx context.Context) {
		_ = l.Serve(ctx, "script", func(_ context.Context, c *vnet.Conn) {
			for in := ldap.NewReader(c, ldap.Limits{}); ; {
				m, err := in.Read()
				if err != nil {
					return
				}
				var out []byte
				list := answers(m)
				for i := range list {
					out = list[i].Append(out)
				}
				if _, err := c.Write(out); err != nil {
					return
				}
			}
		})
	})
}

func (w *world) dial(f func(c *adclient.LDAP)) {
	w.run(func(ctx context.Context) {
		c, err := adclient.DialLDAP(ctx, w.host, "dc1."+domain)
		w.Expect(err).NotTo(gomega.HaveOccurred())
		f(c)
		w.Expect(c.Close()).To(gomega.Succeed())
	})
}

func one(m *ldap.Message, op ldap.Op) []ldap.Message { return []ldap.Message{{ID: m.ID, Op: op}} }

func TestReferralsAreHandedBack(t *testing.T) {
	w := newWorld(t)
	there := ldap.Result{Code: ldap.Referral, Referrals: []string{"ldap://dc1." + domain + "/DC=corp"}}
	asked := 0
	w.script(func(m *ldap.Message) []ldap.Message {
		asked++
		switch m.Op.(type) {
		case *ldap.SearchRequest:
			return append(one(m, &ldap.SearchReference{URLs: there.Referrals}), ldap.Message{ID: m.ID, Op: &ldap.SearchDone{Result: there}})
		case *ldap.DeleteRequest:
			return one(m, &ldap.DeleteResponse{Result: there})
		}
		return nil
	})
	w.dial(func(c *adclient.LDAP) {
		_, err := c.Read("DC=corp")
		w.Expect(adclient.IsCode(err, ldap.Referral)).To(gomega.BeTrue())
		var refused *ldap.Error
		w.Expect(errors.As(err, &refused)).To(gomega.BeTrue())
		w.Expect(refused.Referrals).To(gomega.Equal(there.Referrals))
		w.Expect(adclient.IsCode(c.Delete("DC=corp"), ldap.Busy, ldap.Referral)).To(gomega.BeTrue())
	})
	w.Expect(asked).To(gomega.Equal(2))
}

func TestWhatBreaksAConnection(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(m *ldap.Message) []ldap.Message
		want   any
	}{
		"silence": {func(*ldap.Message) []ldap.Message { return nil }, gomega.MatchError(os.ErrDeadlineExceeded)},
		"an answer of a kind that was not asked for": {func(m *ldap.Message) []ldap.Message { return one(m, &ldap.AddResponse{}) }, gomega.MatchError(gomega.ContainSubstring("another kind"))},
		"notice of disconnection": {func(*ldap.Message) []ldap.Message {
			return []ldap.Message{{Op: &ldap.ExtendedResponse{Result: ldap.Result{Code: ldap.Unavailable}, Name: ldap.NoticeOfDisconnection}}}
		}, gomega.MatchError(gomega.ContainSubstring("unavailable (52)"))},
		"an empty notice":         {func(*ldap.Message) []ldap.Message { return []ldap.Message{{Op: &ldap.ExtendedResponse{}}} }, gomega.MatchError(gomega.ContainSubstring("another kind"))},
		"a request with number 0": {func(*ldap.Message) []ldap.Message { return []ldap.Message{{Op: &ldap.UnbindRequest{}}} }, gomega.MatchError(gomega.ContainSubstring("another kind"))},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.script(c.answer)
			w.dial(func(l *adclient.LDAP) {
				first := l.Modify("CN=x")
				w.Expect(first).To(c.want.(gomega.OmegaMatcher))
				w.Expect(l.Delete("CN=x")).To(gomega.Equal(first), "it stays broken")
			})
		})
	}
}

func TestLateAnswersArePassedOver(t *testing.T) {
	w := newWorld(t)
	w.script(func(m *ldap.Message) []ldap.Message {
		return []ldap.Message{{ID: m.ID + 100, Op: &ldap.AddResponse{}}, {ID: m.ID, Op: &ldap.ModifyResponse{}}}
	})
	w.dial(func(c *adclient.LDAP) { w.Expect(c.Modify("CN=x")).To(gomega.Succeed()) })
}

// TestEndlessPages: a server that gives the same cookie with nothing for ever.
func TestEndlessPages(t *testing.T) {
	w := newWorld(t)
	w.script(func(m *ldap.Message) []ldap.Message {
		return []ldap.Message{{ID: m.ID, Op: &ldap.SearchDone{}, Controls: []ldap.Control{ldap.Paged{Cookie: []byte("more")}.Control()}}}
	})
	w.dial(func(c *adclient.LDAP) {
		_, err := c.Search(ldap.SearchRequest{Scope: ldap.WholeSubtree})
		w.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("same empty page")))
	})
}

func TestServerThatHangsUp(t *testing.T) {
	w := newWorld(t)
	l, err := w.net.Listen("dc1."+domain, 389)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.clock.GoDaemon(context.Background(), "deaf", func(ctx context.Context) {
		_ = l.Serve(ctx, "deaf", func(_ context.Context, c *vnet.Conn) { _, _ = c.Read(make([]byte, 100)) })
	})
	w.dial(func(c *adclient.LDAP) {
		w.Expect(c.Bind("x", "y")).To(gomega.MatchError(io.ErrUnexpectedEOF))
	})
	w.run(func(ctx context.Context) {
		_, err := adclient.DialLDAP(ctx, w.host, "dc7."+domain)
		w.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("no such host")))
		_, err = adclient.DialLDAPS(ctx, w.host, "dc1."+domain)
		w.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("refused")))
	})
}

// TestBindsThatServersGetWrong: answers to SASL that no server may give.
func TestBindsThatServersGetWrong(t *testing.T) {
	for name, c := range map[string]struct {
		result ldap.BindResponse
		want   string
	}{
		"no talk about layers":  {ldap.BindResponse{}, "did not prove itself"},
		"refused":               {ldap.BindResponse{Result: ldap.Result{Code: ldap.InvalidCredentials}}, "invalidCredentials"},
		"goes on without token": {ldap.BindResponse{Result: ldap.Result{Code: ldap.SASLBindInProgress}}, "no token"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.script(func(m *ldap.Message) []ldap.Message { return one(m, &c.result) })
			w.dial(func(l *adclient.LDAP) {
				err := l.BindSASL(ldap.MechanismGSSAPI, noContext{})
				w.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(c.want)))
				w.Expect(l.Confidential()).To(gomega.BeFalse())
			})
		})
	}
	w := newWorld(t)
	w.script(func(m *ldap.Message) []ldap.Message {
		return one(m, &ldap.BindResponse{Result: ldap.Result{Code: ldap.SASLBindInProgress}})
	})
	w.dial(func(l *adclient.LDAP) {
		w.Expect(l.Bind("x", "y")).To(gomega.MatchError(gomega.ContainSubstring("another kind")))
	})
}

// noContext is a context that wants a token of the server's.
type noContext struct{}

func (noContext) Init(token []byte) ([]byte, bool, error) {
	if token != nil && len(token) == 0 {
		return nil, false, errors.New("no token")
	}
	if token == nil {
		return []byte("hello"), false, nil
	}
	return nil, false, errors.New("bad token")
}
func (noContext) Wrap(bool, []byte) ([]byte, error) { return nil, errors.New("no context") }
func (noContext) Unwrap([]byte) ([]byte, error)     { return nil, errors.New("no context") }
