package krb5

import (
	"fmt"
	"strings"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Types of messages, which are their application tags too (RFC 4120 7.5.7).
const (
	TypeAS          = 10
	typeASReply     = 11
	TypeTGS         = 12
	typeTGSReply    = 13
	typeAPRequest   = 14
	typeAPReply     = 15
	typePrivate     = 21
	TypeError       = 30
	tagTicket       = 1
	tagAuthent      = 2
	tagTicketPart   = 3
	tagASReplyPart  = 25
	tagTGSReplyPart = 26
	tagAPReplyPart  = 27
	tagPrivatePart  = 28

	version = 5
)

// Types of pre-authentication data (RFC 4120 7.5.2, [MS-KILE] 2.2).
const (
	PATGSRequest    = 1
	PAEncTimestamp  = 2
	PAETypeInfo2    = 19
	PAPACRequest    = 128
	PASupportedEnc  = 165
	maxPreauthParts = 32 // what a controller reads; a real client sends up to ten
)

// PAData is a piece of pre-authentication data.
type PAData struct {
	Type  int32
	Value []byte
}

// Request is an AS-REQ or TGS-REQ (RFC 4120 5.4.1).
type Request struct {
	Type            int // TypeAS or TypeTGS
	Options         Flags
	Client          Name // AS only
	Realm           string
	Server          Name
	From            time.Time // zero: left out
	Till            time.Time // 1970 and zero: as long as may be
	RenewTill       time.Time // zero: left out
	Nonce           int
	EncryptionTypes []int32
	PAData          []PAData
	Host            string // NetBIOS name of the client's computer; "": not said
	// Body is the body as it was on the wire, for the checksum of a TGS-REQ. Read
	// only.
	Body []byte
	// ExtraTickets tells that there are additional tickets, which only
	// user-to-user and S4U have. Read only.
	ExtraTickets bool
}

type wireRequest struct {
	PVNO    int                  `asn1:"explicit,tag:1"`
	MsgType int                  `asn1:"explicit,tag:2"`
	PAData  types.PADataSequence `asn1:"explicit,optional,tag:3"`
	Body    asn1.RawValue        `asn1:"explicit,tag:4"`
}

// DecodeRequest reads an AS-REQ or a TGS-REQ. Only what it would misread is
// refused; a wrong version is an *[Error].
func DecodeRequest(b []byte) (*Request, error) {
	if len(b) == 0 || b[0] != 0x60|TypeAS && b[0] != 0x60|TypeTGS {
		return nil, fmt.Errorf("krb5: no request of a client")
	}
	r := &Request{Type: int(b[0] & 0x1f)}
	var w wireRequest
	if err := unmarshal("KDC-REQ", b, &w, fmt.Sprintf("application,explicit,tag:%d", r.Type)); err != nil {
		return nil, err
	}
	if w.PVNO != version {
		return nil, Refusal(ErrBadVersion)
	}
	if w.MsgType != r.Type {
		return nil, Refusal(ErrMessageType)
	}
	if len(w.PAData) > maxPreauthParts {
		return nil, fmt.Errorf("krb5: KDC-REQ: %d pieces of pre-authentication data", len(w.PAData))
	}
	var body messages.KDCReqBody
	if err := decode("KDC-REQ-BODY", func() error { return body.Unmarshal(w.Body.Bytes) }); err != nil {
		return nil, err
	}
	r.Body, r.Options, r.Client, r.Realm, r.Server = w.Body.Bytes, flagsOf(body.KDCOptions), nameOf(body.CName), body.Realm, nameOf(body.SName)
	r.From, r.Till, r.RenewTill, r.Nonce = body.From, body.Till, body.RTime, body.Nonce
	r.EncryptionTypes, r.ExtraTickets = body.EType, len(body.AdditionalTickets) > 0
	r.PAData, r.Host = paOf(w.PAData), hostOf(body.Addresses)
	return r, nil
}

// EncodeBody is the body that a TGS-REQ's checksum is over; Encode sends the
// same bytes.
func (r *Request) EncodeBody() []byte {
	till := r.Till
	if till.IsZero() {
		till = time.Unix(0, 0)
	}
	return sequence(
		field(0, r.Options.der()), field(1, r.Client.der()), field(2, general(r.Realm)), field(3, r.Server.der()),
		field(4, moment(r.From)), field(5, moment(till)), field(6, moment(r.RenewTill)), field(7, integer(int64(r.Nonce))),
		field(8, typesDER(r.EncryptionTypes)), field(9, addressOf(r.Host)),
	)
}

// Encode is the message.
func (r *Request) Encode() []byte {
	return application(r.Type, sequence(field(1, integer(version)), field(2, integer(int64(r.Type))), field(3, paDER(r.PAData)), field(4, r.EncodeBody())))
}

// addressNetBIOS is the type of an address that is a name, in 16 bytes filled
// with spaces (RFC 4120 7.5.3); only Windows sends it.
const addressNetBIOS = 20

func addressOf(host string) []byte {
	if host == "" {
		return nil
	}
	return sequence(sequence(field(0, integer(addressNetBIOS)), field(1, octets(fmt.Appendf(nil, "%-16s", host)))))
}

func hostOf(list []types.HostAddress) string {
	for _, a := range list {
		if a.AddrType == addressNetBIOS {
			return strings.TrimRight(string(a.Address), " ")
		}
	}
	return ""
}

// Preauth is the first piece of a type.
func (r *Request) Preauth(kind int32) ([]byte, bool) { return findPA(r.PAData, kind) }

func findPA(list []PAData, kind int32) ([]byte, bool) {
	for _, p := range list {
		if p.Type == kind {
			return p.Value, true
		}
	}
	return nil, false
}

// EncodePAData is a list as the data of an error (METHOD-DATA, RFC 4120 5.9.1).
func EncodePAData(list []PAData) []byte { return paDER(list) }

// DecodePAData reads one.
func DecodePAData(b []byte) ([]PAData, error) {
	var list types.PADataSequence
	if err := unmarshal("METHOD-DATA", b, &list, ""); err != nil {
		return nil, err
	}
	return paOf(list), nil
}

func paOf(list []types.PAData) []PAData {
	var out []PAData
	for _, p := range list {
		out = append(out, PAData{p.PADataType, p.PADataValue})
	}
	return out
}

// utc is a time as KerberosTime has it: in seconds, zero staying zero.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}

// marshal encodes a value under an application tag.
func marshal(what string, v any, tag int) ([]byte, error) {
	b, err := asn1.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("krb5: %s: %w", what, err)
	}
	return asn1tools.AddASNAppTag(b, tag), nil
}
