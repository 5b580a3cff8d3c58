package syncml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"windtunnel.test/sim/wire/fastxml"
)

// ContentTypeWBXML is the media type of a message in WBXML, the same document in another encoding.
const ContentTypeWBXML = "application/vnd.syncml.dm+wbxml"

// Global tokens of WBXML (WAP-192-WBXML 1.3, 7.1).
const (
	wbSwitchPage = 0x00
	wbEnd        = 0x01
	wbEntity     = 0x02
	wbInline     = 0x03
	wbTable      = 0x83
	wbOpaque     = 0xC3
	wbContent    = 0x40 // of a tag that has content
	wbAttributes = 0x80 // of a tag that has attributes: SyncML has none
)

const (
	wbVersion  = 0x02   // 1.2
	wbPublicID = 0x1201 // -//SYNCML//DTD SyncML 1.2//EN
	wbUTF8     = 0x6A
)

// pages are the code pages of SyncML and MetInf (SyncML Representation Protocol 1.2.2, 8; Meta-Information DTD 1.2, 6), from
// token 5 on.
var pages = [2][]string{
	strings.Fields(`Add Alert Archive Atomic Chal Cmd CmdID CmdRef Copy Cred Data Delete Exec Final Get Item Lang LocName LocURI Map MapItem
		Meta MsgID MsgRef NoResp NoResults Put Replace RespURI Results Search Sequence SessionID SftDel Source SourceRef Status Sync SyncBody
		SyncHdr SyncML Target TargetRef - VerDTD VerProto NumberOfChanges MoreData Field Filter Record FilterType SourceParent TargetParent Move
		Correlator`),
	strings.Fields(`Anchor EMI Format FreeID FreeMem Last Mark MaxMsgSize Mem MetInf Next NextNonce SharedMem Size Type Version MaxObjSize
		FieldLevel`),
}

var tokens = func() (t [2]map[string]byte) {
	for page := range pages {
		t[page] = map[string]byte{}
		for i, name := range pages[page] {
			t[page][name] = byte(i + 5)
		}
	}
	return t
}()

var errWBXML = errors.New("not a WBXML document of SyncML 1.2")

// EncodeWBXML writes the message in WBXML 1.2. A command whose verb has no token cannot be written.
func (m *Message) EncodeWBXML() ([]byte, error) {
	text := m.Encode()
	out := make([]byte, 0, len(text)/2)
	out = append(out, wbVersion, 0xA4, 0x01, wbUTF8, 0)
	s, page := fastxml.New(text), byte(0)
	var open []int // where the tags that are open stand in out
	content := func() {
		if n := len(open); n > 0 {
			out[open[n-1]] |= wbContent
		}
	}
	for {
		t, ok := s.Next()
		switch {
		case !ok && s.Odd():
			// A character reference that the scanner does not know: never written by Encode but in text.
			return nil, fmt.Errorf("syncml: encode WBXML: %w", fastxml.ErrOdd)
		case !ok:
			return out, nil
		}
		switch t.Kind {
		case fastxml.Start:
			content()
			want := byte(0)
			for _, a := range t.Attrs {
				if a.Value == metaNamespace {
					want = 1
				}
			}
			token, known := tokens[want][t.Name]
			if !known {
				return nil, fmt.Errorf("syncml: encode WBXML: no token for %q", t.Name)
			}
			if want != page {
				out, page = append(out, wbSwitchPage, want), want
			}
			open = append(open, len(out))
			out = append(out, token)
		case fastxml.End:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if out[last]&wbContent != 0 {
				out = append(out, wbEnd)
			}
		case fastxml.Text:
			if len(t.Text) > 0 {
				content()
				out = append(append(append(out, wbInline), t.Text...), 0)
			}
		}
	}
}

// DecodeWBXML reads a message in WBXML 1.1 to 1.3, with the same bounds as [Decode], whose errors it has.
func DecodeWBXML(data []byte) (*Message, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("syncml: decode WBXML: %w: %d bytes", ErrTooBig, len(data))
	}
	text, err := (&wbReader{rest: data}).document()
	if err != nil {
		return nil, fmt.Errorf("syncml: decode WBXML: %w", err)
	}
	return Decode(text)
}

// wbReader turns WBXML into XML.
type wbReader struct {
	rest  []byte
	table []byte
	out   bytes.Buffer
	open  []string
	page  byte
}

func (r *wbReader) document() ([]byte, error) {
	version, err := r.byte()
	if err != nil || version < 0x01 || version > 0x03 {
		return nil, errWBXML
	}
	if err := r.preamble(); err != nil {
		return nil, err
	}
	for len(r.rest) > 0 {
		if err := r.token(); err != nil {
			return nil, err
		}
		if r.out.Len() > MaxBytes { // a table's string can be named many times
			return nil, ErrTooBig
		}
	}
	if len(r.open) > 0 {
		return nil, fmt.Errorf("%d elements are open", len(r.open))
	}
	return r.out.Bytes(), nil
}

// preamble reads public identifier, character set and string table. An identifier may stand in the table.
func (r *wbReader) preamble() error {
	id, err := r.number()
	named := 0
	if err == nil && id == 0 {
		named, err = r.number()
	}
	if err != nil {
		return err
	}
	charset, err := r.number()
	if err != nil || charset != wbUTF8 && charset != 0 {
		return errWBXML
	}
	size, err := r.number()
	if err != nil || size > len(r.rest) {
		return errWBXML
	}
	r.table, r.rest = r.rest[:size], r.rest[size:]
	if id == 0 {
		name, err := r.tabled(named)
		if err != nil || !strings.EqualFold(string(name), "-//SYNCML//DTD SyncML 1.2//EN") {
			return errWBXML
		}
		return nil
	}
	if id != wbPublicID {
		return errWBXML
	}
	return nil
}

func (r *wbReader) byte() (byte, error) {
	if len(r.rest) == 0 {
		return 0, errWBXML
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b, nil
}

// number reads an mb_u_int32.
func (r *wbReader) number() (int, error) {
	n := 0
	for range 5 {
		b, err := r.byte()
		if err != nil {
			return 0, err
		}
		if n = n<<7 | int(b&0x7F); b&0x80 == 0 {
			return n, nil
		}
	}
	return 0, errWBXML
}

func (r *wbReader) token() error {
	b, err := r.byte()
	if err != nil {
		return err
	}
	switch b {
	case wbSwitchPage:
		if r.page, err = r.byte(); err != nil || int(r.page) >= len(pages) {
			return errWBXML
		}
		return nil
	case wbEnd:
		if len(r.open) == 0 {
			return errWBXML
		}
		last := len(r.open) - 1
		r.out.WriteString("</" + r.open[last] + ">")
		r.open = r.open[:last]
		return nil
	case wbInline:
		i := bytes.IndexByte(r.rest, 0)
		if i < 0 {
			return errWBXML
		}
		text := r.rest[:i]
		r.rest = r.rest[i+1:]
		return r.text(text)
	case wbTable:
		at, err := r.number()
		if err != nil {
			return err
		}
		text, err := r.tabled(at)
		if err != nil {
			return err
		}
		return r.text(text)
	case wbOpaque:
		n, err := r.number()
		if err != nil || n > len(r.rest) {
			return errWBXML
		}
		text := r.rest[:n]
		r.rest = r.rest[n:]
		return r.text(text)
	case wbEntity:
		c, err := r.number()
		if err != nil || !utf8.ValidRune(rune(c)) {
			return errWBXML
		}
		return r.text([]byte(string(rune(c))))
	}
	return r.tag(b)
}

func (r *wbReader) tabled(at int) ([]byte, error) {
	if at >= len(r.table) {
		return nil, errWBXML
	}
	text, _, ok := bytes.Cut(r.table[at:], []byte{0})
	if !ok {
		return nil, errWBXML
	}
	return text, nil
}

func (r *wbReader) text(b []byte) error {
	if len(r.open) == 0 {
		return errWBXML
	}
	return xml.EscapeText(&r.out, b)
}

func (r *wbReader) tag(b byte) error {
	i := int(b&0x3F) - 5
	if b&wbAttributes != 0 || i < 0 || i >= len(pages[r.page]) || pages[r.page][i] == "-" {
		return fmt.Errorf("token %#02x: %w", b, errWBXML)
	}
	name := pages[r.page][i]
	r.out.WriteString("<" + name)
	switch {
	case r.page == 1:
		r.out.WriteString(` xmlns="` + metaNamespace + `"`)
	case name == "SyncML":
		r.out.WriteString(` xmlns="` + namespace + `"`)
	}
	if b&wbContent == 0 {
		r.out.WriteString("/>")
		return nil
	}
	if len(r.open) == MaxDepth {
		return ErrTooDeep
	}
	r.out.WriteByte('>')
	r.open = append(r.open, name)
	return nil
}
