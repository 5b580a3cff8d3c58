package msa

import "encoding/xml"

// Namespaces and fixed values of RST2.srf. An element without a namespace of its own in a tag below is in that of its
// parent; the parser takes it in any.
const (
	nsAction     = "http://schemas.xmlsoap.org/ws/2005/02/trust/RST/Issue"
	nsIssued     = "http://schemas.xmlsoap.org/ws/2005/02/trust/RSTR/Issue"
	nsSOAP       = "http://www.w3.org/2003/05/soap-envelope"
	nsTrust      = "http://schemas.xmlsoap.org/ws/2005/02/trust"
	nsAnonymous  = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
	requestIssue = "http://schemas.xmlsoap.org/ws/2005/02/trust/Issue"
	serviceURL   = "https://" + Host + PathTicket

	// Value types of our model for the tokens of AttestedProof.
	valueAIKCertificate = "urn:windtunnel:aik-certificate"
	valueAIKStatement   = "urn:windtunnel:aik-statement"
)

type requestEnvelope struct {
	XMLName xml.Name      `xml:"http://www.w3.org/2003/05/soap-envelope Envelope"`
	Header  requestHeader `xml:"Header"`
	Body    requestBody   `xml:"Body"`
}

type requestHeader struct {
	Action    string   `xml:"http://www.w3.org/2005/08/addressing Action"`
	To        string   `xml:"http://www.w3.org/2005/08/addressing To"`
	MessageID string   `xml:"http://www.w3.org/2005/08/addressing MessageID"`
	AuthInfo  authInfo `xml:"http://schemas.microsoft.com/Passport/SoapServices/PPCRL AuthInfo"`
	Security  security `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd Security"`
}

type authInfo struct {
	ID            string `xml:"Id,attr"` // PPAuthInfo
	HostingApp    string `xml:"HostingApp"`
	BinaryVersion string `xml:"BinaryVersion"`
	Cookies       string `xml:"Cookies"`
	Params        string `xml:"RequestParams"`
}

type security struct {
	UsernameToken *usernameToken `xml:"UsernameToken"`
	BinaryTokens  []binaryToken  `xml:"BinarySecurityToken"`
	Timestamp     timestamp      `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd Timestamp"`
}

type usernameToken struct {
	ID       string `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd Id,attr"` // devicesoftware
	Username string `xml:"Username"`
	Password string `xml:"Password"`
}

type binaryToken struct {
	ValueType string `xml:"ValueType,attr,omitempty"`
	ID        string `xml:"Id,attr,omitempty"`
	Value     string `xml:",chardata"`
}

type timestamp struct {
	ID      string `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd Id,attr,omitempty"`
	Created string `xml:"Created"`
	Expires string `xml:"Expires"`
}

// A client asks for one token with RequestSecurityToken and for more with RequestMultipleSecurityTokens.
type requestBody struct {
	One  *tokenRequest   `xml:"http://schemas.xmlsoap.org/ws/2005/02/trust RequestSecurityToken"`
	Many *multipleTokens `xml:"http://schemas.microsoft.com/Passport/SoapServices/PPCRL RequestMultipleSecurityTokens"`
}

type multipleTokens struct {
	ID       string         `xml:"Id,attr"` // RSTS
	Requests []tokenRequest `xml:"http://schemas.xmlsoap.org/ws/2005/02/trust RequestSecurityToken"`
}

type tokenRequest struct {
	ID          string           `xml:"Id,attr"`
	RequestType string           `xml:"RequestType"`
	AppliesTo   appliesTo        `xml:"http://schemas.xmlsoap.org/ws/2004/09/policy AppliesTo"`
	Policy      *policyReference `xml:"http://schemas.xmlsoap.org/ws/2004/09/policy PolicyReference"`
}

type policyReference struct {
	URI string `xml:"URI,attr"`
}

type appliesTo struct {
	Endpoint endpoint `xml:"http://www.w3.org/2005/08/addressing EndpointReference"`
}

type endpoint struct {
	Address string `xml:"Address"`
}

type responseEnvelope struct {
	XMLName xml.Name       `xml:"http://www.w3.org/2003/05/soap-envelope Envelope"`
	Header  responseHeader `xml:"Header"`
	Body    responseBody   `xml:"Body"`
}

type responseHeader struct {
	Action   string   `xml:"http://www.w3.org/2005/08/addressing Action,omitempty"`
	To       string   `xml:"http://www.w3.org/2005/08/addressing To,omitempty"`
	Passport passport `xml:"http://schemas.microsoft.com/Passport/SoapServices/SOAPFault pp"`
}

type passport struct {
	ServerVersion string     `xml:"serverVersion"`
	PUID          string     `xml:"PUID,omitempty"`
	AuthState     string     `xml:"authstate"`
	ReqStatus     string     `xml:"reqstatus"`
	ServerInfo    serverInfo `xml:"serverInfo"`
}

type serverInfo struct {
	ServerTime string `xml:"ServerTime,attr"`
}

type responseBody struct {
	Tokens *tokenResponses `xml:"http://schemas.xmlsoap.org/ws/2005/02/trust RequestSecurityTokenResponseCollection"`
	Fault  *soapFault      `xml:"Fault"`
}

type tokenResponses struct {
	Responses []tokenResponse `xml:"RequestSecurityTokenResponse"`
}

type tokenResponse struct {
	TokenType string         `xml:"TokenType"`
	AppliesTo appliesTo      `xml:"http://schemas.xmlsoap.org/ws/2004/09/policy AppliesTo"`
	Lifetime  lifetime       `xml:"Lifetime"`
	Requested requestedToken `xml:"RequestedSecurityToken"`
}

type lifetime struct {
	Created string `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd Created"`
	Expires string `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd Expires"`
}

type requestedToken struct {
	Token binaryToken `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd BinarySecurityToken"`
}

type soapFault struct {
	Code   faultCode   `xml:"Code"`
	Reason faultText   `xml:"Reason>Text"`
	Detail faultDetail `xml:"Detail"`
}

// faultCode holds qualified names as text, so it declares their prefixes itself.
type faultCode struct {
	PrefixS   string `xml:"xmlns:S,attr"`
	PrefixWst string `xml:"xmlns:wst,attr"`
	Value     string `xml:"Value"`
	Subcode   string `xml:"Subcode>Value"`
}

type faultText struct {
	Lang string `xml:"xml:lang,attr"`
	Text string `xml:",chardata"`
}

type faultDetail struct {
	Error faultError `xml:"http://schemas.microsoft.com/Passport/SoapServices/SOAPFault error"`
}

type faultError struct {
	Value    string        `xml:"value"`
	Internal internalError `xml:"internalerror"`
}

type internalError struct {
	Code string `xml:"code"`
	Text string `xml:"text"`
}
