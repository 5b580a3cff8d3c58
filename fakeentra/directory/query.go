package directory

import (
	"encoding/json"
	"net/http"
	"strconv"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/wire/graph"
)

// pageSize is what Graph puts into one page of directory objects by itself
// (Graph, "Paging Microsoft Graph data").
const pageSize = 100

// list answers with a collection: filtered, ordered, paged, cut to $select.
func list[T any](s *Service, c *call, name string, all []T) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	size := pageSize
	if q.Top != nil {
		// Directory objects: $top is a page's size, and the rest follows.
		size, q.Top = *q.Top, nil
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
		values.Set("$skiptoken", strconv.Itoa(p.Next))
		next.Scheme, next.Host, next.RawQuery = "https", c.r.Host, values.Encode()
		out.NextLink = next.String()
	}
	service.WriteJSON(c.w, http.StatusOK, out)
	return nil
}

// one answers with a single resource.
func one(c *call, name string, v any) error {
	q, err := c.query()
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

func (c *call) query() (graph.Query, error) {
	q, err := graph.ParseQuery(c.r.URL.Query())
	if err != nil {
		return graph.Query{}, &badRequest{graph.CodeBadRequest, err.Error()}
	}
	return q, nil
}

func (c *call) context(name string) string {
	return "https://" + graph.Host + "/" + c.version + "/$metadata#" + name
}
