package ldap

// FilterKind is a choice of RFC 4511 4.5.1.7, numbered by its tag.
type FilterKind int

// Kinds of filter.
const (
	And FilterKind = iota
	Or
	Not
	Equal
	Substrings
	GreaterOrEqual
	LessOrEqual
	Present
	Approx
	Extensible
)

// Filter is a filter as a tree. And and Or have any number of Children (none is true and false, RFC 4526), Not one;
// Present has only an attribute, Extensible an attribute or a Rule or both.
type Filter struct {
	Kind         FilterKind
	Children     []*Filter
	Attribute    string
	Value        []byte   // of Equal, GreaterOrEqual, LessOrEqual, Approx, Extensible
	Initial      []byte   // of Substrings: nil where the pattern starts with *
	Any          [][]byte // of Substrings
	Final        []byte   // of Substrings: nil where the pattern ends with *
	Rule         string   // of Extensible: the matching rule's object identifier
	DNAttributes bool     // of Extensible
}

// Matching rules that Active Directory knows in extensible filters ([MS-ADTS] 3.1.1.3.4.4).
const (
	RuleBitAnd  = "1.2.840.113556.1.4.803"
	RuleBitOr   = "1.2.840.113556.1.4.804"
	RuleInChain = "1.2.840.113556.1.4.1941"
)

// Limits are how much a reader takes. The zero value of a field is the default that is said with it.
type Limits struct {
	Message     int // octets of one message; 10 MiB, the LDAP policy MaxReceiveBuffer
	FilterDepth int // nested And, Or and Not; 100
	FilterTerms int // elements of one filter, parts of substrings too, and attributes that a search asks for; 4,096
}

// DefaultLimits are what the zero [Limits] stand for.
var DefaultLimits = Limits{Message: 10 << 20, FilterDepth: 100, FilterTerms: 4096}

func (l Limits) filled() Limits {
	d := DefaultLimits
	if l.Message > 0 {
		d.Message = l.Message
	}
	if l.FilterDepth > 0 {
		d.FilterDepth = l.FilterDepth
	}
	if l.FilterTerms > 0 {
		d.FilterTerms = l.FilterTerms
	}
	return d
}

// filterBudget is what is left of the limits while one filter is read.
type filterBudget struct{ depth, terms int }

// spend takes one term at some depth.
func (b *filterBudget) spend(depth int) error {
	if b.terms--; b.terms < 0 {
		return malformed("filter has too many terms")
	}
	if depth > b.depth {
		return malformed("filter is nested too deeply")
	}
	return nil
}

func (c *cursor) filter(budget *filterBudget, depth int) (*Filter, error) {
	if err := budget.spend(depth); err != nil {
		return nil, err
	}
	tag, content, err := c.next()
	if err != nil {
		return nil, err
	}
	f := &Filter{Kind: FilterKind(tag & 0x1f)}
	in := cursor{content}
	switch tag {
	case contextCons, contextCons | 1:
		return f, f.children(&in, budget, depth)
	case contextCons | 2:
		if err := f.children(&in, budget, depth); err != nil {
			return nil, err
		}
		if len(f.Children) != 1 {
			return nil, malformed("not has %d filters", len(f.Children))
		}
		return f, nil
	case contextCons | 3, contextCons | 5, contextCons | 6, contextCons | 8:
		if f.Attribute, err = in.text("attribute of filter"); err != nil {
			return nil, err
		}
		if f.Value, err = in.take(tagOctetString, "value of filter"); err != nil {
			return nil, err
		}
		return f, in.end("filter")
	case contextCons | 4:
		return f, f.substrings(&in, budget, depth)
	case context | 7:
		f.Attribute = string(content)
		return f, nil
	case contextCons | 9:
		return f, f.extensible(&in)
	}
	return nil, malformed("filter has tag 0x%02x", tag)
}

func (f *Filter) children(c *cursor, budget *filterBudget, depth int) error {
	for c.more() {
		child, err := c.filter(budget, depth+1)
		if err != nil {
			return err
		}
		f.Children = append(f.Children, child)
	}
	return nil
}

func (f *Filter) substrings(c *cursor, budget *filterBudget, depth int) error {
	var err error
	if f.Attribute, err = c.text("attribute of filter"); err != nil {
		return err
	}
	list, err := c.take(tagSequence, "substrings")
	if err != nil {
		return err
	}
	in := cursor{list}
	if !in.more() {
		return malformed("substrings filter without substrings")
	}
	for n := 0; in.more(); n++ {
		if err := budget.spend(depth); err != nil {
			return err
		}
		tag, part, err := in.next()
		switch {
		case err != nil:
			return err
		case f.Final != nil, tag == context && n > 0:
			return malformed("substrings out of order")
		case tag == context:
			f.Initial = part
		case tag == context|1:
			f.Any = append(f.Any, part)
		case tag == context|2:
			f.Final = part
		default:
			return malformed("substring has tag 0x%02x", tag)
		}
	}
	return c.end("filter")
}

func (f *Filter) extensible(c *cursor) error {
	var err error
	var b []byte
	if c.peek() == context|1 {
		if b, err = c.take(context|1, "matching rule"); err != nil {
			return err
		}
		f.Rule = string(b)
	}
	if c.peek() == context|2 {
		if b, err = c.take(context|2, "attribute of filter"); err != nil {
			return err
		}
		f.Attribute = string(b)
	}
	if f.Value, err = c.take(context|3, "value of filter"); err != nil {
		return err
	}
	if c.peek() == context|4 {
		if f.DNAttributes, err = c.boolean(context|4, "dnAttributes"); err != nil {
			return err
		}
	}
	if f.Rule == "" && f.Attribute == "" {
		return malformed("extensible filter without attribute and rule")
	}
	return c.end("filter")
}

func (f *Filter) append(b []byte) []byte {
	tag := byte(f.Kind) | contextCons
	switch f.Kind {
	case And, Or, Not:
		return appendNested(b, tag, func(b []byte) []byte {
			for _, c := range f.Children {
				b = c.append(b)
			}
			return b
		})
	case Present:
		return appendBytes(b, context|7, f.Attribute)
	case Substrings:
		return appendNested(b, tag, f.appendSubstrings)
	case Extensible:
		return appendNested(b, tag, f.appendExtensible)
	}
	return appendNested(b, tag, func(b []byte) []byte {
		return appendBytes(appendBytes(b, tagOctetString, f.Attribute), tagOctetString, f.Value)
	})
}

func (f *Filter) appendSubstrings(b []byte) []byte {
	b = appendBytes(b, tagOctetString, f.Attribute)
	return appendNested(b, tagSequence, func(b []byte) []byte {
		if f.Initial != nil {
			b = appendBytes(b, context, f.Initial)
		}
		for _, a := range f.Any {
			b = appendBytes(b, context|1, a)
		}
		if f.Final != nil {
			b = appendBytes(b, context|2, f.Final)
		}
		return b
	})
}

func (f *Filter) appendExtensible(b []byte) []byte {
	if f.Rule != "" {
		b = appendBytes(b, context|1, f.Rule)
	}
	if f.Attribute != "" {
		b = appendBytes(b, context|2, f.Attribute)
	}
	b = appendBytes(b, context|3, f.Value)
	if f.DNAttributes {
		b = appendBoolean(b, context|4, true)
	}
	return b
}
