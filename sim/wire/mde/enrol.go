package mde

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

const (
	tokenType    = "http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentToken"
	requestIssue = nsTrust + "/Issue"
	requestRenew = nsTrust + "/Renew"
)

// Enrol is a RequestSecurityToken ([MS-MDE2] 3.4, and its certificate renewal).
type Enrol struct {
	Renew   bool
	Request []byte // PKCS#10 in DER; in a renewal the PKCS#7 SignedData around it, signed with the old certificate
	Context Context
}

type contextItemXML struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:"ac:Value"`
}

type rstOut struct {
	XMLName     xml.Name         `xml:"wst:RequestSecurityToken"`
	TokenType   string           `xml:"wst:TokenType"`
	RequestType string           `xml:"wst:RequestType"`
	Token       *binaryToken     `xml:"wsse:BinarySecurityToken"`
	Items       []contextItemXML `xml:"ac:AdditionalContext>ac:ContextItem"`
}

// EncodeEnrol writes the request.
func EncodeEnrol(h Header, m *Enrol) ([]byte, error) {
	h.Action = ActionEnrol
	o := &rstOut{TokenType: tokenType, RequestType: requestIssue, Token: newBinaryToken(ValueTypePKCS10, m.Request)}
	if m.Renew {
		o.RequestType, o.Token.ValueType = requestRenew, ValueTypePKCS7
	}
	for _, item := range m.Context.Items() {
		o.Items = append(o.Items, contextItemXML(item))
	}
	e := newEnvelope(h, o)
	e.U, e.WSSE, e.WST, e.AC = nsUtility, nsSecurity, nsTrust, nsContext
	return e.marshal()
}

type rstIn struct {
	TokenType   string         `xml:"TokenType"`
	RequestType string         `xml:"RequestType"`
	Token       *binaryTokenIn `xml:"BinarySecurityToken"`
	Items       []struct {
		Name  string `xml:"Name,attr"`
		Value string `xml:"Value"`
	} `xml:"AdditionalContext>ContextItem"`
}

// MaxContextItems bounds the context items of a request.
const MaxContextItems = 128

// DecodeEnrol reads the request. It checks the token type and that the request's value type fits issue or renewal, and
// leaves PKCS#10 and PKCS#7 to the caller.
func DecodeEnrol(data []byte) (Header, *Enrol, error) {
	h, b, err := decodeEnvelope[rstIn](data, ActionEnrol, "RequestSecurityToken", nsTrust)
	if err != nil {
		return h, nil, fmt.Errorf("mde: RequestSecurityToken: %w", err)
	}
	m, err := b.enrol()
	if err != nil {
		return h, nil, fmt.Errorf("mde: RequestSecurityToken: %w", err)
	}
	return h, m, nil
}

func (b *rstIn) enrol() (*Enrol, error) {
	m := &Enrol{}
	want := ValueTypePKCS10
	switch r := strings.TrimSpace(b.RequestType); r {
	case requestIssue:
	case requestRenew:
		m.Renew, want = true, ValueTypePKCS7
	default:
		return nil, fmt.Errorf("RequestType %q", r)
	}
	if t := strings.TrimSpace(b.TokenType); t != tokenType {
		return nil, fmt.Errorf("TokenType %q", t)
	}
	if b.Token == nil {
		return nil, errors.New("no BinarySecurityToken")
	}
	valueType, request, err := b.Token.decode()
	if err != nil {
		return nil, err
	}
	if m.Renew {
		valueType, request = renewal(valueType, request)
	}
	if valueType != want {
		return nil, fmt.Errorf("ValueType %q, want %q", valueType, want)
	}
	m.Request = request
	if len(b.Items) > MaxContextItems {
		return nil, fmt.Errorf("%d context items", len(b.Items))
	}
	fields := m.Context.fields()
	for _, item := range b.Items {
		if err := m.Context.set(fields, item.Name, strings.TrimSpace(item.Value)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// EnrolResult is the answer to an [Enrol].
type EnrolResult struct {
	Provisioning []byte // the provisioning document: [DecodeProvisioning]
	Disposition  string // text, mostly ""
}

type wstepElement struct {
	NS    string `xml:"xmlns,attr"`
	Value string `xml:",chardata"`
}

type issuedToken struct {
	NS           string `xml:"xmlns,attr"`
	ValueType    string `xml:"ValueType,attr"`
	EncodingType string `xml:"EncodingType,attr"`
	Value        string `xml:",chardata"`
}

type rstrOut struct {
	XMLName     xml.Name     `xml:"RequestSecurityTokenResponseCollection"`
	NS          string       `xml:"xmlns,attr"`
	TokenType   string       `xml:"RequestSecurityTokenResponse>TokenType"`
	Disposition wstepElement `xml:"RequestSecurityTokenResponse>DispositionMessage"`
	Token       issuedToken  `xml:"RequestSecurityTokenResponse>RequestedSecurityToken>BinarySecurityToken"`
	RequestID   wstepElement `xml:"RequestSecurityTokenResponse>RequestID"`
}

// EncodeEnrolResult writes the answer to a request with header h. [MS-MDE2] wants a timestamp in its security header: set
// h.Security's Created and Expires.
func EncodeEnrolResult(h Header, r *EnrolResult) ([]byte, error) {
	h.Action = ActionEnrolResponse
	return newEnvelope(h, &rstrOut{
		NS: nsTrust, TokenType: tokenType,
		Disposition: wstepElement{NS: nsWSTEP, Value: r.Disposition}, RequestID: wstepElement{NS: nsWSTEP, Value: "0"},
		Token: issuedToken{
			NS: nsSecurity, ValueType: ValueTypeProvision, EncodingType: encodingBase64,
			Value: base64.StdEncoding.EncodeToString(r.Provisioning),
		},
	}).marshal()
}

type rstrIn struct {
	Disposition string         `xml:"RequestSecurityTokenResponse>DispositionMessage"`
	Token       *binaryTokenIn `xml:"RequestSecurityTokenResponse>RequestedSecurityToken>BinarySecurityToken"`
}

// DecodeEnrolResult reads the answer; a fault is the error.
func DecodeEnrolResult(data []byte) (Header, *EnrolResult, error) {
	h, b, err := decodeEnvelope[rstrIn](data, ActionEnrolResponse, "RequestSecurityTokenResponseCollection", nsTrust)
	if err != nil {
		return h, nil, fmt.Errorf("mde: RequestSecurityTokenResponse: %w", err)
	}
	if b.Token == nil {
		return h, nil, errors.New("mde: RequestSecurityTokenResponse: no BinarySecurityToken")
	}
	valueType, document, err := b.Token.decode()
	if err != nil {
		return h, nil, fmt.Errorf("mde: RequestSecurityTokenResponse: %w", err)
	}
	if valueType != ValueTypeProvision {
		return h, nil, fmt.Errorf("mde: RequestSecurityTokenResponse: ValueType %q", valueType)
	}
	return h, &EnrolResult{Provisioning: document, Disposition: b.Disposition}, nil
}
