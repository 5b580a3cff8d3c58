package scenario

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/graph"
)

// HashFile is what people do to the CSV of Get-WindowsAutopilotInfo between
// export and import. The zero value leaves it as it was exported.
type HashFile struct {
	By       ImportedBy     `yaml:"by" default:"portal" doc:"How it is imported: portal, whose page reads the file; script, which takes rows as PowerShell's Import-Csv does and posts them to Graph as they are."`
	Encoding TextEncoding   `yaml:"encoding" default:"ansi" doc:"As what an editor saved it."`
	Quotes   bool           `yaml:"quotes" doc:"Every value is in quotes, as spreadsheet programs and Export-Csv write them."`
	Times    int            `yaml:"times" default:"1" min:"1" max:"1000" doc:"How often each PC is in the file: hashes that were appended to it again."`
	Lost     int            `yaml:"lost" max:"4000" doc:"Characters that each hash lost at its end."`
	Replace  []TextReplaced `yaml:"replace" doc:"Texts that somebody put in the place of others."`
}

// TextReplaced is a correction, right or wrong.
type TextReplaced struct {
	Text string `yaml:"text" need:"yes" doc:"What was there."`
	By   string `yaml:"by" doc:"What is there now."`
}

// ImportedBy is who reads the file.
type ImportedBy string

// ByScript posts rows without looking at them.
const ByScript ImportedBy = "script"

func (ImportedBy) choices() []string { return []string{"portal", "script"} }

// TextEncoding is how a text is written.
type TextEncoding string

func (TextEncoding) choices() []string { return []string{"ansi", "utf8bom", "utf16"} }

// Edit gives a file as it is after all that.
func (h HashFile) Edit(file []byte) []byte {
	lines := strings.Split(strings.TrimRight(string(file), "\r\n"), "\n")
	out := []string{h.line(lines[0], false)}
	for range max(1, h.Times) {
		for _, line := range lines[1:] {
			out = append(out, h.line(line, true))
		}
	}
	text := strings.Join(out, "\r\n") + "\r\n"
	for _, r := range h.Replace {
		text = strings.ReplaceAll(text, r.Text, r.By)
	}
	switch h.Encoding {
	case "utf8bom":
		return []byte("\xef\xbb\xbf" + text)
	case "utf16":
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(text)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return b
	}
	return []byte(text)
}

// hashColumn is the third: serial number, product id, hash.
const hashColumn = 2

func (h HashFile) line(line string, row bool) string {
	fields := strings.Split(strings.TrimSuffix(line, "\r"), ",")
	if row && len(fields) > hashColumn {
		hash := fields[hashColumn]
		fields[hashColumn] = hash[:len(hash)-min(h.Lost, len(hash))]
	}
	for i := range fields {
		if h.Quotes {
			fields[i] = `"` + fields[i] + `"`
		}
	}
	return strings.Join(fields, ",")
}

// Other is an organization that is not the run's own: no PC of the run is meant
// for it.
type Other struct {
	Domain      string         `yaml:"domain" need:"yes" doc:"Its verified domain."`
	DisplayName string         `yaml:"displayName" doc:"Its name; missing: the domain."`
	Users       []OtherAccount `yaml:"users" doc:"Its accounts."`
	Registered  string         `yaml:"registered" doc:"PCs that it registered first, by a glob over their names (PC-0001) and serial numbers; missing: none."`
}

// OtherAccount is an account of another organization.
type OtherAccount struct {
	UserPrincipalName string `yaml:"userPrincipalName" need:"yes" doc:"Sign-in name."`
	Password          string `yaml:"password" need:"yes" doc:"Password."`
}

// Tenant is the organization as the directory wants it.
func (o Other) Tenant() Tenant {
	t := Tenant{ID: vclock.Seed(0).UUID("scenario", "otherTenants", strings.ToLower(o.Domain)), Domain: o.Domain, DisplayName: o.DisplayName}
	if t.DisplayName == "" {
		t.DisplayName = o.Domain
	}
	for _, u := range o.Users {
		id := idOf("users of "+t.ID, u.UserPrincipalName)
		t.Users = append(t.Users, User{User: graph.User{ID: id, UserPrincipalName: u.UserPrincipalName, DisplayName: u.UserPrincipalName}, Password: u.Password})
	}
	return t
}

// Has tells whether it registered a PC.
func (o Other) Has(name, serial string) bool {
	return o.Registered != "" && (fault.Match(o.Registered, name) || fault.Match(o.Registered, serial))
}

// Account finds an account of the tenant or of another organization by its
// sign-in name.
func (s *Scenario) Account(upn string) (OtherAccount, bool) {
	if u, ok := s.Tenant.User(upn); ok {
		return OtherAccount{UserPrincipalName: u.UserPrincipalName, Password: u.Password}, true
	}
	for _, o := range s.Others {
		for _, u := range o.Users {
			if strings.EqualFold(u.UserPrincipalName, upn) {
				return u, true
			}
		}
	}
	return OtherAccount{}, false
}

// others checks the other organizations.
func (c *checker) others() {
	seen := map[string]bool{strings.ToLower(c.s.Tenant.Domain): true}
	for i, o := range c.s.Others {
		path := fmt.Sprintf("otherTenants[%d]", i)
		c.name(path+".domain", strings.ToLower(o.Domain), seen, "tenant")
		for k, u := range o.Users {
			if _, domain, _ := strings.Cut(u.UserPrincipalName, "@"); u.UserPrincipalName != "" && !strings.EqualFold(domain, o.Domain) {
				c.wrong(fmt.Sprintf("%s.users[%d].userPrincipalName", path, k), "%q does not end with @%s", u.UserPrincipalName, o.Domain)
			}
		}
	}
}
