package mde

import (
	"encoding/xml"
	"fmt"
)

// AuthPolicy is how the server wants the client to authenticate ([MS-MDE2] 3.1, AuthPolicy).
type AuthPolicy string

// The policies.
const (
	Federated   AuthPolicy = "Federated"
	OnPremise   AuthPolicy = "OnPremise"
	Certificate AuthPolicy = "Certificate"
)

// DeviceType is the only device type of Windows clients.
const DeviceType = "CIMClient_Windows"

// Discover asks a server where and how to enrol ([MS-MDE2] 3.1, Discover).
type Discover struct {
	EmailAddress       string // UPN of the user; in the technician flow the tenant's name for the device
	RequestVersion     string // "1.0" to "9.0": the client's highest version
	DeviceType         string // [DeviceType]
	ApplicationVersion string // OS version, "10.0.26100.1742"
	OSEdition          string // SKU number, "4" Enterprise, "48" Professional
	AuthPolicies       []AuthPolicy
}

// DiscoverResult is the answer.
type DiscoverResult struct {
	AuthPolicy               AuthPolicy
	EnrollmentVersion        string // at most the request's version
	EnrollmentPolicyURL      string
	EnrollmentURL            string
	AuthenticationServiceURL string // [Federated] only: the page that yields the token
}

type discoverOut struct {
	XMLName xml.Name    `xml:"Discover"`
	NS      string      `xml:"xmlns,attr"`
	Request discoverXML `xml:"request"`
}

type discoverXML struct {
	NSi                string       `xml:"xmlns:i,attr,omitempty"`
	EmailAddress       string       `xml:"EmailAddress"`
	RequestVersion     string       `xml:"RequestVersion"`
	DeviceType         string       `xml:"DeviceType"`
	ApplicationVersion string       `xml:"ApplicationVersion"`
	OSEdition          string       `xml:"OSEdition"`
	AuthPolicies       []AuthPolicy `xml:"AuthPolicies>AuthPolicy,omitempty"`
}

type discoverIn struct {
	Request *discoverXML `xml:"request"`
}

// EncodeDiscover writes the request.
func EncodeDiscover(h Header, m *Discover) ([]byte, error) {
	h.Action = ActionDiscover
	return newEnvelope(h, &discoverOut{NS: nsEnrollment + "/", Request: discoverXML{
		NSi: nsInstance, EmailAddress: m.EmailAddress, RequestVersion: m.RequestVersion, DeviceType: m.DeviceType,
		ApplicationVersion: m.ApplicationVersion, OSEdition: m.OSEdition, AuthPolicies: m.AuthPolicies,
	}}).marshal()
}

// DecodeDiscover reads the request.
func DecodeDiscover(data []byte) (Header, *Discover, error) {
	h, b, err := decodeEnvelope[discoverIn](data, ActionDiscover, "Discover", nsEnrollment)
	if err != nil {
		return h, nil, fmt.Errorf("mde: Discover: %w", err)
	}
	r := b.Request
	if r == nil {
		return h, nil, fmt.Errorf("mde: Discover: %w", errNoBody)
	}
	return h, &Discover{
		EmailAddress: r.EmailAddress, RequestVersion: r.RequestVersion, DeviceType: r.DeviceType,
		ApplicationVersion: r.ApplicationVersion, OSEdition: r.OSEdition, AuthPolicies: r.AuthPolicies,
	}, nil
}

type discoverResponseOut struct {
	XMLName xml.Name          `xml:"DiscoverResponse"`
	NS      string            `xml:"xmlns,attr"`
	Result  discoverResultXML `xml:"DiscoverResult"`
}

type discoverResultXML struct {
	AuthPolicy                 AuthPolicy `xml:"AuthPolicy"`
	EnrollmentVersion          string     `xml:"EnrollmentVersion"`
	EnrollmentPolicyServiceURL string     `xml:"EnrollmentPolicyServiceUrl"`
	EnrollmentServiceURL       string     `xml:"EnrollmentServiceUrl"`
	AuthenticationServiceURL   string     `xml:"AuthenticationServiceUrl,omitempty"`
}

type discoverResponseIn struct {
	Result *discoverResultXML `xml:"DiscoverResult"`
}

// EncodeDiscoverResult writes the answer to a request with header h.
func EncodeDiscoverResult(h Header, r *DiscoverResult) ([]byte, error) {
	h.Action = ActionDiscoverResponse
	return newEnvelope(h, &discoverResponseOut{NS: nsEnrollment, Result: discoverResultXML{
		AuthPolicy: r.AuthPolicy, EnrollmentVersion: r.EnrollmentVersion,
		EnrollmentPolicyServiceURL: r.EnrollmentPolicyURL, EnrollmentServiceURL: r.EnrollmentURL,
		AuthenticationServiceURL: r.AuthenticationServiceURL,
	}}).marshal()
}

// DecodeDiscoverResult reads the answer; a fault is the error.
func DecodeDiscoverResult(data []byte) (Header, *DiscoverResult, error) {
	h, b, err := decodeEnvelope[discoverResponseIn](data, ActionDiscoverResponse, "DiscoverResponse", nsEnrollment)
	if err != nil {
		return h, nil, fmt.Errorf("mde: DiscoverResponse: %w", err)
	}
	r := b.Result
	if r == nil {
		return h, nil, fmt.Errorf("mde: DiscoverResponse: %w", errNoBody)
	}
	return h, &DiscoverResult{
		AuthPolicy: r.AuthPolicy, EnrollmentVersion: r.EnrollmentVersion, EnrollmentPolicyURL: r.EnrollmentPolicyServiceURL,
		EnrollmentURL: r.EnrollmentServiceURL, AuthenticationServiceURL: r.AuthenticationServiceURL,
	}, nil
}
