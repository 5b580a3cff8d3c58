package graph

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// OData types of device configurations.
const (
	TypeCustomConfiguration = "#microsoft.graph.windows10CustomConfiguration"
	TypePKCSCertificate     = "#microsoft.graph.windows10PkcsCertificateProfile"
	TypeImportedPFX         = "#microsoft.graph.windows10ImportedPFXCertificateProfile"
	TypeTrustedRoot         = "#microsoft.graph.windows81TrustedRootCertificate"
	TypeDomainJoin          = "#microsoft.graph.windowsDomainJoinConfiguration"
)

// DeviceConfiguration is deviceConfiguration with the concrete types above.
type DeviceConfiguration struct {
	ODataType            string       `json:"@odata.type"`
	ID                   string       `json:"id,omitempty"`
	DisplayName          string       `json:"displayName"`
	Description          string       `json:"description"`
	Version              int          `json:"version"`
	CreatedDateTime      Time         `json:"createdDateTime"`
	LastModifiedDateTime Time         `json:"lastModifiedDateTime"`
	RoleScopeTagIDs      []string     `json:"roleScopeTagIds,omitempty"`
	SupportsScopeTags    bool         `json:"supportsScopeTags"`
	Assignments          []Assignment `json:"assignments,omitempty"`

	*CustomConfiguration
	*CertificateProfile
	*PKCSCertificate // of a SCEP profile as well: members that both have
	*ImportedPFX
	*TrustedRoot
	*DomainJoin
	*SCEPCertificate
	*WiFi
	*VPN
	*EndpointProtection
	*UpdateRing
}

// CustomConfiguration is what windows10CustomConfiguration adds.
type CustomConfiguration struct {
	OmaSettings []OmaSetting `json:"omaSettings"`
}

// OmaSetting is omaSetting with its concrete types.
type OmaSetting struct {
	ODataType   string `json:"@odata.type"` // #microsoft.graph.omaSettingString, ...Integer, ...Boolean, ...
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
	OmaURI      string `json:"omaUri"`
	FileName    string `json:"fileName,omitempty"` // of base64 and XML settings
	Value       any    `json:"value"`              // string, number or boolean by type
	IsEncrypted bool   `json:"isEncrypted,omitempty"`
	IsReadOnly  bool   `json:"isReadOnly,omitempty"`
}

// omaFormats gives the SyncML format of each type (OMA-DM Meta Information, element Format).
var omaFormats = map[string]string{
	"#microsoft.graph.omaSettingString":        "chr",
	"#microsoft.graph.omaSettingStringXml":     "chr",
	"#microsoft.graph.omaSettingInteger":       "int",
	"#microsoft.graph.omaSettingBoolean":       "bool",
	"#microsoft.graph.omaSettingBase64":        "b64",
	"#microsoft.graph.omaSettingFloatingPoint": "float",
	"#microsoft.graph.omaSettingDateTime":      "time",
}

// Data gives what a SyncML command carries for the setting: its format and the value as text.
func (s OmaSetting) Data() (format, text string, err error) {
	format, ok := omaFormats[s.ODataType]
	if !ok {
		return "", "", fmt.Errorf("graph: setting %q has the unknown type %q", s.OmaURI, s.ODataType)
	}
	switch v := s.Value.(type) {
	case string:
		return format, v, nil
	case bool:
		return format, strconv.FormatBool(v), nil
	case float64:
		return format, strconv.FormatFloat(v, 'f', -1, 64), nil
	case int:
		return format, strconv.Itoa(v), nil
	case json.Number:
		return format, v.String(), nil
	}
	return "", "", fmt.Errorf("graph: setting %q has a value of type %T", s.OmaURI, s.Value)
}

// CertificateProfile is the members that certificate profiles share.
type CertificateProfile struct {
	RenewalThresholdPercentage     int    `json:"renewalThresholdPercentage"`
	KeyStorageProvider             string `json:"keyStorageProvider"`         // useTpmKspOtherwiseUseSoftwareKsp, ...
	SubjectNameFormat              string `json:"subjectNameFormat"`          // commonName, custom, ...
	SubjectAlternativeNameType     string `json:"subjectAlternativeNameType"` // none, userPrincipalName, ...
	CertificateValidityPeriodValue int    `json:"certificateValidityPeriodValue"`
	CertificateValidityPeriodScale string `json:"certificateValidityPeriodScale"` // days, months, years
}

// PKCSCertificate is what windows10PkcsCertificateProfile adds. The certificate travels as a PFX.
type PKCSCertificate struct {
	CertificationAuthority             string             `json:"certificationAuthority"`
	CertificationAuthorityName         string             `json:"certificationAuthorityName"`
	CertificateTemplateName            string             `json:"certificateTemplateName"`
	SubjectNameFormatString            string             `json:"subjectNameFormatString"` // CN={{AAD_Device_ID}}
	SubjectAlternativeNameFormatString string             `json:"subjectAlternativeNameFormatString"`
	CertificateStore                   string             `json:"certificateStore"` // user, machine
	ExtendedKeyUsages                  []ExtendedKeyUsage `json:"extendedKeyUsages"`
}

// ExtendedKeyUsage is the type of that name.
type ExtendedKeyUsage struct {
	ODataType        string `json:"@odata.type,omitempty"`
	Name             string `json:"name"`
	ObjectIdentifier string `json:"objectIdentifier"`
}

// ImportedPFX is what windows10ImportedPFXCertificateProfile adds.
type ImportedPFX struct {
	IntendedPurpose string `json:"intendedPurpose"` // unassigned, smimeEncryption, smimeSigning, vpn, wifi
}

// TrustedRoot is what windows81TrustedRootCertificate adds.
type TrustedRoot struct {
	TrustedRootCertificate []byte `json:"trustedRootCertificate"`
	CertFileName           string `json:"certFileName"`
	DestinationStore       string `json:"destinationStore"` // computerCertStoreRoot, ...
}

// DomainJoin is what windowsDomainJoinConfiguration adds.
type DomainJoin struct {
	ComputerNameStaticPrefix          string `json:"computerNameStaticPrefix"`
	ComputerNameSuffixRandomCharCount int    `json:"computerNameSuffixRandomCharCount"`
	ActiveDirectoryDomainName         string `json:"activeDirectoryDomainName"`
	OrganizationalUnit                string `json:"organizationalUnit"`
}

// UserPFXCertificate is the resource of that name: a PFX that an administrator imported for a user.
type UserPFXCertificate struct {
	ODataType            string `json:"@odata.type,omitempty"`
	ID                   string `json:"id,omitempty"`
	Thumbprint           string `json:"thumbprint"`
	IntendedPurpose      string `json:"intendedPurpose"`
	UserPrincipalName    string `json:"userPrincipalName"`
	StartDateTime        Time   `json:"startDateTime"`
	ExpirationDateTime   Time   `json:"expirationDateTime"`
	ProviderName         string `json:"providerName"`
	KeyName              string `json:"keyName"`
	PaddingScheme        string `json:"paddingScheme"`
	EncryptedPfxBlob     []byte `json:"encryptedPfxBlob"`
	EncryptedPfxPassword string `json:"encryptedPfxPassword"`
	CreatedDateTime      Time   `json:"createdDateTime"`
	LastModifiedDateTime Time   `json:"lastModifiedDateTime"`
}
