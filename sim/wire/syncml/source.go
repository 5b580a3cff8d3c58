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

// names are those of SyncML 1.2 and its Meta.
var names = fastxml.Names("SyncML", "SyncHdr", "SyncBody", "VerDTD", "VerProto", "SessionID", "MsgID", "Target", "Source", "LocURI",
	"LocName", "RespURI", "NoResp", "Cred", "Meta", "Data", "Format", "Type", "Mark", "Size", "NextNonce", "MaxMsgSize", "MaxObjSize",
	"Final", "CmdID", "MsgRef", "CmdRef", "Cmd", "TargetRef", "SourceRef", "Chal", "Correlator", "Item", "MoreData", "Add", "Replace",
	"Delete", "Get", "Exec", "Alert", "Atomic", "Sequence", "Status", "Results", "Copy", "xmlns", "MsiInstallJob", "Product", "Download",
	"ContentURLList", "ContentURL", "Validation", "FileHash", "Enforcement", "CommandLine", "TimeOut", "RetryCount", "RetryInterval")
