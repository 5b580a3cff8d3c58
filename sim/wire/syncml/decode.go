package syncml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds of a message that [Decode] accepts.
const (
	MaxBytes = 4 << 20 // a PFX or an offline domain join blob is far smaller
	MaxDepth = 24      // elements inside each other; a status in an atomic needs eight
)

// ErrTooBig, ErrTooDeep and ErrDoctype are causes of refusal that are not mistakes of syntax.
var (
	ErrTooBig  = errors.New("message is too big")
	ErrTooDeep = errors.New("elements are nested too deep")
	ErrDoctype = errors.New("document type declarations are not accepted")
)

// Decode reads one message. Elements that it does not know are passed over; commands that it does not know are kept by their
// name. It refuses what is not SyncML 1.2, a document type declaration, and anything beyond the bounds.
func Decode(data []byte) (*Message, error) {
	m, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("syncml: decode: %w", err)
	}
	return m, nil
}

func decode(data []byte) (*Message, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooBig, len(data))
	}
	d := &decoder{x: xml.NewDecoder(bytes.NewReader(data)), data: data}
	if err := d.root(); err != nil {
		return nil, err
	}
	m := &Message{}
	var header, body bool
	err := d.children(func(name string) error {
		switch name {
		case "SyncHdr":
			header = true
			return d.header(&m.Header)
		case "SyncBody":
			body = true
			return d.body(m)
		}
		return d.skip()
	})
	if err != nil {
		return nil, err
	}
	if !header || !body {
		return nil, errors.New("SyncHdr or SyncBody is missing")
	}
	return m, d.end()
}

// decoder walks the document: children calls back for each child element of the current one, and each callback consumes its
// element whole. It takes raw tokens, which come a quarter faster, and matches tags itself; of namespaces it looks at the
// root's alone.
type decoder struct {
	x    *xml.Decoder
	data []byte
	open []xml.Name
}

func (d *decoder) token() (xml.Token, error) {
	t, err := d.x.RawToken()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch t := t.(type) {
	case xml.StartElement:
		if len(d.open) == MaxDepth {
			return nil, ErrTooDeep
		}
		d.open = append(d.open, t.Name)
	case xml.EndElement:
		last := len(d.open) - 1
		if last < 0 || d.open[last] != t.Name {
			return nil, fmt.Errorf("unexpected </%s>", t.Name.Local)
		}
		d.open = d.open[:last]
	case xml.Directive:
		return nil, ErrDoctype
	}
	return t, nil
}

func (d *decoder) root() error {
	for {
		t, err := d.token()
		if err != nil {
			return err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		declaration := xml.Name{Local: "xmlns"}
		if start.Name.Space != "" {
			declaration = xml.Name{Space: "xmlns", Local: start.Name.Space}
		}
		for _, a := range start.Attr {
			if a.Name == declaration && strings.EqualFold(a.Value, namespace) && start.Name.Local == "SyncML" {
				return nil
			}
		}
		return fmt.Errorf("root is %s, want {%s}SyncML", start.Name.Local, namespace)
	}
}

// end checks that nothing but white space, comments and instructions follows the root.
func (d *decoder) end() error {
	for {
		t, err := d.x.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement, xml.EndElement, xml.Directive:
			return errors.New("data after the root element")
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return errors.New("data after the root element")
			}
		}
	}
}

func (d *decoder) children(f func(name string) error) error {
	for {
		t, err := d.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := f(t.Name.Local); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

func (d *decoder) skip() error {
	return d.children(func(string) error { return d.skip() })
}

// text reads an element that holds text. Where it holds elements, the inner XML is returned as it stands.
func (d *decoder) text(to *string) error {
	start := d.x.InputOffset()
	var text []byte
	nested := false
	for {
		before := d.x.InputOffset()
		t, err := d.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.CharData:
			text = append(text, t...)
		case xml.StartElement:
			nested = true
			if err := d.skip(); err != nil {
				return err
			}
		case xml.EndElement:
			if nested {
				text = d.data[start:before]
			}
			*to = string(text)
			return nil
		}
	}
}

// word reads text where white space around it means nothing.
func (d *decoder) word(to *string) error {
	err := d.text(to)
	*to = strings.TrimSpace(*to)
	return err
}

func (d *decoder) number(to *int) error {
	var s string
	if err := d.word(&s); err != nil {
		return err
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return fmt.Errorf("%q is not a number", s)
	}
	if n < 0 {
		return fmt.Errorf("%q is negative", s)
	}
	*to = int(n)
	return nil
}

func (d *decoder) flag(to *bool) error {
	*to = true
	return d.skip()
}

func (d *decoder) words(to *[]string) error {
	var s string
	if err := d.word(&s); err != nil {
		return err
	}
	*to = append(*to, s)
	return nil
}
