package serve

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"windtunnel.test/fakead"
	"windtunnel.test/sim/scenario"
)

// Directory is the Active Directory domain of a scenario, as real clients find
// it.
type Directory struct {
	Domain        string       `json:"domain"`
	NetBIOS       string       `json:"netbios"`
	Realm         string       `json:"realm"`
	Administrator string       `json:"administrator"`
	Password      string       `json:"password"`
	Standard      bool         `json:"standardPorts"`
	Controllers   []Controller `json:"controllers"`
	Krb5          string       `json:"krb5Config"` // a file for KRB5_CONFIG
}

// Controller is one of its controllers.
type Controller struct {
	Name  string            `json:"name"`  // its host name
	Ports map[string]string `json:"ports"` // HOST:PORT by what it is: dns, kerberos, ldap, kpasswd, ldaps, globalCatalog
}

// directoryPorts are the ports that are told of.
var directoryPorts = []struct {
	name string
	port int
}{{"dns", 53}, {"kerberos", 88}, {"ldap", 389}, {"kpasswd", 464}, {"ldaps", 636}, {"globalCatalog", 3268}}

// checkDirectory reads where the domain is to be.
func (o *Options) checkDirectory() error {
	if o.Directory == "" {
		o.Directory = DefaultDirectory
	}
	if host, free := o.directoryHost(); net.ParseIP(host) == nil || !isLoopback(net.JoinHostPort(host, "0")) {
		return inputError("--directory: %q is not on loopback: write 127.0.0.1:0 for free ports, or 127.0.0.1 for the standard ones", o.Directory)
	} else if _, _, err := net.SplitHostPort(o.Directory); err == nil && !free {
		return inputError("--directory: %q has a port, and a domain has many: write 127.0.0.1:0 for free ones, or 127.0.0.1 for the standard ones", o.Directory)
	}
	return nil
}

// directoryHost is the address, and whether free ports are wanted there.
func (o *Options) directoryHost() (host string, free bool) {
	host, port, err := net.SplitHostPort(o.Directory)
	if err != nil {
		return o.Directory, false
	}
	return host, port == "0"
}

// listenDirectory puts the domain on its ports; those of an earlier world, if
// there was one.
func (s *Server) listenDirectory(c *current, earlier *fakead.Listeners) (err error) {
	if c.world.Forest == nil {
		return nil
	}
	host, free := s.o.directoryHost()
	o := fakead.ListenOptions{Host: host, Ephemeral: free}
	if earlier != nil {
		o.As = earlier.Addr
	}
	if c.directory, err = c.world.Forest.Listen(o); err != nil {
		return inputError("--directory: %w; 127.0.0.1:0 picks free ports", err)
	}
	return nil
}

// announceDirectory says where the domain is, and writes a file for Kerberos'
// libraries.
func (s *Server) announceDirectory(r *Endpoints) error {
	l := s.now().directory
	if l == nil {
		return nil
	}
	forest, d := s.now().world.Forest, *s.o.Scenario.Domain
	name, password := forest.Administrator()
	_, free := s.o.directoryHost()
	out := &Directory{Domain: forest.Domain(), NetBIOS: forest.NetBIOS(), Realm: forest.Realm(), Administrator: name, Password: password, Standard: !free}
	for _, dc := range d.Servers() {
		c := Controller{Name: d.Host(dc.Name), Ports: map[string]string{}}
		for _, p := range directoryPorts {
			c.Ports[p.name] = l.Addr(dc.Name, "tcp", p.port)
		}
		out.Controllers = append(out.Controllers, c)
	}
	path := filepath.Join(filepath.Dir(r.CA), "krb5-"+strings.TrimSuffix(filepath.Base(r.CA), ".pem")+".conf")
	if err := writeWhole(path, []byte(out.krb5(d))); err != nil {
		return inputError("--ca: %s cannot be written: %w", path, err)
	}
	out.Krb5 = path
	r.Directory = out
	return nil
}

// krb5 is a krb5.conf(5) for the domain. Streams come first, since only their
// ports are sure to be those that it names.
func (d *Directory) krb5(s scenario.Domain) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[libdefaults]\n\tdefault_realm = %s\n\tdns_lookup_kdc = false\n\tdns_lookup_realm = false\n\trdns = false\n\tdns_canonicalize_hostname = false\n\tudp_preference_limit = 1\n\n[realms]\n\t%s = {\n", d.Realm, d.Realm)
	for _, c := range d.Controllers {
		fmt.Fprintf(&b, "\t\tkdc = %s\n", c.Ports["kerberos"])
	}
	fmt.Fprintf(&b, "\t\tkpasswd_server = %s\n\t}\n\n[domain_realm]\n\t.%s = %s\n\t%s = %s\n", d.Controllers[0].Ports["kpasswd"], d.Domain, d.Realm, d.Domain, d.Realm)
	return b.String()
}

// write tells a person where the domain is; nothing where there is none.
func (d *Directory) write(b *strings.Builder) {
	if d == nil {
		return
	}
	fmt.Fprintf(b, "  %-12s %s (%s), %s, password %s\n", "Domain", d.Domain, d.NetBIOS, d.Administrator, d.Password)
	for _, c := range d.Controllers {
		fmt.Fprintf(b, "  %-12s %s: DNS %s, LDAP %s, LDAPS %s, Kerberos %s\n", "Controller", c.Name, c.Ports["dns"], c.Ports["ldap"], c.Ports["ldaps"], c.Ports["kerberos"])
	}
	if host, _, err := net.SplitHostPort(d.Controllers[0].Ports["dns"]); err == nil && d.Standard {
		fmt.Fprintf(b, "  %-12s nameserver %s in /etc/resolv.conf finds it by name\n", "", host)
	}
}
