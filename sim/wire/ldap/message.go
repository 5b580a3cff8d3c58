package ldap

// Message is one LDAPMessage (RFC 4511 4.1.1).
type Message struct {
	ID       int // 0 only in a notice of disconnection
	Op       Op
	Controls []Control
}

// Op is a request or a response.
type Op interface {
	tag() byte
	content(b []byte) []byte
}

// Attribute is a description with its values (RFC 4511 4.1.7). The description may carry options ("member;range=0-1499").
type Attribute struct {
	Type   string
	Values [][]byte
}

// Entry is an object of the directory; as an operation it is one result of a search.
type Entry struct {
	DN         string
	Attributes []Attribute
}

// BindRequest authenticates (RFC 4511 4.2): by name and password, or, where Mechanism is not empty, by SASL.
type BindRequest struct {
	Version     int // 3
	Name        string
	Password    []byte
	Mechanism   string
	Credentials []byte // of the mechanism; nil is not the same as empty
}

// BindResponse ends a bind or, with [SASLBindInProgress], a step of it.
type BindResponse struct {
	Result
	Credentials []byte // of the server, in SASL
}

// UnbindRequest ends the session; it has no answer.
type UnbindRequest struct{}

// Scope is how far a search goes.
type Scope int

// Scopes of RFC 4511 4.5.1.2.
const (
	BaseObject Scope = iota
	SingleLevel
	WholeSubtree
)

// SearchRequest asks for entries (RFC 4511 4.5.1). Limits of 0 are none of the client's. No attributes, or "*", ask for
// all user attributes, "1.1" for none.
type SearchRequest struct {
	Base       string
	Scope      Scope
	Deref      int
	SizeLimit  int // entries
	TimeLimit  int // seconds
	TypesOnly  bool
	Filter     *Filter
	Attributes []string
}

// SearchReference says where else a search would have to go on.
type SearchReference struct{ URLs []string }

// SearchDone ends a search.
type SearchDone struct{ Result }

// ChangeOp is what a modification does to an attribute.
type ChangeOp int

// Changes of RFC 4511 4.6 (increment: RFC 4525, which domain controllers do not do).
const (
	AddValues ChangeOp = iota
	DeleteValues
	ReplaceValues
)

// Change is one step of a modification.
type Change struct {
	Op        ChangeOp
	Attribute Attribute
}

// ModifyRequest changes an entry, all of the changes or none.
type ModifyRequest struct {
	DN      string
	Changes []Change
}

// ModifyResponse answers it.
type ModifyResponse struct{ Result }

// AddRequest makes an entry.
type AddRequest struct{ Entry }

// AddResponse answers it.
type AddResponse struct{ Result }

// DeleteRequest removes an entry.
type DeleteRequest struct{ DN string }

// DeleteResponse answers it.
type DeleteResponse struct{ Result }

// ModifyDNRequest renames or moves an entry.
type ModifyDNRequest struct {
	DN, NewRDN   string
	DeleteOldRDN bool
	NewSuperior  string
	Moves        bool // NewSuperior is there
}

// ModifyDNResponse answers it.
type ModifyDNResponse struct{ Result }

// CompareRequest asks whether an attribute has a value.
type CompareRequest struct {
	DN, Attribute string
	Value         []byte
}

// CompareResponse says [CompareTrue] or [CompareFalse].
type CompareResponse struct{ Result }

// AbandonRequest gives an operation up; it has no answer.
type AbandonRequest struct{ ID int }

// ExtendedRequest is an operation known by its object identifier (RFC 4511 4.12).
type ExtendedRequest struct {
	Name     string
	Value    []byte
	HasValue bool // Value is there, perhaps empty
}

// ExtendedResponse answers it; unasked, with message 0, it is a notice.
type ExtendedResponse struct {
	Result
	Name     string // may be empty
	Value    []byte
	HasValue bool
}

// Extended operations and the notice (RFC 4511 4.14 and 4.4.1, RFC 4532).
const (
	StartTLS              = "1.3.6.1.4.1.1466.20037"
	WhoAmI                = "1.3.6.1.4.1.4203.1.11.3"
	NoticeOfDisconnection = "1.3.6.1.4.1.1466.20036"
)

// Values is an attribute's values, nil where the entry has none; names compare without case and options are part of them.
func (e *Entry) Values(name string) [][]byte {
	for i := range e.Attributes {
		if equalFold(e.Attributes[i].Type, name) {
			return e.Attributes[i].Values
		}
	}
	return nil
}

// Bytes is an attribute's first value, or nil.
func (e *Entry) Bytes(name string) []byte {
	if v := e.Values(name); len(v) > 0 {
		return v[0]
	}
	return nil
}

// Text is an attribute's first value as text, or "".
func (e *Entry) Text(name string) string { return string(e.Bytes(name)) }

// Texts is an attribute's values as text.
func (e *Entry) Texts(name string) []string {
	var out []string
	for _, v := range e.Values(name) {
		out = append(out, string(v))
	}
	return out
}

// Text makes an attribute of text values.
func Text(name string, values ...string) Attribute {
	a := Attribute{Type: name, Values: make([][]byte, len(values))}
	for i, v := range values {
		a.Values[i] = []byte(v)
	}
	return a
}

// Binary makes an attribute of values that are not text.
func Binary(name string, values ...[]byte) Attribute { return Attribute{Type: name, Values: values} }

// equalFold compares names of attributes, which are ASCII (RFC 4512 2.5).
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
