package ldap

// Control changes what an operation does (RFC 4511 4.1.11).
type Control struct {
	Type     string // object identifier
	Critical bool   // refuse the operation rather than ignore this
	Value    []byte
	HasValue bool // Value is there, perhaps empty
}

// Controls that clients of a domain controller send ([MS-ADTS] 3.1.1.3.4.1).
const (
	ControlPaged        = "1.2.840.113556.1.4.319" // RFC 2696
	ControlSDFlags      = "1.2.840.113556.1.4.801"
	ControlShowDeleted  = "1.2.840.113556.1.4.417"
	ControlTreeDelete   = "1.2.840.113556.1.4.805"
	ControlLazyCommit   = "1.2.840.113556.1.4.619"
	ControlDomainScope  = "1.2.840.113556.1.4.1339"
	ControlSearchOption = "1.2.840.113556.1.4.1340"
	ControlPermissive   = "1.2.840.113556.1.4.1413"
	ControlExtendedDN   = "1.2.840.113556.1.4.529"
	ControlSortRequest  = "1.2.840.113556.1.4.473" // RFC 2891
	ControlSortResponse = "1.2.840.113556.1.4.474"
	ControlManageDSAIT  = "2.16.840.1.113730.3.4.2" // RFC 3296
)

func decodeControls(list []byte) ([]Control, error) {
	var out []Control
	for c := (cursor{list}); c.more(); {
		b, err := c.take(tagSequence, "control")
		if err != nil {
			return nil, err
		}
		one, err := decodeControl(b)
		if err != nil {
			return nil, err
		}
		if out = append(out, one); len(out) > maxControls {
			return nil, malformed("more than %d controls", maxControls)
		}
	}
	return out, nil
}

const maxControls = 64

func decodeControl(b []byte) (Control, error) {
	c := cursor{b}
	var out Control
	var err error
	if out.Type, err = c.text("type of control"); err != nil {
		return out, err
	}
	if c.peek() == tagBoolean {
		if out.Critical, err = c.boolean(tagBoolean, "criticality"); err != nil {
			return out, err
		}
	}
	if out.HasValue = c.more(); out.HasValue {
		if out.Value, err = c.take(tagOctetString, "value of control"); err != nil {
			return out, err
		}
	}
	return out, c.end("control")
}

func (t *Control) append(b []byte) []byte {
	return appendNested(b, tagSequence, func(b []byte) []byte {
		b = appendBytes(b, tagOctetString, t.Type)
		if t.Critical {
			b = appendBoolean(b, tagBoolean, true)
		}
		if t.HasValue {
			b = appendBytes(b, tagOctetString, t.Value)
		}
		return b
	})
}

// FindControl is the first control of a type, or nil.
func FindControl(list []Control, typ string) *Control {
	for i := range list {
		if list[i].Type == typ {
			return &list[i]
		}
	}
	return nil
}

// Paged is the value of [ControlPaged] (RFC 2696 2). In a request Size is how many entries a page shall have; in an answer
// it is an estimate of the whole, and an empty Cookie says that this was the last page.
type Paged struct {
	Size   int
	Cookie []byte
}

// Control makes it one.
func (p Paged) Control() Control {
	v := appendNested(nil, tagSequence, func(b []byte) []byte {
		return appendBytes(appendInteger(b, tagInteger, p.Size), tagOctetString, p.Cookie)
	})
	return Control{Type: ControlPaged, Critical: true, Value: v, HasValue: true}
}

// ParsePaged reads a control's value.
func ParsePaged(value []byte) (Paged, error) {
	var p Paged
	outer := cursor{value}
	b, err := outer.take(tagSequence, "paged results")
	if err != nil {
		return p, err
	}
	c := cursor{b}
	if p.Size, err = c.integer(tagInteger, "page size"); err != nil {
		return p, err
	}
	if p.Size < 0 {
		return p, malformed("page size %d", p.Size)
	}
	if p.Cookie, err = c.take(tagOctetString, "cookie"); err != nil {
		return p, err
	}
	return p, c.end("paged results")
}

// SDFlagsControl asks for parts of security descriptors ([MS-ADTS] 3.1.1.3.4.1.11): 1 owner, 2 group, 4 discretionary
// and 8 system access control list.
func SDFlagsControl(flags int) Control {
	v := appendNested(nil, tagSequence, func(b []byte) []byte { return appendInteger(b, tagInteger, flags) })
	return Control{Type: ControlSDFlags, Critical: true, Value: v, HasValue: true}
}

// ParseFlags reads the value of a control that is one number: security descriptor flags, search options.
func ParseFlags(value []byte) (int, error) {
	outer := cursor{value}
	b, err := outer.take(tagSequence, "flags")
	if err != nil {
		return 0, err
	}
	c := cursor{b}
	n, err := c.integer(tagInteger, "flags")
	if err != nil {
		return 0, err
	}
	return n, c.end("flags")
}

// SortKey is one criterion of a sorted search (RFC 2891 1.1).
type SortKey struct {
	Attribute string
	Rule      string // matching rule; "" is the attribute's own
	Reverse   bool
}

// ParseSort reads the value of [ControlSortRequest].
func ParseSort(value []byte) ([]SortKey, error) {
	outer := cursor{value}
	list, err := outer.take(tagSequence, "sort keys")
	if err != nil {
		return nil, err
	}
	var keys []SortKey
	for c := (cursor{list}); c.more(); {
		b, err := c.take(tagSequence, "sort key")
		if err != nil {
			return nil, err
		}
		k, err := decodeSortKey(b)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, malformed("no sort keys")
	}
	return keys, outer.end("sort keys")
}

func decodeSortKey(b []byte) (SortKey, error) {
	c := cursor{b}
	var k SortKey
	var err error
	if k.Attribute, err = c.text("attribute of sort key"); err != nil {
		return k, err
	}
	if c.peek() == context {
		rule, err := c.take(context, "rule of sort key")
		if err != nil {
			return k, err
		}
		k.Rule = string(rule)
	}
	if c.peek() == context|1 {
		if k.Reverse, err = c.boolean(context|1, "order of sort key"); err != nil {
			return k, err
		}
	}
	return k, c.end("sort key")
}

// SortControl makes the request's control.
func SortControl(keys ...SortKey) Control {
	v := appendNested(nil, tagSequence, func(b []byte) []byte {
		for _, k := range keys {
			b = appendNested(b, tagSequence, func(b []byte) []byte {
				b = appendBytes(b, tagOctetString, k.Attribute)
				if k.Rule != "" {
					b = appendBytes(b, context, k.Rule)
				}
				if k.Reverse {
					b = appendBoolean(b, context|1, true)
				}
				return b
			})
		}
		return b
	})
	return Control{Type: ControlSortRequest, Value: v, HasValue: true}
}

// SortResultControl is the answer's control: whether the sorting was done, and which attribute stood in the way.
func SortResultControl(code ResultCode, attribute string) Control {
	v := appendNested(nil, tagSequence, func(b []byte) []byte {
		b = appendInteger(b, tagEnumerated, int(code))
		if attribute != "" {
			b = appendBytes(b, context, attribute)
		}
		return b
	})
	return Control{Type: ControlSortResponse, Value: v, HasValue: true}
}
