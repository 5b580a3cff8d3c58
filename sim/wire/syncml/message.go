package syncml

// ContentType is the media type of an XML message ([MS-MDM] 2.1).
const ContentType = "application/vnd.syncml.dm+xml; charset=utf-8"

// UserAgent is what Windows' DM client sends.
const UserAgent = "MSFT OMA DM Client/1.2.0.1"

// Message is one SyncML document: a message of a package.
type Message struct {
	Header   Header
	Commands []Command // in document order
	Final    bool      // last message of the package
}

// Header is SyncHdr. VerDTD 1.2 and VerProto DM/1.2 are implied.
type Header struct {
	SessionID  string // Windows counts in hexadecimal, at most four digits
	MsgID      int    // from 1 in each session
	Target     string // LocURI of the receiver: the server's address, or the device's id
	Source     string // LocURI of the sender
	SourceName string // LocName of the sender, "" if absent
	RespURI    string // where the next message goes, "" if it is the same address
	NoResp     bool
	Cred       *Cred
	MaxMsgSize int // bytes, 0 if absent
	MaxObjSize int // bytes, 0 if absent
}

// Cred is a credential on the level of SyncML; with mutual TLS there is none.
type Cred struct {
	Format string // "b64"
	Type   string // "syncml:auth-md5" or "syncml:auth-basic"
	Data   string
}

// Challenge is Chal: what a Status 401 or 407 asks for, and with 212 the next nonce.
type Challenge struct {
	Format    string
	Type      string
	NextNonce string // base64
}

// Verb is a command's element name. Verbs that are not listed are kept when they are decoded, so that a server can answer 406.
type Verb string

// The verbs of OMA-DM 1.2. SyncHdr is no command, but a Status can answer it.
const (
	Alert    Verb = "Alert"
	Add      Verb = "Add"
	Replace  Verb = "Replace"
	Delete   Verb = "Delete"
	Get      Verb = "Get"
	Exec     Verb = "Exec"
	Atomic   Verb = "Atomic"
	Sequence Verb = "Sequence"
	Results  Verb = "Results"
	Status   Verb = "Status"
	SyncHdr  Verb = "SyncHdr"
)

// Command is one command of the body. Which fields count depends on the verb.
type Command struct {
	Verb       Verb
	ID         int // CmdID, from 1 in each message
	NoResp     bool
	Code       int       // Data of Alert (an alert code) and of Status (a [StatusCode])
	Correlator string    // Alert and Exec: ties an asynchronous result to its command
	Meta       Meta      // applies to items that have none of their own
	Items      []Item    // everything but Atomic and Sequence
	Commands   []Command // Atomic and Sequence
	Ref        Ref       // Status and Results: what they answer
	TargetRef  []string  // Status and Results: target LocURIs of the items that are meant
	SourceRef  []string
	Challenge  *Challenge // Status
}

// Ref names the command that a Status or Results answers. Cmd 0 is the header.
type Ref struct {
	Msg, Cmd int
	Verb     Verb // Status only
}

// Item is one node and its value.
type Item struct {
	Target   string // LocURI; requests
	Source   string // LocURI; results and DevInfo
	Meta     Meta
	Data     string // text, or the inner XML as it stood where Data held elements
	MoreData bool   // the value goes on in the next message
}

// Meta is the metinf part that device management uses.
type Meta struct {
	Format Format
	Type   string // media type, or the kind of an alert
	Mark   string // generic alerts: importance, "critical" and so on
	Size   int    // bytes of the whole value, with the first chunk of a large object
}

// Format is a node's format.
type Format string

// The formats that Windows' CSPs use.
const (
	Chr  Format = "chr"
	Int  Format = "int"
	Bool Format = "bool"
	B64  Format = "b64"
	Bin  Format = "bin"
	Node Format = "node"
	Null Format = "null"
	XML  Format = "xml"
)

// IsZero reports whether nothing is set.
func (m Meta) IsZero() bool { return m == Meta{} }
