package csp

import (
	"encoding/xml"
	"errors"
)

// WiFi is a wireless profile (WiFi CSP). SSID names the node.
type WiFi struct {
	Scope Scope
	SSID  string
}

// Names of nodes below Profile/{SSID}.
const (
	WiFiXML   = "WlanXml"     // chr, a [WLANProfile]
	WiFiProxy = "Proxy"       // chr, host:port
	WiFiCost  = "ProfileCost" // int: 1 unrestricted, 2 fixed, 3 variable
)

// Node is one of the nodes; no name gives the interior node.
func (w WiFi) Node(names ...string) string {
	return Join(Join(w.Scope.vendor(), "WiFi", "Profile", w.SSID), names...)
}

// ParseWiFi recognises a node below Profile/{SSID}; name is "" for the interior node.
func ParseWiFi(uri string) (w WiFi, name string, ok bool) {
	scope, rest, ok := vendorNode(uri, "WiFi", "Profile")
	if !ok || len(rest) == 0 || len(rest) > 2 {
		return WiFi{}, "", false
	}
	if len(rest) == 2 {
		name = rest[1]
	}
	return WiFi{Scope: scope, SSID: rest[0]}, name, true
}

// WLANProfile is the document of a wireless network: the part of the WLAN profile schema that says which network it is
// and how it is secured (learn.microsoft.com, WLAN_profile schema elements).
type WLANProfile struct {
	XMLName    xml.Name `xml:"http://www.microsoft.com/networking/WLAN/profile/v1 WLANProfile"`
	Name       string   `xml:"name"`
	SSID       string   `xml:"SSIDConfig>SSID>name"`
	Connection string   `xml:"connectionType"` // ESS
	Mode       string   `xml:"connectionMode"` // auto, manual
	Auth       string   `xml:"MSM>security>authEncryption>authentication"`
	Encryption string   `xml:"MSM>security>authEncryption>encryption"`
	OneX       bool     `xml:"MSM>security>authEncryption>useOneX"`
	Key        *WLANKey `xml:"MSM>security>sharedKey,omitempty"`
}

// WLANKey is a network's shared key.
type WLANKey struct {
	Type      string `xml:"keyType"` // passPhrase, networkKey
	Protected bool   `xml:"protected"`
	Material  string `xml:"keyMaterial"`
}

// Encode writes the document.
func (p WLANProfile) Encode() (string, error) { return encodeDocument("WLANProfile", p) }

// ParseWLANProfile reads the document; it refuses one that names no network.
func ParseWLANProfile(text string) (WLANProfile, error) {
	var p WLANProfile
	if err := parseDocument("WLANProfile", text, &p); err != nil {
		return WLANProfile{}, err
	}
	p.XMLName = xml.Name{}
	if p.SSID == "" {
		return WLANProfile{}, errors.New("csp: WLANProfile: no SSID")
	}
	return p, nil
}
