package fastxml

import (
	"encoding/xml"
	"errors"
	"io"
	"reflect"
)

// ErrOdd ends the reading of a document that is not plain.
var ErrOdd = errors.New("fastxml: not plain XML")

// Reader is a Scanner for xml.NewTokenDecoder, with [ErrOdd] where the document is not plain.
type Reader struct {
	s *Scanner
}

// NewReader reads data.
func NewReader(data []byte) *Reader { return &Reader{s: New(data)} }

// Token gives the next token as xml.Decoder.RawToken does.
func (r *Reader) Token() (xml.Token, error) {
	t, ok := r.s.Next()
	switch {
	case !ok && r.s.Odd():
		return nil, ErrOdd
	case !ok:
		return nil, io.EOF
	}
	switch t.Kind {
	case Start:
		start := xml.StartElement{Name: xml.Name{Space: t.Prefix, Local: t.Name}}
		if len(t.Attrs) > 0 {
			start.Attr = make([]xml.Attr, len(t.Attrs))
		}
		for i, a := range t.Attrs {
			start.Attr[i] = xml.Attr{Name: xml.Name{Space: a.Prefix, Local: a.Name}, Value: a.Value}
		}
		return start, nil
	case End:
		return xml.EndElement{Name: xml.Name{Space: t.Prefix, Local: t.Name}}, nil
	}
	return xml.CharData(t.Text), nil
}

// Unmarshal is xml.Unmarshal, faster where the document is plain. v must be a pointer to a zero value; a ",innerxml"
// member stays empty.
func Unmarshal(data []byte, v any) error {
	if xml.NewTokenDecoder(NewReader(data)).Decode(v) == nil {
		return nil
	}
	reflect.ValueOf(v).Elem().SetZero()
	return xml.Unmarshal(data, v)
}
