package csp_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/csp"
)

// The nodes of every provider with nodes of its own, as they stand on the wire.
func TestInstallURIs(t *testing.T) {
	s := csp.SCEP{Scope: csp.Device, ID: "ModelName=A B"}
	root := csp.NewRootCertificate(csp.Device, "Root", []byte("certificate"))
	wifi, vpn := csp.WiFi{Scope: csp.User, SSID: "Corp Wi-Fi/5"}, csp.VPN{Scope: csp.Device, Name: "Tunnel"}
	app, office := csp.ModernApp{Scope: csp.User, FamilyName: "Contoso.App_8wekyb3d8bbwe"}, csp.Office{Scope: csp.Device, ID: "{1}"}
	lines := []string{
		root.Node(), wifi.Node(), wifi.Node(csp.WiFiXML), vpn.Node(csp.VPNXML), app.Node(csp.ModernStoreInstall), app.Managed("AppStore"),
		office.Node(csp.OfficeInstall), csp.BitLockerStatus, csp.LAPSBackup, csp.LAPSReset, csp.Cached("7", csp.CacheURI), s.Node(csp.SCEPEnroll),
	}
	for _, n := range append(s.Nodes(request), root.Nodes([]byte("certificate"))...) {
		lines = append(lines, n.Format+" "+n.URI+" = "+n.Value)
	}
	golden(t, "install.txt", strings.Join(lines, "\n"))
}

var request = csp.SCEPRequest{
	URLs: []string{"https://ndes.contoso.test/certsrv/mscep/mscep.dll"}, Challenge: "secret", SubjectName: "CN=PC, O=Contoso",
	AltNames: []csp.AltName{{Type: csp.AltDNS, Value: "pc.contoso.test"}, {Type: csp.AltUPN, Value: "a+b@contoso.test"}}, EKU: []string{"1.3.6.1.5.5.7.3.2"},
	KeyUsage: 0xa0, Protection: csp.KeyInTPM, KeyLength: 2048, Hash: "SHA-2", CAThumbprint: strings.Repeat("A", 40), ValidPeriod: "Years", ValidUnits: 1, RetryDelay: 1, RetryCount: 3,
}

// What a node's builder makes, its parser takes apart; another provider's parser does not.
func TestParsersKnowTheirOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scope := rapid.SampledFrom([]csp.Scope{csp.Device, csp.User}).Draw(t, "scope")
		id := rapid.StringMatching(`[A-Za-z0-9 ./{}_\-%é]{1,20}`).Draw(t, "id")
		s, root := csp.SCEP{Scope: scope, ID: id}, csp.RootCertificate{Scope: scope, Store: "CA", Hash: id}
		wifi, vpn, app, office := csp.WiFi{Scope: scope, SSID: id}, csp.VPN{Scope: scope, Name: id}, csp.ModernApp{Scope: scope, FamilyName: id}, csp.Office{Scope: scope, ID: id}
		for i, uri := range []string{
			s.Node(csp.SCEPServerURL), root.Node(csp.RootEncoded), wifi.Node(csp.WiFiXML), vpn.Node(csp.VPNXML), app.Node(csp.ModernStatus), app.Managed("nonStore"), office.Node(csp.OfficeStatus),
		} {
			gotS, nameS, isS := csp.ParseSCEP(uri)
			gotRoot, nameRoot, isRoot := csp.ParseRootCertificate(uri)
			gotWiFi, nameWiFi, isWiFi := csp.ParseWiFi(uri)
			gotVPN, nameVPN, isVPN := csp.ParseVPN(uri)
			gotApp, managed, nameApp, isApp := csp.ParseModernApp(uri)
			gotOffice, nameOffice, isOffice := csp.ParseOffice(uri)
			want := []bool{
				isS && gotS == s && nameS == csp.SCEPServerURL, isRoot && gotRoot == root && nameRoot == csp.RootEncoded, isWiFi && gotWiFi == wifi && nameWiFi == csp.WiFiXML,
				isVPN && gotVPN == vpn && nameVPN == csp.VPNXML, isApp && gotApp == app && managed == "" && nameApp == csp.ModernStatus,
				isApp && gotApp == app && managed == "nonStore" && nameApp == "", isOffice && gotOffice == office && nameOffice == csp.OfficeStatus,
			}
			known := 0
			for _, is := range []bool{isS, isRoot, isWiFi, isVPN, isApp, isOffice} {
				if is {
					known++
				}
			}
			if !want[i] || known != 1 {
				t.Fatalf("%s: %v, %d know it", uri, want[i], known)
			}
		}
	})
}

func TestNodeCacheNodes(t *testing.T) {
	g := gomega.NewWithT(t)
	server, id, name, ok := csp.ParseNodeCache(csp.Cached("7", csp.CacheExpected))
	g.Expect([]any{server, id, name, ok}).To(gomega.Equal([]any{csp.Provider, "7", csp.CacheExpected, true}))
	_, id, name, ok = csp.ParseNodeCache(csp.NodeCacheVersion)
	g.Expect([]any{id, name, ok}).To(gomega.Equal([]any{"", csp.CacheVersion, true}))
	_, _, _, ok = csp.ParseNodeCache("./Vendor/MSFT/NodeCache/S/Other/x")
	g.Expect(ok).To(gomega.BeFalse())
}

func TestAltNames(t *testing.T) {
	g := gomega.NewWithT(t)
	names, err := csp.ParseAltNames("3+pc.contoso.test;11+a+b@contoso.test;")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(names).To(gomega.Equal(request.AltNames))
	for _, bad := range []string{"x", "3", "3+", "x+y", "-1+y", "300+y"} {
		_, err := csp.ParseAltNames(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

func TestRootCertificateHash(t *testing.T) {
	g := gomega.NewWithT(t)
	r := csp.NewRootCertificate(csp.Device, "Root", []byte("certificate"))
	der, err := r.DER(r.Nodes([]byte("certificate"))[0].Value)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(der)).To(gomega.Equal("certificate"))
	for _, bad := range []string{"", "!", "AAAA"} {
		_, err := r.DER(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
	_, _, ok := csp.ParseRootCertificate("./Vendor/MSFT/RootCATrustedCertificates/My/AA/EncodedCertificate")
	g.Expect(ok).To(gomega.BeFalse())
}

// Documents that are a node's value are read as they were written.
func TestDocuments(t *testing.T) {
	g := gomega.NewWithT(t)
	round := func(encoded string, err error) string {
		g.Expect(err).NotTo(gomega.HaveOccurred())
		return encoded
	}
	wlan := csp.WLANProfile{Name: "Corp", SSID: "Corp <5>", Connection: "ESS", Mode: "auto", Auth: "WPA2PSK", Encryption: "AES", Key: &csp.WLANKey{Type: "passPhrase", Material: "open sesame"}}
	gotWLAN, err := csp.ParseWLANProfile(round(wlan.Encode()))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(gotWLAN).To(gomega.Equal(wlan))
	vpn := csp.VPNProfile{AlwaysOn: true, DNSSuffix: "contoso.test", Native: csp.VPNNative{Servers: "vpn.contoso.test", Protocol: "IKEv2", Auth: "Certificate"}}
	gotVPN, err := csp.ParseVPNProfile(round(vpn.Encode()))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(gotVPN).To(gomega.Equal(vpn))
	store := csp.StoreApp{ID: "9WZDNCRFJ3PZ", SKU: "0016"}
	gotStore, err := csp.ParseStoreApp(round(store.Encode()))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(gotStore).To(gomega.Equal(store))
	hosted := csp.HostedApp{PackageURI: "https://cdn.test/a.msix", Dependencies: []csp.HostedDependency{{PackageURI: "https://cdn.test/b.msix"}}}
	gotHosted, err := csp.ParseHostedApp(round(hosted.Encode()))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(gotHosted).To(gomega.Equal(hosted))
	office := csp.OfficeConfiguration{Add: &csp.OfficeAdd{Edition: "64", Channel: "Current", Products: []csp.OfficeProduct{{
		ID: "O365ProPlusRetail", Languages: []csp.OfficeRef{{ID: "MatchOS"}}, Excluded: []csp.OfficeRef{{ID: "Access"}},
	}}}, Display: csp.OfficeDisplay{Level: "None", AcceptEULA: "TRUE"}, Settings: []csp.OfficeSetting{{Name: "SharedComputerLicensing", Value: "0"}}}
	gotOffice, err := csp.ParseOfficeConfiguration(round(office.Encode()))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(gotOffice).To(gomega.Equal(office))
	g.Expect(office.Teams()).To(gomega.BeTrue())
	office.Add.Products[0].Excluded[0].ID = "Teams"
	g.Expect(office.Teams()).To(gomega.BeFalse())
	for _, bad := range []string{"", "<", "<a/>", "<Application/>", strings.Repeat(" ", 65<<10)} {
		for _, parse := range documents {
			g.Expect(parse(bad)).NotTo(gomega.Succeed(), bad)
		}
	}
}

var documents = []func(string) error{
	func(s string) error { _, err := csp.ParseWLANProfile(s); return err },
	func(s string) error { _, err := csp.ParseVPNProfile(s); return err },
	func(s string) error { _, err := csp.ParseStoreApp(s); return err },
	func(s string) error { _, err := csp.ParseHostedApp(s); return err },
	func(s string) error { _, err := csp.ParseOfficeConfiguration(s); return err },
}

func FuzzDocuments(f *testing.F) {
	f.Add(`<WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1"><name>a</name><SSIDConfig><SSID><name>a</name></SSID></SSIDConfig></WLANProfile>`)
	f.Add(`<VPNProfile><NativeProfile><Servers>a</Servers></NativeProfile></VPNProfile>`)
	f.Add(`<Application id="1"/>`)
	f.Add(`<Configuration><Add><Product ID="x"><ExcludeApp ID="Teams"/></Product></Add></Configuration>`)
	f.Fuzz(func(_ *testing.T, text string) {
		for _, parse := range documents {
			_ = parse(text)
		}
		if c, err := csp.ParseOfficeConfiguration(text); err == nil {
			c.Teams()
		}
	})
}

func FuzzInstallURIs(f *testing.F) {
	f.Add("./Vendor/MSFT/ClientCertificateInstall/SCEP/a/Install/Enroll", "3+a;11+b@c")
	f.Add("./Vendor/MSFT/EnterpriseModernAppManagement/AppManagement/AppStore/a", "AAAA")
	f.Fuzz(func(_ *testing.T, uri, value string) {
		csp.ParseSCEP(uri)
		csp.ParseWiFi(uri)
		csp.ParseVPN(uri)
		csp.ParseModernApp(uri)
		csp.ParseOffice(uri)
		csp.ParseNodeCache(uri)
		r, _, _ := csp.ParseRootCertificate(uri)
		_, _ = r.DER(value)
		_, _ = csp.ParseAltNames(value)
	})
}
