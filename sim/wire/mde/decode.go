package mde

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"windtunnel.test/sim/wire/fastxml"
)

// Bounds of a document that the decoders accept.
const (
	MaxBytes      = 1 << 20
	MaxDepth      = 32
	MaxAttributes = 32 // of one element
)

// ErrTooBig, ErrTooDeep and ErrDoctype are causes of refusal that are not mistakes of syntax.
var (
	ErrTooBig  = errors.New("document is too big")
	ErrTooDeep = errors.New("elements are nested too deep")
	ErrDoctype = errors.New("document type declarations are not accepted")
	ErrTwice   = errors.New("part of the message stands twice")
)

// bounded hands raw tokens to the decoder that resolves namespaces and matches tags, and refuses what is beyond the bounds.
type bounded struct {
	raw   xml.TokenReader
	depth int
	parts outline
}

func (b *bounded) Token() (xml.Token, error) {
	t, err := b.raw.Token()
	switch t := t.(type) {
	case xml.StartElement:
		if b.depth++; b.depth > MaxDepth {
			return nil, ErrTooDeep
		}
		if err := attributes(t.Attr); err != nil {
			return nil, err
		}
		if err := b.parts.enter(b.depth, t.Name.Local); err != nil {
			return nil, err
		}
	case xml.EndElement:
		b.depth--
	case xml.Directive:
		return nil, ErrDoctype
	}
	return t, err
}

// unmarshal reads one document whose root has this name and namespace ("" accepts any).
func unmarshal(data []byte, local, space string, to any) error {
	if len(data) > MaxBytes {
		return fmt.Errorf("%w: %d bytes", ErrTooBig, len(data))
	}
	// Nearly all messages are plain XML. Whatever is not, mistakes too, is encoding/xml's to read.
	if unmarshalFrom(fastxml.NewReader(data), local, space, to) == nil {
		return nil
	}
	reflect.ValueOf(to).Elem().SetZero()
	return unmarshalFrom(rawTokens{xml.NewDecoder(bytes.NewReader(data))}, local, space, to)
}

// rawTokens are a document's tokens as they stand.
type rawTokens struct{ *xml.Decoder }

func (r rawTokens) Token() (xml.Token, error) { return r.RawToken() }

func unmarshalFrom(tokens xml.TokenReader, local, space string, to any) error {
	d := xml.NewTokenDecoder(&bounded{raw: tokens})
	for {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("no root element: %w", err)
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local != local || space != "" && start.Name.Space != space {
			return fmt.Errorf("root is {%s}%s, want {%s}%s", start.Name.Space, start.Name.Local, space, local)
		}
		if err := d.DecodeElement(to, &start); err != nil {
			return err
		}
		return trailing(d)
	}
}

func trailing(d *xml.Decoder) error {
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return errors.New("data after the root element")
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return errors.New("data after the root element")
			}
		}
	}
}

type headerIn struct {
	Action    string      `xml:"http://www.w3.org/2005/08/addressing Action"`
	MessageID string      `xml:"http://www.w3.org/2005/08/addressing MessageID"`
	RelatesTo string      `xml:"http://www.w3.org/2005/08/addressing RelatesTo"`
	To        string      `xml:"http://www.w3.org/2005/08/addressing To"`
	Activity  string      `xml:"http://schemas.microsoft.com/2004/09/ServiceModel/Diagnostics ActivityId"`
	Security  *securityIn `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd Security"`
}

// envelopeIn takes the body B. The operation's element is a pointer in B, so that its absence is seen.
type envelopeIn[B any] struct {
	Header headerIn `xml:"http://www.w3.org/2003/05/soap-envelope Header"`
	Body   struct {
		Fault   *faultIn `xml:"http://www.w3.org/2003/05/soap-envelope Fault"`
		Content B        `xml:",any"`
	} `xml:"http://www.w3.org/2003/05/soap-envelope Body"`
}

var errNoBody = errors.New("the body holds another message")

// decodeEnvelope reads an envelope whose body is one element of this name. A fault comes back as the error.
func decodeEnvelope[B any](data []byte, action, local, space string) (Header, *B, error) {
	var e envelopeIn[*named[B]]
	if err := unmarshal(data, "Envelope", nsSOAP, &e); err != nil {
		return Header{}, nil, err
	}
	h := Header{
		Action: strings.TrimSpace(e.Header.Action), MessageID: strings.TrimSpace(e.Header.MessageID),
		RelatesTo: strings.TrimSpace(e.Header.RelatesTo), To: strings.TrimSpace(e.Header.To),
		ActivityID: strings.TrimSpace(e.Header.Activity),
	}
	security, err := e.Header.Security.security()
	if err != nil {
		return h, nil, err
	}
	h.Security = security
	if e.Body.Fault != nil {
		return h, nil, e.Body.Fault.fault()
	}
	c := e.Body.Content
	if c == nil || c.XMLName.Local != local || strings.TrimSuffix(c.XMLName.Space, "/") != space {
		return h, nil, errNoBody
	}
	if h.Action != action {
		return h, nil, fmt.Errorf("action is %q, want %q", h.Action, action)
	}
	return h, &c.Value, nil
}

// named keeps the element's name beside its content; servers and clients disagree on a slash at the end of a namespace.
type named[B any] struct {
	XMLName xml.Name
	Value   B
}

// UnmarshalXML implements [xml.Unmarshaler].
func (n *named[B]) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	n.XMLName = start.Name
	return d.DecodeElement(&n.Value, &start)
}
