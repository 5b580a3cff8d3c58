package ldap

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	ber "github.com/go-asn1-ber/asn1-ber"
	peer "github.com/go-ldap/ldap/v3"
	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

var texts = rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ019=,+ äß\\\"*()\x00")), 0, 40, -1)

func values(t *rapid.T) [][]byte {
	return rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 0, 4).Draw(t, "values")
}

func attributes(t *rapid.T) []Attribute {
	var out []Attribute
	for range rapid.IntRange(0, 4).Draw(t, "attributes") {
		out = append(out, Attribute{texts.Draw(t, "type"), values(t)})
	}
	return out
}

func result(t *rapid.T) Result {
	r := Result{Code: ResultCode(rapid.IntRange(0, 130).Draw(t, "code")), Matched: texts.Draw(t, "matched"), Message: texts.Draw(t, "message")}
	if rapid.Bool().Draw(t, "refers") {
		r.Referrals = rapid.SliceOfN(texts, 1, 3).Draw(t, "referrals")
	}
	return r
}

func anyFilter(t *rapid.T, depth int) *Filter {
	kind := FilterKind(rapid.IntRange(0, 9).Draw(t, "kind"))
	if depth == 0 && kind <= Not {
		kind = Present
	}
	name := rapid.StringMatching(`[a-zA-Z][a-zA-Z0-9-]{0,8}`).Draw(t, "name")
	some := rapid.SliceOfN(rapid.Byte(), 1, 20)
	f := &Filter{Kind: kind}
	switch kind {
	case And, Or:
		for range rapid.IntRange(0, 3).Draw(t, "children") {
			f.Children = append(f.Children, anyFilter(t, depth-1))
		}
	case Not:
		f.Children = []*Filter{anyFilter(t, depth-1)}
	case Present:
		f.Attribute = name
	case Substrings:
		f.Attribute = name
		f.Any = rapid.SliceOfN(some, 1, 3).Draw(t, "any")
		if rapid.Bool().Draw(t, "initial") {
			f.Initial = some.Draw(t, "initial")
		}
		if rapid.Bool().Draw(t, "final") {
			f.Final = some.Draw(t, "final")
		}
	case Extensible:
		f.Rule, f.Value = "1.2.840.113556.1.4.803", some.Draw(t, "value")
		f.DNAttributes = rapid.Bool().Draw(t, "dn")
		if rapid.Bool().Draw(t, "named") {
			f.Attribute = name
		}
	default:
		f.Attribute, f.Value = name, some.Draw(t, "value")
	}
	return f
}

func anyOp(t *rapid.T) Op {
	text := func() string { return texts.Draw(t, "text") }
	octets := func() []byte { return rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "octets") }
	switch rapid.IntRange(0, 20).Draw(t, "operation") {
	case 0:
		return &BindRequest{Version: 3, Name: text(), Password: octets()}
	case 1:
		return &BindRequest{Version: 3, Name: text(), Mechanism: "GSSAPI", Credentials: octets()}
	case 2:
		return &BindResponse{result(t), octets()}
	case 3:
		return &UnbindRequest{}
	case 4:
		return &SearchRequest{text(), WholeSubtree, 3, 1000, 30, true, anyFilter(t, 4), []string{"cn", "*"}}
	case 5:
		return &Entry{text(), attributes(t)}
	case 6:
		return &SearchReference{[]string{"ldap://a", "ldap://b"}}
	case 7:
		return &SearchDone{result(t)}
	case 8:
		var c []Change
		for _, a := range attributes(t) {
			c = append(c, Change{ChangeOp(rapid.IntRange(0, 2).Draw(t, "change")), a})
		}
		return &ModifyRequest{text(), c}
	case 9:
		return &ModifyResponse{result(t)}
	case 10:
		return &AddRequest{Entry{text(), attributes(t)}}
	case 11:
		return &AddResponse{result(t)}
	case 12:
		return &DeleteRequest{text()}
	case 13:
		return &DeleteResponse{result(t)}
	case 14:
		return &ModifyDNRequest{text(), text(), true, "dc=x", true}
	case 15:
		return &ModifyDNResponse{result(t)}
	case 16:
		return &CompareRequest{text(), text(), octets()}
	case 17:
		return &CompareResponse{result(t)}
	case 18:
		return &AbandonRequest{rapid.IntRange(0, 1<<31-1).Draw(t, "id")}
	case 19:
		return &ExtendedRequest{text(), octets(), true}
	}
	return &ExtendedResponse{result(t), "1.2.3", octets(), true}
}

func TestMessagesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := gomega.NewWithT(t)
		m := &Message{ID: rapid.IntRange(0, 1<<31-1).Draw(t, "id"), Op: anyOp(t)}
		if rapid.Bool().Draw(t, "controlled") {
			m.Controls = []Control{
				Paged{rapid.IntRange(0, 5000).Draw(t, "page"), []byte("cookie")}.Control(), SDFlagsControl(7), {Type: "1.2.3"},
				SortControl(SortKey{"cn", "2.5.13.3", true}),
			}
		}
		b := m.Append(nil)
		again, err := Decode(b, Limits{})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(again.Append(nil)).To(gomega.Equal(b))
		g.Expect(PeekID(b)).To(gomega.Equal(m.ID))

		packet, err := ber.DecodePacketErr(b)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(packet.Bytes()).To(gomega.Equal(b), "another encoder writes the same")

		read, err := NewReader(iotest.OneByteReader(bytes.NewReader(b)), Limits{}).Read()
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(read).To(gomega.Equal(again))
	})
}

// TestLongLengths: Windows and OpenLDAP write lengths with four octets whether they need them or not.
func TestLongLengths(t *testing.T) {
	g := gomega.NewWithT(t)
	b := fromHex(t, "30 84 00000010 020101 63 84 00000007 04 00 0a 01 00 0a 01")
	_, err := Decode(b, Limits{})
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("early")))
	b = fromHex(t, "30 84 0000000d 020105 60 84 00000004 020103 04")
	_, err = Decode(b, Limits{})
	g.Expect(err).To(gomega.HaveOccurred())
	b = fromHex(t, "30 84 00000010 020105 60 84 00000007 020103 0400 8000")
	m, err := Decode(b, Limits{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(m).To(gomega.Equal(&Message{ID: 5, Op: &BindRequest{Version: 3, Password: []byte{}}}))
}

func fromHex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMalformedMessages(t *testing.T) {
	for _, c := range []struct{ name, hex, want string }{
		{"empty", "", "message is missing"},
		{"not a sequence", "0403020101", "message has tag 0x04"},
		{"indefinite", "3080 020101 4200 0000", "indefinite"},
		{"long tag", "3006 020101 5f8100", "more than one octet"},
		{"length of five octets", "30850000000001", "length of 5 octets"},
		{"ends early", "3009 020101 4200", "ends early"},
		{"no number", "3002 4200", "message number has tag"},
		{"negative number", "3005 0201ff 4200", "message number -1"},
		{"number too big", "300a 02068000000000ff 4200", "out of range"},
		{"number of nothing", "3004 0200 4200", "0 octets"},
		{"no operation", "3003 020101", "ends early"},
		{"unknown operation", "3005 020101 5f00", "more than one octet"},
		{"unknown application tag", "3005 020101 7900", "operation has tag 0x79"},
		{"primitive bind", "3005 020101 4000", "operation has tag 0x40"},
		{"bind without version", "3005 020101 6000", "version is missing"},
		{"scope of text", "300b 020101 6306 0400 0401 30 00", "scope has tag"},
		{"scope 3", "300a 020101 6305 0400 0a0103", "scope 3"},
		{"abandon of nothing", "3005 020101 5000", "0 octets"},
		{"left over", "3007 020101 4200 0500", "octets too many"},
		{"text behind", "3005 020101 4200 00", "octets too many"},
		{"control is text", "3009 020101 4200 a002 0400", "control has tag"},
		{"change of no kind", "3011 020101 660c 0400 3008 3006 0a0107 3000 ff", ""},
		{"compare with a set", "3009 020101 6e04 0400 3100", "assertion has tag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, err := Decode(fromHex(t, c.hex), Limits{})
			var broken *SyntaxError
			g.Expect(errors.As(err, &broken)).To(gomega.BeTrue(), "%v", err)
			g.Expect(broken.Text).To(gomega.ContainSubstring(c.want))
			g.Expect(CodeOf(err)).To(gomega.Equal(ProtocolError))
		})
	}
}

// endless is a stream that goes on.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestReaderRefusesByTheHeader(t *testing.T) {
	g := gomega.NewWithT(t)
	rest := &endless{}
	r := NewReader(io.MultiReader(bytes.NewReader(fromHex(t, "3084 06400000")), rest), Limits{})
	_, err := r.Read()
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("longer than 10485760")))
	g.Expect(rest.read).To(gomega.BeZero())
	g.Expect(r.LastID()).To(gomega.BeZero())
}

// TestReaderWaitsForWhatIsAnnounced: memory is given for what has come, not for what a header says.
func TestReaderWaitsForWhatIsAnnounced(t *testing.T) {
	g := gomega.NewWithT(t)
	b := append(fromHex(t, "3084 009f0000 020101"), make([]byte, 100)...)
	allocated := testing.AllocsPerRun(1, func() {
		_, err := NewReader(bytes.NewReader(b), Limits{}).Read()
		g.Expect(err).To(gomega.MatchError(io.ErrUnexpectedEOF))
	})
	g.Expect(allocated).To(gomega.BeNumerically("<", 40))
	for _, cut := range []int{1, 2, 3, 5, 6} {
		_, err := NewReader(bytes.NewReader(b[:cut]), Limits{}).Read()
		g.Expect(err).To(gomega.MatchError(io.ErrUnexpectedEOF), "%d octets", cut)
	}
	_, err := NewReader(bytes.NewReader(nil), Limits{}).Read()
	g.Expect(err).To(gomega.Equal(io.EOF))
}

// TestReaderStopsAtTheMessage: what follows a message is still in the stream, for TLS to read.
func TestReaderStopsAtTheMessage(t *testing.T) {
	g := gomega.NewWithT(t)
	m := Message{ID: 9, Op: &ExtendedRequest{Name: StartTLS}}
	from := bytes.NewReader(append(m.Append(nil), "hello"...))
	got, err := NewReader(from, Limits{}).Read()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal(&m))
	rest, err := io.ReadAll(from)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(rest)).To(gomega.Equal("hello"))
}

func TestBigMessagesComeWhole(t *testing.T) {
	g := gomega.NewWithT(t)
	m := Message{ID: 1, Op: &Entry{"cn=x", []Attribute{Binary("blob", bytes.Repeat([]byte("x"), 300_000))}}}
	b := m.Append(nil)
	got, err := NewReader(iotest.HalfReader(bytes.NewReader(b)), Limits{}).Read()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal(&m))
}

// TestAnotherClientsMessages has a library encode what this package decodes.
func TestAnotherClientsMessages(t *testing.T) {
	g := gomega.NewWithT(t)
	f, err := peer.CompileFilter("(&(objectClass=computer)(|(cn=a*b*c)(!(x>=1)))(userAccountControl:1.2.840.113556.1.4.803:=2))")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	c := cursor{f.Bytes()}
	got, err := c.filter(&filterBudget{10, 100}, 0)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got.String()).To(gomega.Equal("(&(objectClass=computer)(|(cn=a*b*c)(!(x>=1)))(userAccountControl:1.2.840.113556.1.4.803:=2))"))

	paged := peer.NewControlPaging(100)
	paged.SetCookie([]byte("here"))
	outer := cursor{paged.Encode().Bytes()}
	_, content, err := outer.next()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	control, err := decodeControl(content)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(ParsePaged(control.Value)).To(gomega.Equal(Paged{100, []byte("here")}))
}

func FuzzMessage(f *testing.F) {
	f.Add((&Message{ID: 1, Op: &SearchRequest{Base: "dc=x", Filter: MustFilter("(&(a=b*c)(!(d:=e)))"), Attributes: []string{"cn"}}}).Append(nil))
	f.Add((&Message{ID: 2, Op: &ModifyRequest{"cn=x", []Change{{ReplaceValues, Text("a", "b")}}}, Controls: []Control{SDFlagsControl(4)}}).Append(nil))
	f.Add((&Message{ID: 3, Op: &BindRequest{Version: 3, Mechanism: "GSSAPI", Credentials: []byte("x")}}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b, Limits{Message: 1 << 16})
		if err != nil {
			return
		}
		again := m.Append(nil)
		if _, err := Decode(again, Limits{Message: 1 << 17}); err != nil {
			t.Fatalf("%x becomes %x: %v", b, again, err)
		}
		for _, c := range m.Controls {
			_, _ = ParsePaged(c.Value)
			_, _ = ParseSort(c.Value)
			_, _ = ParseFlags(c.Value)
		}
	})
}
