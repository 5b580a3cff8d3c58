package csp

import (
	"encoding/xml"
	"errors"
)

// VPN is a VPN profile (VPNv2 CSP).
type VPN struct {
	Scope Scope
	Name  string
}

// VPNXML is the node that has the whole profile: chr, a [VPNProfile].
const VPNXML = "ProfileXML"

// Node is one of the nodes; no name gives the interior node.
func (v VPN) Node(names ...string) string {
	return Join(Join(v.Scope.vendor(), "VPNv2", v.Name), names...)
}

// ParseVPN recognises a node below VPNv2/{name}; name is "" for the interior node.
func ParseVPN(uri string) (v VPN, name string, ok bool) {
	scope, rest, ok := vendorNode(uri, "VPNv2")
	if !ok || len(rest) == 0 || len(rest) > 2 {
		return VPN{}, "", false
	}
	if len(rest) == 2 {
		name = rest[1]
	}
	return VPN{Scope: scope, Name: rest[0]}, name, true
}

// VPNProfile is the document: the part of the ProfileXML schema that says where the tunnel goes (learn.microsoft.com,
// "ProfileXML XSD").
type VPNProfile struct {
	XMLName      xml.Name  `xml:"VPNProfile"`
	AlwaysOn     bool      `xml:"AlwaysOn,omitempty"`
	DeviceTunnel bool      `xml:"DeviceTunnel,omitempty"`
	DNSSuffix    string    `xml:"DnsSuffix,omitempty"`
	Native       VPNNative `xml:"NativeProfile"`
}

// VPNNative is the profile of a protocol that Windows brings with it.
type VPNNative struct {
	Servers  string `xml:"Servers"`            // host name or address
	Protocol string `xml:"NativeProtocolType"` // IKEv2, L2tp, PPTP, Automatic
	Routing  string `xml:"RoutingPolicyType,omitempty"`
	Auth     string `xml:"Authentication>MachineMethod,omitempty"` // Certificate, Eap
}

// Encode writes the document.
func (p VPNProfile) Encode() (string, error) { return encodeDocument("VPNProfile", p) }

// ParseVPNProfile reads the document; it refuses one without a server.
func ParseVPNProfile(text string) (VPNProfile, error) {
	var p VPNProfile
	if err := parseDocument("VPNProfile", text, &p); err != nil {
		return VPNProfile{}, err
	}
	p.XMLName = xml.Name{}
	if p.Native.Servers == "" {
		return VPNProfile{}, errors.New("csp: VPNProfile: no server")
	}
	return p, nil
}
