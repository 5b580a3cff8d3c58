package csp

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"

	"windtunnel.test/sim/wire/fastxml"
)

// MSI builds the nodes of EnterpriseDesktopAppManagement for one product (EnterpriseDesktopAppManagement CSP).
type MSI struct {
	Scope       Scope
	ProductCode string // "{GUID}", with braces
}

func (m MSI) node(name string) string {
	return Join(m.Scope.vendor(), "EnterpriseDesktopAppManagement", "MSI", m.ProductCode, name)
}

// DownloadInstall is Added and then executed with an [MsiInstallJob].
func (m MSI) DownloadInstall() string { return m.node("DownloadInstall") }

// Status tells how far the job is: int, an [MSIStatus].
func (m MSI) Status() string { return m.node("Status") }

// LastError is the error of the last run: int.
func (m MSI) LastError() string { return m.node("LastError") }

// LastErrorDesc is its text.
func (m MSI) LastErrorDesc() string { return m.node("LastErrorDesc") }

// Version is the installed version: chr.
func (m MSI) Version() string { return m.node("Version") }

// Name is the installed product's name: chr.
func (m MSI) Name() string { return m.node("Name") }

// ParseMSI recognises a node below MSI/{product code}; name is its last segment, "" for the product's interior node.
func ParseMSI(uri string) (m MSI, name string, ok bool) {
	path, err := Parse(uri)
	if err != nil {
		return MSI{}, "", false
	}
	root := Path{Scope: path.Scope, Segments: []string{"Vendor", "MSFT", "EnterpriseDesktopAppManagement", "MSI"}}
	rest, below := path.Below(root)
	switch {
	case !below || len(rest) == 0 || len(rest) > 2:
		return MSI{}, "", false
	case len(rest) == 2:
		name = rest[1]
	}
	return MSI{Scope: path.Scope, ProductCode: rest[0]}, name, true
}

// MSIStatus is the Status node.
type MSIStatus int

// Its values.
const (
	MSIInitialized         MSIStatus = 10
	MSIDownloading         MSIStatus = 20
	MSIPendingRetry        MSIStatus = 25
	MSIDownloadFailed      MSIStatus = 30
	MSIDownloaded          MSIStatus = 40
	MSIPendingSession      MSIStatus = 48 // waits for a user to sign in
	MSIEnforcing           MSIStatus = 50
	MSIPendingEnforceRetry MSIStatus = 55
	MSIEnforceFailed       MSIStatus = 60
	MSIEnforced            MSIStatus = 70
)

var msiStatusNames = map[MSIStatus]string{
	MSIInitialized: "Initialized", MSIDownloading: "DownloadInProgress", MSIPendingRetry: "DownloadPendingRetry",
	MSIDownloadFailed: "DownloadFailed", MSIDownloaded: "DownloadCompleted", MSIPendingSession: "PendingUserSession",
	MSIEnforcing: "EnforcementInProgress", MSIPendingEnforceRetry: "EnforcementPendingRetry",
	MSIEnforceFailed: "EnforcementFailed", MSIEnforced: "EnforcementCompleted",
}

// String is the state's name.
func (s MSIStatus) String() string {
	if name, ok := msiStatusNames[s]; ok {
		return name
	}
	return strconv.Itoa(int(s))
}

// Settled reports whether the job is over, well or badly.
func (s MSIStatus) Settled() bool {
	return s == MSIDownloadFailed || s == MSIEnforceFailed || s == MSIEnforced
}

// MsiInstallJob is the document that DownloadInstall is executed with (EnterpriseDesktopAppManagement XSD).
type MsiInstallJob struct {
	XMLName xml.Name `xml:"MsiInstallJob"`
	ID      string   `xml:"id,attr"` // the product code
	Product Product  `xml:"Product"`
}

// Product is the one product of a job.
type Product struct {
	Version       string   `xml:"Version,attr"`
	ContentURLs   []string `xml:"Download>ContentURLList>ContentURL"`
	FileHash      string   `xml:"Validation>FileHash"` // SHA-256 of the file in hexadecimal
	CommandLine   string   `xml:"Enforcement>CommandLine"`
	TimeOut       int      `xml:"Enforcement>TimeOut"` // minutes that the installer may run
	RetryCount    int      `xml:"Enforcement>RetryCount"`
	RetryInterval int      `xml:"Enforcement>RetryInterval"` // minutes
}

// Encode writes the document.
func (j MsiInstallJob) Encode() (string, error) {
	data, err := xml.Marshal(j)
	if err != nil {
		return "", fmt.Errorf("csp: MsiInstallJob: %w", err)
	}
	return string(data), nil
}

// maxJob bounds a job document in bytes.
const maxJob = 64 << 10

// ParseMsiInstallJob reads the document; it refuses one without product or without a download address.
func ParseMsiInstallJob(text string) (MsiInstallJob, error) {
	var j MsiInstallJob
	if len(text) > maxJob {
		return j, fmt.Errorf("csp: MsiInstallJob of %d bytes", len(text))
	}
	if err := fastxml.Unmarshal([]byte(text), &j); err != nil {
		return j, fmt.Errorf("csp: MsiInstallJob: %w", err)
	}
	j.XMLName = xml.Name{}
	if j.ID == "" || len(j.Product.ContentURLs) == 0 {
		return j, errors.New("csp: MsiInstallJob: id or ContentURL is missing")
	}
	return j, nil
}
