package evtx

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"unicode/utf16"
)

// Tokens of binary XML ([MS-EVEN6] 2.2.12).
const (
	tokenEnd          = 0x00
	tokenOpen         = 0x01
	tokenCloseStart   = 0x02
	tokenCloseEmpty   = 0x03
	tokenClose        = 0x04
	tokenValue        = 0x05
	tokenAttribute    = 0x06
	tokenTemplate     = 0x0c
	tokenSubstitution = 0x0d
	tokenFragment     = 0x0f

	more = 0x40 // on an element: it has attributes; on an attribute: another follows
)

// tables are a chunk's tables of names and of templates: each is written where
// it is first used, and pointed at afterwards. Those of one hash are a chain.
type tables struct {
	names         map[string]uint32 // offset in the chunk
	nameChains    [64]uint32        // the last of each hash
	templates     map[string]uint32
	templateChain [32]uint32
}

func newTables() *tables {
	return &tables{names: map[string]uint32{}, templates: map[string]uint32{}}
}

// copy is for taking a record back that the chunk has no room for.
func (t *tables) copy() *tables {
	c := *t
	c.names, c.templates = maps.Clone(t.names), maps.Clone(t.templates)
	return &c
}

// instance writes a record's fragment: its template, the first time in this
// chunk, and its values.
func (t *tables) instance(b []byte, root node, shape string) []byte {
	le := binary.LittleEndian
	id := sha256.Sum256([]byte(shape))
	b = append(b, tokenFragment, 1, 1, 0, tokenTemplate, 1)
	b = append(b, id[:4]...)
	at, known := t.templates[shape]
	if !known {
		at = uint32(len(b) + 4)
	}
	b = le.AppendUint32(b, at)
	if !known {
		chain := &t.templateChain[le.Uint32(id[:])%32]
		b = le.AppendUint32(b, *chain)
		b = append(b, id[:16]...)
		size := len(b)
		b = append(b, 0, 0, 0, 0, tokenFragment, 1, 1, 0)
		var place uint16
		b = append(t.define(b, root, &place), tokenEnd)
		le.PutUint32(b[size:], uint32(len(b)-size-4))
		t.templates[shape], *chain = at, at
	}
	values := root.values(nil)
	b = le.AppendUint32(b, uint32(len(values)))
	for _, v := range values {
		b = append(le.AppendUint16(b, uint16(len(v.bytes))), v.typ, 0)
	}
	for _, v := range values {
		b = append(b, v.bytes...)
	}
	return append(b, tokenEnd)
}

// define writes an element of a template, with a place for each of its values.
func (t *tables) define(b []byte, n node, place *uint16) []byte {
	token := byte(tokenOpen)
	if len(n.attrs) > 0 {
		token |= more
	}
	b = append(b, token, 0xff, 0xff) // the element is there whatever the values are
	size := len(b)
	b = t.use(append(b, 0, 0, 0, 0), n.name)
	if len(n.attrs) > 0 {
		b = t.attributes(b, n.attrs, place)
	}
	if n.value == nil && len(n.children) == 0 {
		b = append(b, tokenCloseEmpty)
	} else {
		b = append(b, tokenCloseStart)
		if n.value != nil {
			b = content.define(*n.value, b, place)
		}
		for _, c := range n.children {
			b = t.define(b, c, place)
		}
		b = append(b, tokenClose)
	}
	binary.LittleEndian.PutUint32(b[size:], uint32(len(b)-size-4))
	return b
}

func (t *tables) attributes(b []byte, attrs []attribute, place *uint16) []byte {
	size := len(b)
	b = append(b, 0, 0, 0, 0)
	for i, a := range attrs {
		token := byte(tokenAttribute)
		if i < len(attrs)-1 {
			token |= more
		}
		b = a.value.define(t.use(append(b, token), a.name), place)
	}
	binary.LittleEndian.PutUint32(b[size:], uint32(len(b)-size-4))
	return b
}

// define writes a literal, or the place of a value.
func (c content) define(b []byte, place *uint16) []byte {
	le := binary.LittleEndian
	if c.typ != 0 {
		b = append(le.AppendUint16(append(b, tokenSubstitution), *place), c.typ)
		*place++
		return b
	}
	b = append(b, tokenValue, typeString, 0, 0)
	length := len(b) - 2
	b = appendUTF16(b, c.text)
	le.PutUint16(b[length:], uint16((len(b)-length-2)/2))
	return b
}

// use points at a name, and writes it first where the chunk does not have it.
func (t *tables) use(b []byte, name string) []byte {
	le := binary.LittleEndian
	if at, ok := t.names[name]; ok {
		return le.AppendUint32(b, at)
	}
	at, hash := uint32(len(b)+4), hashOf(name)
	chain := &t.nameChains[hash%64]
	b = le.AppendUint32(b, at)
	b = le.AppendUint32(b, *chain)
	b = le.AppendUint16(b, hash)
	b = le.AppendUint16(b, uint16(len(name))) // names are ASCII
	t.names[name], *chain = at, at
	return append(appendUTF16(b, name), 0, 0)
}

// hashOf is the hash of a name that Windows finds it by.
func hashOf(name string) uint16 {
	var h uint32
	for _, c := range []byte(name) {
		h = h*65599 + uint32(c)
	}
	return uint16(h)
}

func appendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			b = binary.LittleEndian.AppendUint16(b, uint16(hi))
			r = lo
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(r))
	}
	return b
}
