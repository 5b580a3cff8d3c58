package graph

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expr is a parsed $filter: one of Compare, Call, Logic, Not, Any.
type Expr interface{ fields(out []string) []string }

// Compare is path eq|ne|gt|ge|lt|le value. Value is a string, float64, bool or nil; for the last four a number or a date.
type Compare struct {
	Path  string // segments joined by '/'
	Op    string // eq, ne, gt, ge, lt, le
	Value any
}

// Call is contains(path,'x'), startswith or endswith.
type Call struct{ Func, Path, Arg string }

// Logic is left and|or right.
type Logic struct {
	Op          string
	Left, Right Expr
}

// Not negates.
type Not struct{ Of Expr }

// Any is path/any(v:condition): true when the condition holds for an element of a list. Inside, Var stands for it.
type Any struct {
	Path, Var string
	Of        Expr
}

// Fields lists the property paths that a filter reads, sorted, so that a service can refuse those that it does not
// support; nil filter, nil list.
func Fields(e Expr) []string {
	if e == nil {
		return nil
	}
	out := e.fields(nil)
	slices.Sort(out)
	return slices.Compact(out)
}

func (c Compare) fields(out []string) []string { return append(out, c.Path) }
func (c Call) fields(out []string) []string    { return append(out, c.Path) }
func (l Logic) fields(out []string) []string   { return l.Right.fields(l.Left.fields(out)) }
func (n Not) fields(out []string) []string     { return n.Of.fields(out) }
func (a Any) fields(out []string) []string     { return append(out, a.Path) }

// ParseFilter reads a $filter: eq, ne, gt, ge, lt, le, in, and, or, not, parentheses, contains, startswith, endswith and any (OData 4.01 URL
// conventions 5.1.1). Other operators and functions are errors.
func ParseFilter(s string) (Expr, error) {
	p := &filterParser{tokens: lex(s)}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.next(); t.kind != tokenEnd {
		return nil, fmt.Errorf("unexpected %q at character %d of the filter", t.text, t.at+1)
	}
	return e, nil
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenText
	tokenMark // ( ) , :
	tokenBad
)

type token struct {
	kind tokenKind
	text string
	at   int
}

func lex(s string) []token {
	var out []token
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t':
			i++
		case strings.IndexByte("(),:", c) >= 0:
			out = append(out, token{tokenMark, string(c), i})
			i++
		case c == '\'':
			text, n, ok := quoted(s[i:])
			if !ok {
				return append(out, token{tokenBad, s[i:], i})
			}
			out = append(out, token{tokenText, text, i})
			i += n
		default:
			n := strings.IndexAny(s[i:], " \t(),'")
			if n < 0 {
				n = len(s) - i
			}
			// A colon ends the variable of any(); in words that begin with a digit it belongs to a time.
			if k := strings.IndexByte(s[i:i+n], ':'); k > 0 && (c < '0' || c > '9') {
				n = k
			}
			out = append(out, token{tokenWord, s[i : i+n], i})
			i += n
		}
	}
	return append(out, token{tokenEnd, "", len(s)})
}

func quoted(s string) (text string, n int, ok bool) {
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			i++
			continue
		}
		return strings.ReplaceAll(s[1:i], "''", "'"), i + 1, true
	}
	return "", 0, false
}

// Bounds of a filter, so that a hostile one cannot exhaust the stack, or the time of a service that has thousands of
// resources to hold against it.
const (
	maxDepth = 100  // of nesting
	maxTerms = 1000 // conditions
)

type filterParser struct {
	tokens       []token
	depth, terms int
}

func (p *filterParser) peek() token { return p.tokens[0] }

func (p *filterParser) next() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *filterParser) word(w string) bool {
	if t := p.peek(); t.kind == tokenWord && strings.EqualFold(t.text, w) {
		p.next()
		return true
	}
	return false
}

func (p *filterParser) mark(m string) error {
	if t := p.next(); t.kind != tokenMark || t.text != m {
		return fmt.Errorf("%q is expected at character %d of the filter", m, t.at+1)
	}
	return nil
}

func (p *filterParser) or() (Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("the filter is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	return p.chain("or", func() (Expr, error) { return p.chain("and", p.unary) })
}

func (p *filterParser) chain(op string, part func() (Expr, error)) (Expr, error) {
	left, err := part()
	for err == nil && p.word(op) {
		var right Expr
		if right, err = part(); err == nil {
			left = Logic{op, left, right}
		}
	}
	return left, err
}

func (p *filterParser) unary() (Expr, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, fmt.Errorf("the filter has more than %d conditions", maxTerms)
	}
	if p.word("not") {
		if p.depth++; p.depth > maxDepth {
			return nil, fmt.Errorf("the filter is nested more than %d deep", maxDepth)
		}
		defer func() { p.depth-- }()
		e, err := p.unary()
		return Not{e}, err
	}
	t := p.next()
	switch {
	case t.kind == tokenMark && t.text == "(":
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		return e, p.mark(")")
	case t.kind == tokenWord && p.peek().text == "(" && p.peek().kind == tokenMark:
		return p.call(t)
	case t.kind == tokenWord:
		return p.compare(t)
	}
	return nil, fmt.Errorf("a condition is expected at character %d of the filter", t.at+1)
}

func (p *filterParser) call(name token) (Expr, error) {
	p.next()
	if path, ok := strings.CutSuffix(name.text, "/any"); ok {
		return p.any(path)
	}
	f := strings.ToLower(name.text)
	if f != "contains" && f != "startswith" && f != "endswith" {
		return nil, fmt.Errorf("function %q is not supported in filters", name.text)
	}
	path := p.next()
	if path.kind != tokenWord {
		return nil, fmt.Errorf("a property is expected at character %d of the filter", path.at+1)
	}
	if err := p.mark(","); err != nil {
		return nil, err
	}
	arg := p.next()
	if arg.kind != tokenText {
		return nil, fmt.Errorf("a string in single quotes is expected at character %d of the filter", arg.at+1)
	}
	return Call{f, path.text, arg.text}, p.mark(")")
}

func (p *filterParser) any(path string) (Expr, error) {
	v := p.next()
	if v.kind != tokenWord {
		return nil, fmt.Errorf("a name is expected at character %d of the filter", v.at+1)
	}
	if err := p.mark(":"); err != nil {
		return nil, err
	}
	of, err := p.or()
	if err != nil {
		return nil, err
	}
	return Any{path, v.text, of}, p.mark(")")
}

func (p *filterParser) compare(path token) (Expr, error) {
	op := p.next()
	o := strings.ToLower(op.text)
	switch {
	case op.kind == tokenWord && o == "in":
		return p.in(path)
	case op.kind != tokenWord || !slices.Contains([]string{"eq", "ne", "gt", "ge", "lt", "le"}, o):
		return nil, fmt.Errorf("operator %q at character %d of the filter is not supported; eq, ne, gt, ge, lt, le and in are", op.text, op.at+1)
	}
	value, at, err := p.value()
	if err != nil {
		return nil, err
	}
	if o != "eq" && o != "ne" && !ordered(value) {
		return nil, fmt.Errorf("operator %q needs a number or a date at character %d of the filter", o, at+1)
	}
	return Compare{path.text, o, value}, nil
}

func (p *filterParser) value() (v any, at int, err error) {
	t := p.next()
	switch t.kind {
	case tokenText:
		return t.text, t.at, nil
	case tokenWord:
		return literal(t.text), t.at, nil
	}
	return nil, t.at, fmt.Errorf("a value is expected at character %d of the filter", t.at+1)
}

// in reads a list of values: the same as eq with each of them.
func (p *filterParser) in(path token) (Expr, error) {
	if err := p.mark("("); err != nil {
		return nil, err
	}
	var all Expr
	for n := 0; ; n++ {
		if n == maxDepth {
			return nil, fmt.Errorf("a list in the filter has more than %d values", maxDepth)
		}
		v, _, err := p.value()
		if err != nil {
			return nil, err
		}
		if one := (Compare{path.text, "eq", v}); all == nil {
			all = one
		} else {
			all = Logic{"or", all, one}
		}
		if t := p.peek(); t.kind == tokenMark && t.text == "," {
			p.next()
			continue
		}
		return all, p.mark(")")
	}
}

// ordered tells whether a value is a number or a date.
func ordered(v any) bool {
	if s, ok := v.(string); ok {
		_, err := time.Parse(time.RFC3339Nano, s)
		return err == nil
	}
	_, isNumber := v.(float64)
	return isNumber
}

// literal reads what stands without quotes. Numbers aside, guids and dates are compared as text.
func literal(s string) any {
	switch strings.ToLower(s) {
	case "null":
		return nil
	case "true":
		return true
	case "false":
		return false
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f
	}
	return s
}
