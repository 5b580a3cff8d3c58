package krb5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Versions of the messages that change passwords (RFC 3244 2).
const (
	passwordChange = 1
	passwordSet    = 0xff80
)

// Result codes of the password service (RFC 3244 2).
const (
	PasswordOK          = 0
	PasswordMalformed   = 1
	PasswordHardError   = 2
	PasswordAuthError   = 3
	PasswordSoftError   = 4 // the policy does not allow it
	PasswordDenied      = 5
	PasswordBadVersion  = 6
	PasswordInitialFlag = 7 // the ticket has to come straight from a password
)

// PasswordRequest is a request to change one's own password or to set one's own
// or another's.
type PasswordRequest struct {
	Password string
	Target   Name   // zero: the ticket's client
	Realm    string // of Target
}

// PasswordResult is how it went, as an error where the code is not PasswordOK.
type PasswordResult struct {
	Code   int
	Text   string
	Policy *PasswordPolicy // with PasswordSoftError, from Active Directory
}

func (r *PasswordResult) Error() string {
	s := fmt.Sprintf("krb5: password not changed (%d)", r.Code)
	if r.Text != "" {
		s += ": " + r.Text
	}
	if p := r.Policy; p != nil {
		s += fmt.Sprintf(": at least %d characters, %d remembered, properties %#x", p.MinLength, p.History, p.Properties)
	}
	return s
}

// PasswordPolicy is what Active Directory says in place of a text: 30 bytes,
// which MIT's and Heimdal's clients spell out. The ages are in 100 ns.
type PasswordPolicy struct {
	MinLength, History, Properties uint32
	MaxAge, MinAge                 uint64
}

// Complex is the property of a policy that asks for several kinds of characters
// (DOMAIN_PASSWORD_COMPLEX, [MS-SAMR] 2.2.3.13).
const Complex = 1

func (p *PasswordPolicy) encode() []byte {
	b := make([]byte, 2, 30)
	for _, v := range []uint32{p.MinLength, p.History, p.Properties} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, p.MaxAge), p.MinAge)
}

var errPasswordMessage = errors.New("krb5: malformed password message")

type wirePasswordData struct {
	NewPassword []byte              `asn1:"explicit,tag:0"`
	Target      types.PrincipalName `asn1:"explicit,optional,tag:1"`
	Realm       string              `asn1:"generalstring,explicit,optional,tag:2"`
}

// PasswordExchange is one exchange with the password service, from either end.
type PasswordExchange struct {
	// AP is the raw AP-REQ.
	AP   []byte
	priv []byte
	set  bool
}

// NewPasswordExchange makes a client's message out of its AP-REQ. sub is the
// authenticator's subkey; address the client's own.
func NewPasswordExchange(ap []byte, sub Key, sequence uint32, address []byte, r PasswordRequest) ([]byte, error) {
	data := []byte(r.Password)
	kind := passwordChange
	if !r.Target.Zero() {
		kind = passwordSet
		var err error
		data, err = asn1.Marshal(wirePasswordData{data, r.Target.wire(), r.Realm})
		if err != nil {
			return nil, fmt.Errorf("krb5: ChangePasswdData: %w", err)
		}
	}
	priv, err := sealPrivate(sub, data, sequence, address)
	if err != nil {
		return nil, err
	}
	return passwordMessage(kind, ap, priv)
}

func passwordMessage(kind int, ap, rest []byte) ([]byte, error) {
	n := 6 + len(ap) + len(rest)
	if n > 0xffff {
		return nil, errPasswordMessage
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(n))
	b = binary.BigEndian.AppendUint16(b, uint16(kind))
	b = binary.BigEndian.AppendUint16(b, uint16(len(ap)))
	return append(append(b, ap...), rest...), nil
}

func splitPasswordMessage(b []byte) (kind int, ap, rest []byte, err error) {
	if len(b) < 6 || int(binary.BigEndian.Uint16(b)) != len(b) {
		return 0, nil, nil, errPasswordMessage
	}
	kind = int(binary.BigEndian.Uint16(b[2:]))
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n > len(b)-6 {
		return 0, nil, nil, errPasswordMessage
	}
	return kind, b[6 : 6+n], b[6+n:], nil
}

// ErrPasswordVersion says that a message is of a version that is not known.
var ErrPasswordVersion = errors.New("krb5: password message of another version")

// DecodePasswordExchange reads a client's message.
func DecodePasswordExchange(b []byte) (*PasswordExchange, error) {
	kind, ap, rest, err := splitPasswordMessage(b)
	if err != nil {
		return nil, err
	}
	if kind != passwordChange && kind != passwordSet {
		return nil, ErrPasswordVersion
	}
	return &PasswordExchange{ap, rest, kind == passwordSet}, nil
}

// Set tells whether it is a request to set a password, which one with rights
// over the account may make, or to change one's own.
func (x *PasswordExchange) Set() bool { return x.set }

// Open reads what a client wants, after its AP-REQ was verified.
func (x *PasswordExchange) Open(v *Verified) (*PasswordRequest, error) {
	data, err := openPrivate(v.sessionKey(), x.priv)
	if err != nil {
		return nil, err
	}
	if !x.set {
		return &PasswordRequest{Password: string(data)}, nil
	}
	var w wirePasswordData
	if err := unmarshal("ChangePasswdData", data, &w, ""); err != nil {
		return nil, err
	}
	return &PasswordRequest{string(w.NewPassword), nameOf(w.Target), w.Realm}, nil
}

// sessionKey is what messages after an AP-REQ are protected with.
func (v *Verified) sessionKey() Key {
	if v.Auth.Subkey.Value != nil {
		return v.Auth.Subkey
	}
	return v.Ticket.Key
}

// EncodePasswordResult is the answer to a client whose AP-REQ was good; address
// is the server's own as the client sees it.
func EncodePasswordResult(v *Verified, r *PasswordResult, sequence uint32, address []byte) ([]byte, error) {
	rep, err := v.Reply(Key{}, sequence)
	if err != nil {
		return nil, err
	}
	priv, err := sealPrivate(v.sessionKey(), r.encode(), sequence, address)
	if err != nil {
		return nil, err
	}
	return passwordMessage(1, rep, priv)
}

// EncodePasswordRefusal is the answer to one whose AP-REQ was not.
func EncodePasswordRefusal(e *Error, r *PasswordResult) ([]byte, error) {
	told := *e
	told.Data = r.encode()
	return passwordMessage(1, nil, told.Encode())
}

func (r *PasswordResult) encode() []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(r.Code))
	if r.Policy != nil {
		return append(b, r.Policy.encode()...)
	}
	return append(b, r.Text...)
}

// DecodePasswordResult reads a server's answer: an *[Error], or what it says.
// The time is that of the client's authenticator.
func DecodePasswordResult(b []byte, session Key, sub Key, at time.Time) (*PasswordResult, error) {
	_, rep, rest, err := splitPasswordMessage(b)
	if err != nil {
		return nil, err
	}
	if len(rep) == 0 {
		e, err := DecodeError(rest)
		if err != nil {
			return nil, err
		}
		return nil, e
	}
	if _, _, err := OpenAPReply(session, rep, at); err != nil {
		return nil, err
	}
	data, err := openPrivate(sub, rest)
	if err != nil {
		return nil, err
	}
	return decodePasswordResult(data)
}

func decodePasswordResult(data []byte) (*PasswordResult, error) {
	if len(data) < 2 {
		return nil, errPasswordMessage
	}
	r := &PasswordResult{Code: int(binary.BigEndian.Uint16(data))}
	text := data[2:]
	if len(text) == 30 && text[0] == 0 && text[1] == 0 {
		be := binary.BigEndian
		r.Policy = &PasswordPolicy{be.Uint32(text[2:]), be.Uint32(text[6:]), be.Uint32(text[10:]), be.Uint64(text[14:]), be.Uint64(text[22:])}
		return r, nil
	}
	r.Text = string(text)
	return r, nil
}
