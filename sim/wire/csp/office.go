package csp

import (
	"encoding/xml"
	"errors"
	"slices"
)

// Office is an installation of Microsoft 365 Apps (Office CSP).
type Office struct {
	Scope Scope
	ID    string // "{GUID}" of the installation
}

// Names of nodes below Installation/{id}.
const (
	OfficeInstall     = "Install"     // executed with an [OfficeConfiguration]
	OfficeStatus      = "Status"      // int, to be read: 0 is success, 997 under way, another an error
	OfficeFinalStatus = "FinalStatus" // int, to be read: the same, once it is over
)

// OfficeUnderWay is the Status of an installation that goes on (ERROR_IO_PENDING).
const OfficeUnderWay = 997

// Node is one of the nodes; no name gives the interior node.
func (o Office) Node(names ...string) string {
	return Join(Join(o.Scope.vendor(), "Office", "Installation", o.ID), names...)
}

// ParseOffice recognises a node below Installation/{id}; name is "" for the interior node.
func ParseOffice(uri string) (o Office, name string, ok bool) {
	scope, rest, ok := vendorNode(uri, "Office", "Installation")
	if !ok || len(rest) == 0 || len(rest) > 2 {
		return Office{}, "", false
	}
	if len(rest) == 2 {
		name = rest[1]
	}
	return Office{Scope: scope, ID: rest[0]}, name, true
}

// OfficeConfiguration is the document of the Office Deployment Tool (learn.microsoft.com, "Configuration options for the
// Office Deployment Tool").
type OfficeConfiguration struct {
	XMLName  xml.Name        `xml:"Configuration"`
	Add      *OfficeAdd      `xml:"Add"`
	Remove   *OfficeRemove   `xml:"Remove"`
	Display  OfficeDisplay   `xml:"Display"`
	Settings []OfficeSetting `xml:"Property,omitempty"`
}

// OfficeAdd is what is to be installed.
type OfficeAdd struct {
	Edition  string          `xml:"OfficeClientEdition,attr"` // "64", "32"
	Channel  string          `xml:"Channel,attr,omitempty"`   // "Current"
	Products []OfficeProduct `xml:"Product"`
}

// OfficeRemove is what is to be taken away.
type OfficeRemove struct {
	All bool `xml:"All,attr"`
}

// OfficeProduct is one product with its languages and the apps that are left out.
type OfficeProduct struct {
	ID        string      `xml:"ID,attr"` // "O365ProPlusRetail"
	Languages []OfficeRef `xml:"Language"`
	Excluded  []OfficeRef `xml:"ExcludeApp"`
}

// OfficeRef names a language or an app.
type OfficeRef struct {
	ID string `xml:"ID,attr"`
}

// OfficeDisplay says what the user sees.
type OfficeDisplay struct {
	Level      string `xml:"Level,attr"` // "None"
	AcceptEULA string `xml:"AcceptEULA,attr"`
}

// OfficeSetting is a property: SharedComputerLicensing, FORCEAPPSHUTDOWN, ...
type OfficeSetting struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:"Value,attr"`
}

// Encode writes the document.
func (c OfficeConfiguration) Encode() (string, error) { return encodeDocument("Office", c) }

// ParseOfficeConfiguration reads the document; it refuses one that neither adds a product nor removes anything.
func ParseOfficeConfiguration(text string) (OfficeConfiguration, error) {
	var c OfficeConfiguration
	if err := parseDocument("Office", text, &c); err != nil {
		return OfficeConfiguration{}, err
	}
	c.XMLName = xml.Name{}
	if (c.Add == nil || len(c.Add.Products) == 0) && c.Remove == nil {
		return OfficeConfiguration{}, errors.New("csp: Office: nothing to add or remove")
	}
	return c, nil
}

// Teams tells whether the machine-wide installer of Teams comes along: it does unless it is left out.
func (c OfficeConfiguration) Teams() bool {
	return c.Add != nil && slices.ContainsFunc(c.Add.Products, func(p OfficeProduct) bool {
		return !slices.Contains(p.Excluded, OfficeRef{ID: "Teams"})
	})
}
