package directory

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/wire/graph"
)

// pageSize is what Graph puts into one page of directory objects by itself
// (Graph, "Paging Microsoft Graph data").
const pageSize = 100

// maxPage is the most that $top may ask for.
const maxPage = 999

// list answers with a collection: filtered, ordered, paged, cut to $select.
func list[T any](s *Service, c *call, name string, all []T) error {
	q, err := s.query(c)
	if err != nil {
		return err
	}
	size := pageSize
	if q.Top != nil {
		// Directory objects: $top is a page's size, and the rest follows.
		if size, q.Top = *q.Top, nil; size < 1 || size > maxPage {
			return &badRequest{graph.CodeBadRequest, "Invalid page size specified: '" + strconv.Itoa(size) + "'. Must be between 1 and 999 inclusive."}
		}
	}
	p, err := graph.Apply(q, all, size)
	if err != nil {
		return &badRequest{graph.CodeUnsupportedQuery, err.Error()}
	}
	out := graph.Collection[json.RawMessage]{Context: c.context(name), Value: p.Items}
	if q.Count {
		out.Count = &p.Total
	}
	if p.Next > 0 {
		next, values := *c.r.URL, c.r.URL.Query()
		values.Del("$skip")
		values.Set("$skiptoken", s.skipToken(c, p.Next))
		next.Scheme, next.Host, next.RawQuery = "https", graph.Host, values.Encode()
		out.NextLink = next.String()
	}
	service.WriteJSON(c.w, http.StatusOK, out)
	return nil
}

// count answers .../$count: a number as text, to advanced queries only.
func count[T any](s *Service, c *call, all []T) error {
	if !c.eventual() {
		return &badRequest{graph.CodeBadRequest, "$count is not currently supported without the header ConsistencyLevel: eventual."}
	}
	q, err := s.query(c)
	if err != nil {
		return err
	}
	p, err := graph.Apply(q, all, 0)
	if err != nil {
		return &badRequest{graph.CodeUnsupportedQuery, err.Error()}
	}
	service.Write(c.w, http.StatusOK, "text/plain", []byte(strconv.Itoa(p.Total)))
	return nil
}

// one answers with a single resource.
func one(s *Service, c *call, name string, v any) error {
	q, err := s.query(c)
	if err != nil {
		return err
	}
	raw, err := q.Project(v)
	if err != nil {
		return err
	}
	var row map[string]any
	if err := json.Unmarshal(raw, &row); err != nil {
		return err
	}
	row["@odata.context"] = c.context(name) + "/$entity"
	service.WriteJSON(c.w, http.StatusOK, row)
	return nil
}

// query reads the options. What only the directory's index can answer needs the
// header that asks for it (Graph, "Advanced query capabilities on directory
// objects"). $skip is none of a directory collection's options.
func (s *Service) query(c *call) (graph.Query, error) {
	values, at := c.r.URL.Query(), 0
	if values.Has("$skip") {
		return graph.Query{}, &badRequest{graph.CodeBadRequest, "'$skip' is not supported by the service."}
	}
	if token := values.Get("$skiptoken"); values.Has("$skiptoken") {
		var ok bool
		if at, ok = s.position(c, token); !ok {
			return graph.Query{}, &badRequest{"Directory_ExpiredPageToken", "The specified page token value has expired or is not one of this request's."}
		}
		values.Del("$skiptoken")
	}
	q, err := graph.ParseQuery(values)
	if err != nil {
		return graph.Query{}, &badRequest{graph.CodeBadRequest, err.Error()}
	}
	q.Skip = at
	if !c.eventual() && (q.Search != "" || advanced(q.Filter)) {
		return graph.Query{}, &badRequest{graph.CodeUnsupportedQuery, "Unsupported Query. It needs the header ConsistencyLevel: eventual and $count=true."}
	}
	for _, name := range q.Expand {
		if !slices.Contains(c.expands, strings.ToLower(name)) {
			return graph.Query{}, &badRequest{graph.CodeUnsupportedQuery, "$expand of " + name + " is not modelled here."}
		}
	}
	return q, nil
}

func (c *call) eventual() bool {
	return strings.EqualFold(c.r.Header.Get("ConsistencyLevel"), "eventual")
}

// advanced tells filters that need the index.
func advanced(e graph.Expr) bool {
	switch e := e.(type) {
	case graph.Not:
		return true
	case graph.Logic:
		return advanced(e.Left) || advanced(e.Right)
	case graph.Compare:
		return e.Op == "ne"
	case graph.Call:
		return e.Func != "startswith"
	case graph.Any:
		return advanced(e.Of)
	}
	return false
}

// skipToken names a position in the answer to one request of one tenant: it is
// of no use to others, and nobody can make one up.
func (s *Service) skipToken(c *call, at int) string {
	text := strconv.Itoa(at)
	return base64.RawURLEncoding.EncodeToString(append(s.seal(c, text), text...))
}

func (s *Service) seal(c *call, text string) []byte {
	key := s.Seed.Key("skiptoken")
	values := c.r.URL.Query()
	values.Del("$skiptoken")
	h := hmac.New(sha256.New, key[:])
	for _, part := range []string{c.tenant, strings.ToLower(c.r.URL.Path), values.Encode(), text} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return h.Sum(nil)[:16]
}

func (s *Service) position(c *call, token string) (int, bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 17 || !hmac.Equal(b[:16], s.seal(c, string(b[16:]))) {
		return 0, false
	}
	n, err := strconv.Atoi(string(b[16:]))
	return n, err == nil && n > 0
}

func (c *call) context(name string) string {
	return "https://" + graph.Host + "/" + c.version + "/$metadata#" + name
}
