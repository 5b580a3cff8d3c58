package drs

import (
	"encoding/xml"
	"fmt"
)

// Versions of the discovery contract ([MS-DVRD] 2.2.4): 1.2 adds the services of
// Windows 10.
const (
	ContractVersion10 = "1.0"
	ContractVersion12 = "1.2"
)

// Contract is the discovery document as GET /EnrollmentServer/contract answers
// it: the sections of [MS-DVRD] 2.2.4 in the schema's order.
type Contract struct {
	XMLName xml.Name `xml:"http://schemas.datacontract.org/2004/07/Microsoft.DeviceRegistration.Entities Discovery" json:"-"`

	DeviceRegistrationService ContractRegistration
	AuthenticationService     ContractAuthentication
	IdentityProviderService   ContractProvider
	DeviceJoinService         *ContractJoin         `xml:",omitempty" json:",omitempty"`
	WebBrowserZones           *ContractZones        `xml:",omitempty" json:",omitempty"`
	KeyProvisioningService    *ContractKeyProvision `xml:",omitempty" json:",omitempty"`
}

// ContractRegistration is the SOAP service of version 1.
type ContractRegistration struct {
	RegistrationEndpoint   string
	RegistrationResourceID string `xml:"RegistrationResourceId" json:"RegistrationResourceId"`
	ServiceVersion         string
}

// ContractAuthentication names the OAuth 2 endpoints.
type ContractAuthentication struct{ OAuth2 OAuth2Endpoints }

// ContractProvider names the sign-in page.
type ContractProvider struct{ PassiveAuthEndpoint string }

// ContractJoin is the join service.
type ContractJoin struct {
	JoinEndpoint   string
	JoinResourceID string `xml:"JoinResourceId" json:"JoinResourceId"`
	ServiceVersion string
}

// ContractKeyProvision is the service of [MS-KPP].
type ContractKeyProvision struct {
	KeyProvisionEndpoint   string
	KeyProvisionResourceID string `xml:"KeyProvisionResourceId" json:"KeyProvisionResourceId"`
	ServiceVersion         string
}

// ContractZones lists addresses for the browser's zones.
type ContractZones struct {
	Intranet  ContractZone
	Trusted   *ContractZone `xml:",omitempty"`
	Untrusted *ContractZone `xml:",omitempty"`
}

// ContractZone is one zone's addresses.
type ContractZone struct {
	Endpoints []string `xml:"Endpoints>anyURI"`
}

// NewContract is the contract of a managed cloud tenant.
func NewContract(t TenantInfo, version string) (*Contract, error) {
	d := NewDiscovery(t)
	c := &Contract{
		DeviceRegistrationService: ContractRegistration{d.DeviceRegistrationService.URL, Resource, ServiceVersion},
		AuthenticationService:     ContractAuthentication{d.AuthenticationService.OAuth2},
		IdentityProviderService:   ContractProvider{d.IdentityProviderService.PassiveAuthEndpoint},
	}
	switch version {
	case ContractVersion10:
		return c, nil
	case ContractVersion12:
		c.DeviceJoinService = &ContractJoin{d.DeviceJoinService.URL, Resource, ServiceVersion}
		c.WebBrowserZones = &ContractZones{Intranet: ContractZone{[]string{"https://" + Host + "/"}}}
		c.KeyProvisioningService = &ContractKeyProvision{d.KeyProvisioningService.URL, Resource, ServiceVersion}
		return c, nil
	}
	return nil, fmt.Errorf("drs: contract version %q is neither 1.0 nor 1.2", version)
}

// XML is the document with its declaration.
func (c *Contract) XML() ([]byte, error) {
	body, err := xml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("drs: contract: %w", err)
	}
	return append([]byte(xml.Header), body...), nil
}
