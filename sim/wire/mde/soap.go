package mde

import "encoding/xml"

// ContentType and UserAgent are what the enrolment client sends ([MS-MDE2], transport).
const (
	ContentType = "application/soap+xml; charset=utf-8"
	UserAgent   = "ENROLLClient"
)

// Addresses below a server's root, as the examples of [MS-MDE2] have them. Real services match them in any case.
const (
	DiscoveryPath = "/EnrollmentServer/Discovery.svc"
	PolicyPath    = "/EnrollmentServer/Policy.svc"
	EnrolPath     = "/EnrollmentServer/Enrollment.svc"
)

// Namespaces.
const (
	nsSOAP       = "http://www.w3.org/2003/05/soap-envelope"
	nsAddressing = "http://www.w3.org/2005/08/addressing"
	nsUtility    = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	nsSecurity   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	nsTrust      = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
	nsContext    = "http://schemas.xmlsoap.org/ws/2006/12/authorization"
	nsEnrollment = "http://schemas.microsoft.com/windows/management/2012/01/enrollment"
	nsWSTEP      = "http://schemas.microsoft.com/windows/pki/2009/01/enrollment"
	nsXCEP       = "http://schemas.microsoft.com/windows/pki/2009/01/enrollmentpolicy"
	nsDiag       = "http://schemas.microsoft.com/2004/09/ServiceModel/Diagnostics"
	nsInstance   = "http://www.w3.org/2001/XMLSchema-instance"
	anonymous    = "http://www.w3.org/2005/08/addressing/anonymous"
)

// SOAP actions.
const (
	ActionDiscover            = nsEnrollment + "/IDiscoveryService/Discover"
	ActionDiscoverResponse    = nsEnrollment + "/IDiscoveryService/DiscoverResponse"
	ActionGetPolicies         = nsXCEP + "/IPolicy/GetPolicies"
	ActionGetPoliciesResponse = nsXCEP + "/IPolicy/GetPoliciesResponse"
	ActionEnrol               = nsWSTEP + "/RST/wstep"
	ActionEnrolResponse       = nsWSTEP + "/RSTRC/wstep"
	ActionFault               = nsEnrollment + "/IDiscoveryService/DiscoverServiceFault"
)

// Header is what WS-Addressing and WS-Security put before a body. Requests have MessageID and To, responses RelatesTo.
type Header struct {
	Action     string
	MessageID  string // "urn:uuid:..."
	RelatesTo  string // the request's MessageID
	To         string
	ActivityID string    // correlation id of the service, "" if absent
	Security   *Security // nil if absent
}

// Reply is the header of an answer to h; the answer's Encode sets the action.
func (h Header) Reply() Header { return Header{RelatesTo: h.MessageID} }

type understood struct {
	Must  string `xml:"s:mustUnderstand,attr,omitempty"`
	Value string `xml:",chardata"`
}

func must(value string) *understood {
	if value == "" {
		return nil
	}
	return &understood{Must: "1", Value: value}
}

type replyTo struct {
	Address string `xml:"a:Address"`
}

type activityOut struct {
	NS          string `xml:"xmlns,attr"`
	Correlation string `xml:"CorrelationId,attr"`
	ID          string `xml:",chardata"`
}

type headerOut struct {
	Action    *understood  `xml:"a:Action"`
	MessageID string       `xml:"a:MessageID,omitempty"`
	Activity  *activityOut `xml:"ActivityId"`
	RelatesTo string       `xml:"a:RelatesTo,omitempty"`
	ReplyTo   *replyTo     `xml:"a:ReplyTo"`
	To        *understood  `xml:"a:To"`
	Security  *securityOut `xml:"wsse:Security"`
}

type bodyOut struct{ Content any }

// envelopeOut declares every prefix that the messages use at the root, as the examples of [MS-MDE2] 4 do.
type envelopeOut struct {
	XMLName xml.Name  `xml:"s:Envelope"`
	S       string    `xml:"xmlns:s,attr"`
	A       string    `xml:"xmlns:a,attr"`
	U       string    `xml:"xmlns:u,attr,omitempty"`
	WSSE    string    `xml:"xmlns:wsse,attr,omitempty"`
	WST     string    `xml:"xmlns:wst,attr,omitempty"`
	AC      string    `xml:"xmlns:ac,attr,omitempty"`
	ID      string    `xml:"u:Id,attr,omitempty"` // what a signature refers to
	Header  headerOut `xml:"s:Header"`
	Body    bodyOut   `xml:"s:Body"`
}

func newEnvelope(h Header, body any) *envelopeOut {
	e := &envelopeOut{S: nsSOAP, A: nsAddressing, Body: bodyOut{body}}
	e.Header = headerOut{
		Action: must(h.Action), MessageID: h.MessageID, RelatesTo: h.RelatesTo, To: must(h.To), Security: h.Security.out(),
	}
	if h.MessageID != "" {
		e.Header.ReplyTo = &replyTo{Address: anonymous}
	}
	if h.ActivityID != "" {
		e.Header.Activity = &activityOut{NS: nsDiag, Correlation: h.ActivityID, ID: h.ActivityID}
	}
	if h.Security != nil {
		e.U, e.WSSE = nsUtility, nsSecurity
	}
	if h.Security.Mode() == ModeCertificate {
		e.ID = envelopeID
	}
	return e
}

func (e *envelopeOut) marshal() ([]byte, error) { return xml.Marshal(e) }
