package mde

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// ContextItem is one ac:ContextItem of a request's AdditionalContext.
type ContextItem struct{ Name, Value string }

// Context is what the client tells of the device ([MS-MDE2] 3.4, ac:AdditionalContext). An empty field is not sent, except
// UXInitiated, TargetedUserLoggedIn and NotInOobe, which Windows always sends. Binary items travel in base64.
type Context struct {
	OSEdition          string // SKU number
	OSVersion          string // "10.0.26100.1742"
	DeviceName         string
	EnrollmentType     EnrollmentType
	DeviceType         string // [DeviceType]
	ApplicationVersion string
	DeviceID           string
	EnrollmentData     string   // OpaqueBlob of the terms of use page
	MAC                []string // "00-15-5D-01-02-03", an item an adapter
	IMEI               []string
	Locale             string // "en-US"
	HWDevID            string // 64 hexadecimal digits
	DomainName         string
	EmmDeviceID        string // the server's id of an enrolled device
	RequestVersion     string // the EnrollmentVersion that was agreed

	ZeroTouchProvisioning                string // ZTD id of the Autopilot registration
	OfflineAutoPilotEnrollmentCorrelator string // of an offline profile

	TargetedUserLoggedIn, UXInitiated, NotInOobe bool
	BulkAADJ, ExternalMgmtAgentHint              bool
	BootstrapDomainJoin, PlugandForget           bool
	WhiteGlove, WhiteGloveHybridJoin             bool // technician flow, from Windows 10 1903

	// Attestation of the key, from EnrollmentVersion 5.0.
	AIKAttestationClaim    []byte // the MDM key certified by the AIK
	AIKPub                 []byte
	AIKCert                []byte // DER
	AadAIKAttestationClaim []byte // the Entra device key certified by the AIK
	AADPub                 []byte
	// From 6.0.
	AzureAttestationBlob []byte
	// From 7.0.
	AttestationStatus                 string // "Status=...;AttestationErrorMsg=..."
	AttestationStatusHResult          string // "0x..."
	AzureAttestationCorrelationVector string

	Extra []ContextItem // items of other names, in order
}

// EnrollmentType says whom the enrolment is for.
type EnrollmentType string

// The types: Full belongs to a user, Device to nobody, as in the technician flow.
const (
	EnrolFull   EnrollmentType = "Full"
	EnrolDevice EnrollmentType = "Device"
)

// field is a known item's way to and from the struct. exactly one of the pointers is set.
type field struct {
	name   string
	text   *string
	list   *[]string
	flag   *bool
	binary *[]byte
	always bool
}

// fields is the table of known items, in the order in which they are sent.
func (c *Context) fields() []field {
	return []field{
		{name: "UXInitiated", flag: &c.UXInitiated, always: true},
		{name: "HWDevID", text: &c.HWDevID},
		{name: "BulkAADJ", flag: &c.BulkAADJ},
		{name: "BootstrapDomainJoin", flag: &c.BootstrapDomainJoin},
		{name: "PlugandForget", flag: &c.PlugandForget},
		{name: "NotInOobe", flag: &c.NotInOobe, always: true},
		{name: "ZeroTouchProvisioning", text: &c.ZeroTouchProvisioning},
		{name: "OfflineAutoPilotEnrollmentCorrelator", text: &c.OfflineAutoPilotEnrollmentCorrelator},
		{name: "WhiteGlove", flag: &c.WhiteGlove},
		{name: "WhiteGloveHybridJoin", flag: &c.WhiteGloveHybridJoin},
		{name: "ExternalMgmtAgentHint", flag: &c.ExternalMgmtAgentHint},
		{name: "DomainName", text: &c.DomainName},
		{name: "Locale", text: &c.Locale},
		{name: "TargetedUserLoggedIn", flag: &c.TargetedUserLoggedIn, always: true},
		{name: "EnrollmentData", text: &c.EnrollmentData},
		{name: "OSEdition", text: &c.OSEdition},
		{name: "DeviceName", text: &c.DeviceName},
		{name: "MAC", list: &c.MAC},
		{name: "IMEI", list: &c.IMEI},
		{name: "DeviceID", text: &c.DeviceID},
		{name: "EnrollmentType", text: (*string)(&c.EnrollmentType)},
		{name: "DeviceType", text: &c.DeviceType},
		{name: "OSVersion", text: &c.OSVersion},
		{name: "ApplicationVersion", text: &c.ApplicationVersion},
		{name: "EmmDeviceId", text: &c.EmmDeviceID},
		{name: "RequestVersion", text: &c.RequestVersion},
		{name: "AIKAttestationClaim", binary: &c.AIKAttestationClaim},
		{name: "AIKPub", binary: &c.AIKPub},
		{name: "AIKCert", binary: &c.AIKCert},
		{name: "AadAIKAttestationClaim", binary: &c.AadAIKAttestationClaim},
		{name: "AADPub", binary: &c.AADPub},
		{name: "AzureAttestationBlob", binary: &c.AzureAttestationBlob},
		{name: "AttestationStatus", text: &c.AttestationStatus},
		{name: "AttestationStatusHResult", text: &c.AttestationStatusHResult},
		{name: "AzureAttestationCorrelationVector", text: &c.AzureAttestationCorrelationVector},
	}
}

// Items is the context as it is sent.
func (c Context) Items() []ContextItem {
	var items []ContextItem
	add := func(name, value string) { items = append(items, ContextItem{Name: name, Value: value}) }
	for _, f := range c.fields() {
		switch {
		case f.text != nil:
			if *f.text != "" {
				add(f.name, *f.text)
			}
		case f.list != nil:
			for _, value := range *f.list {
				add(f.name, value)
			}
		case f.flag != nil:
			if *f.flag {
				add(f.name, "true")
			} else if f.always {
				add(f.name, "false")
			}
		case len(*f.binary) > 0:
			add(f.name, base64.StdEncoding.EncodeToString(*f.binary))
		}
	}
	return append(items, c.Extra...)
}

// Set takes one item in. Flags are read in any case; an item of an unknown name goes to Extra; of a known name that comes
// twice the last one counts, unless it is a list.
func (c *Context) Set(name, value string) error { return c.set(c.fields(), name, value) }

// set is Set with the table at hand, for who takes many items in.
func (c *Context) set(fields []field, name, value string) error {
	for _, f := range fields {
		if f.name != name {
			continue
		}
		return f.set(value)
	}
	c.Extra = append(c.Extra, ContextItem{Name: name, Value: value})
	return nil
}

func (f field) set(value string) error {
	switch {
	case f.text != nil:
		*f.text = value
	case f.list != nil:
		*f.list = append(*f.list, value)
	case f.flag != nil:
		switch strings.ToLower(value) {
		case "true", "1":
			*f.flag = true
		case "false", "0", "":
			*f.flag = false
		default:
			return fmt.Errorf("context item %s: %q is neither true nor false", f.name, value)
		}
	default:
		raw, err := decodeBase64(value)
		if err != nil {
			return fmt.Errorf("context item %s: %w", f.name, err)
		}
		*f.binary = raw
	}
	return nil
}
