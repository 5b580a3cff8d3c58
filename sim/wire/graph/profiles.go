package graph

import "slices"

// OData types of device configurations that Windows takes through CSPs of their own.
const (
	TypeSCEPCertificate    = "#microsoft.graph.windows81SCEPCertificateProfile"
	TypeWiFi               = "#microsoft.graph.windowsWifiConfiguration"
	TypeWiFiEnterprise     = "#microsoft.graph.windowsWifiEnterpriseEAPConfiguration"
	TypeVPN                = "#microsoft.graph.windows10VpnConfiguration"
	TypeEndpointProtection = "#microsoft.graph.windows10EndpointProtectionConfiguration"
	TypeUpdateRing         = "#microsoft.graph.windowsUpdateForBusinessConfiguration"

	TypeStoreApp = "#microsoft.graph.microsoftStoreForBusinessApp"
)

// ConfigurationReference is the expanded link of a profile to another one.
type ConfigurationReference struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName,omitempty"`
}

// SCEPCertificate is what windows81SCEPCertificateProfile adds to CertificateProfile and to the members that it shares with
// PKCSCertificate (certificateStore, the formats of names, extendedKeyUsages).
type SCEPCertificate struct {
	ScepServerURLs  []string                `json:"scepServerUrls"`
	KeyUsage        string                  `json:"keyUsage"`      // "keyEncipherment,digitalSignature"
	KeySize         string                  `json:"keySize"`       // size1024, size2048, size4096
	HashAlgorithm   string                  `json:"hashAlgorithm"` // sha1, sha2
	RootCertificate *ConfigurationReference `json:"rootCertificate,omitempty"`
}

// WiFi is what windowsWifiConfiguration adds, and windowsWifiEnterpriseEAPConfiguration's link to a certificate.
type WiFi struct {
	SSID                      string                  `json:"ssid"`
	NetworkName               string                  `json:"networkName"`
	WiFiSecurityType          string                  `json:"wifiSecurityType"` // open, wpa2Personal, wpa2Enterprise, ...
	PreSharedKey              string                  `json:"preSharedKey"`
	ConnectAutomatically      bool                    `json:"connectAutomatically"`
	IdentityCertificateForEAP *ConfigurationReference `json:"identityCertificateForClientAuthentication,omitempty"`
}

// VPN is what windows10VpnConfiguration adds.
type VPN struct {
	ConnectionName      string                  `json:"connectionName"`
	ConnectionType      string                  `json:"connectionType"` // ikEv2, l2tp, pptp, automatic, ...
	Servers             []VPNServer             `json:"servers"`
	EnableAlwaysOn      bool                    `json:"enableAlwaysOn"`
	EnableDeviceTunnel  bool                    `json:"enableDeviceTunnel"`
	IdentityCertificate *ConfigurationReference `json:"identityCertificate,omitempty"`
}

// VPNServer is vpnServer.
type VPNServer struct {
	Description     string `json:"description"`
	Address         string `json:"address"`
	IsDefaultServer bool   `json:"isDefaultServer"`
}

// EndpointProtection is what windows10EndpointProtectionConfiguration adds, as far as BitLocker goes.
type EndpointProtection struct {
	BitLockerEncryptDevice           bool                        `json:"bitLockerEncryptDevice"`
	BitLockerDisableWarning          bool                        `json:"bitLockerDisableWarningForOtherDiskEncryption"`
	BitLockerAllowStandardUser       bool                        `json:"bitLockerAllowStandardUserEncryption"`
	BitLockerRecoveryPasswordRotated string                      `json:"bitLockerRecoveryPasswordRotation"` // notConfigured, disabled, enabledForAzureAd, enabledForAzureAdAndHybrid
	BitLockerSystemDrivePolicy       *BitLockerSystemDrivePolicy `json:"bitLockerSystemDrivePolicy,omitempty"`
}

// BitLockerSystemDrivePolicy is the type of that name.
type BitLockerSystemDrivePolicy struct {
	EncryptionMethod string `json:"encryptionMethod"` // aesCbc128, aesCbc256, xtsAes128, xtsAes256
}

// UpdateRing is what windowsUpdateForBusinessConfiguration adds.
type UpdateRing struct {
	QualityUpdatesDeferralPeriodInDays int   `json:"qualityUpdatesDeferralPeriodInDays"`
	FeatureUpdatesDeferralPeriodInDays int   `json:"featureUpdatesDeferralPeriodInDays"`
	QualityUpdatesPaused               bool  `json:"qualityUpdatesPaused"`
	FeatureUpdatesPaused               bool  `json:"featureUpdatesPaused"`
	DriversExcluded                    bool  `json:"driversExcluded"`
	MicrosoftUpdateServiceAllowed      bool  `json:"microsoftUpdateServiceAllowed"`
	DeadlineForQualityUpdatesInDays    *int  `json:"deadlineForQualityUpdatesInDays,omitempty"`
	DeadlineForFeatureUpdatesInDays    *int  `json:"deadlineForFeatureUpdatesInDays,omitempty"`
	DeadlineGracePeriodInDays          *int  `json:"deadlineGracePeriodInDays,omitempty"`
	PostponeRebootUntilAfterDeadline   *bool `json:"postponeRebootUntilAfterDeadline,omitempty"`
}

// StoreApp is what microsoftStoreForBusinessApp adds: a packaged app that device management has Windows fetch from the Store.
type StoreApp struct {
	PackageIdentityName string `json:"packageIdentityName"` // package family name
	ProductKey          string `json:"productKey"`          // the Store's product id
	LicenseType         string `json:"licenseType"`         // offline, online
}

// storeDeviceContext: an assignment of a Store app says whether the app is for the whole device.
func (a MobileApp) storeDeviceContext() bool {
	return slices.ContainsFunc(a.Assignments, func(as MobileAppAssignment) bool { return as.Settings != nil && as.Settings.UseDeviceContext })
}
