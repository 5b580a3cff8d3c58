package graph

import (
	"maps"
	"slices"
	"strings"
)

// types gives the Go type of each concrete OData type, as a maker of an empty value.
var types = map[string]func() any{
	TypeEntraProfile:    func() any { return &DeploymentProfile{} },
	TypeHybridProfile:   func() any { return &DeploymentProfile{} },
	TypeESP:             func() any { return &EnrollmentStatusPage{} },
	TypeWin32LobApp:     func() any { return &MobileApp{Win32LobApp: &Win32LobApp{}} },
	TypeCatalogApp:      func() any { return &MobileApp{Win32LobApp: &Win32LobApp{}} },
	TypeWinGetApp:       func() any { return &MobileApp{Win32LobApp: &Win32LobApp{}, WinGetApp: &WinGetApp{}} },
	TypeMobileMSI:       func() any { return &MobileApp{WindowsMobileMSI: &WindowsMobileMSI{}} },
	TypeOfficeSuite:     func() any { return &MobileApp{OfficeSuiteApp: &OfficeSuiteApp{}} },
	TypeStoreApp:        func() any { return &MobileApp{StoreApp: &StoreApp{}} },
	TypeEnrollmentLimit: func() any { return &EnrollmentRestriction{EnrollmentLimit: &EnrollmentLimit{}} },
	TypePlatformRestrictions: func() any {
		return &EnrollmentRestriction{PlatformRestrictions: &PlatformRestrictions{}}
	},
	TypePlatformRestriction: func() any {
		return &EnrollmentRestriction{SinglePlatformRestriction: &SinglePlatformRestriction{}}
	},
	TypeCustomConfiguration: func() any { return &DeviceConfiguration{CustomConfiguration: &CustomConfiguration{}} },
	TypePKCSCertificate: func() any {
		return &DeviceConfiguration{CertificateProfile: &CertificateProfile{}, PKCSCertificate: &PKCSCertificate{}}
	},
	TypeImportedPFX: func() any {
		return &DeviceConfiguration{CertificateProfile: &CertificateProfile{}, ImportedPFX: &ImportedPFX{}}
	},
	TypeTrustedRoot: func() any { return &DeviceConfiguration{TrustedRoot: &TrustedRoot{}} },
	TypeDomainJoin:  func() any { return &DeviceConfiguration{DomainJoin: &DomainJoin{}} },
	TypeSCEPCertificate: func() any {
		return &DeviceConfiguration{CertificateProfile: &CertificateProfile{}, PKCSCertificate: &PKCSCertificate{}, SCEPCertificate: &SCEPCertificate{}}
	},
	TypeWiFi:               func() any { return &DeviceConfiguration{WiFi: &WiFi{}} },
	TypeWiFiEnterprise:     func() any { return &DeviceConfiguration{WiFi: &WiFi{}} },
	TypeVPN:                func() any { return &DeviceConfiguration{VPN: &VPN{}} },
	TypeEndpointProtection: func() any { return &DeviceConfiguration{EndpointProtection: &EndpointProtection{}} },
	TypeUpdateRing:         func() any { return &DeviceConfiguration{UpdateRing: &UpdateRing{}} },
	TypeCompliancePolicy:   func() any { return &CompliancePolicy{} },
}

// New gives a pointer to the Go value of a concrete OData type, with the parts that only this type has in place; ok is
// false for a type that is not modelled. The leading '#' may be missing.
func New(odataType string) (v any, ok bool) {
	if !strings.HasPrefix(odataType, "#") {
		odataType = "#" + odataType
	}
	make, ok := types[odataType]
	if !ok {
		return nil, false
	}
	return make(), true
}

// Types lists the concrete OData types that are modelled, sorted.
func Types() []string { return slices.Sorted(maps.Keys(types)) }
