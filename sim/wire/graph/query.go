package graph

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Query is the OData query options of a request. nil and zero values mean that the option was not given.
type Query struct {
	Filter  Expr
	Top     *int
	Skip    int // $skip, or the position in a $skiptoken of ours
	Select  []string
	Expand  []string // names only; options in parentheses are left out
	OrderBy []Order
	Count   bool
	Search  string
}

// Order is one part of $orderby.
type Order struct {
	Path string
	Desc bool
}

// ParseQuery reads the options. Its errors are the caller's 400 BadRequest. Options that are not modelled are errors
// too, never ignored.
func ParseQuery(values url.Values) (Query, error) {
	var q Query
	for _, name := range slices.Sorted(mapKeys(values)) {
		if !strings.HasPrefix(name, "$") {
			continue
		}
		if err := q.option(strings.ToLower(name), values.Get(name)); err != nil {
			return Query{}, fmt.Errorf("graph: %s: %w", name, err)
		}
	}
	return q, nil
}

func mapKeys(v url.Values) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range v {
			if !yield(k) {
				return
			}
		}
	}
}

func (q *Query) option(name, value string) (err error) {
	switch name {
	case "$filter":
		q.Filter, err = ParseFilter(value)
	case "$top":
		n, bad := count(value)
		q.Top, err = &n, bad
	case "$skip":
		q.Skip, err = count(value)
	case "$skiptoken":
		q.Skip, err = readSkipToken(value)
	case "$select":
		q.Select = list(value)
	case "$expand":
		q.Expand = names(list(value))
	case "$orderby":
		q.OrderBy, err = orders(value)
	case "$count":
		q.Count, err = strconv.ParseBool(value)
	case "$search":
		q.Search = strings.Trim(value, `"`)
	case "$format":
	default:
		err = fmt.Errorf("this query option is not modelled")
	}
	return err
}

// skipMark begins the inside of a skip token.
const skipMark = "wt1:"

// SkipToken gives the $skiptoken of a position. Clients must not look inside.
func SkipToken(at int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(skipMark + strconv.Itoa(at)))
}

// readSkipToken also takes a bare position.
func readSkipToken(s string) (int, error) {
	if inside, err := base64.RawURLEncoding.DecodeString(s); err == nil && strings.HasPrefix(string(inside), skipMark) {
		return count(string(inside[len(skipMark):]))
	}
	return count(s)
}

func count(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a count", s)
	}
	return n, nil
}

// list splits at commas outside parentheses.
func list(s string) []string {
	var out []string
	depth, start := 0, 0
	for i, c := range s + "," {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && (depth <= 0 || i == len(s)):
			if part := strings.TrimSpace(s[start:i]); part != "" {
				out = append(out, part)
			}
			start = i + 1
		}
	}
	return out
}

func names(parts []string) []string {
	for i, p := range parts {
		parts[i], _, _ = strings.Cut(p, "(")
	}
	return parts
}

func orders(s string) ([]Order, error) {
	var out []Order
	for _, part := range list(s) {
		path, dir, _ := strings.Cut(part, " ")
		switch dir = strings.ToLower(strings.TrimSpace(dir)); dir {
		case "", "asc", "desc":
			out = append(out, Order{path, dir == "desc"})
		default:
			return nil, fmt.Errorf("direction %q is neither asc nor desc", dir)
		}
	}
	return out, nil
}

// Expands reports whether a navigation property is asked for.
func (q Query) Expands(name string) bool {
	return slices.ContainsFunc(q.Expand, func(e string) bool { return strings.EqualFold(e, name) })
}
