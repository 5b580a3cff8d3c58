package mdm

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/syncml"
)

// target is one node that a command is about, in the session's scope.
type target struct {
	w    *device.Windows
	uri  string // canonical
	path csp.Path
	sid  string // whose tree, "" for the device's
	user string // SID of the session's user, whatever the node; "" for none
	// format is what the command said of its value.
	format syncml.Format
	// again opens a session of the device, for an answer that is there later.
	again func(w *device.Windows)
	// then has Windows restart when the session is over.
	then func(why string)
}

// provider is a configuration service provider. A nil function means that the
// provider does not take the command on this node: 405.
type provider struct {
	set  func(t target, verb syncml.Verb, value string) syncml.StatusCode // Add and Replace
	get  func(t target) (value string, code syncml.StatusCode)
	exec func(t target, value string) syncml.StatusCode
	del  func(t target) syncml.StatusCode
}

// execute runs one command, and puts the status and results that answer it out.
func (r *runner) execute(m *syncml.Message, c *syncml.Command, out *syncml.Message) {
	r.commands++
	switch c.Verb {
	case syncml.Atomic:
		r.atomic(m, c, out)
	case syncml.Sequence:
		out.Append(syncml.StatusFor(m, c, syncml.OK))
		for i := range c.Commands {
			r.execute(m, &c.Commands[i], out)
		}
	case syncml.Add, syncml.Replace, syncml.Delete, syncml.Exec, syncml.Get:
		code, results, touched := r.plain(r.w, c)
		r.restarts(touched)
		out.Append(syncml.StatusFor(m, c, code))
		if len(results) > 0 {
			out.Append(syncml.ResultsFor(m, c, results...))
		}
	case syncml.Alert:
		out.Append(syncml.StatusFor(m, c, syncml.OK))
	default:
		out.Append(syncml.StatusFor(m, c, syncml.FeatureNotSupported))
	}
}

// plain takes a command to its nodes, in w's view of the boot. touched are those
// of them that want a restart.
func (r *runner) plain(w *device.Windows, c *syncml.Command) (code syncml.StatusCode, results []syncml.Item, touched []touch) {
	code = syncml.OK
	for i := range c.Items {
		item := &c.Items[i]
		one, value, hit := r.item(w, c.Verb, item)
		touched = append(touched, hit...)
		if !one.Success() {
			code = one
			continue
		}
		if code.Success() {
			code = one
		}
		if c.Verb == syncml.Get {
			results = append(results, syncml.Item{Source: item.Target, Data: value})
		}
	}
	return code, results, touched
}

// atomic runs commands all together or not at all: what was done before the
// one that fails is undone. A Get or another Atomic inside is a mistake of the
// server ([MS-MDM] 3.1.5.1).
func (r *runner) atomic(m *syncml.Message, c *syncml.Command, out *syncml.Message) {
	codes := make([]syncml.StatusCode, len(c.Commands))
	failed := -1
	view, undo := r.w.Recorded()
	var touched []touch
	restart := r.restart
	for i := range c.Commands {
		inner := &c.Commands[i]
		codes[i] = syncml.CommandFailed
		if inner.Verb != syncml.Get && inner.Verb != syncml.Atomic && inner.Verb != syncml.Sequence {
			var hit []touch
			codes[i], _, hit = r.plain(view, inner)
			touched = append(touched, hit...)
		}
		if !codes[i].Success() {
			failed = i
			break
		}
	}
	if failed < 0 {
		r.restarts(touched)
		out.Append(syncml.StatusFor(m, c, syncml.OK))
		for i := range c.Commands {
			out.Append(syncml.StatusFor(m, &c.Commands[i], codes[i]))
		}
		return
	}
	undo.Back()
	r.restart = restart
	progress(r.w)
	out.Append(syncml.StatusFor(m, c, syncml.AtomicFailed))
	for i := range c.Commands {
		code := syncml.NotExecuted
		switch {
		case i < failed && c.Commands[i].Verb == syncml.Exec:
			code = syncml.AtomicRollBackFailed // what was started goes on
		case i < failed:
			code = syncml.AtomicRollBackOK
		case i == failed:
			code = codes[i]
		}
		out.Append(syncml.StatusFor(m, &c.Commands[i], code))
	}
}

// formats are those that nodes of CSPs have; "" takes the node's own.
var formats = map[syncml.Format]bool{"": true, syncml.Chr: true, syncml.Int: true, syncml.Bool: true, syncml.B64: true, syncml.Bin: true,
	syncml.Node: true, syncml.Null: true, syncml.XML: true, "float": true, "date": true, "time": true}

// foreign tells whether a node is the account of another server: this one has
// no right to it (425).
func foreign(path csp.Path) bool {
	s := path.Segments
	return len(s) > 4 && s[0] == "Vendor" && s[1] == "MSFT" && s[2] == "DMClient" && s[3] == "Provider" && s[4] != csp.Provider
}

// item takes a command to the provider of its node.
func (r *runner) item(w *device.Windows, verb syncml.Verb, item *syncml.Item) (code syncml.StatusCode, value string, touched []touch) {
	if len(item.Target) > csp.MaxURI {
		return syncml.URITooLong, "", nil
	}
	path, err := csp.Parse(item.Target)
	switch {
	case err != nil:
		return syncml.BadRequest, "", nil
	case !formats[item.Meta.Format]:
		return syncml.UnsupportedMediaType, "", nil
	case foreign(path):
		return syncml.PermissionDenied, "", nil
	}
	t := target{w: w, uri: path.String(), path: path, user: r.s.UserSID, format: item.Meta.Format, again: again, then: r.then}
	if path.Scope == csp.User {
		if r.s.UserSID == "" {
			return syncml.CommandNotAllowed, "", nil // no user context: nobody is signed in
		}
		if w.ProfileLoading() { // not yet: github.com/fleetdm/fleet/issues/49134
			r.logFailure(verb, t, syncml.CommandNotAllowed)
			return syncml.CommandNotAllowed, "", nil
		}
		t.sid = r.s.UserSID
	}
	p := find(path)
	if p == nil {
		return syncml.NotFound, "", nil
	}
	wants, hit := needsRestart(t.uri)
	if !hit || verb == syncml.Get {
		if code, value = p.run(t, verb, item.Data); !code.Success() && verb != syncml.Get {
			r.logFailure(verb, t, code)
		}
		return code, value, nil
	}
	before := current(p, t)
	if code, value = p.run(t, verb, item.Data); code.Success() {
		touched = []touch{{rebootURI: wants, node: t.uri, changed: current(p, t) != before}}
	} else {
		r.logFailure(verb, t, code)
	}
	return code, value, touched
}

// run lets a provider have a command.
func (p *provider) run(t target, verb syncml.Verb, data string) (syncml.StatusCode, string) {
	switch {
	case (verb == syncml.Add || verb == syncml.Replace) && p.set != nil:
		return p.set(t, verb, data), ""
	case verb == syncml.Get && p.get != nil:
		value, code := p.get(t)
		return code, value
	case verb == syncml.Exec && p.exec != nil:
		return p.exec(t, data), ""
	case verb == syncml.Delete && p.del != nil:
		return p.del(t), ""
	}
	return syncml.CommandNotAllowed, ""
}
