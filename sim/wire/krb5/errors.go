package krb5

import (
	"fmt"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Error numbers (RFC 4120 7.5.9) that a controller gives.
const (
	ErrBadVersion         = 3
	ErrClientUnknown      = 6
	ErrServerUnknown      = 7
	ErrNeverValid         = 11
	ErrCannotPostdate     = 10
	ErrPolicy             = 12
	ErrBadOption          = 13
	ErrEncryptionType     = 14
	ErrChecksumType       = 15
	ErrPreauthType        = 16
	ErrClientRevoked      = 18 // disabled, locked out, expired
	ErrTGTRevoked         = 20
	ErrPasswordExpired    = 23
	ErrPreauthFailed      = 24
	ErrPreauthRequired    = 25
	ErrUserToUser         = 27
	ErrIntegrity          = 31
	ErrTicketExpired      = 32
	ErrTicketNotYetValid  = 33
	ErrReplay             = 34
	ErrNotUs              = 35
	ErrBadMatch           = 36
	ErrSkew               = 37
	ErrBadVersionAP       = 39
	ErrMessageType        = 40
	ErrModified           = 41
	ErrInappropriateCksum = 50
	ErrTooBig             = 52
	ErrGeneric            = 60
	ErrFieldTooLong       = 61
	ErrWrongRealm         = 68
)

var errorNames = map[int32]string{
	ErrBadVersion: "KDC_ERR_BAD_PVNO", ErrClientUnknown: "KDC_ERR_C_PRINCIPAL_UNKNOWN", ErrServerUnknown: "KDC_ERR_S_PRINCIPAL_UNKNOWN",
	ErrCannotPostdate: "KDC_ERR_CANNOT_POSTDATE", ErrTGTRevoked: "KDC_ERR_TGT_REVOKED", ErrNeverValid: "KDC_ERR_NEVER_VALID", ErrPolicy: "KDC_ERR_POLICY", ErrBadOption: "KDC_ERR_BADOPTION",
	ErrEncryptionType: "KDC_ERR_ETYPE_NOSUPP", ErrChecksumType: "KDC_ERR_SUMTYPE_NOSUPP", ErrPreauthType: "KDC_ERR_PADATA_TYPE_NOSUPP",
	ErrClientRevoked: "KDC_ERR_CLIENT_REVOKED", ErrPasswordExpired: "KDC_ERR_KEY_EXPIRED", ErrPreauthFailed: "KDC_ERR_PREAUTH_FAILED",
	ErrPreauthRequired: "KDC_ERR_PREAUTH_REQUIRED", ErrIntegrity: "KRB_AP_ERR_BAD_INTEGRITY", ErrTicketExpired: "KRB_AP_ERR_TKT_EXPIRED",
	ErrTicketNotYetValid: "KRB_AP_ERR_TKT_NYV", ErrReplay: "KRB_AP_ERR_REPEAT", ErrNotUs: "KRB_AP_ERR_NOT_US", ErrBadMatch: "KRB_AP_ERR_BADMATCH",
	ErrSkew: "KRB_AP_ERR_SKEW", ErrBadVersionAP: "KRB_AP_ERR_BADVERSION", ErrMessageType: "KRB_AP_ERR_MSG_TYPE", ErrModified: "KRB_AP_ERR_MODIFIED",
	ErrInappropriateCksum: "KRB_AP_ERR_INAPP_CKSUM", ErrTooBig: "KRB_ERR_RESPONSE_TOO_BIG", ErrGeneric: "KRB_ERR_GENERIC",
	ErrUserToUser: "KDC_ERR_MUST_USE_USER2USER", ErrFieldTooLong: "KRB_ERR_FIELD_TOOLONG", ErrWrongRealm: "KDC_ERR_WRONG_REALM",
}

// Error is a refusal, as it is on the wire (KRB-ERROR, RFC 4120 5.9.1). The
// zero value of each field but Code is allowed.
type Error struct {
	Code        int32
	Realm       string // of the server
	Server      Name
	ServerTime  time.Time // to the microsecond
	ClientRealm string
	Client      Name
	Text        string
	Data        []byte // with 24 and 25 a list of pre-authentication data, otherwise see StatusData
}

// Name is the code's in RFC 4120.
func (e *Error) Name() string {
	if name := errorNames[e.Code]; name != "" {
		return name
	}
	return "KRB_ERROR"
}

func (e *Error) Error() string {
	s := fmt.Sprintf("krb5: %s (%d)", e.Name(), e.Code)
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Is compares codes, so that errors.Is(err, krb5.Refusal(krb5.ErrSkew)) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refusal is an error of a code alone.
func Refusal(code int32) *Error { return &Error{Code: code} }

// Refusef is one with a text.
func Refusef(code int32, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Encode is the message.
func (e *Error) Encode() []byte {
	server := e.Server
	if server.Zero() {
		server = Name{NamePrincipal, []string{""}} // the field is not optional
	}
	now := e.ServerTime.UTC()
	m := messages.KRBError{
		PVNO: version, MsgType: TypeError, STime: now.Truncate(time.Second), Susec: now.Nanosecond() / 1000,
		ErrorCode: e.Code, CRealm: e.ClientRealm, Realm: e.Realm, SName: server.wire(), EText: e.Text, EData: e.Data,
	}
	if !e.Client.Zero() {
		m.CName = e.Client.wire()
	}
	b, err := m.Marshal()
	if err != nil { // a text that no GeneralString can hold
		m.EText, m.CName, m.CRealm, m.Realm, m.SName = "", types.PrincipalName{}, "", "", Name{NamePrincipal, []string{""}}.wire()
		b, _ = m.Marshal()
	}
	return b
}

// DecodeError reads one.
func DecodeError(b []byte) (*Error, error) {
	var m messages.KRBError
	if err := decode("KRB-ERROR", func() error { return m.Unmarshal(b) }); err != nil {
		return nil, err
	}
	return &Error{
		Code: m.ErrorCode, Realm: m.Realm, Server: nameOf(m.SName), ServerTime: m.STime.Add(time.Duration(m.Susec) * time.Microsecond),
		ClientRealm: m.CRealm, Client: nameOf(m.CName), Text: m.EText, Data: m.EData,
	}, nil
}

// decode runs a decoder of the library, whose reading of some fields trusts
// their lengths.
func decode(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("krb5: %s: malformed", what)
		}
	}()
	if err := f(); err != nil {
		return fmt.Errorf("krb5: %s: %w", what, err)
	}
	return nil
}

// unmarshal reads DER that must be consumed to its end.
func unmarshal(what string, b []byte, v any, params string) error {
	return decode(what, func() error {
		rest, err := asn1.UnmarshalWithParams(b, v, params)
		if err == nil && len(rest) > 0 {
			err = fmt.Errorf("%d bytes after the end", len(rest))
		}
		return err
	})
}

// loose reads DER that may be followed by the padding of an old cipher.
func loose(what string, b []byte, v any, params string) error {
	return decode(what, func() error {
		_, err := asn1.UnmarshalWithParams(b, v, params)
		return err
	})
}
