package msa

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"

	"windtunnel.test/sim/wire/fastxml"
)

// Host and paths.
const (
	Host          = "login.live.com"
	PathDeviceAdd = "/ppsecure/deviceaddcredential.srf"
	PathTicket    = "/RST2.srf"
	ContentType   = "application/soap+xml"
)

// DeviceAddRequest asks for a device account. The device chooses name and password itself.
type DeviceAddRequest struct {
	XMLName        xml.Name       `xml:"DeviceAddRequest"`
	ClientInfo     ClientInfo     `xml:"ClientInfo"`
	Authentication Authentication `xml:"Authentication"`
	DeviceInfo     DeviceInfo     `xml:"DeviceInfo"`
}

// ClientInfo names the calling library.
type ClientInfo struct {
	Name          string `xml:"name,attr"`    // IDCRL
	Version       string `xml:"version,attr"` // 1.0
	BinaryVersion string `xml:"BinaryVersion"`
}

// Authentication is the credential that the device makes up.
type Authentication struct {
	Membername string `xml:"Membername"` // 02 and random letters
	Password   string `xml:"Password"`
}

// DeviceInfo describes the hardware.
type DeviceInfo struct {
	ID         string      `xml:"Id,attr"` // DeviceInfo
	Components []Component `xml:"Component"`
	TPM        *TPMInfo    `xml:"TPMInfo"`
}

// Component is one hardware value, by number.
type Component struct {
	Name  ComponentID `xml:"name,attr"`
	Value string      `xml:",chardata"` // base64
}

// ComponentID numbers a hardware value.
type ComponentID int

// Component numbers that were seen. 8195 to 8197 (obfuscated licensing blobs) are not made by us.
const (
	ComponentBoardVersion  ComponentID = 4097
	ComponentBoardMaker    ComponentID = 4098
	ComponentModel         ComponentID = 4099
	ComponentSMBIOSVersion ComponentID = 4100
	ComponentSerial        ComponentID = 4101
	ComponentUUID          ComponentID = 4102
	ComponentDisk          ComponentID = 4112
	ComponentDiskSerial    ComponentID = 4113
	ComponentMAC           ComponentID = 4131
	ComponentDigest        ComponentID = 4144 // 32 bytes
	ComponentChassis       ComponentID = 4145
)

// TPMInfo is the device's storage key.
type TPMInfo struct {
	RSAKeyValue    RSAKeyValue `xml:"RSAKeyValue"`
	StorageKeyBlob string      `xml:"StorageKeyBlob"` // base64
}

// RSAKeyValue is a public key as in XMLDSig, base64 of the big-endian numbers.
type RSAKeyValue struct {
	Modulus  string `xml:"Modulus"`
	Exponent string `xml:"Exponent"`
}

// Add appends a component with a value that is not encoded yet.
func (d *DeviceInfo) Add(id ComponentID, value string) {
	d.Components = append(d.Components, Component{id, base64.StdEncoding.EncodeToString([]byte(value))})
}

// Get gives the decoded value of a component; ok is false when it is missing or not base64.
func (d DeviceInfo) Get(id ComponentID) (value string, ok bool) {
	for _, c := range d.Components {
		if c.Name == id {
			b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(c.Value))
			return string(b), err == nil
		}
	}
	return "", false
}

// HardwareID is the identity that a ticket carries for the hardware, our model: a digest of system UUID and serial
// number, so that the deployment service can compute the same from a registered hardware hash.
func HardwareID(uuid, serial string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(uuid) + "\n" + strings.ToUpper(strings.TrimSpace(serial))))
	return hex.EncodeToString(sum[:])
}

// HardwareID gives the identity of the described hardware; ok is false when UUID or serial number is missing.
func (d DeviceInfo) HardwareID() (id string, ok bool) {
	uuid, hasUUID := d.Get(ComponentUUID)
	serial, hasSerial := d.Get(ComponentSerial)
	return HardwareID(uuid, serial), hasUUID && hasSerial
}

// PUID is a 64-bit passport unique id. Those of devices start with 0018.
type PUID uint64

const devicePrefix PUID = 0x0018 << 48

// DevicePUID makes a device's PUID of a number; only its lower 48 bits count.
func DevicePUID(n uint64) PUID { return devicePrefix | PUID(n&(1<<48-1)) }

// String gives 16 hexadecimal digits.
func (p PUID) String() string { return fmt.Sprintf("%016X", uint64(p)) }

// GlobalID gives the form g:<decimal> in which other services show a device's PUID.
func (p PUID) GlobalID() string { return fmt.Sprintf("g:%d", uint64(p)) }

// IsDevice reports whether it is in the devices' number space.
func (p PUID) IsDevice() bool { return p>>48 == devicePrefix>>48 }

// ParsePUID reads the hexadecimal form.
func ParsePUID(s string) (PUID, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 8 {
		return 0, fmt.Errorf("msa: %q is not a PUID of 16 hexadecimal digits", s)
	}
	var p PUID
	for _, x := range b {
		p = p<<8 | PUID(x)
	}
	return p, nil
}

// DeviceAddResponse is the answer.
type DeviceAddResponse struct {
	XMLName        xml.Name        `xml:"DeviceAddResponse"`
	Succeeded      bool            `xml:"Success,attr"`
	Success        bool            `xml:"success"`
	PUID           string          `xml:"puid,omitempty"`
	HWDeviceID     string          `xml:"HWDeviceID,omitempty"`
	GlobalDeviceID string          `xml:"GlobalDeviceID,omitempty"`
	Error          *DeviceAddError `xml:"Error,omitempty"`
}

// DeviceAddError is why no account was made.
type DeviceAddError struct {
	Code DeviceAddCode `xml:"Code,attr"`
}

// DeviceAddCode is the number of an Error, as published clients read it.
type DeviceAddCode int

// Codes of DeviceAddError.
const (
	DeviceAddBlankPassword DeviceAddCode = 6
	DeviceAddNoCredentials DeviceAddCode = 7
	DeviceAddBadParameter  DeviceAddCode = 8
	DeviceAddDisabled      DeviceAddCode = 11
	DeviceAddExists        DeviceAddCode = 13
)

// Added gives the answer for a new account.
func Added(p PUID, hardwareID string) DeviceAddResponse {
	return DeviceAddResponse{Succeeded: true, Success: true, PUID: p.String(), HWDeviceID: hardwareID, GlobalDeviceID: p.GlobalID()}
}

// NotAdded gives the answer that refuses.
func NotAdded(code DeviceAddCode) DeviceAddResponse {
	return DeviceAddResponse{Error: &DeviceAddError{code}}
}

// Encode writes an XML document: a DeviceAddRequest or DeviceAddResponse.
func Encode[T DeviceAddRequest | DeviceAddResponse](v T) ([]byte, error) { return document(v) }

func document(v any) ([]byte, error) {
	b, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("msa: encode: %w", err)
	}
	return append([]byte(xml.Header), b...), nil
}

// ParseDeviceAddRequest reads and checks a request. A request without name or password is returned with an error, so
// that the caller can answer NotAdded.
func ParseDeviceAddRequest(b []byte) (DeviceAddRequest, error) {
	var r DeviceAddRequest
	if err := fastxml.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("msa: parse device add request: %w", err)
	}
	if r.Authentication.Membername == "" || r.Authentication.Password == "" {
		return r, fmt.Errorf("msa: parse device add request: member name or password is missing")
	}
	return r, nil
}

// ParseDeviceAddResponse reads an answer. A refusal is not an error here.
func ParseDeviceAddResponse(b []byte) (DeviceAddResponse, error) {
	var r DeviceAddResponse
	if err := fastxml.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("msa: parse device add response: %w", err)
	}
	return r, nil
}
