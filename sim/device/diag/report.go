package diag

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"html/template"
	"sort"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
)

// report is MDMDiagReport.xml. The names of its outer elements are those that
// Microsoft's own scripts read; what is inside of them is our model.
type report struct {
	XMLName      xml.Name         `xml:"MDMEnterpriseDiagnosticsReport"`
	Device       reportDevice     `xml:"DeviceInfo"`
	Enrollments  []reportEnrolled `xml:"Enrollments>Enrollment"`
	Policies     []reportScope    `xml:"PolicyManager>currentPolicies>PolicyScope"`
	Resources    []reportResource `xml:"Resources>Enrollment>Scope>Resources>Resource"`
	Certificates []reportCert     `xml:"Certificates>Certificate"`
	Apps         []reportApp      `xml:"EnterpriseDesktopAppManagementinfo>MsiInstallations>MsiInstallation"`
	Programs     []reportProgram  `xml:"InstalledApps>App"`
}

type reportDevice struct {
	Name    string `xml:"ComputerName"`
	Serial  string `xml:"SerialNumber"`
	Model   string `xml:"Model"`
	Build   string `xml:"OSBuild"`
	Edition string `xml:"Edition"`
	Taken   string `xml:"ReportTime"` // local, with the zone's name behind
}

type reportEnrolled struct {
	ID       string `xml:"EnrollmentID"`
	State    string `xml:"EnrollmentState"`
	Type     string `xml:"EnrollmentType"`
	Provider string `xml:"ProviderID"`
	UPN      string `xml:"UPN"`
	URL      string `xml:"DiscoveryServiceFullURL"`
	EntDMID  string `xml:"EntDMID"`
	Current  bool   `xml:"-"`
}

type reportScope struct {
	Scope string       `xml:"PolicyScope"` // "Device" or a SID
	Areas []reportArea `xml:"CurrentPolicyValues"`
}

type reportArea struct {
	Name   string         `xml:"PolicyAreaName"`
	Values []reportPolicy `xml:"Policy"`
}

type reportPolicy struct {
	Name  string `xml:"Name"`
	Value string `xml:"Value"`
}

// reportResource is an item that the enrollment status page was told to expect.
type reportResource struct {
	Kind  string `xml:"Type"`
	URI   string `xml:"ResourceName"`
	State string `xml:"State"`
}

type reportCert struct {
	Store      string `xml:"Store"`
	Subject    string `xml:"IssuedTo"`
	Issuer     string `xml:"IssuedBy"`
	From       string `xml:"ValidFrom"`
	To         string `xml:"ValidTo"`
	Thumbprint string `xml:"Thumbprint"`
	HasKey     bool   `xml:"HasPrivateKey"`
}

type reportApp struct {
	Target  string `xml:"TargetedUser"`
	Product string `xml:"PackageId"`
	Status  uint32 `xml:"Status"`
	Error   string `xml:"LastError"`
	URL     string `xml:"CurrentDownloadUrl,omitempty"`
}

type reportProgram struct {
	Product string `xml:"ProductId"`
	Name    string `xml:"DisplayName"`
	Version string `xml:"DisplayVersion"`
}

func reportOf(s Source) *report {
	r := s.Disk.Registry
	out := &report{Device: reportDevice{
		Name: s.Computer, Serial: s.Serial, Model: s.Hardware.Manufacturer + " " + s.Hardware.Model, Build: s.Installation.Build, Edition: s.Installation.Edition,
		Taken: s.zone().Local(s.Taken).Format("2006-01-02 15:04:05") + " " + s.zone().Name,
	}}
	current := r.String(device.KeyEnrollments, "Current")
	for _, id := range r.Subkeys(device.KeyEnrollments) {
		key := device.KeyEnrollments + `\` + id
		if r.String(key, "ProviderID") == "" {
			continue
		}
		kind, _ := r.DWORD(key, "EnrollmentType")
		out.Enrollments = append(out.Enrollments, reportEnrolled{
			ID: id, State: "1", Type: strconv.Itoa(int(kind)), Provider: r.String(key, "ProviderID"), UPN: r.String(key, "UPN"),
			URL: r.String(key, "EnrollmentServiceURL"), EntDMID: r.String(key, "EntDMID"), Current: id == current,
		})
	}
	out.policies(r)
	out.resources(r)
	out.apps(r)
	out.certificates(s)
	return out
}

func (p *report) policies(r *device.Registry) {
	for _, scope := range r.Subkeys(device.KeyPolicyManager) {
		list := reportScope{Scope: scope}
		if scope == "device" {
			list.Scope = "Device"
		}
		for _, area := range r.Subkeys(device.KeyPolicyManager + `\` + scope) {
			key := device.KeyPolicyManager + `\` + scope + `\` + area
			a := reportArea{Name: area}
			for _, name := range r.ValueNames(key) {
				a.Values = append(a.Values, reportPolicy{name, valueText(r, key, name)})
			}
			if len(a.Values) > 0 {
				list.Areas = append(list.Areas, a)
			}
		}
		p.Policies = append(p.Policies, list)
	}
}

// resources are what the page's tracking lists: the newest list of each kind.
func (p *report) resources(r *device.Registry) {
	var walk func(key string)
	walk = func(key string) {
		for _, kind := range r.Subkeys(key) {
			stamps := r.Subkeys(key + `\` + kind)
			if strings.HasPrefix(kind, "S-") {
				walk(key + `\` + kind)
				continue
			}
			if len(stamps) == 0 {
				continue
			}
			newest := key + `\` + kind + `\` + stamps[len(stamps)-1]
			for _, uri := range r.ValueNames(newest) {
				p.Resources = append(p.Resources, reportResource{kind, uri, valueText(r, newest, uri)})
			}
		}
	}
	walk(device.KeyESPInfo)
}

func (p *report) apps(r *device.Registry) {
	for _, sid := range r.Subkeys(device.KeyMSI) {
		for _, product := range r.Subkeys(device.KeyMSI + `\` + sid + `\MSI`) {
			key := device.KeyMSI + `\` + sid + `\MSI\` + product
			status, _ := r.DWORD(key, "Status")
			code, _ := r.DWORD(key, "LastError")
			p.Apps = append(p.Apps, reportApp{sid, product, status, fmt.Sprintf("0x%08x", code), r.String(key, "CurrentDownloadUrl")})
		}
	}
	for _, product := range r.Subkeys(device.KeyUninstall) {
		key := device.KeyUninstall + `\` + product
		p.Programs = append(p.Programs, reportProgram{product, r.String(key, "DisplayName"), r.String(key, "DisplayVersion")})
	}
}

func (p *report) certificates(s Source) {
	for _, c := range s.Disk.Certs.All("") {
		cert, err := c.Parse()
		if err != nil {
			continue // the store holds bytes that are none; Windows shows nothing either
		}
		p.Certificates = append(p.Certificates, reportCert{
			Store: c.Store, Subject: cert.Subject.String(), Issuer: cert.Issuer.String(), From: cert.NotBefore.UTC().Format(moment),
			To: cert.NotAfter.UTC().Format(moment), Thumbprint: thumbprint(c.DER), HasKey: c.Container != "",
		})
	}
	sort.SliceStable(p.Certificates, func(i, j int) bool { return p.Certificates[i].Store < p.Certificates[j].Store })
}

func thumbprint(der []byte) string {
	sum := sha1.Sum(der) // Windows names certificates by it
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func valueText(r *device.Registry, key, name string) string {
	if n, ok := r.DWORD(key, name); ok {
		return strconv.FormatUint(uint64(n), 10)
	}
	if list := r.Strings(key, name); list != nil {
		return strings.Join(list, ";")
	}
	return r.String(key, name)
}

func (p *report) xml() ([]byte, error) {
	b, err := xml.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), b...), nil
}

func (p *report) html() ([]byte, error) {
	var b bytes.Buffer
	err := page.Execute(&b, p)
	return b.Bytes(), err
}

// page is MDMDiagHtmlReport.html.
var page = template.Must(template.New("report").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>MDM diagnostic report of {{.Device.Name}}</title>
<style>
body { font-family: "Segoe UI", sans-serif; margin: 2em; }
table { border-collapse: collapse; margin-bottom: 2em; }
th, td { border: 1px solid #999; padding: .3em .6em; text-align: left; }
th { white-space: nowrap; }
td { min-width: 7em; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>MDM diagnostic report</h1>
<h2>Device</h2>
<table>
<tr><th>Computer name</th><td>{{.Device.Name}}</td></tr>
<tr><th>Serial number</th><td>{{.Device.Serial}}</td></tr>
<tr><th>Model</th><td>{{.Device.Model}}</td></tr>
<tr><th>Windows</th><td>{{.Device.Edition}} {{.Device.Build}}</td></tr>
<tr><th>Report made</th><td>{{.Device.Taken}}</td></tr>
</table>
<h2>Enrolments</h2>
<table>
<tr><th>Id</th><th>Provider</th><th>User</th><th>Type</th><th>Address</th></tr>
{{range .Enrollments}}<tr><td>{{.ID}}</td><td>{{.Provider}}</td><td>{{.UPN}}</td><td>{{.Type}}</td><td>{{.URL}}</td></tr>
{{end}}</table>
<h2>Policies</h2>
<table>
<tr><th>Scope</th><th>Area</th><th>Policy</th><th>Value</th></tr>
{{range $s := .Policies}}{{range $a := .Areas}}{{range .Values}}<tr><td>{{$s.Scope}}</td><td>{{$a.Name}}</td><td>{{.Name}}</td><td>{{.Value}}</td></tr>
{{end}}{{end}}{{end}}</table>
<h2>Certificates</h2>
<table>
<tr><th>Store</th><th>Issued to</th><th>Issued by</th><th>Valid from</th><th>Valid to</th><th>Thumbprint</th></tr>
{{range .Certificates}}<tr><td>{{.Store}}</td><td>{{.Subject}}</td><td>{{.Issuer}}</td><td>{{.From}}</td><td>{{.To}}</td><td>{{.Thumbprint}}</td></tr>
{{end}}</table>
<h2>Apps</h2>
<table>
<tr><th>Product</th><th>For</th><th>Status</th><th>Last error</th></tr>
{{range .Apps}}<tr><td>{{.Product}}</td><td>{{.Target}}</td><td>{{.Status}}</td><td>{{.Error}}</td></tr>
{{end}}</table>
<table>
<tr><th>Installed</th><th>Name</th><th>Version</th></tr>
{{range .Programs}}<tr><td>{{.Product}}</td><td>{{.Name}}</td><td>{{.Version}}</td></tr>
{{end}}</table>
</body>
</html>
`))
