package graph

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Mistakes says what is wrong with a configuration by itself, as the service
// would refuse it.
func (c DeviceConfiguration) Mistakes() []Mistake {
	var r Report
	c = complete(c, c.ODataType)
	if c.CustomConfiguration != nil {
		for i, s := range c.OmaSettings {
			s.mistakes(&r, fmt.Sprintf("omaSettings[%d]", i))
		}
	}
	if c.PKCSCertificate != nil {
		r.optional("certificateStore", c.CertificateStore, []string{"user", "machine"})
		if c.CertificateStore == "machine" && strings.Contains(strings.ToLower(c.SubjectNameFormatString+c.SubjectAlternativeNameFormatString), "{{userprincipalname}}") {
			r.wrong("subjectNameFormatString", "names the user, and the certificate is the machine's: write certificateStore user, or a variable of the device such as {{AAD_Device_ID}}")
		}
	}
	if p := c.CertificateProfile; p != nil {
		if n := p.RenewalThresholdPercentage; n < 0 || n > 99 {
			r.wrong("renewalThresholdPercentage", "%d is not between 1 and 99", n)
		}
	}
	if c.SCEPCertificate != nil {
		c.scepMistakes(&r)
	}
	if c.DomainJoin != nil {
		c.DomainJoin.mistakes(&r)
	}
	if c.WiFi != nil {
		if c.SSID == "" {
			r.wrong("ssid", "is missing; it is the network's name in the air")
		}
		if strings.HasSuffix(c.WiFiSecurityType, "Personal") && (len(c.PreSharedKey) < 8 || len(c.PreSharedKey) > 64) {
			r.wrong("preSharedKey", "has %d characters; %s wants 8 to 64", len(c.PreSharedKey), c.WiFiSecurityType)
		}
	}
	if c.VPN != nil {
		if c.ConnectionName == "" {
			r.wrong("connectionName", "is missing")
		}
		if len(c.Servers) == 0 {
			r.wrong("servers", "is empty; a connection needs a server")
		}
	}
	return r.Mistakes
}

func (c DeviceConfiguration) scepMistakes(r *Report) {
	if len(c.ScepServerURLs) == 0 {
		r.wrong("scepServerUrls", "is empty; write the address of the SCEP server")
	}
	for i, server := range c.ScepServerURLs {
		if u, err := url.Parse(server); err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
			r.wrong(fmt.Sprintf("scepServerUrls[%d]", i), "%q is no address; write one such as https://scep.contoso.com/certsrv/mscep/mscep.dll", server)
		}
	}
	r.optional("keySize", c.KeySize, []string{"size1024", "size2048", "size4096"})
	r.optional("hashAlgorithm", c.HashAlgorithm, []string{"sha1", "sha2"})
	for _, use := range strings.Split(c.KeyUsage, ",") {
		r.optional("keyUsage", strings.TrimSpace(use), []string{"keyEncipherment", "digitalSignature"})
	}
}

func (s OmaSetting) mistakes(r *Report, at string) {
	if _, _, err := s.Data(); err != nil {
		r.wrong(at, "%s", strings.TrimPrefix(err.Error(), "graph: "))
	}
	if !strings.HasPrefix(s.OmaURI, "./") {
		r.wrong(at+".omaUri", "%q is no LocURI; it starts with ./Device/, ./User/ or ./Vendor/", s.OmaURI)
	}
}

// Mistakes says what is wrong with a policy of the settings catalogue, as the
// service would refuse it.
func (p ConfigurationPolicy) Mistakes() []Mistake {
	var r Report
	for i, s := range p.Settings {
		var setting struct {
			Instance struct {
				Type       string `json:"@odata.type"`
				Definition string `json:"settingDefinitionId"`
			} `json:"settingInstance"`
		}
		at := fmt.Sprintf("settings[%d]", i)
		switch err := json.Unmarshal(s, &setting); {
		case err != nil:
			r.wrong(at, "is no setting: %v", err)
		case setting.Instance.Definition == "":
			r.wrong(at, "has no settingInstance with a settingDefinitionId")
		}
	}
	return r.Mistakes
}

// maxScript bounds a script (learn.microsoft.com, "Use PowerShell scripts on
// Windows devices": 200 KB).
const maxScript = 200 << 10

// Mistakes says what is wrong with a script, as the service would refuse it.
func (s DeviceManagementScript) Mistakes() []Mistake {
	var r Report
	switch {
	case len(s.ScriptContent) == 0:
		r.wrong("scriptContent", "is missing; it is the script's text in base64")
	case len(s.ScriptContent) > maxScript:
		r.wrong("scriptContent", "has %d bytes; at most %d", len(s.ScriptContent), maxScript)
	}
	r.optional("runAsAccount", string(s.RunAsAccount), runAs)
	if s.FileName != "" && !strings.HasSuffix(strings.ToLower(s.FileName), ".ps1") {
		r.wrong("fileName", "%q is no PowerShell script; its name ends in .ps1", s.FileName)
	}
	return r.Mistakes
}
