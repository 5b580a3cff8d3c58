package domain_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"

	peer "github.com/go-ldap/ldap/v3"
	"github.com/go-ldap/ldap/v3/gssapi"
	"github.com/jcmturner/gokrb5/v8/client"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakead"
)

const (
	domainDN = "DC=corp,DC=contoso,DC=com"
	server   = "ldap://dc1." + domainName
)

// ways are how the tools authenticate as the administrator.
var ways = map[string][]string{
	"a simple bind":                {"-H", server, "-x", "-D", `CORP\` + administrator, "-w", password},
	"a simple bind after StartTLS": {"-H", server, "-ZZ", "-x", "-D", `CORP\` + administrator, "-w", password},
	"a simple bind over LDAPS":     {"-H", "ldaps://dc1." + domainName, "-x", "-D", `CORP\` + administrator, "-w", password},
	"GSSAPI, sealed":               {"-H", server, "-Q", "-Y", "GSSAPI"},
	"GSSAPI, signed":               {"-H", server, "-Q", "-Y", "GSSAPI", "-O", "minssf=1,maxssf=1"},
	"GSSAPI, bare":                 {"-H", server, "-Q", "-Y", "GSSAPI", "-O", "maxssf=0"},
	"GSSAPI over TLS":              {"-H", server, "-ZZ", "-Q", "-Y", "GSSAPI", "-O", "maxssf=0"},
	"GSS-SPNEGO":                   {"-H", server, "-Q", "-Y", "GSS-SPNEGO"},
}

// tool is a command of OpenLDAP's with one of the ways.
func tool(name, way string, arguments ...string) []string {
	return append(append([]string{name}, ways[way]...), arguments...)
}

// plain is LDIF without comments, references and folded lines.
var plain = []string{"-LLL", "-o", "ldif-wrap=no"}

// many makes containers to find.
func (l *lab) many(n int) {
	GinkgoHelper()
	var ldif strings.Builder
	fmt.Fprintf(&ldif, "dn: OU=Many,%s\nobjectClass: organizationalUnit\n\n", domainDN)
	for i := range n {
		fmt.Fprintf(&ldif, "dn: CN=m%d,OU=Many,%s\nobjectClass: container\ndescription: number %d\n\n", i, domainDN, i)
	}
	l.feed(ldif.String(), tool("ldapadd", "a simple bind over LDAPS")...)
}

var _ = Describe("the directory, asked by OpenLDAP's tools", func() {
	It("tells anybody what it is, and nobody what it has", func() {
		l := newForest()
		root := l.run(append([]string{"ldapsearch", "-x", "-H", server, "-s", "base", "-b", ""}, append(plain, "*")...)...)
		Expect(root).To(ContainSubstring("defaultNamingContext: " + domainDN))
		Expect(root).To(ContainSubstring("supportedSASLMechanisms: GSS-SPNEGO"))
		Expect(root).To(ContainSubstring("dnsHostName: dc1." + domainName))
		Expect(l.refused("", "ldapsearch", "-x", "-H", server, "-b", domainDN)).To(ContainSubstring("a successful bind must be completed"))
	})

	DescribeTable("lets objects be added, read, compared, changed and deleted with",
		func(way string) {
			l := newForest()
			if strings.HasPrefix(way, "GSS") {
				l.asAdministrator()
			}
			ou := "OU=Autopilot," + domainDN
			l.feed("dn: "+ou+"\nobjectClass: organizationalUnit\ndescription: first\n", tool("ldapadd", way)...)
			Expect(l.run(tool("ldapsearch", way, append(plain, "-b", ou, "description")...)...)).To(Equal("dn: " + ou + "\ndescription: first\n\n"))
			l.feed("dn: "+ou+"\nchangetype: modify\nreplace: description\ndescription: second\n", tool("ldapmodify", way)...)
			Expect(l.refused("", tool("ldapcompare", way, ou, "description:second")...)).To(ContainSubstring("TRUE"))
			Expect(l.refused("", tool("ldapcompare", way, ou, "description:first")...)).To(ContainSubstring("FALSE"))
			Expect(l.refused("dn: "+ou+"\nobjectClass: organizationalUnit\n", tool("ldapadd", way)...)).To(ContainSubstring("Already exists (68)"))
			l.run(tool("ldapdelete", way, ou)...)
			Expect(l.refused("", tool("ldapdelete", way, ou)...)).To(ContainSubstring("No such object (32)"))
			Expect(l.run(tool("ldapwhoami", way)...)).To(Equal(`u:CORP\` + administrator + "\n"))
		},
		Entry("a simple bind", "a simple bind"),
		Entry("a simple bind after StartTLS", "a simple bind after StartTLS"),
		Entry("a simple bind over LDAPS", "a simple bind over LDAPS"),
		Entry("GSSAPI, sealed", "GSSAPI, sealed"),
		Entry("GSSAPI, signed", "GSSAPI, signed"),
		Entry("GSSAPI, bare", "GSSAPI, bare"),
		Entry("GSSAPI over TLS", "GSSAPI over TLS"),
		Entry("GSS-SPNEGO", "GSS-SPNEGO"),
	)

	It("gives more than a page only in pages", func() {
		l := newForest()
		l.many(1200)
		search := append(tool("ldapsearch", "a simple bind", plain...), "-b", "OU=Many,"+domainDN, "-s", "one")
		Expect(strings.Count(l.run(append(search, "-E", "pr=250/noprompt", "description")...), "\ndescription: ")).To(Equal(1200))
		cut := l.refused("", append(search, "1.1")...)
		Expect(cut).To(ContainSubstring("Size limit exceeded (4)"))
		Expect(strings.Count(cut, "dn: ")).To(Equal(1000))
		Expect(strings.Count(l.refused("", append(search, "-z", "7", "1.1")...), "dn: ")).To(Equal(7))
	})

	It("finds by the filters that its clients use", func() {
		l := newForest()
		_, err := l.AddUser(fakead.User{UPN: "anna@contoso.com", SAM: "anna", Password: "Sommer-2026"})
		Expect(err).NotTo(HaveOccurred())
		for filter, n := range map[string]int{
			"(sAMAccountName=ANNA)": 1, "(&(objectCategory=person)(objectClass=user)(userPrincipalName=anna@*))": 1, "(&(sAMAccountName=anna)(!(description=*)))": 1,
			"(&(sAMAccountName=anna)(userAccountControl:1.2.840.113556.1.4.803:=2))": 0, "(|(cn=otto)(cn=ann*a))": 1, "(sAMAccountName=otto)": 0,
		} {
			out := l.run(append(tool("ldapsearch", "a simple bind", plain...), "-b", domainDN, "-E", "!domainScope", filter, "1.1")...)
			Expect(strings.Count(out, "dn: ")).To(Equal(n), filter)
		}
	})

	It("says no as a controller does", func() {
		l := newForest(func(o *fakead.Options) { o.RequireTLS = true })
		for _, c := range [][2]string{
			{"-x -D CORP\\Administrator -w " + password, "Strong(er) authentication required (8)"},
			{"-ZZ -x -D CORP\\Administrator -w wrong", "data 52e"},
			{"-ZZ -x -D CORP\\Nobody -w wrong", "Invalid credentials (49)"},
			{"-ZZ -x -D CORP\\Administrator -w " + password + " -E !1.2.3.4", "result: 12 Critical extension is unavailable"},
		} {
			command := append([]string{"ldapsearch", "-H", server, "-b", domainDN, "-s", "base"}, strings.Fields(c[0])...)
			Expect(l.refused("", command...)).To(ContainSubstring(c[1]), c[0])
		}
		Expect(l.refused("", tool("ldapexop", "a simple bind after StartTLS", "1.2.3.4")...)).To(ContainSubstring("Unknown extended request OID"))
		Expect(l.refused("", "ldapwhoami", "-H", server, "-Q", "-Y", "GSSAPI")).NotTo(BeEmpty(), "without a ticket")
		l.asAdministrator()
		Expect(l.refused("", tool("ldapwhoami", "GSSAPI, bare")...)).To(ContainSubstring("(8)"), "neither signed nor over TLS")
		Expect(l.run(tool("ldapwhoami", "GSSAPI, sealed")...)).To(ContainSubstring(administrator))
		Expect(l.refused("", "ldapwhoami", "-H", server, "-ZZ", "-Q", "-Y", "GSSAPI")).To(ContainSubstring("unwilling to perform (53)"))
	})
})

var _ = Describe("the directory, asked by go-ldap", func() {
	It("serves binds, searches in pages and changes", func() {
		l := newForest()
		l.many(30)
		c, err := peer.DialURL(server)
		Expect(err).NotTo(HaveOccurred())
		defer c.Close()
		Expect(c.StartTLS(&tls.Config{ServerName: "dc1." + domainName, RootCAs: ca.Pool()})).To(Succeed())
		Expect(c.Bind(`CORP\`+administrator, password)).To(Succeed())
		ask := peer.NewSearchRequest("OU=Many,"+domainDN, peer.ScopeWholeSubtree, peer.NeverDerefAliases, 0, 0, false, "(description=number *)", []string{"description"}, nil)
		found, err := c.SearchWithPaging(ask, 7)
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Entries).To(HaveLen(30))
		change := peer.NewModifyRequest("CN=m1,OU=Many,"+domainDN, nil)
		change.Replace("description", []string{"another"})
		Expect(c.Modify(change)).To(Succeed())
		Expect(c.Compare("CN=m1,OU=Many,"+domainDN, "description", "another")).To(BeTrue())
		Expect(c.Del(peer.NewDelRequest("CN=m1,OU=Many,"+domainDN, nil))).To(Succeed())
		Expect(c.Del(peer.NewDelRequest("OU=Many,"+domainDN, nil))).To(MatchError(ContainSubstring("Not Allowed On Non Leaf")))
		who, err := c.WhoAmI(nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(who.AuthzID).To(Equal(`u:CORP\` + administrator))
	})

	It("serves a bind by GSSAPI with gokrb5", func() {
		l := newForest()
		_, err := l.AddUser(fakead.User{UPN: "anna@" + domainName, SAM: "anna", Password: "Sommer-2026"})
		Expect(err).NotTo(HaveOccurred())
		k, err := gssapi.NewClientWithPassword("anna", realm, "Sommer-2026", os.Getenv("KRB5_CONFIG"), client.DisablePAFXFAST(true))
		Expect(err).NotTo(HaveOccurred())
		defer k.Close()
		c, err := peer.DialURL(server)
		Expect(err).NotTo(HaveOccurred())
		defer c.Close()
		Expect(c.GSSAPIBind(k, "ldap/dc1."+domainName, "")).To(Succeed())
		who, err := c.WhoAmI(nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(who.AuthzID).To(Equal(`u:CORP\anna`))
	})
})

var _ = Describe("the netlogon ping", func() {
	It("is understood by Samba", func() {
		l := newForest()
		out := strings.Join(strings.Fields(l.run("net", "ads", "lookup", "-S", "dc1."+domainName)), " ")
		for _, line := range []string{"Domain: " + domainName, "Domain Controller: dc1." + domainName, "Pre-Win2k Domain: CORP", "Pre-Win2k Hostname: DC1",
			"Is a PDC: yes", "Is the closest DC: yes", "Is running a KDC: yes", "Client Site Name: Default-First-Site-Name"} {
			Expect(out).To(ContainSubstring(line))
		}
	})

	It("is understood by adcli", func() {
		l := newForest()
		out := l.run("adcli", "info", domainName)
		Expect(out).To(ContainSubstring("domain-controller = dc1." + domainName))
		Expect(out).To(ContainSubstring("domain-short = CORP"))
		Expect(out).To(ContainSubstring("domain-controller-usable = yes"))
	})
})
