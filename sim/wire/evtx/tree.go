package evtx

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"strconv"
	"time"
	"unicode/utf8"
)

// node is an element. Its attributes' texts and its own are literals, which are
// part of a template, or values, which differ from record to record.
type node struct {
	name     string
	attrs    []attribute
	value    *content
	children []node
}

type attribute struct {
	name  string
	value content
}

// content is a value in both of its forms. A literal is of no type.
type content struct {
	text  string
	typ   byte
	bytes []byte
}

// Types of values ([MS-EVEN6] 2.2.12.1).
const (
	typeString = 0x01
	typeUint8  = 0x04
	typeUint16 = 0x06
	typeUint32 = 0x08
	typeUint64 = 0x0a
	typeTime   = 0x11
	typeHex64  = 0x15
)

func element(name string, children ...node) node { return node{name: name, children: children} }

// with adds an attribute with a literal text.
func (n node) with(name, literal string) node {
	n.attrs = append(n.attrs, attribute{name, content{text: literal}})
	return n
}

func (n node) holding(c content) node {
	n.value = &c
	return n
}

// maxText keeps a value's size, which is 16 bits, and a record, which must fit
// into a chunk, within their bounds.
const maxText = 8 << 10

func text(s string) content {
	s = clip(s)
	return content{s, typeString, appendUTF16(nil, s)}
}

func uint8Value(n uint8) content {
	return content{strconv.Itoa(int(n)), typeUint8, []byte{n}}
}

func uint16Value(n uint16) content {
	return content{strconv.Itoa(int(n)), typeUint16, binary.LittleEndian.AppendUint16(nil, n)}
}

func uint32Value(n uint32) content {
	return content{strconv.Itoa(int(n)), typeUint32, binary.LittleEndian.AppendUint32(nil, n)}
}

func uint64Value(n uint64) content {
	return content{strconv.FormatUint(n, 10), typeUint64, binary.LittleEndian.AppendUint64(nil, n)}
}

func hexValue(n uint64) content {
	return content{"0x" + strconv.FormatUint(n, 16), typeHex64, binary.LittleEndian.AppendUint64(nil, n)}
}

func timeValue(t time.Time) content {
	return content{t.UTC().Format("2006-01-02T15:04:05.0000000Z"), typeTime, binary.LittleEndian.AppendUint64(nil, fileTime(t))}
}

// fileTime counts 100 ns since 1601.
func fileTime(t time.Time) uint64 {
	const epoch = 11644473600
	return uint64((t.Unix()+epoch)*1e7 + int64(t.Nanosecond()/100))
}

// clip cuts a text that is too long for a record, between two characters.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	for len(s) > 0 {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n > 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// writeText writes the element as XML text.
func (n node) writeText(b *bytes.Buffer) {
	b.WriteByte('<')
	b.WriteString(n.name)
	for _, a := range n.attrs {
		b.WriteByte(' ')
		b.WriteString(a.name)
		b.WriteString(`="`)
		_ = xml.EscapeText(b, []byte(a.value.text)) // into memory
		b.WriteByte('"')
	}
	if n.value == nil && len(n.children) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	if n.value != nil {
		_ = xml.EscapeText(b, []byte(n.value.text)) // into memory
	}
	for _, c := range n.children {
		c.writeText(b)
	}
	b.WriteString("</")
	b.WriteString(n.name)
	b.WriteByte('>')
}

// values are what a template's places are filled with, in their order.
func (n node) values(list []content) []content {
	for _, a := range n.attrs {
		if a.value.typ != 0 {
			list = append(list, a.value)
		}
	}
	if n.value != nil {
		list = append(list, *n.value)
	}
	for _, c := range n.children {
		list = c.values(list)
	}
	return list
}
