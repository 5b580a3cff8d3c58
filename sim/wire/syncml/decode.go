package syncml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/fastxml"
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
	// Nearly all messages are plain XML. Whatever is not, mistakes too, is encoding/xml's to read.
	if m, err := read(&decoder{source: &plainXML{fastxml.New(data)}, data: data}); err == nil {
		return m, nil
	}
	return read(&decoder{source: &anyXML{x: xml.NewDecoder(bytes.NewReader(data))}, data: data})
}

func read(d *decoder) (*Message, error) {
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
	source
	data []byte
	open []tag
	held []byte // what inner gives
}

type tag struct{ prefix, name string }

func (d *decoder) token() (fastxml.Token, error) {
	t, err := d.next()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return t, err
	}
	switch t.Kind {
	case fastxml.Start:
		if len(d.open) == MaxDepth {
			return t, ErrTooDeep
		}
		d.open = append(d.open, tag{t.Prefix, t.Name})
	case fastxml.End:
		last := len(d.open) - 1
		if last < 0 || d.open[last] != (tag{t.Prefix, t.Name}) {
			return t, fmt.Errorf("unexpected </%s>", t.Name)
		}
		d.open = d.open[:last]
	}
	return t, nil
}

func (d *decoder) root() error {
	for {
		t, err := d.token()
		if err != nil {
			return err
		}
		if t.Kind != fastxml.Start {
			continue
		}
		declaration := tag{name: "xmlns"}
		if t.Prefix != "" {
			declaration = tag{prefix: "xmlns", name: t.Prefix}
		}
		for _, a := range t.Attrs {
			if (tag{a.Prefix, a.Name}) == declaration && strings.EqualFold(a.Value, namespace) && t.Name == "SyncML" {
				return nil
			}
		}
		return fmt.Errorf("root is %s, want {%s}SyncML", t.Name, namespace)
	}
}

// end checks that nothing but white space, comments and instructions follows the root.
func (d *decoder) end() error {
	for {
		t, err := d.next()
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, ErrDoctype) || err == nil && (t.Kind != fastxml.Text || len(bytes.TrimSpace(t.Text)) > 0):
			return errors.New("data after the root element")
		case err != nil:
			return err
		}
	}
}

func (d *decoder) children(f func(name string) error) error {
	for {
		t, err := d.token()
		if err != nil {
			return err
		}
		switch t.Kind {
		case fastxml.Start:
			if err := f(t.Name); err != nil {
				return err
			}
		case fastxml.End:
			return nil
		}
	}
}

func (d *decoder) skip() error {
	return d.children(func(string) error { return d.skip() })
}

// inner reads an element that holds text. Where it holds elements, the inner XML is returned as it stands. What it gives is
// good until it is called again.
func (d *decoder) inner() ([]byte, error) {
	start, nested := d.offset(), false
	d.held = d.held[:0]
	for {
		before := d.offset()
		t, err := d.token()
		switch {
		case err != nil:
			return nil, err
		case t.Kind == fastxml.Text:
			d.held = append(d.held, t.Text...)
		case t.Kind == fastxml.Start:
			nested = true
			if err := d.skip(); err != nil {
				return nil, err
			}
		case nested:
			return d.data[start:before], nil
		default:
			return d.held, nil
		}
	}
}

func (d *decoder) text(to *string) error {
	b, err := d.inner()
	*to = string(b)
	return err
}

// word reads text where white space around it means nothing.
func (d *decoder) word(to *string) error {
	b, err := d.inner()
	b = bytes.TrimSpace(b)
	word, known := words[string(b)]
	if !known {
		word = string(b)
	}
	*to = word
	return err
}

func (d *decoder) number(to *int) error {
	b, err := d.inner()
	if err != nil {
		return err
	}
	b = bytes.TrimSpace(b)
	n, err := strconv.ParseInt(string(b), 10, 32)
	if err != nil {
		return fmt.Errorf("%q is not a number", b)
	}
	if n < 0 {
		return fmt.Errorf("%q is negative", b)
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
