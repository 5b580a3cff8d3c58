package krb5

import (
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Ticket is a ticket as who carries it sees it.
type Ticket struct {
	Realm  string
	Server Name
	Type   int32 // of the key that it is encrypted with
	Kvno   int   // of that key; 0: not said
	cipher []byte
}

// TicketPart is what only the server reads of a ticket (RFC 4120 5.3).
type TicketPart struct {
	Flags       Flags
	Key         Key // of the session
	ClientRealm string
	Client      Name
	AuthTime    time.Time
	StartTime   time.Time // zero: AuthTime
	EndTime     time.Time
	RenewTill   time.Time // zero unless renewable
}

// Seal makes a ticket for a server whose key is k.
func (p *TicketPart) Seal(k Key, kvno int, realm string, server Name) (Ticket, error) {
	plain := application(tagTicketPart, sequence(
		field(0, p.Flags.der()), field(1, p.Key.der()), field(2, general(p.ClientRealm)), field(3, p.Client.der()),
		// An empty list of realms in the only encoding that there is (DOMAIN-X500-COMPRESS).
		field(4, sequence(field(0, integer(1)), field(1, octets(nil)))),
		field(5, moment(p.AuthTime)), field(6, moment(p.StartTime)), field(7, moment(p.EndTime)), field(8, moment(p.RenewTill)),
	))
	c, err := k.encrypt(usageTicket, plain)
	return Ticket{Realm: realm, Server: server, Type: k.Type, Kvno: kvno, cipher: c}, err
}

// Open reads a ticket with the server's key.
func (t *Ticket) Open(k Key) (*TicketPart, error) {
	plain, err := k.decrypt(usageTicket, t.cipher)
	if err != nil {
		return nil, err
	}
	var w messages.EncTicketPart
	if err := decode("EncTicketPart", func() error { return w.Unmarshal(plain) }); err != nil {
		return nil, err
	}
	p := &TicketPart{
		Flags: flagsOf(w.Flags), Key: keyOf(w.Key), ClientRealm: w.CRealm, Client: nameOf(w.CName),
		AuthTime: w.AuthTime, StartTime: w.StartTime, EndTime: w.EndTime, RenewTill: w.RenewTill,
	}
	if p.StartTime.IsZero() {
		p.StartTime = p.AuthTime
	}
	return p, nil
}

func (t *Ticket) der() []byte {
	return application(tagTicket, sequence(field(0, integer(version)), field(1, general(t.Realm)), field(2, t.Server.der()),
		field(3, sealedDER(types.EncryptedData{EType: t.Type, KVNO: t.Kvno, Cipher: t.cipher}))))
}

// decodeTicket reads what stands inside an explicit tag.
func decodeTicket(b []byte) (Ticket, error) {
	var w messages.Ticket
	if err := decode("Ticket", func() error { return w.Unmarshal(b) }); err != nil {
		return Ticket{}, err
	}
	if w.TktVNO != version {
		return Ticket{}, Refusal(ErrBadVersionAP)
	}
	return Ticket{w.Realm, nameOf(w.SName), w.EncPart.EType, w.EncPart.KVNO, w.EncPart.Cipher}, nil
}
