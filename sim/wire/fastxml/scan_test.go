package fastxml_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/fastxml"
)

// tokens are all of a document, text in one piece.
func tokens(next func() (xml.Token, error)) (list []string, err error) {
	text := ""
	for {
		t, err := next()
		if c, ok := t.(xml.CharData); ok && err == nil {
			text += string(c)
			continue
		}
		if text != "" {
			list, text = append(list, fmt.Sprintf("text %q", text)), ""
		}
		if err != nil {
			return list, err
		}
		if s, ok := t.(xml.StartElement); ok && len(s.Attr) == 0 {
			s.Attr = nil
			t = s
		}
		list = append(list, fmt.Sprintf("%T %+v", t, t))
	}
}

// theirs is what encoding/xml makes of it, without an XML declaration in front.
func theirs(data []byte) ([]string, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	first := true
	return tokens(func() (xml.Token, error) {
		t, err := d.RawToken()
		if _, ok := t.(xml.ProcInst); ok && first {
			t, err = d.RawToken()
		}
		first = false
		return t, err
	})
}

var documents = []string{
	``, `<a/>`, `<a></a>`, `<a b="1" c:d='2 "'/>`, `<a>text &amp; &lt;more&gt;&quot;&apos;&#39;&#34;&#xD;&#xA;&#x9;</a>`,
	`<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://x"><s:Body >é€</s:Body ></s:Envelope>`,
	`<a><![CDATA[<b>&amp;]] ]]></a>`, "<a\n b=\"1\"\t/>\n", `<a b.c-d_e="1"/>`, `<a b="x&amp;y" c='&quot;&#xA;'>&lt;</a>`,
}

var oddities = []string{
	`<!-- c --><a/>`, `<!DOCTYPE a><a/>`, `<a>&nbsp;</a>`, `<a>&#65;</a>`, `<a`, `<a b>`, `<a b=c>`, `<a b="1"c="2">`, "<a>\r\n</a>",
	"<a>\x00</a>", "<a>\xff</a>", `<a>]]></a>`, `<1a/>`, `<a:b:c/>`, `<é/>`, `<a><![CDATA[`, `<a b="&nbsp;"/>`, `<a b="<"/>`, `<?x?>`, `</>`, `<:a/>`, "<a>\uFFFE</a>",
}

func TestPlainDocuments(t *testing.T) {
	for _, d := range documents {
		g := NewWithT(t)
		want, _ := theirs([]byte(d))
		got, err := tokens(fastxml.NewReader([]byte(d)).Token)
		g.Expect(err).To(MatchError(io.EOF), d)
		g.Expect(got).To(Equal(want), d)
	}
}

func TestOddDocuments(t *testing.T) {
	for _, d := range oddities {
		_, err := tokens(fastxml.NewReader([]byte(d)).Token)
		NewWithT(t).Expect(err).To(MatchError(fastxml.ErrOdd), d)
	}
}

func TestOffset(t *testing.T) {
	g := NewWithT(t)
	data := `<a>x<b/></a>`
	s := fastxml.New([]byte(data))
	var rest []string
	for _, ok := s.Next(); ok; _, ok = s.Next() {
		rest = append(rest, data[s.Offset():])
	}
	g.Expect(rest).To(Equal([]string{`x<b/></a>`, `<b/></a>`, `</a>`, `</a>`, ``}))
	g.Expect(s.Odd()).To(BeFalse())
}

// What is taken for plain is what encoding/xml reads.
func FuzzScanner(f *testing.F) {
	for _, d := range append(documents, oddities...) {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := tokens(fastxml.NewReader(data).Token)
		if errors.Is(err, fastxml.ErrOdd) {
			return
		}
		want, err := theirs(data)
		if err != io.EOF {
			t.Fatalf("encoding/xml refuses it: %v", err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got\n%v\nwant\n%v", got, want)
		}
	})
}

func TestUnmarshalIsUnmarshal(t *testing.T) {
	type doc struct {
		XMLName xml.Name `xml:"urn:a doc"`
		ID      string   `xml:"id,attr"`
		Items   []string `xml:"items>item"`
	}
	for _, text := range []string{
		`<doc xmlns="urn:a" id="1"><items><item>a&amp;b</item><item/></items></doc>`,
		`<!-- odd --><doc xmlns="urn:a" id="1"><items><item>a</item></items></doc>`,
		`<x:doc xmlns:x="urn:a" id='2'><x:items><x:item>é</x:item></x:items></x:doc>`,
		`<doc xmlns="urn:a" id="1"><items><item>a</item></ITEMS></doc>`,
		`<doc xmlns="urn:b"/>`, ``, `<doc xmlns="urn:a"><items><item>a<!-- b -->c</item></items></doc>`,
	} {
		g := NewWithT(t)
		var want, got doc
		wrong := xml.Unmarshal([]byte(text), &want)
		err := fastxml.Unmarshal([]byte(text), &got)
		if wrong != nil {
			g.Expect(err).To(MatchError(wrong.Error()), text)
		} else {
			g.Expect(err).NotTo(HaveOccurred(), text)
		}
		g.Expect(got).To(Equal(want), text)
	}
}
