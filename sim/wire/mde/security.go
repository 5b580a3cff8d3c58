package mde

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Value types of binary security tokens.
const (
	ValueTypeUserToken = "http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentUserToken"
	ValueTypeJWT       = "urn:ietf:params:oauth:token-type:jwt"
	ValueTypeX509      = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
	ValueTypePKCS10    = nsWSTEP + "#PKCS10"
	ValueTypePKCS7     = nsWSTEP + "#PKCS7"
	ValueTypeProvision = "http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentProvisionDoc"
)

// Ids of the signed parts.
const (
	envelopeID = "envelop" // as the example on learn.microsoft.com, "Certificate authentication device enrollment", has it
	tokenID    = "uuid-29801c2f-f26b-46ad-984b-afaefb545ff8-1"
	shortX509  = "X509v3" // the same page's way to write [ValueTypeX509]
)

const (
	encodingBase64 = nsSecurity + "#base64binary"
	passwordText   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"
	usernameID     = "uuid-cc1ccc1f-2fba-4bcf-b063-ffc0cac77917-4" // fixed, [MS-MDE2] on-premises authentication
)

// Mode is how a request authenticates its sender.
type Mode string

// The modes; the values are for logs.
const (
	ModeNone        Mode = "none" // renewal: the TLS client certificate speaks
	ModeFederated   Mode = "federated"
	ModeEntra       Mode = "entra" // a user's or a device's access token
	ModeOnPremise   Mode = "onpremise"
	ModeCertificate Mode = "certificate"
)

// Security is the wsse:Security header. Nil is no header.
type Security struct {
	ValueType string // of Token, "" if there is none
	Token     []byte // decoded: a JWT's text, a wresult, a certificate's DER
	Username  string
	Password  string
	Created   time.Time // of the timestamp; zero if absent
	Expires   time.Time
	// Signed: there is an XML signature, of which nothing is verified but by [Verify].
	Signed bool
}

// FederatedSecurity carries the token that the authentication page posted as wresult.
func FederatedSecurity(token []byte) *Security {
	return &Security{ValueType: ValueTypeUserToken, Token: token}
}

// EntraSecurity carries an access token for the MDM service: a user's, or in the technician flow the device's.
func EntraSecurity(jwt string) *Security {
	return &Security{ValueType: ValueTypeJWT, Token: []byte(jwt)}
}

// OnPremiseSecurity carries a user name and a password.
func OnPremiseSecurity(username, password string) *Security {
	return &Security{Username: username, Password: password}
}

// CertificateSecurity carries a certificate with a timestamp; the message counts only after [Sign].
func CertificateSecurity(certificate []byte, created, expires time.Time) *Security {
	return &Security{ValueType: ValueTypeX509, Token: certificate, Created: created, Expires: expires}
}

// Mode tells how the sender authenticates.
func (s *Security) Mode() Mode {
	switch {
	case s == nil:
		return ModeNone
	case s.Signed: // learn.microsoft.com's example names its certificate a user token
		return ModeCertificate
	case s.ValueType == ValueTypeUserToken:
		return ModeFederated
	case s.ValueType == ValueTypeJWT:
		return ModeEntra
	case s.ValueType == ValueTypeX509, s.ValueType == shortX509:
		return ModeCertificate
	case s.Username != "":
		return ModeOnPremise
	}
	return ModeNone
}

type binaryToken struct {
	ID           string `xml:"u:Id,attr,omitempty"`
	ValueType    string `xml:"ValueType,attr"`
	EncodingType string `xml:"EncodingType,attr"`
	Value        string `xml:",chardata"`
}

func newBinaryToken(valueType string, value []byte) *binaryToken {
	return &binaryToken{ValueType: valueType, EncodingType: encodingBase64, Value: base64.StdEncoding.EncodeToString(value)}
}

type timestamp struct {
	ID      string `xml:"u:Id,attr"`
	Created string `xml:"u:Created"`
	Expires string `xml:"u:Expires"`
}

type password struct {
	Type  string `xml:"Type,attr"`
	Value string `xml:",chardata"`
}

type usernameToken struct {
	ID       string   `xml:"u:Id,attr"`
	Username string   `xml:"wsse:Username"`
	Password password `xml:"wsse:Password"`
}

type securityOut struct {
	Must      string         `xml:"s:mustUnderstand,attr"`
	Timestamp *timestamp     `xml:"u:Timestamp"`
	Token     *binaryToken   `xml:"wsse:BinarySecurityToken"`
	Username  *usernameToken `xml:"wsse:UsernameToken"`
}

const timeFormat = "2006-01-02T15:04:05.000Z"

func (s *Security) out() *securityOut {
	if s == nil {
		return nil
	}
	o := &securityOut{Must: "1"}
	if !s.Created.IsZero() {
		o.Timestamp = &timestamp{ID: "_0", Created: s.Created.UTC().Format(timeFormat), Expires: s.Expires.UTC().Format(timeFormat)}
	}
	if s.ValueType != "" {
		o.Token = newBinaryToken(s.ValueType, s.Token)
		if s.Mode() == ModeCertificate {
			o.Token.ID = tokenID
		}
	}
	if s.Username != "" {
		o.Username = &usernameToken{ID: usernameID, Username: s.Username, Password: password{Type: passwordText, Value: s.Password}}
	}
	return o
}

type binaryTokenIn struct {
	Attrs []xml.Attr `xml:",any,attr"`
	Value string     `xml:",chardata"`
}

// attr finds an attribute by its local name: clients write ValueType with and without the wsse prefix.
func (t *binaryTokenIn) attr(name string) string {
	for _, a := range t.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (t *binaryTokenIn) decode() (valueType string, value []byte, err error) {
	value, err = decodeBase64(t.Value)
	if err != nil {
		return "", nil, fmt.Errorf("BinarySecurityToken: %w", err)
	}
	return t.attr("ValueType"), value, nil
}

func decodeBase64(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}

type securityIn struct {
	Timestamp *struct {
		Created string `xml:"Created"`
		Expires string `xml:"Expires"`
	} `xml:"Timestamp"`
	Token    *binaryTokenIn `xml:"BinarySecurityToken"`
	Username *struct {
		Username string `xml:"Username"`
		Password struct {
			Attrs []xml.Attr `xml:",any,attr"`
			Value string     `xml:",chardata"`
		} `xml:"Password"`
	} `xml:"UsernameToken"`
	Signature *struct{} `xml:"http://www.w3.org/2000/09/xmldsig# Signature"`
}

var errSecurity = errors.New("security header")

// ErrSecurity reports whether a decoder refused the security header: a server answers [InvalidSecurity].
func ErrSecurity(err error) bool { return errors.Is(err, errSecurity) }

func (s *securityIn) security() (*Security, error) {
	if s == nil {
		return nil, nil
	}
	out := &Security{}
	var err error
	if s.Timestamp != nil {
		if out.Created, err = parseTime(s.Timestamp.Created); err == nil {
			out.Expires, err = parseTime(s.Timestamp.Expires)
		}
	}
	if s.Token != nil && err == nil {
		out.ValueType, out.Token, err = s.Token.decode()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSecurity, err)
	}
	if s.Username != nil {
		out.Username, out.Password = s.Username.Username, s.Username.Password.Value
		for _, a := range s.Username.Password.Attrs {
			if a.Name.Local == "Type" && a.Value != passwordText {
				return nil, fmt.Errorf("%w: password of type %q", errSecurity, a.Value)
			}
		}
	}
	out.Signed = s.Signature != nil
	return out, nil
}

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(text))
	return t.UTC(), err
}
