package syncml

// NewAlert is an Alert with a code and, for 1224 and 1226, one item of that type; data of kind "" means no item.
func NewAlert(code int, kind, data string) Command {
	c := Command{Verb: Alert, Code: code}
	if kind != "" {
		c.Items = []Item{{Meta: Meta{Type: kind, Format: Chr}, Data: data}}
	}
	return c
}

// NewSet is an Add or Replace of one node. An interior node has format [Node] and no value.
func NewSet(verb Verb, uri string, format Format, value string) Command {
	return Command{Verb: verb, Items: []Item{{Target: uri, Meta: Meta{Format: format}, Data: value}}}
}

// NewGet asks for one node.
func NewGet(uri string) Command { return Command{Verb: Get, Items: []Item{{Target: uri}}} }

// NewDelete removes one node and what is below it.
func NewDelete(uri string) Command { return Command{Verb: Delete, Items: []Item{{Target: uri}}} }

// NewExec executes a node; format "" and value "" send no data.
func NewExec(uri string, format Format, value string) Command {
	return Command{Verb: Exec, Items: []Item{{Target: uri, Meta: Meta{Format: format}, Data: value}}}
}

// NewAtomic wraps commands that take effect all together or not at all.
func NewAtomic(commands ...Command) Command { return Command{Verb: Atomic, Commands: commands} }

// Number gives every command its CmdID, from 1 in document order; an Atomic comes before what is in it.
func (m *Message) Number() {
	next := 1
	number(m.Commands, &next)
}

func number(commands []Command, next *int) {
	for i := range commands {
		commands[i].ID = *next
		*next++
		number(commands[i].Commands, next)
	}
}

// Append adds commands to the message's end.
func (m *Message) Append(commands ...Command) {
	if m.Commands == nil && len(commands) > 0 {
		m.Commands = make([]Command, 0, max(8, len(commands)))
	}
	m.Commands = append(m.Commands, commands...)
}

// HeaderStatus answers m's header: the first Status of any reply (DM protocol 1.2.1, 8.1.2).
func HeaderStatus(m *Message, code StatusCode) Command {
	return Command{
		Verb: Status, Code: int(code), Ref: Ref{Msg: m.Header.MsgID, Cmd: 0, Verb: SyncHdr},
		TargetRef: nonEmpty(m.Header.Target), SourceRef: nonEmpty(m.Header.Source),
	}
}

// StatusFor answers command c of m.
func StatusFor(m *Message, c *Command, code StatusCode) Command {
	return Command{Verb: Status, Code: int(code), Ref: Ref{Msg: m.Header.MsgID, Cmd: c.ID, Verb: c.Verb}}
}

// ResultsFor carries the values that Get command c of m asked for.
func ResultsFor(m *Message, c *Command, items ...Item) Command {
	return Command{Verb: Results, Ref: Ref{Msg: m.Header.MsgID, Cmd: c.ID}, Items: items}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// Answer is what a reply says about one command.
type Answer struct {
	Status    StatusCode // 0 while only Results came
	Results   []Item
	Challenge *Challenge
}

// Answers collects what m says about the commands of message msg, by CmdID; 0 is the header. Where several Status elements
// answer one command (a Status an item), the first that is no success counts.
func (m *Message) Answers(msg int) map[int]Answer {
	answers := make(map[int]Answer)
	for i := range m.Commands {
		c := &m.Commands[i]
		if c.Ref.Msg != msg || c.Verb != Status && c.Verb != Results {
			continue
		}
		a := answers[c.Ref.Cmd]
		if c.Verb == Results {
			a.Results = append(a.Results, c.Items...)
		} else if a.Status == 0 || a.Status.Success() {
			a.Status, a.Challenge = StatusCode(c.Code), c.Challenge
		}
		answers[c.Ref.Cmd] = a
	}
	return answers
}

// EndsSession reports whether this message of a server ends the session: it is the last of its package and holds nothing
// but Status (DM protocol 1.2.1, 8.1: a session goes on while the server sends commands).
func (m *Message) EndsSession() bool {
	for i := range m.Commands {
		if m.Commands[i].Verb != Status {
			return false
		}
	}
	return m.Final
}
