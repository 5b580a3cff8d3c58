package mdm

import (
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/syncml"
)

// exchange takes the device's message and gives the server's: statuses for
// what came and, once the device's package is whole, commands. A message
// without commands ends the session.
func (c *conversation) exchange(token string, origin int) (*syncml.Message, error) {
	v, h := &c.row.Session, c.in.Header
	switch {
	case h.SessionID == "":
		return nil, no("session id", http.StatusBadRequest)
	case h.MaxMsgSize > 0 && h.MaxMsgSize < syncml.MinMessage:
		return nil, no("MaxMsgSize", http.StatusBadRequest)
	case h.MsgID == 1: // whatever was open is over
		*v = session{ID: h.SessionID, Limit: h.MaxMsgSize, ObjLimit: h.MaxObjSize, Origin: origin}
	case v.ID == "" || v.ID != h.SessionID || v.Message+1 != h.MsgID:
		return nil, no("session state", http.StatusBadRequest)
	}
	v.Message = h.MsgID
	v.Bytes += c.size
	if v.Bytes > syncml.MaxBytes {
		return nil, no("package length", http.StatusRequestEntityTooLarge)
	}
	if code := c.authenticate(); code != syncml.OK && code != syncml.AuthenticationAccepted {
		return c.refused(code)
	}
	c.take()
	if err := c.answer(token); err != nil {
		return nil, err
	}
	return c.reply()
}

// answer decides what follows from what came.
func (c *conversation) answer(token string) error {
	v := &c.row.Session
	switch {
	case c.ended: // the device gave up
		return nil
	case !c.in.Final && !c.next:
		c.more, v.Held = true, c.now
		return nil
	}
	v.Held, v.Bytes = nil, 0
	if !v.Begun {
		return c.begin(token)
	}
	return c.proceed()
}

// take reads the device's commands: each gets its status, in their order, and
// joins those that came before it in the same package. Pieces of a large object
// are put together.
func (c *conversation) take() {
	v := &c.row.Session
	c.now = slices.Clone(v.Held)
	for i := range c.in.Commands {
		cmd := &c.in.Commands[i]
		if cmd.Verb == syncml.Status || cmd.Verb == syncml.Alert {
			c.take1(cmd, cmd.Verb == syncml.Alert)
			continue
		}
		whole, code := v.Partial.Take(cmd, syncml.MaxBytes)
		if code == syncml.IncompleteCommand { // what was under way did not come to its end
			c.out = append(c.out, queued{Command: syncml.NewAlert(syncml.AlertNoEndOfData, "", "")})
			whole, code = v.Partial.Take(cmd, syncml.MaxBytes)
		}
		switch {
		case code == 0 || code == syncml.OK:
			c.take1(whole, code == syncml.OK || cmd.Verb != syncml.Results)
		default:
			c.status(cmd, code)
		}
	}
}

func (c *conversation) take1(cmd *syncml.Command, answered bool) {
	c.now = append(c.now, *cmd)
	if answered {
		c.status(cmd, c.judge(cmd))
	}
}

func (c *conversation) status(cmd *syncml.Command, code syncml.StatusCode) {
	if !cmd.NoResp {
		c.statuses = append(c.statuses, syncml.StatusFor(c.in, cmd, code))
	}
}

// judge is the status of a command that a device sends. Management is the
// server's: what a device may say are alerts, results, and what it is.
func (c *conversation) judge(cmd *syncml.Command) syncml.StatusCode {
	switch cmd.Verb {
	case syncml.Results:
		return syncml.OK
	case syncml.Alert:
		switch cmd.Code {
		case syncml.AlertSessionAbort:
			c.ended = true
		case syncml.AlertNextMessage:
			c.next = true
		case syncml.AlertServerInitiated, syncml.AlertClientInitiated, syncml.AlertClientEvent, syncml.AlertNoEndOfData, syncml.AlertGeneric:
		default:
			return syncml.FeatureNotSupported
		}
		return syncml.OK
	case syncml.Replace:
		for _, i := range cmd.Items {
			if !strings.HasPrefix(i.Source, "./DevInfo/") {
				return syncml.CommandNotAllowed
			}
		}
		return syncml.OK
	case syncml.Add, syncml.Delete, syncml.Get, syncml.Exec, syncml.Atomic, syncml.Sequence:
		return syncml.CommandNotAllowed
	}
	return syncml.FeatureNotSupported
}

// header begins the server's message.
func (c *conversation) header(code syncml.StatusCode) *syncml.Message {
	h := c.in.Header
	out := &syncml.Message{Header: syncml.Header{
		SessionID: h.SessionID, MsgID: h.MsgID, Target: h.Source, Source: "https://" + hosts.OMADM + enroll.OMADMPath,
	}}
	out.Commands = make([]syncml.Command, 0, 1+len(c.in.Commands)+len(c.out))
	out.Append(syncml.HeaderStatus(c.in, code))
	return out
}

// reply builds the server's message and remembers what it asks.
func (c *conversation) reply() (*syncml.Message, error) {
	v := &c.row.Session
	code := syncml.OK
	if v.Proved {
		code = syncml.AuthenticationAccepted
	}
	out := c.header(code)
	if v.Proved && v.Tries > 0 { // the nonce of the next session
		out.Commands[0].Challenge, v.Tries = c.challenge(), 0
	}
	out.Append(c.statuses...)
	if c.more {
		out.Append(syncml.NewAlert(syncml.AlertNextMessage, "", ""))
		out.Number()
		return out, c.s.save(c.client.Device, c.row)
	}
	v.Pending = nil
	if !c.ended {
		c.send(out)
	} else {
		out.Final, v.Queue = true, nil
	}
	out.Number()
	n := len(out.Commands) - len(v.Pending)
	for i := range v.Pending {
		v.Pending[i].Cmd = out.Commands[n+i].ID
	}
	if err := c.update(c.late); err != nil {
		return nil, err
	}
	if len(v.Pending) > 0 {
		v.Asked = v.Message
		return out, c.s.save(c.client.Device, c.row)
	}
	return out, c.end()
}

// send puts as many commands into the message as the device takes; the rest
// waits for the next one.
func (c *conversation) send(out *syncml.Message) {
	v := &c.row.Session
	queue := append(slices.Clone(v.Queue), c.out...)
	room := out.Room(v.Limit)
	for len(queue) > 0 {
		q := &queue[0]
		size := 0
		if v.Limit > 0 {
			size = q.Command.Size()
		}
		if size <= room && !c.tooBig(q) {
			room -= size
			out.Append(q.Command)
			v.Pending = append(v.Pending, q.Pending)
			queue = queue[1:]
			continue
		}
		piece, rest, ok := syncml.Cut(q.Command, room, q.Begun)
		if ok && !c.tooBig(q) {
			out.Append(piece)
			v.Pending = append(v.Pending, pending{Kind: kindPiece, URI: q.Pending.URI})
			queue[0] = queued{Command: rest, Pending: q.Pending, Begun: true}
			break
		}
		if len(v.Pending) > 0 && !c.tooBig(q) {
			break // it has a message of its own
		}
		c.unsendable(q.Pending)
		queue = queue[1:]
	}
	v.Queue = slices.Clone(queue)
	out.Final = len(queue) == 0
}

// tooBig tells whether a command's value is more than the device says it takes.
func (c *conversation) tooBig(q *queued) bool {
	limit := c.row.Session.ObjLimit
	return limit > 0 && !q.Begun && len(q.Command.Items) == 1 && len(q.Command.Items[0].Data) > limit
}
