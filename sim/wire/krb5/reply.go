package krb5

import (
	"errors"
	"fmt"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Reply is an AS-REP or TGS-REP (RFC 4120 5.4.2).
type Reply struct {
	Type        int // TypeAS or TypeTGS: of the request that it answers
	PAData      []PAData
	ClientRealm string
	Client      Name
	Ticket      Ticket
	sealed      types.EncryptedData
}

// ReplyPart is what only the client reads of it.
type ReplyPart struct {
	Key           Key
	Nonce         int
	KeyExpiration time.Time // of the password; zero: never
	Flags         Flags
	AuthTime      time.Time
	StartTime     time.Time
	EndTime       time.Time
	RenewTill     time.Time
	Realm         string
	Server        Name
	PAData        []PAData
}

type wireReply struct {
	PVNO    int                  `asn1:"explicit,tag:0"`
	MsgType int                  `asn1:"explicit,tag:1"`
	PAData  types.PADataSequence `asn1:"explicit,optional,tag:2"`
	CRealm  string               `asn1:"generalstring,explicit,tag:3"`
	CName   types.PrincipalName  `asn1:"explicit,tag:4"`
	Ticket  asn1.RawValue        `asn1:"explicit,tag:5"`
	EncPart types.EncryptedData  `asn1:"explicit,tag:6"`
}

// Encode is the message, its part for the client sealed with k, which is the
// session's or, with subkey, the one of the client's authenticator.
func (r *Reply) Encode(p *ReplyPart, k Key, kvno int, subkey bool) ([]byte, error) {
	tag, usage := tagASReplyPart, uint32(usageASReply)
	if r.Type == TypeTGS {
		tag, usage = tagTGSReplyPart, usageTGSReply
		if subkey {
			usage = usageTGSReplySubkey
		}
	}
	plain := application(tag, sequence(
		field(0, p.Key.der()), field(1, sequence(sequence(field(0, integer(0)), field(1, moment(p.AuthTime))))), field(2, integer(int64(p.Nonce))),
		field(3, moment(p.KeyExpiration)), field(4, p.Flags.der()), field(5, moment(p.AuthTime)), field(6, moment(p.StartTime)),
		field(7, moment(p.EndTime)), field(8, moment(p.RenewTill)), field(9, general(p.Realm)), field(10, p.Server.der()), field(12, paDER(p.PAData)),
	))
	sealed, err := k.seal(usage, kvno, plain)
	if err != nil {
		return nil, err
	}
	return application(r.Type+1, sequence(
		field(0, integer(version)), field(1, integer(int64(r.Type+1))), field(2, paDER(r.PAData)), field(3, general(r.ClientRealm)),
		field(4, r.Client.der()), field(5, r.Ticket.der()), field(6, sealedDER(sealed)),
	)), nil
}

// DecodeReply reads the answer to a request of a type; a KRB-ERROR comes back
// as *[Error].
func DecodeReply(kind int, b []byte) (*Reply, error) {
	if len(b) > 0 && b[0] == 0x60|TypeError {
		e, err := DecodeError(b)
		if err != nil {
			return nil, err
		}
		return nil, e
	}
	var w wireReply
	if err := unmarshal("KDC-REP", b, &w, fmt.Sprintf("application,explicit,tag:%d", kind+1)); err != nil {
		return nil, err
	}
	if w.PVNO != version || w.MsgType != kind+1 {
		return nil, fmt.Errorf("krb5: KDC-REP: version %d, type %d", w.PVNO, w.MsgType)
	}
	t, err := decodeTicket(w.Ticket.Bytes)
	if err != nil {
		return nil, err
	}
	return &Reply{kind, paOf(w.PAData), w.CRealm, nameOf(w.CName), t, w.EncPart}, nil
}

// SealedWith is the type of the key that the client's part is sealed with.
func (r *Reply) SealedWith() int32 { return r.sealed.EType }

var errReply = errors.New("krb5: KDC-REP: not an answer to this request")

// Open reads the client's part and holds it against the request (RFC 4120
// 3.1.5): the nonce, the realm and the server have to be those asked for.
func (r *Reply) Open(k Key, subkey bool, to *Request) (*ReplyPart, error) {
	usage := uint32(usageASReply)
	if r.Type == TypeTGS {
		usage = usageTGSReply
		if subkey {
			usage = usageTGSReplySubkey
		}
	}
	plain, err := k.decrypt(usage, r.sealed.Cipher)
	if err != nil {
		return nil, err
	}
	var w messages.EncKDCRepPart
	if err := decode("EncKDCRepPart", func() error { return w.Unmarshal(plain) }); err != nil {
		return nil, err
	}
	p := &ReplyPart{
		Key: keyOf(w.Key), Nonce: w.Nonce, KeyExpiration: w.KeyExpiration, Flags: flagsOf(w.Flags), AuthTime: w.AuthTime, StartTime: w.StartTime,
		EndTime: w.EndTime, RenewTill: w.RenewTill, Realm: w.SRealm, Server: nameOf(w.SName), PAData: paOf(w.EncPAData),
	}
	if p.Nonce != to.Nonce || p.Realm != to.Realm || !p.Server.Equal(to.Server) && !to.Options.Has(Canonicalize) {
		return nil, errReply
	}
	if len(p.Key.Value) == 0 || len(p.Key.Value) != KeySize(p.Key.Type) {
		return nil, errReply
	}
	if p.StartTime.IsZero() {
		p.StartTime = p.AuthTime
	}
	return p, nil
}
