package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

type kind int

const (
	kindNull kind = iota
	kindString
	kindNumber
	kindBool
	kindList
	kindMap
)

// node is a value of the document with its place. Aliases are resolved.
type node struct {
	kind      kind
	line, col int
	height    int    // levels below it
	text      string // of a scalar, as written
	list      []*node
	pairs     []pair
}

type pair struct {
	key       string
	line, col int
	value     *node
}

func (n *node) get(key string) *node {
	for _, p := range n.pairs {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

// what names a node's value in a message.
func (n *node) what() string {
	switch n.kind {
	case kindNull:
		return "nothing"
	case kindString:
		if len(n.text) > 60 {
			return "a text"
		}
		return fmt.Sprintf("the text %q", n.text)
	case kindNumber:
		return "the number " + n.text
	case kindBool:
		return n.text
	case kindList:
		return "a list"
	}
	return "a mapping"
}

// Bounds on what is read, against files that are none of ours.
const (
	maxBytes = 32 << 20
	maxDepth = 200
	maxNodes = 2_000_000
)

// reader turns YAML into nodes.
type reader struct {
	*decoder
	anchors map[string]*node
	nodes   int
}

// read gives the document's value, or nil with problems noted.
func (d *decoder) read(data []byte) (root *node) {
	switch {
	case len(data) > maxBytes:
		d.addf(0, 0, "the file is over %d MiB; no scenario needs that", maxBytes>>20)
		return nil
	case !utf8.Valid(data):
		d.addf(1, 1, "the file is not UTF-8; save it as UTF-8")
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if line, col, ok := tooDeep(data); ok {
		d.addf(line, col, "this is nested too deep")
		return nil
	}
	// The parser is not ours, and the bytes are anybody's.
	defer func() {
		if p := recover(); p != nil {
			d.addf(1, 1, "this cannot be read as YAML")
			root = nil
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil {
			d.addf(syntax.Token.Position.Line, syntax.Token.Position.Column, "YAML: %s", syntax.Message)
		} else {
			d.addf(1, 1, "YAML: %s", firstLine(err.Error()))
		}
		return nil
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		d.addf(1, 1, "the file is empty; a scenario needs tenant, sites and fleet")
		return nil
	case 1:
		r := &reader{decoder: d, anchors: map[string]*node{}}
		return r.node(bodies[0], 0)
	}
	line, col := position(bodies[1].GetToken())
	d.addf(line, col, "a second document starts here; a scenario is one")
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// tooDeep finds nesting that would exhaust the parser's stack: brackets, and
// lines that open many lists at once.
func tooDeep(data []byte) (line, col int, ok bool) {
	line, depth, indicators := 1, 0, 0
	start := 0
	for i, c := range data {
		switch c {
		case '\n':
			line, start, indicators = line+1, i+1, 0
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		case '-', '?', ':', '&', '!', '*':
			indicators++
		case ' ', '\t':
		default:
			indicators = 0
		}
		if depth > 2000 || indicators > 1000 {
			return line, i - start + 1, true
		}
	}
	return 0, 0, false
}

func position(t *token.Token) (line, col int) {
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

func (r *reader) node(a ast.Node, depth int) *node {
	if a == nil {
		return &node{}
	}
	n := &node{}
	n.line, n.col = position(a.GetToken())
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		if r.nodes <= maxNodes+1 || depth == maxDepth+1 {
			r.addf(n.line, n.col, "this is too large or nested too deep")
		}
		return n
	}
	switch a := a.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		n.kind, n.text = kindString, a.Value
	case *ast.LiteralNode:
		n.kind, n.text = kindString, a.Value.Value
	case *ast.IntegerNode, *ast.FloatNode:
		n.kind, n.text = kindNumber, a.GetToken().Value
	case *ast.InfinityNode, *ast.NanNode:
		n.kind, n.text = kindString, a.GetToken().Value
	case *ast.BoolNode:
		n.kind, n.text = kindBool, fmt.Sprint(a.Value)
	case *ast.SequenceNode:
		n.kind = kindList
		for _, v := range a.Values {
			item := r.node(v, depth+1)
			n.list, n.height = append(n.list, item), max(n.height, item.height+1)
		}
	case *ast.MappingNode:
		r.mapping(n, a.Values, depth)
	case *ast.MappingValueNode:
		r.mapping(n, []*ast.MappingValueNode{a}, depth)
	case *ast.AnchorNode:
		return r.anchor(a, depth)
	case *ast.AliasNode:
		return r.alias(a, n, depth)
	default:
		r.addf(n.line, n.col, "%s is not used in scenarios", strings.ToLower(a.Type().String()))
	}
	return n
}

func (r *reader) anchor(a *ast.AnchorNode, depth int) *node {
	n := r.node(a.Value, depth+1)
	if a.Name != nil {
		r.anchors[a.Name.GetToken().Value] = n
	}
	return n
}

// alias stands for the anchor's value; messages show the anchor's place, where
// the mistake is. What it weighs counts, so that aliases of aliases end.
func (r *reader) alias(a *ast.AliasNode, n *node, depth int) *node {
	name := ""
	if a.Value != nil {
		name = a.Value.GetToken().Value
	}
	target, ok := r.anchors[name]
	if !ok {
		r.addf(n.line, n.col, "there is no anchor &%s before this", name)
		return n
	}
	if r.nodes += target.weight(maxNodes); r.nodes > maxNodes || depth+target.height > maxDepth {
		r.addf(n.line, n.col, "this is too large or nested too deep")
		return n
	}
	return target
}

// weight counts the nodes below n, up to a limit.
func (n *node) weight(limit int) int {
	sum := 1
	for _, c := range n.list {
		if sum += c.weight(limit - sum); sum >= limit {
			return sum
		}
	}
	for _, p := range n.pairs {
		if sum += p.value.weight(limit - sum); sum >= limit {
			return sum
		}
	}
	return sum
}

func (r *reader) mapping(n *node, values []*ast.MappingValueNode, depth int) {
	n.kind = kindMap
	seen := map[string]int{}
	var merged []pair
	for i, v := range values {
		line, col := position(v.Key.GetToken())
		if i == 0 {
			n.line, n.col = line, col
		}
		if _, merge := v.Key.(*ast.MergeKeyNode); merge {
			merged = append(merged, r.node(v.Value, depth+1).pairs...)
			continue
		}
		key, ok := keyOf(v.Key)
		if !ok {
			r.addf(line, col, "want a name as key")
			continue
		}
		if first, twice := seen[key]; twice {
			r.addf(line, col, "%q is there twice, first in line %d", key, first)
			continue
		}
		seen[key] = line
		value := r.node(v.Value, depth+1)
		if value.line == 0 || value.kind == kindNull {
			value = &node{kind: value.kind, line: line, col: col}
		}
		n.add(pair{key, line, col, value})
	}
	for _, p := range merged {
		if _, own := seen[p.key]; !own {
			seen[p.key] = p.line
			n.add(p)
		}
	}
}

func (n *node) add(p pair) {
	n.pairs, n.height = append(n.pairs, p), max(n.height, p.value.height+1)
}

func keyOf(k ast.MapKeyNode) (string, bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, true
	}
	return "", false
}
