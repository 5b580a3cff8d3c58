package syncml

import (
	"encoding/xml"
	"io"

	"windtunnel.test/sim/wire/fastxml"
)

// source gives a document's tokens; at its end, io.EOF.
type source interface {
	next() (fastxml.Token, error)
	// offset is where the next token begins.
	offset() int
}

// plainXML reads plain XML and ends with fastxml.ErrOdd at anything else.
type plainXML struct{ s *fastxml.Scanner }

func (p *plainXML) next() (fastxml.Token, error) {
	t, ok := p.s.Next()
	switch {
	case ok:
		return t, nil
	case p.s.Odd():
		return t, fastxml.ErrOdd
	}
	return t, io.EOF
}

func (p *plainXML) offset() int { return p.s.Offset() }

// anyXML reads any XML.
type anyXML struct{ x *xml.Decoder }

func (f *anyXML) next() (fastxml.Token, error) {
	t, err := f.x.RawToken()
	if err != nil {
		return fastxml.Token{}, err
	}
	switch t := t.(type) {
	case xml.StartElement:
		out := fastxml.Token{Kind: fastxml.Start, Prefix: t.Name.Space, Name: t.Name.Local}
		for _, a := range t.Attr {
			out.Attrs = append(out.Attrs, fastxml.Attr{Prefix: a.Name.Space, Name: a.Name.Local, Value: a.Value})
		}
		return out, nil
	case xml.EndElement:
		return fastxml.Token{Kind: fastxml.End, Prefix: t.Name.Space, Name: t.Name.Local}, nil
	case xml.CharData:
		return fastxml.Token{Kind: fastxml.Text, Text: t}, nil
	case xml.Directive:
		return fastxml.Token{}, ErrDoctype
	}
	return fastxml.Token{Kind: fastxml.Text}, nil // a comment or an instruction says nothing
}

func (f *anyXML) offset() int { return int(f.x.InputOffset()) }

// words are what messages say most, so that they are not made anew: verbs, formats and kinds of alerts.
var words = func() map[string]string {
	m := map[string]string{}
	for _, w := range []string{
		"DM/1.2", "1.2", string(SyncHdr), string(Add), string(Replace), string(Delete), string(Get), string(Exec), string(Alert), string(Atomic),
		string(Chr), string(Int), string(Bool), string(B64), string(Bin), string(Node), string(Null), string(XML),
		TypeLoginStatus, TypeAADUserToken, TypeBootstrapSync, TypeRequestPending,
	} {
		m[w] = w
	}
	return m
}()
