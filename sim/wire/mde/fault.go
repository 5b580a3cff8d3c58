package mde

import (
	"encoding/xml"
	"fmt"
	"strings"

	"windtunnel.test/sim/hresult"
)

// Fault is a SOAP fault of an enrolment service ([MS-MDE2], SOAP faults). It is an error.
type Fault struct {
	Subcode   string // "s:Authorization", "a:InternalServiceFault"
	Reason    string // text for people
	ErrorType string // DeviceEnrollmentServiceError's type; "" in faults that the subcode says all of
	Message   string // detail's text; shown to the user with [CustomServerError]
	TraceID   string
}

// Subcodes.
const (
	MessageFormat      = "s:MessageFormat"
	Authentication     = "s:Authentication"
	Authorization      = "s:Authorization"
	CertificateRequest = "s:CertificateRequest"
	EnrollmentServer   = "s:EnrollmentServer"
	InternalService    = "a:InternalServiceFault"
	InvalidSecurity    = "a:InvalidSecurity"
)

// Error types.
const (
	DeviceCapReached      = "DeviceCapReached"
	DeviceNotSupported    = "DeviceNotSupported"
	NotSupported          = "NotSupported"
	NotEligibleToRenew    = "NotEligibleToRenew"
	InMaintenance         = "InMaintenance"
	UserLicense           = "UserLicense"
	InvalidEnrollmentData = "InvalidEnrollmentData"
	CustomServerError     = "CustomServerError"
)

// faults is the table of [MS-MDE2] and of learn.microsoft.com, mobile device enrollment, "SOAP fault". An error type
// decides before the subcode, which is then s:Authorization, as in the page's example.
var faults = []struct {
	subcode, errorType string
	code               hresult.Code
}{
	{MessageFormat, "", hresult.EnrollMessageFormat},
	{Authentication, "", hresult.EnrollAuthentication},
	{Authorization, "", hresult.EnrollAuthorization},
	{CertificateRequest, "", hresult.EnrollCertificateRequest},
	{EnrollmentServer, "", hresult.EnrollServerError},
	{InternalService, "", hresult.EnrollInternalService},
	{InvalidSecurity, "", hresult.EnrollInvalidSecurity},
	{Authorization, DeviceCapReached, hresult.EnrollDeviceCapReached},
	{Authorization, DeviceNotSupported, hresult.EnrollDeviceNotSupported},
	{Authorization, NotSupported, hresult.EnrollNotSupported},
	{Authorization, NotEligibleToRenew, hresult.EnrollNotEligibleToRenew},
	{Authorization, InMaintenance, hresult.EnrollInMaintenance},
	{Authorization, UserLicense, hresult.EnrollUserLicense},
	{Authorization, InvalidEnrollmentData, hresult.EnrollInvalidData},
	{Authorization, CustomServerError, hresult.EnrollCustomServerError},
}

// NewFault is the fault that makes a client report code; false if the client makes that code by itself.
func NewFault(code hresult.Code, reason string) (*Fault, bool) {
	for _, f := range faults {
		if f.code == code {
			return &Fault{Subcode: f.subcode, ErrorType: f.errorType, Reason: reason}, true
		}
	}
	return nil, false
}

// Code is what the client makes of the fault; a fault that is not in the table is [hresult.EnrollUnknown].
func (f *Fault) Code() hresult.Code {
	for _, row := range faults {
		if f.ErrorType != "" && row.errorType == f.ErrorType {
			return row.code
		}
	}
	for _, row := range faults {
		if row.errorType == "" && localName(row.subcode) == localName(f.Subcode) {
			return row.code
		}
	}
	return hresult.EnrollUnknown
}

// localName drops the prefix, which is the server's choice.
func localName(qname string) string { return qname[strings.IndexByte(qname, ':')+1:] }

// Error is one line with subcode, type, code and reason.
func (f *Fault) Error() string {
	name := f.Subcode
	if f.ErrorType != "" {
		name += "/" + f.ErrorType
	}
	return fmt.Sprintf("enrolment fault %s, %s: %s", name, f.Code(), f.Reason)
}

type faultText struct {
	Lang  string `xml:"xml:lang,attr"`
	Value string `xml:",chardata"`
}

type faultDetail struct {
	NS        string `xml:"xmlns,attr"`
	ErrorType string `xml:"ErrorType"`
	Message   string `xml:"Message"`
	TraceID   string `xml:"TraceId"`
}

type faultOut struct {
	XMLName xml.Name     `xml:"s:Fault"`
	Code    string       `xml:"s:Code>s:Value"`
	Subcode string       `xml:"s:Code>s:Subcode>s:Value"`
	Reason  faultText    `xml:"s:Reason>s:Text"`
	Detail  *faultDetail `xml:"s:Detail>DeviceEnrollmentServiceError"`
}

// EncodeFault writes the answer to a request with header h; it goes out with status 500.
func EncodeFault(h Header, f *Fault) ([]byte, error) {
	h.Action = ActionFault
	o := &faultOut{Code: "s:Receiver", Subcode: f.Subcode, Reason: faultText{Lang: "en-us", Value: f.Reason}}
	if f.ErrorType != "" || f.Message != "" || f.TraceID != "" {
		o.Detail = &faultDetail{NS: nsWSTEP, ErrorType: f.ErrorType, Message: f.Message, TraceID: f.TraceID}
	}
	return newEnvelope(h, o).marshal()
}

// faultIn takes the Detail's casing of both the specification's print and of real servers.
type faultIn struct {
	Subcode string `xml:"Code>Subcode>Value"`
	Reason  string `xml:"Reason>Text"`
	Detail  struct {
		Error struct {
			ErrorType string `xml:"ErrorType"`
			Message   string `xml:"Message"`
			TraceID   string `xml:"TraceId"`
		} `xml:"DeviceEnrollmentServiceError"`
	} `xml:"Detail"`
}

func (f *faultIn) fault() *Fault {
	d := f.Detail.Error
	return &Fault{
		Subcode: strings.TrimSpace(f.Subcode), Reason: strings.TrimSpace(f.Reason), ErrorType: strings.TrimSpace(d.ErrorType),
		Message: strings.TrimSpace(d.Message), TraceID: strings.TrimSpace(d.TraceID),
	}
}
