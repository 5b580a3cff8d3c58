package aik

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Where the service listens: a host for each vendor CA under HostSuffix, and one path. The wild card for a server is
// "*" + HostSuffix.
const (
	HostSuffix  = ".microsoftaik.azure.net"
	Path        = "/templates/Aik/scep"
	ContentType = "application/x-pki-message"
)

// Header names that Windows sends beside the usual ones.
const (
	HeaderPlatformType    = "PlatformType"
	HeaderClientRequestID = "x-ms-client-request-id"
)

// Host is the service's host for an EK certificate: its vendor ([TPMName.Vendor]) and its authority key identifier.
func Host(vendor string, authorityKeyID []byte) string {
	return strings.ToLower(vendor) + "-keyid-" + hex.EncodeToString(authorityKeyID) + HostSuffix
}

// ParseHost takes a host apart, case aside (Windows writes "IFX-KeyId-"). A region before the vendor, as in
// "wus-ifx-keyid-...", is dropped.
func ParseHost(host string) (vendor string, authorityKeyID []byte, ok bool) {
	label, ok := strings.CutSuffix(strings.ToLower(host), HostSuffix)
	if !ok {
		return "", nil, false
	}
	vendor, id, ok := strings.Cut(label, "-keyid-")
	if !ok {
		return "", nil, false
	}
	vendor = vendor[strings.LastIndexByte(vendor, '-')+1:]
	authorityKeyID, err := hex.DecodeString(id)
	if err != nil || len(authorityKeyID) == 0 || vendor == "" {
		return "", nil, false
	}
	return vendor, authorityKeyID, true
}

// URL is the service's address for an operation: GetCACaps, GetCACertChain or PKIOperation.
func URL(host, operation string) string {
	url := "https://" + host + Path + "?operation=" + operation
	if operation == "GetCACertChain" {
		url += "&message=default"
	}
	return url
}

// UserAgent is that of Windows' SCEP client, with the build and branch of the running system
// ("10.0.26100.1742/ge_release_svc_prod1").
func UserAgent(build string) string {
	return "Mozilla/4.0 (compatible; Win32; NDES client " + build + ")"
}

// Platform is what the PlatformType header says about the TPM.
type Platform struct {
	Version  string    // "2.0"
	Level    int       // of the specification
	Revision string    // "1.38"
	VendorID string    // four characters, blanks included: "IFX "
	Firmware [2]uint32 // TPM_PT_FIRMWARE_VERSION_1 and _2
}

// String is the header's value.
func (p Platform) String() string {
	return fmt.Sprintf("TPM-Version:%s -Level:%d-Revision:%s-VendorID:'%s'-Firmware:%d.%d",
		p.Version, p.Level, p.Revision, p.VendorID, p.Firmware[0], p.Firmware[1])
}

var platformForm = regexp.MustCompile(
	`^TPM-Version:([0-9.]+) ?-Level:(\d{1,4})-Revision:([0-9.]+)-VendorID:'([^']{0,8})'-Firmware:(\d{1,10})\.(\d{1,10})$`)

// ParsePlatform reads the header's value.
func ParsePlatform(header string) (Platform, error) {
	m := platformForm.FindStringSubmatch(header)
	if m == nil {
		return Platform{}, fmt.Errorf("aik: PlatformType %q is not of the known form", header)
	}
	p := Platform{Version: m[1], Revision: m[3], VendorID: m[4]}
	p.Level, _ = strconv.Atoi(m[2])
	for i, digits := range m[5:7] {
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return Platform{}, fmt.Errorf("aik: PlatformType: firmware: %w", err)
		}
		p.Firmware[i] = uint32(n)
	}
	return p, nil
}
