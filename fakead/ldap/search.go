package ldap

import (
	"encoding/binary"
	"strings"

	"windtunnel.test/fakead/directory"
	wire "windtunnel.test/sim/wire/ldap"
)

// found is what a search gives one by one.
type found interface {
	Next() (wire.Entry, bool)
	Len() int // left
}

// pages is a search of which the client has not had everything.
type pages struct {
	cookie  uint64
	base    string
	scope   wire.Scope
	results found
}

// maxPages is how many such searches a connection may have; the oldest is forgotten ([MS-ADTS] 3.1.1.3.4.6:
// MaxResultSetsPerConn).
const maxPages = 10

// search answers with entries, references and the end, in pages where the client wants them.
func (t *session) search(id int, r *wire.SearchRequest, c controls) error {
	results, err := t.find(r, c)
	if err != nil {
		t.answer(id, &wire.SearchDone{Result: wire.ResultOf(err)})
		return err
	}
	limit := t.s.timing().Hybrid.LDAPPage
	if c.paged != nil {
		limit = min(limit, c.paged.Size)
	}
	tooMany := r.SizeLimit > 0 && r.SizeLimit < results.Len() && r.SizeLimit <= limit
	if tooMany {
		limit = r.SizeLimit
	}
	for range limit {
		e, ok := results.Next()
		if !ok {
			break
		}
		t.answer(id, &e)
		if len(t.out) >= flushAt && t.flush() != nil {
			return nil // the client is gone, which the session notices
		}
	}
	done := &wire.SearchDone{}
	var out []wire.Control
	if len(c.sort) > 0 {
		out = append(out, wire.SortResultControl(wire.Success, ""))
	}
	switch {
	case c.paged != nil && !tooMany:
		out = append(out, t.keep(r, c.paged, results).Control())
	case results.Len() > 0:
		err = nameless(wire.SizeLimitExceeded)
		done.Result = wire.ResultOf(err)
	}
	if results.Len() == 0 {
		t.refer(id, r, c)
	}
	for i := range out {
		out[i].Critical = false
	}
	t.answer(id, done, out...)
	return nil
}

func nameless(code wire.ResultCode) error { return &wire.Error{Code: code} }

// find starts a search, or goes on with one whose cookie the client gives back.
func (t *session) find(r *wire.SearchRequest, c controls) (found, error) {
	if c.paged != nil && len(c.paged.Cookie) > 0 {
		return t.resume(r, c.paged.Cookie)
	}
	if r.Base == "" && r.Scope == wire.BaseObject {
		if isPing(r) {
			return t.s.netlogon(t.wire.RemoteAddr(), r), nil
		}
		return t.rootDSE(r), nil
	}
	q := directory.Query{SearchRequest: *r, Deleted: c.deleted, Global: t.global}
	results, err := t.s.Directory.Search(t.ctx, t.who, q)
	if err != nil {
		return nil, err
	}
	if len(c.sort) > 0 {
		return sorted(results, c.sort, t.s.timing().Hybrid.LDAPPage)
	}
	return results, nil
}

func (t *session) resume(r *wire.SearchRequest, cookie []byte) (found, error) {
	if len(cookie) == 8 {
		n := binary.BigEndian.Uint64(cookie)
		for i, p := range t.pages {
			if p.cookie == n && p.scope == r.Scope && strings.EqualFold(p.base, r.Base) {
				t.pages = append(t.pages[:i], t.pages[i+1:]...)
				return p.results, nil
			}
		}
	}
	return nil, unavailable()
}

// keep remembers what is left under a cookie of this connection. A page of size 0 gives the search up (RFC 2696 3).
func (t *session) keep(r *wire.SearchRequest, p *wire.Paged, left found) wire.Paged {
	if left.Len() == 0 || p.Size == 0 {
		return wire.Paged{}
	}
	t.cookies++
	if len(t.pages) == maxPages {
		t.pages = t.pages[1:]
	}
	t.pages = append(t.pages, &pages{t.cookies, r.Base, r.Scope, left})
	return wire.Paged{Cookie: binary.BigEndian.AppendUint64(nil, t.cookies)}
}

// refer says that a search of the whole domain would have to go on in the forest's configuration, which is a naming
// context of its own on the same server.
func (t *session) refer(id int, r *wire.SearchRequest, c controls) {
	d := t.s.Directory.Directory()
	if c.domainScope || t.global || r.Scope != wire.WholeSubtree || !strings.EqualFold(r.Base, d.DN()) {
		return
	}
	t.answer(id, &wire.SearchReference{URLs: []string{"ldap://" + d.Domain() + "/" + d.ConfigurationDN()}})
}

// one is a search's result where it is one object, or none.
type one struct {
	e    wire.Entry
	left int
}

func (o *one) Next() (wire.Entry, bool) {
	if o.left == 0 {
		return wire.Entry{}, false
	}
	o.left--
	return o.e, true
}

func (o *one) Len() int { return o.left }
