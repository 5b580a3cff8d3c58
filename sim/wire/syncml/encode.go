package syncml

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"unicode/utf8"
)

const (
	namespace     = "SYNCML:SYNCML1.2"
	metaNamespace = "syncml:metinf"
)

// Encode writes the message as XML, without an XML declaration, as Windows does. Elements stand in the DTD's order. Characters
// that XML cannot carry become U+FFFD. It is written by hand because a fleet sends thousands of them.
func (m *Message) Encode() []byte {
	e := encoder{buf: make([]byte, 0, 512+256*len(m.Commands))}
	e.raw(`<SyncML xmlns="` + namespace + `">`)
	e.header(&m.Header)
	e.raw("<SyncBody>")
	for i := range m.Commands {
		e.command(&m.Commands[i])
	}
	if m.Final {
		e.raw("<Final/>")
	}
	e.raw("</SyncBody></SyncML>")
	return e.buf
}

type encoder struct{ buf []byte }

func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

func (e *encoder) open(name string) {
	e.buf = append(e.buf, '<')
	e.raw(name)
	e.buf = append(e.buf, '>')
}

func (e *encoder) close(name string) {
	e.raw("</")
	e.raw(name)
	e.buf = append(e.buf, '>')
}

// text writes an element with text; opt leaves it out when the text is empty.
func (e *encoder) text(name, s string) {
	e.open(name)
	e.escape(s)
	e.close(name)
}

func (e *encoder) opt(name, s string) {
	if s != "" {
		e.text(name, s)
	}
}

func (e *encoder) number(name string, n int) {
	e.open(name)
	e.buf = strconv.AppendInt(e.buf, int64(n), 10)
	e.close(name)
}

func (e *encoder) flag(name string, set bool) {
	if set {
		e.raw("<" + name + "/>")
	}
}

func (e *encoder) uri(name, uri, locName string) {
	if uri == "" && locName == "" {
		return
	}
	e.open(name)
	e.text("LocURI", uri)
	e.opt("LocName", locName)
	e.close(name)
}

func (e *encoder) escape(s string) {
	if plain(s) {
		e.raw(s)
		return
	}
	var b bytes.Buffer
	// A bytes.Buffer does not fail.
	_ = xml.EscapeText(&b, []byte(s))
	e.buf = append(e.buf, b.Bytes()...)
}

// plain reports whether s stands in XML text as it is.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= utf8.RuneSelf || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' {
			return false
		}
	}
	return true
}

func (e *encoder) header(h *Header) {
	e.raw("<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>")
	e.text("SessionID", h.SessionID)
	e.number("MsgID", h.MsgID)
	e.uri("Target", h.Target, "")
	e.uri("Source", h.Source, h.SourceName)
	e.opt("RespURI", h.RespURI)
	e.flag("NoResp", h.NoResp)
	if c := h.Cred; c != nil {
		e.open("Cred")
		e.meta(Meta{Format: Format(c.Format), Type: c.Type}, "", 0, 0)
		e.text("Data", c.Data)
		e.close("Cred")
	}
	e.meta(Meta{}, "", h.MaxMsgSize, h.MaxObjSize)
	e.close("SyncHdr")
}

func (e *encoder) metinf(name, s string) {
	if s == "" {
		return
	}
	e.raw("<" + name + ` xmlns="` + metaNamespace + `">`)
	e.escape(s)
	e.close(name)
}

func (e *encoder) metinfNumber(name string, n int) {
	if n != 0 {
		e.metinf(name, strconv.Itoa(n))
	}
}

func (e *encoder) meta(m Meta, nextNonce string, maxMsg, maxObj int) {
	if m.IsZero() && nextNonce == "" && maxMsg == 0 && maxObj == 0 {
		return
	}
	e.open("Meta")
	e.metinf("Format", string(m.Format))
	e.metinf("Type", m.Type)
	e.metinf("Mark", m.Mark)
	e.metinfNumber("Size", m.Size)
	e.metinf("NextNonce", nextNonce)
	e.metinfNumber("MaxMsgSize", maxMsg)
	e.metinfNumber("MaxObjSize", maxObj)
	e.close("Meta")
}

func (e *encoder) command(c *Command) {
	e.open(string(c.Verb))
	e.number("CmdID", c.ID)
	switch c.Verb {
	case Status:
		e.ref(c)
		e.text("Cmd", string(c.Ref.Verb))
		e.refs(c)
		e.challenge(c.Challenge)
		e.number("Data", c.Code)
	case Results:
		e.ref(c)
		e.meta(c.Meta, "", 0, 0)
		e.refs(c)
	case Alert:
		e.flag("NoResp", c.NoResp)
		e.number("Data", c.Code)
		e.opt("Correlator", c.Correlator)
	default:
		e.flag("NoResp", c.NoResp)
		e.meta(c.Meta, "", 0, 0)
		e.opt("Correlator", c.Correlator)
	}
	for i := range c.Items {
		e.item(&c.Items[i])
	}
	for i := range c.Commands {
		e.command(&c.Commands[i])
	}
	e.close(string(c.Verb))
}

func (e *encoder) ref(c *Command) {
	e.number("MsgRef", c.Ref.Msg)
	e.number("CmdRef", c.Ref.Cmd)
}

func (e *encoder) refs(c *Command) {
	for _, r := range c.TargetRef {
		e.text("TargetRef", r)
	}
	for _, r := range c.SourceRef {
		e.text("SourceRef", r)
	}
}

func (e *encoder) challenge(c *Challenge) {
	if c == nil {
		return
	}
	e.open("Chal")
	e.meta(Meta{Format: Format(c.Format), Type: c.Type}, c.NextNonce, 0, 0)
	e.close("Chal")
}

// item writes Data also when it is empty and the format says that there is a value, so that an empty string can be set.
func (e *encoder) item(i *Item) {
	e.open("Item")
	e.uri("Target", i.Target, "")
	e.uri("Source", i.Source, "")
	e.meta(i.Meta, "", 0, 0)
	if i.Data != "" || i.Meta.Format != "" && i.Meta.Format != Node && i.Meta.Format != Null {
		e.text("Data", i.Data)
	}
	e.flag("MoreData", i.MoreData)
	e.close("Item")
}
