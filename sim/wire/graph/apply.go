package graph

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Page is one page of a list as it goes to the client.
type Page struct {
	Items []json.RawMessage
	Total int // after $filter, before $skip and $top
	Next  int // position for the next page's $skiptoken; 0 when this is the last
}

// Apply runs a query over resources: $filter, $search (over displayName), $orderby, $skip, $top and $select, in
// OData's order. pageSize bounds a page where $top does not; 0 is no bound. Expansion is the caller's work, before.
func Apply[T any](q Query, items []T, pageSize int) (Page, error) {
	if !q.Windowed() {
		return apply(q, items, len(items), q.Skip, pageSize)
	}
	// What is not on the page is not even encoded.
	window := items[min(q.Skip, len(items)):]
	if pageSize > 0 {
		window = window[:min(pageSize+1, len(window))]
	}
	return apply(q, window, len(items), 0, pageSize)
}

// Windowed tells whether a page holds resources in the order and number in which they are kept, so that no others have to
// be looked at: see [ApplyWindow].
func (q Query) Windowed() bool { return q.Filter == nil && q.Search == "" && len(q.OrderBy) == 0 }

// ApplyWindow is Apply for a query that is Windowed, over the resources from q.Skip on, as many as pageSize and one more, of
// total.
func ApplyWindow[T any](q Query, window []T, total, pageSize int) (Page, error) {
	return apply(q, window, total, 0, pageSize)
}

func apply[T any](q Query, items []T, total, skip, pageSize int) (Page, error) {
	p := Page{Total: total}
	rows, err := q.filtered(len(items), func(i int) any { return items[i] })
	if err != nil {
		return Page{}, err
	}
	if len(q.OrderBy) > 0 {
		q.sort(rows)
	}
	if q.Filter != nil || q.Search != "" {
		p.Total = len(rows)
	}
	rows = rows[min(skip, len(rows)):]
	if q.Top != nil {
		rows = rows[:min(*q.Top, len(rows))]
	}
	if pageSize > 0 && len(rows) > pageSize {
		rows = rows[:pageSize]
		p.Next = q.Skip + pageSize
	}
	for _, r := range rows {
		raw, err := r.project(q.Select)
		if err != nil {
			return Page{}, err
		}
		p.Items = append(p.Items, raw)
	}
	return p, nil
}

// Project gives one resource with the members that $select names, or whole.
func (q Query) Project(item any) (json.RawMessage, error) {
	r, err := q.newRow(item)
	if err != nil {
		return nil, err
	}
	return r.project(q.Select)
}

var errNotObject = errors.New("graph: a resource must be an object")

// row is a resource on its way out. members is nil where the query looks at
// none of them.
type row struct {
	raw     json.RawMessage
	members map[string]any
}

// looks tells whether the query looks into resources.
func (q Query) looks() bool {
	return q.Filter != nil || q.Search != "" || len(q.OrderBy) > 0 || !whole(q.Select)
}

func whole(selected []string) bool { return len(selected) == 0 || slices.Contains(selected, "*") }

func (q Query) newRow(item any) (row, error) {
	raw, err := json.Marshal(item)
	if err != nil {
		return row{}, fmt.Errorf("graph: encode: %w", err)
	}
	r := row{raw: raw}
	if !q.looks() {
		if len(raw) == 0 || raw[0] != '{' {
			return row{}, errNotObject
		}
		return r, nil
	}
	if err := json.Unmarshal(raw, &r.members); err != nil {
		return row{}, fmt.Errorf("%w: %w", errNotObject, err)
	}
	return r, nil
}

func (q Query) filtered(n int, item func(int) any) ([]row, error) {
	rows := make([]row, 0, n)
	paths := Fields(q.Filter)
	for i := range n {
		if q.Filter != nil {
			if members, ok := quickMembers(item(i), paths); ok && !eval(q.Filter, members) {
				continue
			}
		}
		r, err := q.newRow(item(i))
		if err != nil {
			return nil, err
		}
		if (q.Filter == nil || eval(q.Filter, r.members)) && q.found(r) {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// found answers $search in the form property:text, or over displayName.
func (q Query) found(r row) bool {
	if q.Search == "" {
		return true
	}
	property, text, named := strings.Cut(q.Search, ":")
	if !named {
		property, text = "displayName", q.Search
	}
	s, _ := lookup(r.members, property).(string)
	return strings.Contains(strings.ToLower(s), strings.ToLower(text))
}

func (q Query) sort(rows []row) {
	slices.SortStableFunc(rows, func(a, b row) int {
		for _, o := range q.OrderBy {
			c := compareValues(lookup(a.members, o.Path), lookup(b.members, o.Path))
			if o.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

func compareValues(a, b any) int {
	x, xIsNumber := a.(float64)
	y, yIsNumber := b.(float64)
	if xIsNumber && yIsNumber {
		return cmp.Compare(x, y)
	}
	return strings.Compare(strings.ToLower(fmt.Sprint(a)), strings.ToLower(fmt.Sprint(b)))
}

// project keeps annotations and the selected members, in the order of $select.
func (r row) project(selected []string) (json.RawMessage, error) {
	if whole(selected) {
		return r.raw, nil
	}
	var out bytes.Buffer
	out.WriteByte('{')
	write := func(name string, v any) error {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("graph: encode %s: %w", name, err)
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:%s", name, b)
		return nil
	}
	if t, ok := r.members["@odata.type"]; ok {
		if err := write("@odata.type", t); err != nil {
			return nil, err
		}
	}
	done := map[string]bool{}
	for _, s := range selected {
		for name, v := range r.members {
			if strings.EqualFold(name, s) && !done[name] {
				done[name] = true
				if err := write(name, v); err != nil {
					return nil, err
				}
			}
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func lookup(m map[string]any, path string) any {
	var v any = m
	for part := range strings.SplitSeq(path, "/") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = nil
		if exact, ok := object[part]; ok {
			v = exact
			continue
		}
		for name, x := range object {
			if strings.EqualFold(name, part) {
				v = x
			}
		}
	}
	return v
}

func eval(e Expr, m map[string]any) bool {
	switch e := e.(type) {
	case Logic:
		if e.Op == "and" {
			return eval(e.Left, m) && eval(e.Right, m)
		}
		return eval(e.Left, m) || eval(e.Right, m)
	case Not:
		return !eval(e.Of, m)
	case Compare:
		switch have := lookup(m, e.Path); e.Op {
		case "eq", "ne":
			return equal(have, e.Value) == (e.Op == "eq")
		default:
			return inOrder(have, e.Op, e.Value)
		}
	case Call:
		s, ok := lookup(m, e.Path).(string)
		return ok && e.holds(strings.ToLower(s))
	case Any:
		list, _ := lookup(m, e.Path).([]any)
		return slices.ContainsFunc(list, func(x any) bool { return eval(e.Of, map[string]any{e.Var: x}) })
	}
	return false
}

func (c Call) holds(s string) bool {
	arg := strings.ToLower(c.Arg)
	switch c.Func {
	case "contains":
		return strings.Contains(s, arg)
	case "startswith":
		return strings.HasPrefix(s, arg)
	}
	return strings.HasSuffix(s, arg)
}

// inOrder compares numbers and moments; nothing else is greater or less.
func inOrder(have any, op string, want any) bool {
	order := 0
	switch w := want.(type) {
	case float64:
		h, ok := have.(float64)
		if !ok {
			return false
		}
		order = cmp.Compare(h, w)
	case string:
		text, _ := have.(string)
		h, errH := time.Parse(time.RFC3339Nano, text)
		m, errM := time.Parse(time.RFC3339Nano, w)
		if errH != nil || errM != nil {
			return false
		}
		order = h.Compare(m)
	default:
		return false
	}
	switch op {
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

// equal compares without letter case, as Graph does for directory and Intune strings; dates by their moment.
func equal(have, want any) bool {
	h, hIsText := have.(string)
	w, wIsText := want.(string)
	if !hIsText || !wIsText {
		if s, isNumber := want.(float64); isNumber && hIsText {
			return h == fmt.Sprint(s)
		}
		return have == want
	}
	if strings.EqualFold(h, w) {
		return true
	}
	a, errA := time.Parse(time.RFC3339Nano, h)
	b, errB := time.Parse(time.RFC3339Nano, w)
	return errA == nil && errB == nil && a.Equal(b)
}
