package tenant

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"
)

// rule is a parsed dynamic membership rule (learn.microsoft.com, "Rules for
// dynamic membership groups"), as far as it is about devices.
type rule func(Device) bool

// ErrRule is about a rule that is not understood.
var ErrRule = errors.New("membership rule is not understood or not modelled")

// properties that a rule may name, lower case. A property has one value or
// several; -any asks for one of them.
var properties = map[string]func(Device) []string{
	"device.devicephysicalids":     func(d Device) []string { return d.PhysicalIDs },
	"device.displayname":           func(d Device) []string { return []string{d.DisplayName} },
	"device.deviceid":              func(d Device) []string { return []string{d.DeviceID} },
	"device.objectid":              func(d Device) []string { return []string{d.ObjectID} },
	"device.deviceostype":          func(Device) []string { return []string{"Windows"} },
	"device.deviceosversion":       func(d Device) []string { return []string{d.OSVersion} },
	"device.devicetrusttype":       func(d Device) []string { return []string{d.TrustType} },
	"device.enrollmentprofilename": func(d Device) []string { return []string{d.EnrollmentVia} },
	"device.deviceownership":       func(d Device) []string { return []string{d.Ownership()} },
	"device.devicemanagementappid": func(d Device) []string { return []string{d.ManagementApp} },
	"device.managementtype": func(d Device) []string {
		if d.Managed == Yes {
			return []string{"MDM"}
		}
		return []string{""}
	},
	"device.accountenabled": func(d Device) []string { return []string{fmt.Sprint(d.Enabled)} },
}

// operators compare without case, as Entra does.
var operators = map[string]func(value, want string) bool{
	"-eq":            func(v, w string) bool { return v == w },
	"-ne":            func(v, w string) bool { return v != w },
	"-contains":      strings.Contains,
	"-notcontains":   func(v, w string) bool { return !strings.Contains(v, w) },
	"-startswith":    strings.HasPrefix,
	"-notstartswith": func(v, w string) bool { return !strings.HasPrefix(v, w) },
}

// parseRule reads a rule: comparisons with -and, -or, -not and parentheses;
// -or binds weakest.
func parseRule(text string) (rule, error) {
	rules.Lock()
	r, ok := rules.parsed[text]
	rules.Unlock()
	if ok {
		return r, nil
	}
	r, err := readRule(text)
	if err != nil {
		return nil, err
	}
	rules.Lock()
	defer rules.Unlock()
	if len(rules.parsed) >= keptRules {
		clear(rules.parsed)
	}
	rules.parsed[text] = r
	return r, nil
}

// rules are those read last: a group's is asked about every device.
var rules = struct {
	sync.Mutex
	parsed map[string]rule
}{parsed: map[string]rule{}}

const keptRules = 256

func readRule(text string) (rule, error) {
	p := &ruleParser{tokens: ruleTokens(text)}
	r, err := p.or()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("%w: %q is left over", ErrRule, strings.Join(p.tokens, " "))
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// ruleDepth bounds how deep parentheses may nest.
const ruleDepth = 32

type ruleParser struct {
	tokens []string
	depth  int
}

func (p *ruleParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return strings.ToLower(p.tokens[0])
}

func (p *ruleParser) next() string {
	t := p.peek()
	if len(p.tokens) > 0 {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *ruleParser) accept(token string) bool {
	if p.peek() != token {
		return false
	}
	p.next()
	return true
}

func (p *ruleParser) expect(token string) error {
	if !p.accept(token) {
		return fmt.Errorf("%w: want %s before %q", ErrRule, token, p.peek())
	}
	return nil
}

func (p *ruleParser) or() (rule, error) {
	return p.chain("-or", p.and, func(a, b rule) rule { return func(d Device) bool { return a(d) || b(d) } })
}

func (p *ruleParser) and() (rule, error) {
	return p.chain("-and", p.factor, func(a, b rule) rule { return func(d Device) bool { return a(d) && b(d) } })
}

func (p *ruleParser) chain(word string, part func() (rule, error), join func(a, b rule) rule) (rule, error) {
	all, err := part()
	for err == nil && p.accept(word) {
		var r rule
		if r, err = part(); err == nil {
			all = join(all, r)
		}
	}
	return all, err
}

func (p *ruleParser) factor() (rule, error) {
	if p.depth++; p.depth > ruleDepth {
		return nil, fmt.Errorf("%w: it nests too deep", ErrRule)
	}
	defer func() { p.depth-- }()
	if p.accept("-not") {
		r, err := p.factor()
		if err != nil {
			return nil, err
		}
		return func(d Device) bool { return !r(d) }, nil
	}
	if p.accept("(") {
		r, err := p.or()
		if err != nil {
			return nil, err
		}
		return r, p.expect(")")
	}
	return p.comparison()
}

// comparison reads "property -op value" and "property -any (_ -op value)".
func (p *ruleParser) comparison() (rule, error) {
	name := p.next()
	values, ok := properties[name]
	if !ok {
		return nil, fmt.Errorf("%w: property %q", ErrRule, name)
	}
	if !p.accept("-any") {
		return p.operator(values)
	}
	for _, token := range []string{"(", "_"} {
		if err := p.expect(token); err != nil {
			return nil, err
		}
	}
	r, err := p.operator(values)
	if err != nil {
		return nil, err
	}
	return r, p.expect(")")
}

func (p *ruleParser) operator(values func(Device) []string) (rule, error) {
	word := p.next()
	compare, ok := operators[word]
	if !ok {
		return nil, fmt.Errorf("%w: operator %q", ErrRule, word)
	}
	want := strings.Trim(p.next(), `"'`)
	return func(d Device) bool {
		for _, v := range values(d) {
			if compare(strings.ToLower(v), want) {
				return true
			}
		}
		return false
	}, nil
}

// ruleTokens splits at blanks and parentheses; a quoted text is one token and
// keeps its quotes.
func ruleTokens(text string) []string {
	var out []string
	var word []rune
	var quote rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, string(word))
			word = nil
		}
	}
	for _, r := range text {
		switch {
		case quote != 0:
			word = append(word, r)
			if r == quote {
				quote = 0
				flush()
			}
		case r == '"' || r == '\'':
			flush()
			quote, word = r, append(word, r)
		case unicode.IsSpace(r):
			flush()
		case r == '(' || r == ')':
			flush()
			out = append(out, string(r))
		default:
			word = append(word, r)
		}
	}
	flush()
	return out
}
