package syncml

import (
	"bytes"
	"fmt"
)

// metinf is a Meta with what only headers and challenges use.
type metinf struct {
	Meta
	nextNonce      string
	maxMsg, maxObj int
}

func (d *decoder) header(h *Header) error {
	var proto string
	err := d.children(func(name string) error {
		switch name {
		case "VerProto":
			return d.word(&proto)
		case "SessionID":
			return d.word(&h.SessionID)
		case "MsgID":
			return d.number(&h.MsgID)
		case "Target":
			return d.uri(&h.Target, nil)
		case "Source":
			return d.uri(&h.Source, &h.SourceName)
		case "RespURI":
			return d.word(&h.RespURI)
		case "NoResp":
			return d.flag(&h.NoResp)
		case "Cred":
			h.Cred = &Cred{}
			return d.cred(h.Cred)
		case "Meta":
			var m metinf
			err := d.meta(&m)
			h.MaxMsgSize, h.MaxObjSize = m.maxMsg, m.maxObj
			return err
		}
		return d.skip()
	})
	if err == nil && proto != "DM/1.2" {
		return fmt.Errorf("VerProto is %q, want DM/1.2", proto)
	}
	return err
}

func (d *decoder) uri(uri, locName *string) error {
	return d.children(func(name string) error {
		switch {
		case name == "LocURI":
			return d.word(uri)
		case name == "LocName" && locName != nil:
			return d.word(locName)
		}
		return d.skip()
	})
}

func (d *decoder) cred(c *Cred) error {
	return d.children(func(name string) error {
		switch name {
		case "Meta":
			var m metinf
			err := d.meta(&m)
			c.Format, c.Type = string(m.Format), m.Type
			return err
		case "Data":
			return d.word(&c.Data)
		}
		return d.skip()
	})
}

func (d *decoder) meta(m *metinf) error {
	return d.children(func(name string) error {
		switch name {
		case "Format":
			return d.word((*string)(&m.Format))
		case "Type":
			return d.word(&m.Type)
		case "Mark":
			return d.word(&m.Mark)
		case "Size":
			return d.number(&m.Size)
		case "NextNonce":
			return d.word(&m.nextNonce)
		case "MaxMsgSize":
			return d.number(&m.maxMsg)
		case "MaxObjSize":
			return d.number(&m.maxObj)
		}
		return d.skip()
	})
}

func (d *decoder) body(m *Message) error {
	if n := bytes.Count(d.data, []byte("</CmdID>")); n > 0 {
		m.Commands = make([]Command, 0, n) // nested ones counted as well: seldom many
		defer func() {
			if len(m.Commands) == 0 {
				m.Commands = nil
			}
		}()
	}
	return d.children(func(name string) error {
		if name == "Final" {
			return d.flag(&m.Final)
		}
		m.Commands = append(m.Commands, Command{Verb: Verb(name)})
		return d.command(&m.Commands[len(m.Commands)-1])
	})
}

func (d *decoder) command(c *Command) error {
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.number(&c.ID)
		case "NoResp":
			return d.flag(&c.NoResp)
		case "MsgRef":
			return d.number(&c.Ref.Msg)
		case "CmdRef":
			return d.number(&c.Ref.Cmd)
		case "Cmd":
			return d.word((*string)(&c.Ref.Verb))
		case "TargetRef":
			return d.words(&c.TargetRef)
		case "SourceRef":
			return d.words(&c.SourceRef)
		case "Chal":
			c.Challenge = &Challenge{}
			return d.challenge(c.Challenge)
		case "Correlator":
			return d.word(&c.Correlator)
		case "Data":
			if c.Verb == Alert || c.Verb == Status {
				return d.number(&c.Code)
			}
			return d.skip()
		case "Meta":
			var m metinf
			err := d.meta(&m)
			c.Meta = m.Meta
			return err
		case "Item":
			c.Items = append(c.Items, Item{})
			return d.item(&c.Items[len(c.Items)-1])
		}
		if c.Verb == Atomic || c.Verb == Sequence {
			return d.nested(c, Verb(name))
		}
		return d.skip()
	})
	if err != nil {
		return fmt.Errorf("%s %d: %w", c.Verb, c.ID, err)
	}
	return nil
}

// nested reads a command inside an Atomic or Sequence. Cred, Lang and the like never stand there.
func (d *decoder) nested(c *Command, verb Verb) error {
	switch verb {
	case Add, Replace, Delete, Get, Exec, Alert, Atomic, Sequence, "Copy":
		c.Commands = append(c.Commands, Command{Verb: verb})
		return d.command(&c.Commands[len(c.Commands)-1])
	}
	return d.skip()
}

func (d *decoder) challenge(c *Challenge) error {
	return d.children(func(name string) error {
		if name != "Meta" {
			return d.skip()
		}
		var m metinf
		err := d.meta(&m)
		c.Format, c.Type, c.NextNonce = string(m.Format), m.Type, m.nextNonce
		return err
	})
}

func (d *decoder) item(i *Item) error {
	return d.children(func(name string) error {
		switch name {
		case "Target":
			return d.uri(&i.Target, nil)
		case "Source":
			return d.uri(&i.Source, nil)
		case "Meta":
			var m metinf
			err := d.meta(&m)
			i.Meta = m.Meta
			return err
		case "Data":
			return d.text(&i.Data)
		case "MoreData":
			return d.flag(&i.MoreData)
		}
		return d.skip()
	})
}
