package mdm

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

// valued is a setting with one node.
func valued(owner string, n csp.Node) item {
	return item{owner: owner, uri: canonical(n.URI), digest: digest(n.Format, n.Value), format: syncml.Format(n.Format), value: n.Value}
}

func values(owner string, nodes ...csp.Node) []item {
	out := make([]item, len(nodes))
	for i, n := range nodes {
		out[i] = valued(owner, n)
	}
	return out
}

// certificateOf is the DER of a trusted root profile: portals upload .cer files,
// which are DER or PEM.
func certificateOf(r graph.TrustedRoot) []byte {
	if b, _ := pem.Decode(r.TrustedRootCertificate); b != nil && b.Type == "CERTIFICATE" {
		return b.Bytes
	}
	return r.TrustedRootCertificate
}

// trustedRoot is the certificate of a trusted root profile.
func trustedRoot(c graph.DeviceConfiguration) []item {
	der := certificateOf(*c.TrustedRoot)
	if len(der) == 0 {
		return nil
	}
	store := "Root"
	if strings.HasSuffix(c.DestinationStore, "Intermediate") {
		store = "CA"
	}
	r := csp.NewRootCertificate(csp.Device, store, der)
	return []item{{owner: c.ID, uri: canonical(r.Node()), digest: digest(r.Hash), nodes: r.Nodes(der)}}
}

// thumbprint is the SHA-1 of a certificate as SCEP settings name it.
func thumbprint(der []byte) string {
	sum := sha1.Sum(der) //nolint:gosec // a name, not a proof
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// wifiSecurity gives authentication and encryption of Graph's wifiSecurityType,
// in the words of the WLAN profile schema.
var wifiSecurity = map[string][2]string{
	"open": {"open", "none"}, "wpaPersonal": {"WPAPSK", "AES"}, "wpa2Personal": {"WPA2PSK", "AES"}, "wpaEnterprise": {"WPA", "AES"}, "wpa2Enterprise": {"WPA2", "AES"},
}

// wifi is a wireless profile; none where it names no network.
func wifi(c graph.DeviceConfiguration, scope csp.Scope) []item {
	security, ok := wifiSecurity[c.WiFiSecurityType]
	if !ok {
		security = wifiSecurity["open"]
	}
	p := csp.WLANProfile{Name: c.NetworkName, SSID: c.SSID, Connection: "ESS", Mode: "manual", Auth: security[0], Encryption: security[1],
		OneX: strings.HasSuffix(c.WiFiSecurityType, "Enterprise")}
	if p.Name == "" {
		p.Name = p.SSID
	}
	if c.ConnectAutomatically {
		p.Mode = "auto"
	}
	if c.PreSharedKey != "" {
		p.Key = &csp.WLANKey{Type: "passPhrase", Material: c.PreSharedKey}
	}
	text, err := p.Encode()
	if err != nil || p.SSID == "" {
		return nil
	}
	w := csp.WiFi{Scope: scope, SSID: p.SSID}
	return []item{{owner: c.ID, uri: canonical(w.Node()), digest: digest(text), needs: reference(c.IdentityCertificateForEAP),
		nodes: []csp.Node{csp.Chr(w.Node(csp.WiFiXML), text)}}}
}

var vpnProtocols = map[string]string{"ikEv2": "IKEv2", "l2tp": "L2tp", "pptp": "PPTP"}

// vpn is a VPN profile; none where it names no server.
func vpn(c graph.DeviceConfiguration, scope csp.Scope) []item {
	p := csp.VPNProfile{AlwaysOn: c.EnableAlwaysOn, DeviceTunnel: c.EnableDeviceTunnel, Native: csp.VPNNative{Protocol: "Automatic"}}
	if name, ok := vpnProtocols[c.ConnectionType]; ok {
		p.Native.Protocol = name
	}
	for _, s := range c.Servers {
		if p.Native.Servers == "" || s.IsDefaultServer {
			p.Native.Servers = s.Address
		}
	}
	if c.IdentityCertificate != nil {
		p.Native.Auth = "Certificate"
	}
	name := c.ConnectionName
	if name == "" {
		name = c.DisplayName
	}
	text, err := p.Encode()
	if err != nil || p.Native.Servers == "" || name == "" {
		return nil
	}
	v := csp.VPN{Scope: scope, Name: name}
	return []item{{owner: c.ID, uri: canonical(v.Node()), digest: digest(text), needs: reference(c.IdentityCertificate),
		nodes: []csp.Node{csp.Chr(v.Node(csp.VPNXML), text)}}}
}

var encryptionMethods = map[string]int{"aesCbc128": 3, "aesCbc256": 4, "xtsAes128": csp.EncryptionXTS128, "xtsAes256": csp.EncryptionXTS256}

// bitLocker is what an endpoint protection profile says of BitLocker. That
// encryption is required goes last: it begins with what is set by then.
func bitLocker(c graph.DeviceConfiguration) []item {
	var nodes []csp.Node
	if p := c.BitLockerSystemDrivePolicy; p != nil && encryptionMethods[p.EncryptionMethod] != 0 {
		nodes = append(nodes, csp.Chr(csp.BitLockerMethod, fmt.Sprintf(`<enabled/><data id=%q value="%d"/>`, csp.BitLockerMethodID, encryptionMethods[p.EncryptionMethod])))
	}
	if c.BitLockerDisableWarning {
		nodes = append(nodes, csp.Int(csp.BitLockerWarning, 0))
	}
	if c.BitLockerAllowStandardUser {
		nodes = append(nodes, csp.Int(csp.BitLockerStandard, 1))
	}
	switch c.BitLockerRecoveryPasswordRotated {
	case "disabled":
		nodes = append(nodes, csp.Int(csp.BitLockerRotation, 0))
	case "enabledForAzureAd":
		nodes = append(nodes, csp.Int(csp.BitLockerRotation, 1))
	case "enabledForAzureAdAndHybrid":
		nodes = append(nodes, csp.Int(csp.BitLockerRotation, 2))
	}
	if c.BitLockerEncryptDevice {
		nodes = append(nodes, csp.Int(csp.BitLockerRequire, 1))
	}
	return values(c.ID, nodes...)
}

// updateRing is an update ring in the terms of the Policy CSP, area Update.
func updateRing(c graph.DeviceConfiguration) []item {
	var nodes []csp.Node
	put := func(name string, value int) {
		nodes = append(nodes, csp.Node{URI: csp.Policy{Scope: csp.Device, Area: "Update", Name: name}.Config(), Format: "int", Value: strconv.Itoa(value)})
	}
	truth := func(name string, value bool) {
		n := 0
		if value {
			n = 1
		}
		put(name, n)
	}
	put("DeferQualityUpdatesPeriodInDays", c.QualityUpdatesDeferralPeriodInDays)
	put("DeferFeatureUpdatesPeriodInDays", c.FeatureUpdatesDeferralPeriodInDays)
	truth("PauseQualityUpdates", c.QualityUpdatesPaused)
	truth("PauseFeatureUpdates", c.FeatureUpdatesPaused)
	truth("ExcludeWUDriversInQualityUpdate", c.DriversExcluded)
	truth("AllowMUUpdateService", c.MicrosoftUpdateServiceAllowed)
	for _, d := range []struct {
		name string
		days *int
	}{
		{"ConfigureDeadlineForQualityUpdates", c.DeadlineForQualityUpdatesInDays}, {"ConfigureDeadlineForFeatureUpdates", c.DeadlineForFeatureUpdatesInDays},
		{"ConfigureDeadlineGracePeriod", c.DeadlineGracePeriodInDays},
	} {
		if d.days != nil {
			put(d.name, *d.days)
		}
	}
	if c.PostponeRebootUntilAfterDeadline != nil {
		truth("ConfigureDeadlineNoAutoReboot", *c.PostponeRebootUntilAfterDeadline)
	}
	return values(c.ID, nodes...)
}
