package mde

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Layout is how certificates are grouped in a provisioning document. Some clients find the device's certificate by position.
type Layout int

// The layouts.
const (
	LayoutIntune Layout = iota // one CertificateStore with Root, CA and My
	LayoutSpec                 // two: one with Root and CA, one with My, as the example in [MS-MDE2] 4 has it
)

// KeyStore is the certificate store of the device's certificate.
type KeyStore string

// The stores: a user's enrolment, and a device's, which the technician flow makes.
const (
	StoreUser   KeyStore = "User"
	StoreSystem KeyStore = "System"
)

// Provisioning is what enrolment leaves on the device ([MS-MDE2] 2.2.9.1 and the CertificateStore, w7 APPLICATION and DMClient
// CSP pages).
type Provisioning struct {
	Roots  [][]byte // DER
	CAs    [][]byte // DER, intermediate
	Client ClientCertificate
	App    Application
	DM     DMClient
}

// ClientCertificate is the device's MDM certificate and how it is renewed.
type ClientCertificate struct {
	Store         KeyStore
	DER           []byte
	ROBOSupport   bool // renewal without the user
	RenewPeriod   int  // days before the end
	RetryInterval int  // days between attempts
}

// Application is the OMA-DM account (w7 APPLICATION CSP).
type Application struct {
	ProviderID              string // "MS DM Server"
	Name                    string
	Addr                    string // the gateway's address
	ConnRetryFreq           int
	InitialBackoff          int // milliseconds
	MaxBackoff              int // milliseconds
	BackCompatRetryDisabled bool
	DefaultEncoding         string // "application/vnd.syncml.dm+xml"
	CertSearch              string // SSLCLIENTCERTSEARCHCRITERIA: [CertSearch]
	Client, Server          Auth
}

// Auth is an APPAUTH; with mutual TLS it is there for form's sake.
type Auth struct {
	Type   string // "DIGEST", "BASIC"
	Name   string // APPSRV only
	Secret string
	Data   string // base64 nonce
}

// DMClient is the part for the DMClient CSP.
type DMClient struct {
	UPN           string
	EntDeviceName string
	EntDMID       string
	Poll          Poll
	Extra         []Parm // further parameters, in order
}

// Poll is the schedule of sessions (DMClient CSP, Poll). Intervals are minutes; Remaining 0 goes on for ever.
type Poll struct {
	FirstRetries, FirstInterval         int
	SecondRetries, SecondInterval       int
	RemainingRetries, RemainingInterval int
	OnLogin                             bool
	AllUsersOnFirstLogin                bool
}

// CertSearch writes the search for a certificate by its subject in My\User or My\System.
func CertSearch(subject string, store KeyStore) string {
	return "Subject=" + strings.ReplaceAll(url.QueryEscape(subject), "+", "%20") + "&Stores=My%5C" + string(store)
}

// thumbprint is the certificate's SHA-1 in capitals, its name in the stores.
func thumbprint(der []byte) string { return fmt.Sprintf("%X", sha1.Sum(der)) }

// Encode writes the document.
func (p *Provisioning) Encode(layout Layout) ([]byte, error) {
	authorities := []Characteristic{p.store("Root", p.Roots), p.store("CA", p.CAs)}
	return EncodeWAP(append(p.stores(layout, authorities), p.App.characteristic(), p.dmClient()))
}

// EncodeRenewal writes what a renewal brings: the certificates, and whose they are (learn.microsoft.com, "Certificate
// renewal", renewal response). [DecodeProvisioning] reads it.
func (p *Provisioning) EncodeRenewal(layout Layout) ([]byte, error) {
	authorities := []Characteristic{p.store("Root", p.Roots), p.store("CA", p.CAs)}
	app := Characteristic{Type: "APPLICATION", Parms: []Parm{parm("PROVIDER-ID", p.App.ProviderID)}}
	return EncodeWAP(append(p.stores(layout, authorities), app))
}

// stores groups the certificates.
func (p *Provisioning) stores(layout Layout, authorities []Characteristic) []Characteristic {
	my := p.Client.characteristic()
	if layout == LayoutIntune {
		return []Characteristic{{Type: "CertificateStore", Children: append(authorities, my)}}
	}
	return []Characteristic{{Type: "CertificateStore", Children: authorities}, {Type: "CertificateStore", Children: []Characteristic{my}}}
}

func (p *Provisioning) store(name string, certificates [][]byte) Characteristic {
	system := Characteristic{Type: "System"}
	for _, der := range certificates {
		system.Children = append(system.Children, certificate(der))
	}
	return Characteristic{Type: name, Children: []Characteristic{system}}
}

func certificate(der []byte) Characteristic {
	return Characteristic{
		Type:  thumbprint(der),
		Parms: []Parm{parm("EncodedCertificate", base64.StdEncoding.EncodeToString(der))},
	}
}

func (c *ClientCertificate) characteristic() Characteristic {
	store := Characteristic{Type: string(c.Store), Children: []Characteristic{certificate(c.DER), {Type: "PrivateKeyContainer"}}}
	renew := Characteristic{Type: "Renew", Parms: []Parm{
		typed("ROBOSupport", strconv.FormatBool(c.ROBOSupport), "boolean"),
		typed("RenewPeriod", strconv.Itoa(c.RenewPeriod), "integer"),
		typed("RetryInterval", strconv.Itoa(c.RetryInterval), "integer"),
	}}
	wstep := Characteristic{Type: "WSTEP", Children: []Characteristic{renew}}
	return Characteristic{Type: "My", Children: []Characteristic{store, wstep}}
}

func (a *Application) characteristic() Characteristic {
	c := Characteristic{Type: "APPLICATION", Parms: []Parm{
		parm("APPID", "w7"), parm("PROVIDER-ID", a.ProviderID), parm("NAME", a.Name), parm("ADDR", a.Addr),
		parm("CONNRETRYFREQ", strconv.Itoa(a.ConnRetryFreq)), parm("INITIALBACKOFFTIME", strconv.Itoa(a.InitialBackoff)),
		parm("MAXBACKOFFTIME", strconv.Itoa(a.MaxBackoff)),
	}}
	if a.BackCompatRetryDisabled {
		c.Parms = append(c.Parms, Parm{Name: "BACKCOMPATRETRYDISABLED"})
	}
	c.Parms = append(c.Parms, parm("DEFAULTENCODING", a.DefaultEncoding), parm("SSLCLIENTCERTSEARCHCRITERIA", a.CertSearch))
	c.Children = []Characteristic{a.Client.characteristic("CLIENT"), a.Server.characteristic("APPSRV")}
	return c
}

func (a Auth) characteristic(level string) Characteristic {
	c := Characteristic{Type: "APPAUTH", Parms: []Parm{parm("AAUTHLEVEL", level), parm("AAUTHTYPE", a.Type)}}
	for _, p := range []Parm{parm("AAUTHNAME", a.Name), parm("AAUTHSECRET", a.Secret), parm("AAUTHDATA", a.Data)} {
		if *p.Value != "" {
			c.Parms = append(c.Parms, p)
		}
	}
	return c
}

func (p *Provisioning) dmClient() Characteristic {
	d := &p.DM
	provider := Characteristic{Type: p.App.ProviderID}
	for _, text := range []Parm{
		typed("UPN", d.UPN, "string"), typed("EntDeviceName", d.EntDeviceName, "string"), typed("EntDMID", d.EntDMID, "string"),
	} {
		if *text.Value != "" {
			provider.Parms = append(provider.Parms, text)
		}
	}
	provider.Parms = append(provider.Parms, d.Extra...)
	poll := Characteristic{Type: "Poll"}
	for _, f := range d.Poll.fields() {
		poll.Parms = append(poll.Parms, f.parm())
	}
	provider.Children = []Characteristic{poll}
	return Characteristic{Type: "DMClient", Children: []Characteristic{{Type: "Provider", Children: []Characteristic{provider}}}}
}

// pollField is a parameter of Poll: a number, or a truth value.
type pollField struct {
	name   string
	number *int
	flag   *bool
}

func (p *Poll) fields() []pollField {
	return []pollField{
		{name: "NumberOfFirstRetries", number: &p.FirstRetries},
		{name: "IntervalForFirstSetOfRetries", number: &p.FirstInterval},
		{name: "NumberOfSecondRetries", number: &p.SecondRetries},
		{name: "IntervalForSecondSetOfRetries", number: &p.SecondInterval},
		{name: "NumberOfRemainingScheduledRetries", number: &p.RemainingRetries},
		{name: "IntervalForRemainingScheduledRetries", number: &p.RemainingInterval},
		{name: "PollOnLogin", flag: &p.OnLogin},
		{name: "AllUsersPollOnFirstLogin", flag: &p.AllUsersOnFirstLogin},
	}
}

func (f pollField) parm() Parm {
	if f.number != nil {
		return typed(f.name, strconv.Itoa(*f.number), "integer")
	}
	return typed(f.name, strconv.FormatBool(*f.flag), "boolean")
}

var errNoCertificate = errors.New("mde: provisioning document: no client certificate")
