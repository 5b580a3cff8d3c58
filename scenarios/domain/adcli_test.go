package domain_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/domain/samba"
)

// joined is adcli's join of the computer PC-1 as the administrator.
func (l *lab) joined(more ...string) string {
	GinkgoHelper()
	return l.feed(password, append([]string{"adcli", "join", "--verbose", "--stdin-password", "--login-user=" + administrator, "--domain-controller=dc1." + domainName,
		"--computer-name=PC-1", "--host-fqdn=pc-1." + domainName, "--host-keytab=" + l.path("keytab"), "--show-details"}, append(more, domainName)...)...)
}

// keyVersion reads the number of an account's password.
func keyVersion(entry string) (n int) {
	GinkgoHelper()
	_, after, found := strings.Cut(entry, "msDS-KeyVersionNumber: ")
	Expect(found).To(BeTrue(), entry)
	Expect(fmt.Sscan(after, &n)).To(Equal(1))
	return n
}

var _ = Describe("a domain, joined by adcli", func() {
	It("is described by what the controller answers to a ping", func() {
		l := newForest()
		for _, whom := range [][]string{{domainName}, {"--domain-controller=dc1." + domainName}} {
			said := l.run(append([]string{"adcli", "info"}, whom...)...)
			for _, line := range []string{
				"domain-name = " + domainName, "domain-short = CORP", "domain-forest = " + domainName,
				"domain-controller = dc1." + domainName, "domain-controller-site = Default-First-Site-Name", "domain-controller-usable = yes", "computer-site = Default-First-Site-Name",
			} {
				Expect(said).To(ContainSubstring(line))
			}
			Expect(said).To(MatchRegexp(`domain-controller-flags = .*\bldap\b.*\bkdc\b`))
		}
	})

	// life is what a computer's join, its next password and its leaving come to.
	life := func(l *lab) {
		GinkgoHelper()
		Expect(l.joined()).To(ContainSubstring("computer-name = PC-1"))
		l.run("adcli", "testjoin", "--verbose", "--host-keytab="+l.path("keytab"), "--domain-controller=dc1."+domainName)
		l.asAdministrator()
		dn := "CN=PC-1,CN=Computers," + domainDN
		entry := l.ldapsearch(dn, "(objectClass=computer)", "sAMAccountName", "dNSHostName", "servicePrincipalName", "msDS-KeyVersionNumber")
		Expect(entry).To(ContainSubstring("sAMAccountName: PC-1$"))
		Expect(entry).To(ContainSubstring("dNSHostName: pc-1." + domainName))
		Expect(entry).To(ContainSubstring("servicePrincipalName: host/PC-1"))
		version := keyVersion(entry)
		Expect(l.run("klist", "-k", "-e", l.path("keytab"))).To(ContainSubstring(fmt.Sprintf("%d PC-1$@%s (aes256-cts-hmac-sha1-96)", version, realm)))

		l.run("adcli", "update", "--verbose", "--host-keytab="+l.path("keytab"), "--domain-controller=dc1."+domainName, "--computer-password-lifetime=0",
			"--add-service-principal=nfs/pc-1."+domainName)
		entry = l.ldapsearch(dn, "(objectClass=computer)", "servicePrincipalName", "msDS-KeyVersionNumber")
		Expect(entry).To(ContainSubstring("servicePrincipalName: nfs/pc-1." + domainName))
		Expect(keyVersion(entry)).To(Equal(version + 1))
		l.run("adcli", "testjoin", "--verbose", "--host-keytab="+l.path("keytab"), "--domain-controller=dc1."+domainName)
		l.run("kinit", "-k", "-t", l.path("keytab"), "PC-1$@"+realm)

		l.asAdministrator()
		l.feed(password, "adcli", "delete-computer", "--verbose", "--stdin-password", "--login-user="+administrator, "--domain="+domainName, "pc-1."+domainName)
		Expect(l.ldapsearch("CN=Computers,"+domainDN, "(objectClass=computer)", "cn")).To(BeEmpty())
	}

	It("takes a computer, which is in order, changes its password, and leaves again", func() { life(newForest()) })

	It("does the same where the domain is Samba's", Label("samba"), func() { life(newSamba(samba.Directory).lab) })

	It("takes it where it is told to", func() {
		l := newForest()
		unit := "OU=Autopilot," + domainDN
		Expect(l.AddOU(unit)).To(Succeed())
		l.joined("--domain-ou="+unit, "--os-name=Windows", "--service-name=host", "--service-name=RestrictedKrbHost")
		l.asAdministrator()
		entry := l.ldapsearch(unit, "(objectClass=computer)", "operatingSystem", "servicePrincipalName")
		Expect(entry).To(ContainSubstring("dn: CN=PC-1," + unit))
		Expect(entry).To(ContainSubstring("operatingSystem: Windows"))
		Expect(entry).To(ContainSubstring("servicePrincipalName: RestrictedKrbHost/pc-1." + domainName))
	})

	It("refuses who may not, and who does not know the password", func() {
		l := newForest()
		join := []string{"adcli", "join", "--stdin-password", "--domain-controller=dc1." + domainName, "--computer-name=PC-1", "--host-keytab=" + l.path("keytab")}
		Expect(l.refused("wrong", append(join, "--login-user="+administrator, domainName)...)).To(ContainSubstring("Preauthentication failed"))
		Expect(l.refused("wrong", append(join, "--login-user=nobody", domainName)...)).To(ContainSubstring("not found in Kerberos database"))
		Expect(l.refused("", "adcli", "testjoin", "--host-keytab="+l.path("keytab"), "--domain-controller=dc1."+domainName)).NotTo(BeEmpty())
	})
})

var _ = Describe("a domain, looked at by Samba's tools", func() {
	It("is what the controller answers", func() {
		l := newForest()
		conf := l.sambaClient("PC-1", domainName)
		said := l.run("net", "-s", conf, "ads", "lookup")
		Expect(said).To(MatchRegexp(`Domain:\s+` + domainName))
		Expect(said).To(MatchRegexp(`Pre-Win2k Domain:\s+CORP`))
		Expect(said).To(MatchRegexp(`Is running a KDC:\s+yes`))
		Expect(said).To(MatchRegexp(`Client Site Name:\s*Default-First-Site-Name`))
		said = l.run("net", "-s", conf, "ads", "info")
		Expect(said).To(ContainSubstring("LDAP server name: dc1." + domainName))
		Expect(said).To(ContainSubstring("Bind Path: dc=CORP,dc=CONTOSO,dc=COM"))
		Expect(said).To(ContainSubstring("KDC server: 127.0.0.1"))
	})
})
