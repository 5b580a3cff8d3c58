package krb5

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func someName(t *rapid.T, label string) Name {
	return Name{rapid.Int32Range(1, 10).Draw(t, label+" type"), rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9.$-]{1,20}`), 1, 3).Draw(t, label)}
}

func someTime(t *rapid.T, label string) time.Time {
	return time.Unix(rapid.Int64Range(1, 4_000_000_000).Draw(t, label), 0).UTC()
}

func TestRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &Request{
			Type: rapid.SampledFrom([]int{TypeAS, TypeTGS}).Draw(t, "type"), Options: Flags(rapid.Uint32().Draw(t, "options")),
			Client: someName(t, "client"), Realm: "CORP.CONTOSO.COM", Server: someName(t, "server"), From: someTime(t, "from"), Till: someTime(t, "till"),
			RenewTill: someTime(t, "renew"), Nonce: rapid.IntRange(1, 1<<31-1).Draw(t, "nonce"), EncryptionTypes: []int32{AES256, RC4, -128},
			PAData: []PAData{{PAEncTimestamp, rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "pa")}}, Host: rapid.StringMatching(`[A-Z0-9-]{0,15}`).Draw(t, "host"),
		}
		got, err := DecodeRequest(r.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(r.EncodeBody(), got.Body) {
			t.Fatal("the body is not what was sent")
		}
		got.Body = nil
		gomega.NewWithT(t).Expect(got).To(gomega.Equal(r))
	})
}

func TestErrorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &Error{
			Code: rapid.Int32Range(1, 127).Draw(t, "code"), Realm: "A", Server: someName(t, "server"), ServerTime: someTime(t, "time").Add(1234 * time.Microsecond),
			ClientRealm: "B", Client: someName(t, "client"), Text: rapid.StringMatching(`[ -~]{0,30}`).Draw(t, "text"), Data: StatusData(0xC0000072),
		}
		got, err := DecodeError(e.Encode())
		if err != nil {
			t.Fatal(err)
		}
		gomega.NewWithT(t).Expect(got).To(gomega.Equal(e))
	})
}

// An error of any text can be told.
func TestErrorOfNoText(t *testing.T) {
	g := gomega.NewWithT(t)
	e, err := DecodeError((&Error{Code: ErrClientUnknown, Client: Name{1, []string{"\xff\xfe"}}, Server: Name{2, []string{"\x80"}}, Text: "\xff"}).Encode())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(e.Code).To(gomega.BeEquivalentTo(ErrClientUnknown))
}

func TestReplyIsHeldAgainstItsRequest(t *testing.T) {
	g := gomega.NewWithT(t)
	part := TicketPart{Key: serviceKey, ClientRealm: "A", Client: ParseName("anna"), AuthTime: noon, EndTime: noon}
	ticket, err := part.Seal(serviceKey, 1, "A", ParseName("host/pc"))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	reply := Reply{Type: TypeTGS, ClientRealm: "A", Client: ParseName("anna"), Ticket: ticket}
	b, err := reply.Encode(&ReplyPart{Key: serviceKey, Nonce: 7, AuthTime: noon, EndTime: noon, Realm: "A", Server: ParseName("host/pc")}, serviceKey, 1, true)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	r, err := DecodeReply(TypeTGS, b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = r.Open(serviceKey, true, &Request{Nonce: 7, Realm: "A", Server: ParseName("host/PC")})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for name, asked := range map[string]*Request{
		"nonce": {Nonce: 8, Realm: "A", Server: ParseName("host/pc")}, "realm": {Nonce: 7, Realm: "B", Server: ParseName("host/pc")},
		"server": {Nonce: 7, Realm: "A", Server: ParseName("ldap/pc")},
	} {
		_, err = r.Open(serviceKey, true, asked)
		g.Expect(err).To(gomega.MatchError(errReply), name)
	}
	_, err = r.Open(serviceKey, false, &Request{Nonce: 7, Realm: "A", Server: ParseName("host/pc")})
	g.Expect(err).To(gomega.MatchError(errCipher), "another key usage")
	_, err = DecodeReply(TypeAS, b)
	g.Expect(err).To(gomega.HaveOccurred())
}

// A server could keep a client busy for hours with its number of rounds.
func TestForeignParametersOfAKey(t *testing.T) {
	g := gomega.NewWithT(t)
	list, err := DecodeETypeInfo2([]byte{0x30, 0x11, 0x30, 0x0f, 0xa0, 3, 2, 1, 18, 0xa2, 8, 4, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(list).To(gomega.BeEmpty())
	list, err = DecodeETypeInfo2(EncodeETypeInfo2([]ETypeInfo{{AES256, "salt"}, {RC4, ""}}))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(list).To(gomega.Equal([]ETypeInfo{{AES256, "salt"}, {RC4, ""}}))
}

func TestFrames(t *testing.T) {
	g := gomega.NewWithT(t)
	var b bytes.Buffer
	g.Expect(WriteFrame(&b, []byte("one"))).To(gomega.Succeed())
	g.Expect(WriteFrame(&b, nil)).To(gomega.Succeed())
	got, err := ReadFrame(&b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(got)).To(gomega.Equal("one"))
	_, err = ReadFrame(&b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = ReadFrame(&b)
	g.Expect(err).To(gomega.MatchError(io.EOF))
	_, err = ReadFrame(strings.NewReader("\xff\xff\xff\xff"))
	g.Expect(err).To(gomega.MatchError(Refusal(ErrFieldTooLong)))
	_, err = ReadFrame(strings.NewReader("\x00\x00\x00\x05abc"))
	g.Expect(errors.Is(err, io.ErrUnexpectedEOF)).To(gomega.BeTrue())
}

func TestPasswordMessages(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, want := range []PasswordRequest{
		{Password: "Neues-Passwort-1"},
		{Password: "für alle", Target: ParseName("host/pc-1.corp.contoso.com"), Realm: "CORP.CONTOSO.COM"},
	} {
		i, a := pair(AES256, false)
		token, _, err := i.Init(nil)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		ap, err := openToken(token, idAPRequest)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		b, err := NewPasswordExchange(ap, i.sub, 5, []byte{10, 0, 0, 9}, want)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		x, err := DecodePasswordExchange(b)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(x.Set()).To(gomega.Equal(!want.Target.Zero()))
		v, err := a.Verifier.Verify(x.AP)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		got, err := x.Open(v)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(*got).To(gomega.Equal(want))

		for _, result := range []PasswordResult{{Code: PasswordOK}, {Code: PasswordDenied, Text: "no"}, {Code: PasswordSoftError, Policy: &PasswordPolicy{7, 24, Complex, 1, 2}}} {
			b, err = EncodePasswordResult(v, &result, 6, []byte{10, 0, 0, 1})
			g.Expect(err).NotTo(gomega.HaveOccurred())
			back, err := DecodePasswordResult(b, i.Session, i.sub, noon)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(*back).To(gomega.Equal(result))
			_, err = DecodePasswordResult(b, i.Session, i.sub, noon.Add(time.Second))
			g.Expect(err).To(gomega.HaveOccurred(), "an answer to another request")
		}
		b, err = EncodePasswordRefusal(Refusal(ErrSkew), &PasswordResult{Code: PasswordAuthError})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		_, err = DecodePasswordResult(b, i.Session, i.sub, noon)
		g.Expect(err).To(gomega.MatchError(Refusal(ErrSkew)))
	}
}
