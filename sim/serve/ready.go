package serve

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/pki"
)

// Warning is what everybody should know who uses it.
const Warning = "never a production service: for tests on this machine only, with keys and passwords that are as good as public"

// Endpoints is what a client is to be told: the ready document.
type Endpoints struct {
	Warning  string `json:"warning"`
	Scenario string `json:"scenario"`
	TenantID string `json:"tenantId"`
	Domain   string `json:"domain"`
	Proxy    string `json:"proxy"` // for HTTPS_PROXY and HTTP_PROXY: http://127.0.0.1:8180
	TLS      string `json:"tls"`   // HOST:PORT, routed by SNI
	HTTP     string `json:"http"`  // HOST:PORT, routed by Host
	CA       string `json:"ca"`    // file with the root above the web certificates, PEM
	// Trust is the roots that devices trust besides, PEM: the attestation service's.
	Trust string `json:"trust"`
	// Environment is what to set for programs that know nothing of all this.
	Environment  map[string]string `json:"environment"`
	Management   string            `json:"management,omitempty"`
	State        string            `json:"state,omitempty"`
	Fleet        int               `json:"fleet,omitempty"`     // PCs that live here as well
	Directory    *Directory        `json:"directory,omitempty"` // the Active Directory domain
	Applications []sim.Application `json:"applications"`
	Users        []User            `json:"users"`
	Hosts        []string          `json:"hosts"` // the names that are served, sorted; "*.suffix" is every name below it
}

// User is somebody who can sign in.
type User struct {
	UPN      string `json:"upn"`
	Password string `json:"password"`
}

// Ready says what to set, and who can sign in.
func (s *Server) Ready() Endpoints { return s.ready }

// announce fills in the ready document, and writes the authority's certificate.
func (s *Server) announce() error {
	scenario := s.o.Scenario
	r := Endpoints{
		Warning: Warning, Scenario: scenario.Name, TenantID: scenario.Tenant.ID, Domain: scenario.Tenant.Domain, Proxy: "http://" + s.gateway.ProxyAddr(), TLS: s.gateway.TLSAddr(), HTTP: s.gateway.HTTPAddr(),
		State: s.o.StateDir, Applications: sim.Applications(scenario.Tenant), Users: []User{}, Hosts: s.gateway.Names(),
	}
	if s.o.Management != "" {
		r.Management = "http://" + s.o.Management
	}
	if s.o.Fleet {
		r.Fleet = scenario.Fleet.Count()
	}
	r.Trust = string(pki.PEM(s.now().world.Entra.AIK.Root()))
	for _, u := range scenario.Tenant.AllUsers() {
		r.Users = append(r.Users, User{u.UserPrincipalName, u.Password})
	}
	var err error
	if r.CA, err = s.caFile(); err != nil {
		return err
	}
	if err := writeWhole(r.CA, pki.PEM(s.root.Cert)); err != nil {
		return inputError("--ca: %s cannot be written: %w", r.CA, err)
	}
	if err := s.announceDirectory(&r); err != nil {
		return err
	}
	r.Environment = map[string]string{}
	for _, v := range r.environment() {
		for _, name := range v.names {
			r.Environment[name] = v.value
		}
	}
	s.ready = r
	return nil
}

// caFile is where the authority's certificate goes.
func (s *Server) caFile() (string, error) {
	path := s.o.CAFile
	switch {
	case path != "":
	case s.o.StateDir != "":
		path = filepath.Join(s.o.StateDir, "ca.pem")
	default:
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", inputError("--ca: say where, for there is no cache folder: %w", err)
		}
		_, port, err := net.SplitHostPort(s.gateway.ProxyAddr())
		if err != nil {
			return "", err
		}
		path = filepath.Join(cache, "windtunnel", "serve", "ca-"+port+".pem")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", inputError("--ca: %w", err)
		}
	}
	return filepath.Abs(path)
}

// forget removes a certificate that is good for nothing any more, unless
// somebody has said where it is to be.
func (s *Server) forget() error {
	if d := s.ready.Directory; d != nil && d.Krb5 != "" && s.o.StateDir == "" {
		if err := os.Remove(d.Krb5); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if s.ready.CA == "" || s.o.CAFile != "" || s.o.StateDir != "" {
		return nil
	}
	if err := os.Remove(s.ready.CA); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writeWhole writes a file that everybody may read, whole or not at all.
func writeWhole(path string, b []byte) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return errors.New("it is a folder; name a file")
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err // the temporary name would say nothing to anybody
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// variable is a value that goes by several names.
type variable struct {
	names []string
	value string
}

// environment is what programs look at: Go, .NET and OpenSSL at the first names;
// curl takes http_proxy in small letters only, and it, Python's requests and
// Node.js have each a name of their own for the CA. What is on this machine
// itself, such as the management listener, needs no proxy.
func (r Endpoints) environment() []variable {
	list := []variable{
		{[]string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"}, r.Proxy},
		{[]string{"NO_PROXY", "no_proxy"}, "localhost,127.0.0.1"},
		{[]string{"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"}, r.CA},
	}
	if d := r.Directory; d != nil && d.Krb5 != "" {
		list = append(list, variable{[]string{"KRB5_CONFIG"}, d.Krb5})
	}
	if a := r.Applications[0]; a.Secret != "" { // as Azure's SDKs look for it
		list = append(list, variable{[]string{"AZURE_TENANT_ID"}, r.TenantID}, variable{[]string{"AZURE_CLIENT_ID"}, a.ClientID}, variable{[]string{"AZURE_CLIENT_SECRET"}, a.Secret})
	}
	return list
}

// few is how many users are shown to a person.
const few = 3

// WriteText tells a person what to set.
func (r Endpoints) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%q: tenant %s (%s)\nIt is %s.\n\n", r.Scenario, r.Domain, r.TenantID, r.Warning)
	for _, v := range r.environment() {
		fmt.Fprintf(&b, "  export %s=%s\n", v.names[0], quote(v.value))
		if len(v.names) > 1 {
			fmt.Fprintf(&b, "  export %s=\"$%s\"\n", strings.Join(v.names[1:], `="$`+v.names[0]+`" `), v.names[0])
		}
	}
	b.WriteString("\n")
	for _, a := range r.Applications {
		fmt.Fprintf(&b, "  %-12s %s, client id %s%s\n", "Application", a.Name, a.ClientID, secret(a))
	}
	for i, u := range r.Users {
		if i == few && len(r.Users) > few+1 {
			fmt.Fprintf(&b, "  %-12s and %d more: --json lists them\n", "", len(r.Users)-few)
			break
		}
		fmt.Fprintf(&b, "  %-12s %s, password %s\n", "User", u.UPN, u.Password)
	}
	fmt.Fprintf(&b, "\n  %-12s %s, by the name that a client asks for\n", "TLS", r.TLS)
	for _, line := range [][2]string{{"HTTP", r.HTTP}, {"Management", r.Management}, {"State", r.State}} {
		if line[1] != "" {
			fmt.Fprintf(&b, "  %-12s %s\n", line[0], line[1])
		}
	}
	if r.Fleet > 0 {
		fmt.Fprintf(&b, "  %-12s %d PCs live here as well\n", "Fleet", r.Fleet)
	}
	r.Directory.write(&b)
	host, port, _ := net.SplitHostPort(r.TLS)
	fmt.Fprintf(&b, "\nWhere no proxy can be set, these lines in /etc/hosts do")
	if port != "443" {
		fmt.Fprintf(&b, " once it listens there (--listen 127.0.0.1:443 --http 127.0.0.1:80)")
	}
	fmt.Fprintf(&b, ":\n\n")
	for _, name := range r.Hosts {
		if suffix, wild := strings.CutPrefix(name, "*."); wild { // which a hosts file does not know
			fmt.Fprintf(&b, "  # and each name below %s that a client asks for\n", suffix)
		} else {
			fmt.Fprintf(&b, "  %s %s\n", host, name)
		}
	}
	fmt.Fprintf(&b, "\nCtrl-C ends it.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func secret(a sim.Application) string {
	if a.Secret == "" {
		return ""
	}
	return ", secret " + a.Secret
}

// quote is a path for a shell.
func quote(path string) string {
	if strings.ContainsAny(path, " \t\"'$`\\&|;<>()*?[]#~!") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
