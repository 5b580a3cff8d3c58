package namespace

import (
	"fmt"
	"strings"
)

// config is what a machine of a domain is told.
type config struct {
	domain string
	ca     string // file
}

func (c config) realm() string { return strings.ToUpper(c.domain) }

// resolv names two controllers: a second one, where the domain has one, has
// the next address. resolv.conf(5)
func (c config) resolv() string {
	return "nameserver 127.0.0.1\nsearch " + c.domain + "\noptions timeout:1 attempts:2\n"
}

func (c config) hosts() string {
	return fmt.Sprintf("127.0.0.1 localhost\n127.0.1.1 %[1]s.%[2]s %[1]s\n", HostName, c.domain)
}

// krb5 finds controllers by DNS, as a member of a domain does, and takes the
// clock as it is: the library would correct a difference silently.
// https://web.mit.edu/kerberos/krb5-1.20/doc/admin/conf_files/krb5_conf.html
func (c config) krb5() string {
	return fmt.Sprintf(`[libdefaults]
 default_realm = %[1]s
 dns_lookup_kdc = true
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 kdc_timesync = 0
[domain_realm]
 .%[2]s = %[1]s
 %[2]s = %[1]s
`, c.realm(), c.domain)
}

// ldap has OpenLDAP's clients ask for what is said and trust the domain's CA
// alone. ldap.conf(5)
func (c config) ldap() string {
	return fmt.Sprintf("URI ldap://%s\nTLS_CACERT %s\nTLS_REQCERT demand\nSASL_NOCANON on\nREFERRALS off\n", c.domain, c.ca)
}
