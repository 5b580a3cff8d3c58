package krb5

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 123456000, time.UTC)

func counted() func(int) []byte {
	n := byte(0)
	return func(size int) []byte {
		n++
		return bytes.Repeat([]byte{n}, size)
	}
}

var serviceKey = Key{AES256, bytes.Repeat([]byte{7}, 32)}

// pair is a client with a ticket for a service, and the service.
func pair(etype int32, spnego bool) (*Initiator, *Acceptor) {
	session := Key{etype, bytes.Repeat([]byte{9}, KeySize(etype))}
	part := TicketPart{
		Key: session, ClientRealm: "CORP.CONTOSO.COM", Client: ParseName("PC-1$"), AuthTime: noon, StartTime: noon, EndTime: noon.Add(time.Hour),
	}
	ticket, err := part.Seal(serviceKey, 3, "CORP.CONTOSO.COM", ParseName("ldap/dc1.corp.contoso.com"))
	if err != nil {
		panic(err)
	}
	now := func() time.Time { return noon }
	i := &Initiator{Ticket: ticket, Session: session, ClientRealm: "CORP.CONTOSO.COM", Client: ParseName("PC-1$"), Now: now, Random: counted(), SPNEGO: spnego}
	a := &Acceptor{Random: counted(), Verifier: &Verifier{
		Keys: func(*Ticket) ([]Key, error) { return []Key{serviceKey}, nil }, Now: now, Skew: 5 * time.Minute, Replays: &Replays{},
	}}
	return i, a
}

// established is a pair that has agreed.
func established(t *testing.T, etype int32, spnego bool) (*Initiator, *Acceptor) {
	t.Helper()
	g := gomega.NewWithT(t)
	i, a := pair(etype, spnego)
	token, done, err := i.Init(nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeFalse())
	answer, done, err := a.Accept(token)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeTrue())
	out, done, err := i.Init(answer)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeTrue())
	g.Expect(out).To(gomega.BeEmpty())
	return i, a
}

func TestContexts(t *testing.T) {
	for _, etype := range []int32{AES256, AES128} {
		for _, spnego := range []bool{false, true} {
			g := gomega.NewWithT(t)
			i, a := established(t, etype, spnego)
			name, realm := a.Client()
			g.Expect(name.String() + "@" + realm).To(gomega.Equal("PC-1$@CORP.CONTOSO.COM"))
			g.Expect(a.Flags() & FlagConfidentiality).NotTo(gomega.BeZero())
			for _, seal := range []bool{true, false, true} {
				c, err := i.Wrap(seal, []byte("from the client"))
				g.Expect(err).NotTo(gomega.HaveOccurred())
				g.Expect(bytes.Contains(c, []byte("client"))).To(gomega.Equal(!seal))
				p, sealed, err := a.Unwrap(c)
				g.Expect(err).NotTo(gomega.HaveOccurred())
				g.Expect(string(p)).To(gomega.Equal("from the client"))
				g.Expect(sealed).To(gomega.Equal(seal))
				c, err = a.Wrap(seal, []byte("from the server"))
				g.Expect(err).NotTo(gomega.HaveOccurred())
				p, err = i.Unwrap(c)
				g.Expect(err).NotTo(gomega.HaveOccurred())
				g.Expect(string(p)).To(gomega.Equal("from the server"))
			}
		}
	}
}

func TestContextWithoutMutualAuthentication(t *testing.T) {
	g := gomega.NewWithT(t)
	i, a := pair(AES256, false)
	i.Flags = FlagIntegrity
	token, done, err := i.Init(nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeTrue())
	answer, done, err := a.Accept(token)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeTrue())
	g.Expect(answer).To(gomega.BeEmpty())
	c, err := a.Wrap(false, []byte("x"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	p, err := i.Unwrap(c)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(p).To(gomega.Equal([]byte("x")))
}

// Other implementations rotate what follows the header (RFC 4121 4.2.5).
func TestRotatedTokens(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, seal := range []bool{true, false} {
		i, a := established(t, AES256, false)
		c, err := i.Wrap(seal, []byte("some message"))
		g.Expect(err).NotTo(gomega.HaveOccurred())
		body := c[tokenHeader:]
		const by = 28
		turned := append(bytes.Clone(body[len(body)-by%len(body):]), body[:len(body)-by%len(body)]...)
		binary.BigEndian.PutUint16(c[6:], by)
		p, _, err := a.Unwrap(append(c[:tokenHeader:tokenHeader], turned...))
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(string(p)).To(gomega.Equal("some message"))
	}
}

func TestTamperedTokens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		i, a := established(t, AES256, false)
		seal := rapid.Bool().Draw(r, "seal")
		c, err := i.Wrap(seal, []byte("some message"))
		if err != nil {
			r.Fatal(err)
		}
		if at := rapid.IntRange(0, len(c)-1).Draw(r, "at"); at != 6 && at != 7 { // the rotation, which may come out even
			c[at] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		} else {
			c = c[:at]
		}
		if _, _, err := a.Unwrap(c); err == nil {
			r.Fatal("a changed token opens")
		}
	})
}

func TestTokensOutOfOrderAndReflected(t *testing.T) {
	g := gomega.NewWithT(t)
	i, a := established(t, AES256, false)
	first, _ := i.Wrap(true, []byte("1"))
	second, _ := i.Wrap(true, []byte("2"))
	_, _, err := a.Unwrap(second)
	g.Expect(err).To(gomega.MatchError(errSequence))
	_, _, err = a.Unwrap(first)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, _, err = a.Unwrap(first)
	g.Expect(err).To(gomega.MatchError(errSequence))
	_, err = i.Unwrap(second)
	g.Expect(err).To(gomega.MatchError(errToken), "its own, sent back")
}

func TestAcceptRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(i *Initiator, a *Acceptor)
		code   int32
	}{
		"another's key": {func(_ *Initiator, a *Acceptor) {
			a.Verifier.Keys = func(*Ticket) ([]Key, error) { return []Key{{AES256, make([]byte, 32)}}, nil }
		}, ErrModified},
		"a clock ahead": {func(i *Initiator, _ *Acceptor) { i.Now = func() time.Time { return noon.Add(6 * time.Minute) } }, ErrSkew},
		"an expired one": {func(i *Initiator, a *Acceptor) {
			i.Now = func() time.Time { return noon.Add(2 * time.Hour) }
			a.Verifier.Now = i.Now
		}, ErrTicketExpired},
		"one of tomorrow": {func(i *Initiator, a *Acceptor) {
			i.Now = func() time.Time { return noon.Add(-2 * time.Hour) }
			a.Verifier.Now = i.Now
		}, ErrTicketNotYetValid},
		"another's name":  {func(i *Initiator, _ *Acceptor) { i.Client = ParseName("PC-2$") }, ErrBadMatch},
		"another's realm": {func(i *Initiator, _ *Acceptor) { i.ClientRealm = "EVIL.EXAMPLE" }, ErrBadMatch},
		"a wrong session": {func(i *Initiator, _ *Acceptor) { i.Session.Value = make([]byte, 32) }, ErrIntegrity},
		"no key is theirs": {func(_ *Initiator, a *Acceptor) {
			a.Verifier.Keys = func(*Ticket) ([]Key, error) { return nil, Refusal(ErrNotUs) }
		}, ErrNotUs},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			i, a := pair(AES256, false)
			c.change(i, a)
			token, _, err := i.Init(nil)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			out, done, err := a.Accept(token)
			g.Expect(done).To(gomega.BeFalse())
			g.Expect(err).To(gomega.MatchError(Refusal(c.code)))
			_, _, err = i.Init(out)
			g.Expect(err).To(gomega.MatchError(Refusal(c.code)), "the client is told")
			_, err = a.Wrap(true, []byte("x"))
			g.Expect(err).To(gomega.HaveOccurred())
			_, _, err = a.Accept(token)
			g.Expect(err).To(gomega.HaveOccurred())
		})
	}
}

func TestReplayedToken(t *testing.T) {
	g := gomega.NewWithT(t)
	i, a := pair(AES256, true)
	token, _, err := i.Init(nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, _, err = a.Accept(token)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	b := &Acceptor{Verifier: a.Verifier, Random: counted()}
	_, _, err = b.Accept(token)
	g.Expect(err).To(gomega.MatchError(Refusal(ErrReplay)))
}

// A client that would rather speak NTLM is asked for Kerberos, and both confirm
// the list (RFC 4178 5).
func TestNegotiationOfAnotherMechanism(t *testing.T) {
	g := gomega.NewWithT(t)
	ntlm := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
	i, a := pair(AES256, false)
	list := []asn1.ObjectIdentifier{ntlm, oidMSKerberos, oidKerberos}
	first, err := asn1.Marshal(negTokenInit{MechTypes: list, Token: []byte("NTLMSSP")})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	answer, done, err := a.Accept(frame(oidSPNEGO, wrapped(0, first)))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeFalse())
	r, err := decodeResp(answer)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.State).To(gomega.BeEquivalentTo(requestMIC))
	g.Expect(r.Mech).To(gomega.Equal(oidMSKerberos))

	token, _, err := i.Init(nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	answer, done, err = a.Accept(encodeResp(acceptIncomplete, nil, token, nil))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeFalse())
	r, err = decodeResp(answer)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, done, err = i.Init(r.Token)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeTrue())
	mechs, err := asn1.Marshal(list)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(i.verifyMIC(mechs, r.MIC)).To(gomega.Succeed())

	mic, err := i.mic(mechs)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, done, err = a.Accept(encodeResp(acceptCompleted, nil, nil, mic))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(done).To(gomega.BeTrue())
	c, err := i.Wrap(true, []byte("x"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, _, err = a.Unwrap(c)
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

func TestNegotiationWithoutKerberos(t *testing.T) {
	g := gomega.NewWithT(t)
	_, a := pair(AES256, false)
	first, err := asn1.Marshal(negTokenInit{MechTypes: []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}}, Token: []byte("NTLMSSP")})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, done, err := a.Accept(frame(oidSPNEGO, wrapped(0, first)))
	g.Expect(err).To(gomega.MatchError(errNoMech))
	g.Expect(done).To(gomega.BeFalse())
}

func TestLayers(t *testing.T) {
	g := gomega.NewWithT(t)
	l, size, who, err := DecodeLayers(EncodeLayers(LayerSeal, 0xabcdef, "anna"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect([]any{l, size, who}).To(gomega.Equal([]any{LayerSeal, 0xabcdef, "anna"}))
	_, _, _, err = DecodeLayers([]byte{1, 0, 0})
	g.Expect(err).To(gomega.HaveOccurred())
}
