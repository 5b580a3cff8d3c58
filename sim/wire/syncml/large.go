package syncml

import (
	"strings"
	"unicode/utf8"
)

// MinMessage is the smallest MaxMsgSize in bytes with which a session can go on: a header, its status and a piece of an
// object have to fit.
const MinMessage = 1024

// closing is what a message has behind its commands at most: Final or a next-message alert, and the closing tags.
const closing = 160

// Size is the length of the encoded command in bytes, its CmdID taken as five digits long.
func (c *Command) Size() int {
	e := encoder{}
	e.command(c)
	return len(e.buf) + 4*count(c)
}

func count(c *Command) int {
	n := 1
	for i := range c.Commands {
		n += count(&c.Commands[i])
	}
	return n
}

// Room is how many bytes of commands still fit into m, where messages may have limit bytes; without a limit (0), a lot.
func (m *Message) Room(limit int) int {
	if limit <= 0 {
		return MaxBytes
	}
	return limit - len(m.Encode()) - 4*len(m.Commands) - closing
}

// Cut takes as much of a command's value off as fits into room bytes: a large object travels in several messages (OMA-TS-DM-
// Protocol 1.2.1, 7). begun says that a piece of it was cut off before; the first piece alone tells the object's size. It is
// false where nothing fits, or where the command has not exactly one item.
func Cut(c Command, room int, begun bool) (piece, rest Command, ok bool) {
	if len(c.Items) != 1 || len(c.Commands) > 0 {
		return piece, rest, false
	}
	item := c.Items[0]
	head := item
	head.Data, head.MoreData, head.Meta.Size = "", true, 0
	if !begun {
		head.Meta.Size = len(item.Data)
	}
	piece = c
	piece.Items = []Item{head}
	n := fitting(item.Data, room-piece.Size()-len("<Data></Data>"))
	if n == 0 || n == len(item.Data) {
		return piece, rest, false
	}
	head.Data, item.Data = item.Data[:n], item.Data[n:]
	piece.Items = []Item{head}
	rest = c
	rest.Items = []Item{item}
	return piece, rest, true
}

// fitting is the length of the longest beginning of s, in whole characters, that takes at most room bytes in XML.
func fitting(s string, room int) int {
	for i, r := range s {
		switch {
		case r == '<' || r == '>' || r == '&' || r == '"' || r == '\'' || r < ' ':
			room -= 6
		case r == utf8.RuneError:
			room -= 3
		default:
			room -= utf8.RuneLen(r)
		}
		if room < 0 {
			return i
		}
	}
	return len(s)
}

// Partial is a large object that has not come whole yet; the zero value waits for none.
type Partial struct {
	Command Command  // the first piece's
	Size    int      // that the first piece promised
	Pieces  []string // what came so far
	Have    int      // and its length
}

// Open reports whether pieces are missing.
func (p *Partial) Open() bool { return p.Size > 0 }

// Take looks at a command for pieces of a large object. code is 0 for a command that is whole by itself: it is given back.
// [ChunkAccepted] says that more is to come. OK gives the whole command, with what answers its last piece in it. Other codes are
// refusals: [SizeMismatch], [SizeRequired] where the first piece names no size, [RequestSizeTooBig] above limit bytes, and
// [IncompleteCommand] where another command came between, for which the object is dropped.
func (p *Partial) Take(c *Command, limit int) (whole *Command, code StatusCode) {
	more := len(c.Items) > 0 && c.Items[len(c.Items)-1].MoreData
	if !p.Open() {
		if !more {
			return c, 0
		}
		last := c.Items[len(c.Items)-1]
		size := last.Meta.Size
		if size == 0 {
			size = c.Meta.Size
		}
		switch {
		case size == 0:
			return nil, SizeRequired
		case size > limit || len(last.Data) > size:
			return nil, RequestSizeTooBig
		}
		*p = Partial{Command: *c, Size: size, Pieces: []string{last.Data}, Have: len(last.Data)}
		return nil, ChunkAccepted
	}
	first := p.Command.Items[len(p.Command.Items)-1]
	if c.Verb != p.Command.Verb || len(c.Items) != 1 || c.Items[0].Target != first.Target || c.Items[0].Source != first.Source {
		*p = Partial{}
		return nil, IncompleteCommand
	}
	piece := c.Items[0].Data
	if p.Have += len(piece); p.Have > p.Size {
		*p = Partial{}
		return nil, SizeMismatch
	}
	// Joined at the end only: a peer with many small pieces must not cost more than their number.
	p.Pieces = append(p.Pieces, piece)
	if more {
		return nil, ChunkAccepted
	}
	all := *p
	*p = Partial{}
	if all.Have != all.Size {
		return nil, SizeMismatch
	}
	done := all.Command
	done.Items = append([]Item(nil), done.Items...) // those of the first piece are its sender's
	item := &done.Items[len(done.Items)-1]
	item.Data, item.MoreData, item.Meta.Size = strings.Join(all.Pieces, ""), false, 0
	done.ID, done.Ref, done.NoResp = c.ID, c.Ref, c.NoResp
	return &done, OK
}
