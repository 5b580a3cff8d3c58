package krb5

import (
	"fmt"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// APRequest is an AP-REQ: a ticket with the proof that its bearer has its key
// (RFC 4120 5.5.1).
type APRequest struct {
	Options Flags
	Ticket  Ticket
	sealed  types.EncryptedData
}

// Checksum is a checksum with its type.
type Checksum struct {
	Type  int32
	Value []byte
}

// Authenticator is that proof, opened.
type Authenticator struct {
	ClientRealm string
	Client      Name
	Checksum    Checksum  // Value nil: none
	Time        time.Time // to the microsecond
	Subkey      Key       // zero: none
	Sequence    uint32
}

type wireAPRequest struct {
	PVNO    int                 `asn1:"explicit,tag:0"`
	MsgType int                 `asn1:"explicit,tag:1"`
	Options asn1.BitString      `asn1:"explicit,tag:2"`
	Ticket  asn1.RawValue       `asn1:"explicit,tag:3"`
	Auth    types.EncryptedData `asn1:"explicit,tag:4"`
}

// NewAPRequest makes the message for a ticket and its session key. An
// authenticator without checksum, subkey or sequence number has none.
func NewAPRequest(t Ticket, session Key, options Flags, a *Authenticator) ([]byte, error) {
	plain := application(tagAuthent, sequence(
		field(0, integer(version)), field(1, general(a.ClientRealm)), field(2, a.Client.der()), field(3, a.Checksum.der()),
		field(4, integer(int64(a.Time.Nanosecond()/1000))), field(5, moment(a.Time)), field(6, a.Subkey.der()), field(7, optional(int64(a.Sequence))),
	))
	sealed, err := session.seal(authUsage(t.Server), 0, plain)
	if err != nil {
		return nil, err
	}
	return application(typeAPRequest, sequence(
		field(0, integer(version)), field(1, integer(typeAPRequest)), field(2, options.der()), field(3, t.der()), field(4, sealedDER(sealed)),
	)), nil
}

// authUsage tells the two uses of an AP-REQ apart (RFC 4120 7.5.1).
func authUsage(server Name) uint32 {
	if len(server.Parts) > 0 && server.Parts[0] == "krbtgt" {
		return usageTGSAuth
	}
	return usageAPAuth
}

// DecodeAPRequest reads one. A wrong version or type is an *[Error].
func DecodeAPRequest(b []byte) (*APRequest, error) {
	var w wireAPRequest
	if err := unmarshal("AP-REQ", b, &w, fmt.Sprintf("application,explicit,tag:%d", typeAPRequest)); err != nil {
		return nil, err
	}
	if w.PVNO != version {
		return nil, Refusal(ErrBadVersionAP)
	}
	if w.MsgType != typeAPRequest {
		return nil, Refusal(ErrMessageType)
	}
	t, err := decodeTicket(w.Ticket.Bytes)
	if err != nil {
		return nil, err
	}
	return &APRequest{flagsOf(w.Options), t, w.Auth}, nil
}

func (r *APRequest) open(session Key) (*Authenticator, error) {
	plain, err := session.decrypt(authUsage(r.Ticket.Server), r.sealed.Cipher)
	if err != nil {
		return nil, err
	}
	var w types.Authenticator
	if err := decode("Authenticator", func() error { return w.Unmarshal(plain) }); err != nil {
		return nil, err
	}
	a := &Authenticator{
		ClientRealm: w.CRealm, Client: nameOf(w.CName), Time: w.CTime.Add(time.Duration(w.Cusec) * time.Microsecond),
		Sequence: uint32(w.SeqNumber), Checksum: Checksum{w.Cksum.CksumType, w.Cksum.Checksum}, Subkey: keyOf(w.SubKey),
	}
	if a.Subkey.Value != nil && len(a.Subkey.Value) != KeySize(a.Subkey.Type) {
		return nil, Refusal(ErrEncryptionType)
	}
	return a, nil
}

// Verifier is a server that looks at AP-REQs.
type Verifier struct {
	// Keys are the server's keys for a ticket; an *[Error] says why there are none.
	Keys func(t *Ticket) ([]Key, error)
	// Now is the server's own clock.
	Now func() time.Time
	// Skew is how far a client's clock may be from it.
	Skew time.Duration
	// Replays remembers authenticators; nil: they are not remembered.
	Replays *Replays
}

// Verified is an AP-REQ that was found good.
type Verified struct {
	Request *APRequest
	Ticket  *TicketPart
	Auth    *Authenticator
}

// Verify checks a request in the order of RFC 4120 3.2.3. Refusals are *[Error].
// A ticket that does not open is ErrModified, as Windows has it: the service's
// name belongs to another account, or its password has changed.
func (v *Verifier) Verify(b []byte) (*Verified, error) {
	r, err := DecodeAPRequest(b)
	if err != nil {
		return nil, asRefusal(err, ErrMessageType)
	}
	t, err := v.openTicket(&r.Ticket)
	if err != nil {
		return nil, err
	}
	a, err := r.open(t.Key)
	if err != nil {
		return nil, asRefusal(err, ErrIntegrity)
	}
	now := v.Now()
	switch {
	case !a.Client.Equal(t.Client) || a.ClientRealm != t.ClientRealm:
		return nil, Refusal(ErrBadMatch)
	case a.Time.Sub(now).Abs() > v.Skew:
		return nil, Refusal(ErrSkew)
	case t.StartTime.Sub(now) > v.Skew || t.Flags.Has(Invalid):
		return nil, Refusal(ErrTicketNotYetValid)
	case now.Sub(t.EndTime) > v.Skew:
		return nil, Refusal(ErrTicketExpired)
	case v.Replays != nil && v.Replays.Seen(r.sealed.Cipher, now, v.Skew):
		return nil, Refusal(ErrReplay)
	}
	return &Verified{r, t, a}, nil
}

func (v *Verifier) openTicket(t *Ticket) (*TicketPart, error) {
	keys, err := v.Keys(t)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.Type != t.Type {
			continue
		}
		if p, err := t.Open(k); err == nil {
			return p, nil
		}
	}
	return nil, Refusal(ErrModified)
}

// asRefusal keeps an *Error and makes one of anything else.
func asRefusal(err error, code int32) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return Refusef(code, "%v", err)
}

// CheckBody holds the body of a TGS-REQ against the checksum of its
// authenticator (RFC 4120 3.3.2 and 3.3.3).
func (v *Verified) CheckBody(body []byte) error {
	sum := v.Auth.Checksum
	if sum.Value == nil {
		return Refusal(ErrInappropriateCksum)
	}
	e, err := v.Ticket.Key.suite()
	if err != nil {
		return asRefusal(err, ErrEncryptionType)
	}
	if sum.Type != e.GetHashID() {
		return Refusal(ErrChecksumType)
	}
	if !e.VerifyChecksum(v.Ticket.Key.Value, body, sum.Value, usageTGSChecksum) {
		return Refusal(ErrModified)
	}
	return nil
}

// BodyChecksum is that checksum, for a client.
func BodyChecksum(session Key, body []byte) (Checksum, error) {
	c, err := session.checksum(usageTGSChecksum, body)
	return Checksum{c.CksumType, c.Checksum}, err
}

// Reply is the AP-REP of a server that proves itself; a zero subkey is left out.
func (v *Verified) Reply(subkey Key, first uint32) ([]byte, error) {
	plain := application(tagAPReplyPart, sequence(
		field(0, moment(v.Auth.Time)), field(1, integer(int64(v.Auth.Time.Nanosecond()/1000))), field(2, subkey.der()), field(3, optional(int64(first))),
	))
	sealed, err := v.Ticket.Key.seal(usageAPReply, 0, plain)
	if err != nil {
		return nil, err
	}
	return application(typeAPReply, sequence(field(0, integer(version)), field(1, integer(typeAPReply)), field(2, sealedDER(sealed)))), nil
}

// OpenAPReply checks a server's proof against the time that the authenticator
// had, and gives its subkey (zero: none) and first sequence number.
func OpenAPReply(session Key, b []byte, at time.Time) (Key, uint32, error) {
	if len(b) > 0 && b[0] == 0x60|TypeError {
		e, err := DecodeError(b)
		if err != nil {
			return Key{}, 0, err
		}
		return Key{}, 0, e
	}
	var rep messages.APRep
	if err := decode("AP-REP", func() error { return rep.Unmarshal(b) }); err != nil {
		return Key{}, 0, err
	}
	plain, err := session.decrypt(usageAPReply, rep.EncPart.Cipher)
	if err != nil {
		return Key{}, 0, err
	}
	var part messages.EncAPRepPart
	if err := decode("EncAPRepPart", func() error { return part.Unmarshal(plain) }); err != nil {
		return Key{}, 0, err
	}
	if !part.CTime.Equal(utc(at)) || part.Cusec != at.Nanosecond()/1000 {
		return Key{}, 0, fmt.Errorf("krb5: AP-REP: the server did not read our authenticator")
	}
	sub := keyOf(part.Subkey)
	if sub.Value != nil && len(sub.Value) != KeySize(sub.Type) {
		return Key{}, 0, fmt.Errorf("krb5: AP-REP: a subkey of type %d with %d bytes", sub.Type, len(sub.Value))
	}
	return sub, uint32(part.SequenceNumber), nil
}
