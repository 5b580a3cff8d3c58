package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	wire "windtunnel.test/sim/wire/graph"
)

// pageSize is how many resources a page has at most, as in Intune's part of
// Graph.
const pageSize = 1000

// list answers with a page of a collection. Filters may only use the properties
// in filterable; Intune refuses others.
func list[T any](c *call, items []T, filterable ...string) (answer, error) {
	return paged(c, filterable, func(q wire.Query, size int) (wire.Page, error) { return wire.Apply(q, items, size) })
}

// large is a collection of which a page is had without all the others.
type large[T any] struct {
	all  func() []T
	from func(skip, n int) []T
	size func() int
}

// listLarge is list for a large collection.
func listLarge[T any](c *call, k large[T], filterable ...string) (answer, error) {
	return paged(c, filterable, func(q wire.Query, size int) (wire.Page, error) {
		if !q.Windowed() {
			return wire.Apply(q, k.all(), size)
		}
		total := 0
		if q.Count {
			total = k.size()
		}
		return wire.ApplyWindow(q, k.from(q.Skip, size+1), total, size)
	})
}

func paged(c *call, filterable []string, apply func(wire.Query, int) (wire.Page, error)) (answer, error) {
	for _, f := range wire.Fields(c.query.Filter) {
		if !slices.ContainsFunc(filterable, func(ok string) bool { return strings.EqualFold(ok, f) }) {
			return answer{}, badRequest("filter", "The property '"+f+"' cannot be used in the $filter query option.")
		}
	}
	q, size := c.query, preferredPage(c.Request)
	if q.Search != "" {
		return answer{}, badRequest("search", "The query option '$search' is not supported here.")
	}
	if q.Top != nil {
		// $top is the size of a page: what comes after it is behind nextLink.
		q.Top, size = nil, min(size, *c.query.Top)
	}
	if size == 0 {
		return answer{}, badRequest("top", "The limit of '0' for Top query is invalid.")
	}
	page, err := apply(q, size)
	if err != nil {
		return answer{}, err
	}
	out := wire.RawCollection{Context: c.context(""), Value: page.Items}
	if q.Count {
		out.Count = &page.Total
	}
	if page.Next > 0 {
		out.NextLink = c.next(page.Next)
	}
	return answer{http.StatusOK, out}, nil
}

// each makes a resource of each row.
func each[R, T any](rows []R, of func(R) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = of(r)
	}
	return out
}

// one answers with a resource.
func one(c *call, status int, item any) (answer, error) {
	raw, err := c.query.Project(item)
	return answer{status, raw}, err
}

func (c *call) context(suffix string) string {
	path := c.Value.name[strings.Index(c.Value.name, " ")+1:]
	path, _, _ = strings.Cut(path, "/{")
	return "https://" + wire.Host + "/" + c.Version + "/$metadata#" + path + suffix
}

// next is the address of the page that begins at a position.
func (c *call) next(at int) string {
	values, _ := url.ParseQuery(c.URL.RawQuery) // was parsed before without error
	values.Del("$skip")
	values.Set("$skiptoken", wire.SkipToken(at))
	host := c.Host
	if host == "" {
		host = wire.Host
	}
	return (&url.URL{Scheme: "https", Host: host, Path: c.URL.Path, RawQuery: values.Encode()}).String()
}

// done answers an action that gives nothing back. Tools want 200 here, where the
// reference says 204.
func done() (answer, error) { return answer{http.StatusOK, nil}, nil }

func noContent(err error) (answer, error) { return answer{http.StatusNoContent, nil}, err }
