package csp

import (
	"encoding/xml"
	"errors"
	"strings"
)

// ModernApp is a packaged app (EnterpriseModernAppManagement CSP).
type ModernApp struct {
	Scope      Scope
	FamilyName string // package family name: "Contoso.App_8wekyb3d8bbwe"
}

// Names of nodes below AppInstallation/{family name}.
const (
	ModernStoreInstall  = "StoreInstall"   // executed with a [StoreApp]
	ModernHostedInstall = "HostedInstall"  // executed with a [HostedApp]
	ModernLastError     = "LastError"      // int, to be read, as all that follow
	ModernLastErrorDesc = "LastErrorDesc"  // chr
	ModernStatus        = "Status"         // int, a [ModernState]
	ModernProgress      = "ProgressStatus" // int, per cent
)

// ModernState is the Status node.
type ModernState int

// Its values.
const (
	ModernNotInstalled ModernState = 0
	ModernInstalling   ModernState = 1
	ModernFailed       ModernState = 2
	ModernInstalled    ModernState = 3
)

// Node is one of the nodes below AppInstallation; no name gives the interior node.
func (m ModernApp) Node(names ...string) string {
	return Join(Join(m.Scope.vendor(), "EnterpriseModernAppManagement", "AppInstallation", m.FamilyName), names...)
}

// Managed is the node of an app of a kind ("AppStore" or "nonStore") below AppManagement; it is deleted to remove the app.
func (m ModernApp) Managed(kind string, names ...string) string {
	return Join(Join(m.Scope.vendor(), "EnterpriseModernAppManagement", "AppManagement", kind, m.FamilyName), names...)
}

// ParseModernApp recognises a node below AppInstallation/{family name}, or below AppManagement/{kind}/{family name}; managed
// is the kind then. name is "" for the interior node.
func ParseModernApp(uri string) (m ModernApp, managed, name string, ok bool) {
	scope, rest, ok := vendorNode(uri, "EnterpriseModernAppManagement")
	switch {
	case !ok || len(rest) < 2:
		return ModernApp{}, "", "", false
	case rest[0] == "AppManagement":
		if managed = rest[1]; managed != "AppStore" && managed != "nonStore" || len(rest) < 3 {
			return ModernApp{}, "", "", false
		}
		rest = rest[2:]
	case rest[0] == "AppInstallation":
		rest = rest[1:]
	default:
		return ModernApp{}, "", "", false
	}
	return ModernApp{Scope: scope, FamilyName: rest[0]}, managed, strings.Join(rest[1:], "/"), true
}

// StoreApp is what StoreInstall is executed with.
type StoreApp struct {
	XMLName xml.Name `xml:"Application"`
	ID      string   `xml:"id,attr"`    // the Store's product id
	Flags   int      `xml:"flags,attr"` // 0; 1: an offline licence
	SKU     string   `xml:"skuid,attr"` // "0016"
}

// HostedApp is what HostedInstall is executed with: a package at an address of its own.
type HostedApp struct {
	XMLName      xml.Name           `xml:"Application"`
	PackageURI   string             `xml:"PackageUri,attr"`
	Options      int                `xml:"DeploymentOptions,attr"`
	Dependencies []HostedDependency `xml:"Dependencies>Dependency,omitempty"`
}

// HostedDependency is a package that another one needs.
type HostedDependency struct {
	PackageURI string `xml:"PackageUri,attr"`
}

// Encode writes the document.
func (a StoreApp) Encode() (string, error) { return encodeDocument("StoreInstall", a) }

// Encode writes the document.
func (a HostedApp) Encode() (string, error) { return encodeDocument("HostedInstall", a) }

// ParseStoreApp reads a StoreInstall document; it refuses one that names no product.
func ParseStoreApp(text string) (StoreApp, error) {
	var a StoreApp
	if err := parseDocument("StoreInstall", text, &a); err != nil {
		return StoreApp{}, err
	}
	a.XMLName = xml.Name{}
	if a.ID == "" {
		return StoreApp{}, errors.New("csp: StoreInstall: no product id")
	}
	return a, nil
}

// ParseHostedApp reads a HostedInstall document; it refuses one without an address.
func ParseHostedApp(text string) (HostedApp, error) {
	var a HostedApp
	if err := parseDocument("HostedInstall", text, &a); err != nil {
		return HostedApp{}, err
	}
	a.XMLName = xml.Name{}
	if a.PackageURI == "" {
		return HostedApp{}, errors.New("csp: HostedInstall: no PackageUri")
	}
	return a, nil
}
