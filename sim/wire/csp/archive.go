package csp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Nodes of the DiagnosticLog CSP that have a device collect and upload its
// logs (DiagnosticLog CSP, DiagnosticArchive).
const (
	DiagnosticLogRoot = "./Device/Vendor/MSFT/DiagnosticLog"
	ArchiveDefinition = DiagnosticLogRoot + "/DiagnosticArchive/ArchiveDefinition" // executed with an [Archive]
	ArchiveResults    = DiagnosticLogRoot + "/DiagnosticArchive/ArchiveResults"    // chr, an [ArchiveResult]
)

// Directive is one thing to collect: an element Registry key, folder, command or
// event channel, and what became of it.
type Directive struct {
	Kind   string // RegistryKey, FoldersFiles, Command or Events
	Value  string
	Result uint32 // HRESULT, in results only
}

// directives are the kinds that the page names.
var directives = map[string]bool{"RegistryKey": true, "FoldersFiles": true, "Command": true, "Events": true}

// Archive is the Collection document: what to collect, and where to put it.
type Archive struct {
	ID     string // GUID of the run
	SASURL string // signed address of a blob that may be written
	List   []Directive
}

// ArchiveResult is the Collection document that comes back.
type ArchiveResult struct {
	ID     string
	Result uint32 // HRESULT of the upload
	List   []Directive
}

var errCollection = errors.New("not a Collection with an ID")

// Encode writes the document.
func (a Archive) Encode() string {
	var b bytes.Buffer
	b.WriteString("<Collection>")
	element(&b, "ID", a.ID, nil)
	element(&b, "SasUrl", a.SASURL, nil)
	for _, d := range a.List {
		element(&b, d.Kind, d.Value, nil)
	}
	element(&b, "OutputFileFormat", "Flattened", nil)
	b.WriteString("</Collection>")
	return b.String()
}

// Encode writes the document.
func (r ArchiveResult) Encode() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<Collection HRESULT="%d">`, int32(r.Result))
	element(&b, "ID", r.ID, nil)
	for _, d := range r.List {
		element(&b, d.Kind, d.Value, &d.Result)
	}
	b.WriteString("</Collection>")
	return b.String()
}

func element(b *bytes.Buffer, name, text string, result *uint32) {
	b.WriteString("<" + name)
	if result != nil {
		fmt.Fprintf(b, ` HRESULT="%d"`, int32(*result))
	}
	b.WriteByte('>')
	_ = xml.EscapeText(b, []byte(text)) // into memory
	b.WriteString("</" + name + ">")
}

// collection is either document.
type collection struct {
	XMLName xml.Name `xml:"Collection"`
	Result  string   `xml:"HRESULT,attr"`
	Items   []struct {
		XMLName xml.Name
		Result  string `xml:"HRESULT,attr"`
		Text    string `xml:",chardata"`
	} `xml:",any"`
}

func readCollection(text string) (r ArchiveResult, sas string, err error) {
	var in collection
	if err := xml.Unmarshal([]byte(text), &in); err != nil {
		return r, "", fmt.Errorf("csp: Collection: %w", err)
	}
	if r.Result, err = hresultText(in.Result); err != nil {
		return r, "", err
	}
	for _, e := range in.Items {
		value := strings.TrimSpace(e.Text)
		switch name := e.XMLName.Local; {
		case name == "ID":
			r.ID = value
		case name == "SasUrl":
			sas = value
		case directives[name]:
			d := Directive{Kind: name, Value: value}
			if d.Result, err = hresultText(e.Result); err != nil {
				return r, "", err
			}
			r.List = append(r.List, d)
		}
	}
	if r.ID == "" {
		return r, "", fmt.Errorf("csp: Collection: %w", errCollection)
	}
	return r, sas, nil
}

func hresultText(s string) (uint32, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < -1<<31 || n >= 1<<32 {
		return 0, fmt.Errorf("csp: Collection: HRESULT %q", s)
	}
	return uint32(n), nil
}

// ParseArchive reads the document. One without an address is an error.
func ParseArchive(text string) (Archive, error) {
	r, sas, err := readCollection(text)
	if err == nil && sas == "" {
		err = errors.New("csp: Collection: no SasUrl")
	}
	return Archive{ID: r.ID, SASURL: sas, List: r.List}, err
}

// ParseArchiveResult reads the document.
func ParseArchiveResult(text string) (ArchiveResult, error) {
	r, _, err := readCollection(text)
	return r, err
}
