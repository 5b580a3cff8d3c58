package mde

import (
	"encoding/xml"
	"errors"
	"fmt"
)

// GetPolicies asks for the certificate policy; it says nothing but who asks, in the header.
type GetPolicies struct{}

// Policy is the one certificate policy of an answer ([MS-XCEP] 3.1.4.1.3, as far as [MS-MDE2] 3.3 uses it).
type Policy struct {
	ID               string
	FriendlyName     string
	CommonName       string // name of the certificate template
	ValiditySeconds  int
	RenewalSeconds   int
	MinimalKeyLength int    // bits, 2048
	HashOID          string // [SHA256OID]

	// From EnrollmentVersion 5.0: what the client does when its key cannot be attested. "" and 0 leave the elements out.
	AttestationFailure AttestationFailure
	OperationTimeout   int // seconds
}

// SHA256OID is id-sha256.
const SHA256OID = "2.16.840.1.101.3.4.2.1"

// AttestationFailure is AttestationFailureBehavior.
type AttestationFailure string

// Its values.
const (
	FailOnError   AttestationFailure = "FailOnError"
	IgnoreOnError AttestationFailure = "IgnoreOnError"
	RetryOnError  AttestationFailure = "RetryOnError"
)

type nilElement struct {
	Nil string `xml:"xsi:nil,attr"`
}

var null = &nilElement{Nil: "true"}

type getPoliciesOut struct {
	XMLName xml.Name `xml:"GetPolicies"`
	NS      string   `xml:"xmlns,attr"`
	XSI     string   `xml:"xmlns:xsi,attr"`
	Client  struct {
		LastUpdate        *nilElement `xml:"lastUpdate"`
		PreferredLanguage *nilElement `xml:"preferredLanguage"`
	} `xml:"client"`
	RequestFilter *nilElement `xml:"requestFilter"`
}

// EncodeGetPolicies writes the request.
func EncodeGetPolicies(h Header, _ *GetPolicies) ([]byte, error) {
	h.Action = ActionGetPolicies
	o := &getPoliciesOut{NS: nsXCEP, XSI: nsInstance, RequestFilter: null}
	o.Client.LastUpdate, o.Client.PreferredLanguage = null, null
	return newEnvelope(h, o).marshal()
}

// DecodeGetPolicies reads the request.
func DecodeGetPolicies(data []byte) (Header, *GetPolicies, error) {
	h, _, err := decodeEnvelope[struct{}](data, ActionGetPolicies, "GetPolicies", nsXCEP)
	if err != nil {
		return h, nil, fmt.Errorf("mde: GetPolicies: %w", err)
	}
	return h, &GetPolicies{}, nil
}

// The element order is that of the schema in [MS-XCEP] 3.1.4.1.3.1 and .19.
type privateKeyXML struct {
	MinimalKeyLength   int                `xml:"minimalKeyLength"`
	KeySpec            *nilElement        `xml:"keySpec"`
	KeyUsage           *nilElement        `xml:"keyUsageProperty"`
	Permissions        *nilElement        `xml:"permissions"`
	AlgorithmOID       *nilElement        `xml:"algorithmOIDReference"`
	Providers          *nilElement        `xml:"cryptoProviders"`
	AttestationFailure AttestationFailure `xml:"AttestationFailureBehavior,omitempty"`
	OperationTimeout   int                `xml:"OperationTimeout,omitempty"`
}

type attributesXML struct {
	CommonName      string        `xml:"commonName"`
	PolicySchema    int           `xml:"policySchema"`
	Validity        int           `xml:"certificateValidity>validityPeriodSeconds"`
	Renewal         int           `xml:"certificateValidity>renewalPeriodSeconds"`
	Enroll          bool          `xml:"permission>enroll"`
	AutoEnroll      bool          `xml:"permission>autoEnroll"`
	PrivateKey      privateKeyXML `xml:"privateKeyAttributes"`
	Major           int           `xml:"revision>majorRevision"`
	Minor           int           `xml:"revision>minorRevision"`
	Superseded      *nilElement   `xml:"supersededPolicies"`
	PrivateKeyFlags *nilElement   `xml:"privateKeyFlags"`
	SubjectFlags    *nilElement   `xml:"subjectNameFlags"`
	EnrollmentFlags *nilElement   `xml:"enrollmentFlags"`
	GeneralFlags    *nilElement   `xml:"generalFlags"`
	HashOID         int           `xml:"hashAlgorithmOIDReference"`
	RARequirements  *nilElement   `xml:"rARequirements"`
	KeyArchival     *nilElement   `xml:"keyArchivalAttributes"`
	Extensions      *nilElement   `xml:"extensions"`
}

type policyXML struct {
	OIDReference int           `xml:"policyOIDReference"`
	CAs          *nilElement   `xml:"cAs"`
	Attributes   attributesXML `xml:"attributes"`
}

type oidXML struct {
	Value       string `xml:"value"`
	Group       int    `xml:"group"`
	ReferenceID int    `xml:"oIDReferenceID"`
	DefaultName string `xml:"defaultName"`
}

type policiesOut struct {
	XMLName      xml.Name    `xml:"GetPoliciesResponse"`
	NS           string      `xml:"xmlns,attr"`
	XSI          string      `xml:"xmlns:xsi,attr"`
	ID           string      `xml:"response>policyID"`
	FriendlyName string      `xml:"response>policyFriendlyName"`
	NextUpdate   *nilElement `xml:"response>nextUpdateHours"`
	NotChanged   *nilElement `xml:"response>policiesNotChanged"`
	Policies     []policyXML `xml:"response>policies>policy"`
	CAs          *nilElement `xml:"cAs"`
	OIDs         []oidXML    `xml:"oIDs>oID"`
}

// hashGroup is the group of hash algorithms in an OID table ([MS-XCEP] 3.1.4.1.3.16).
const hashGroup = 1

// EncodePolicy writes the answer to a GetPolicies with header h.
func EncodePolicy(h Header, p *Policy) ([]byte, error) {
	h.Action = ActionGetPoliciesResponse
	name := "szOID_NIST_sha256"
	if p.HashOID != SHA256OID {
		name = p.HashOID
	}
	a := attributesXML{
		CommonName: p.CommonName, PolicySchema: 3, Validity: p.ValiditySeconds, Renewal: p.RenewalSeconds, Enroll: true,
		Major: 101, Superseded: null, PrivateKeyFlags: null, SubjectFlags: null, EnrollmentFlags: null, GeneralFlags: null,
		RARequirements: null, KeyArchival: null, Extensions: null,
		PrivateKey: privateKeyXML{
			MinimalKeyLength: p.MinimalKeyLength, KeySpec: null, KeyUsage: null, Permissions: null, AlgorithmOID: null,
			Providers: null, AttestationFailure: p.AttestationFailure, OperationTimeout: p.OperationTimeout,
		},
	}
	return newEnvelope(h, &policiesOut{
		NS: nsXCEP, XSI: nsInstance, ID: p.ID, FriendlyName: p.FriendlyName, NextUpdate: null, NotChanged: null,
		Policies: []policyXML{{CAs: null, Attributes: a}}, CAs: null,
		OIDs: []oidXML{{Value: p.HashOID, Group: hashGroup, DefaultName: name}},
	}).marshal()
}

// policiesIn has no nil elements: what the client does not read is passed over.
type policiesIn struct {
	ID           string `xml:"response>policyID"`
	FriendlyName string `xml:"response>policyFriendlyName"`
	Policies     []struct {
		Attributes struct {
			CommonName string        `xml:"commonName"`
			Schema     int           `xml:"policySchema"`
			Validity   int           `xml:"certificateValidity>validityPeriodSeconds"`
			Renewal    int           `xml:"certificateValidity>renewalPeriodSeconds"`
			PrivateKey privateKeyXML `xml:"privateKeyAttributes"`
			HashOID    int           `xml:"hashAlgorithmOIDReference"`
		} `xml:"attributes"`
	} `xml:"response>policies>policy"`
	OIDs []oidXML `xml:"oIDs>oID"`
}

// DecodePolicy reads the answer; a fault is the error. A policy schema other than 3 is refused, as the client does.
func DecodePolicy(data []byte) (Header, *Policy, error) {
	h, b, err := decodeEnvelope[policiesIn](data, ActionGetPoliciesResponse, "GetPoliciesResponse", nsXCEP)
	if err != nil {
		return h, nil, fmt.Errorf("mde: GetPoliciesResponse: %w", err)
	}
	if len(b.Policies) == 0 {
		return h, nil, errors.New("mde: GetPoliciesResponse: no policy")
	}
	a := b.Policies[0].Attributes
	if a.Schema != 3 {
		return h, nil, fmt.Errorf("mde: GetPoliciesResponse: policySchema is %d, want 3", a.Schema)
	}
	p := &Policy{
		ID: b.ID, FriendlyName: b.FriendlyName, CommonName: a.CommonName, ValiditySeconds: a.Validity, RenewalSeconds: a.Renewal,
		MinimalKeyLength: a.PrivateKey.MinimalKeyLength, AttestationFailure: a.PrivateKey.AttestationFailure,
		OperationTimeout: a.PrivateKey.OperationTimeout,
	}
	for _, oid := range b.OIDs {
		if oid.Group == hashGroup && oid.ReferenceID == a.HashOID {
			p.HashOID = oid.Value
		}
	}
	if p.HashOID == "" {
		return h, nil, errors.New("mde: GetPoliciesResponse: hashAlgorithmOIDReference names no OID")
	}
	return h, p, nil
}
