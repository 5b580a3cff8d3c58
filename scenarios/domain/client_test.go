package domain_test

import (
	"context"
	"net"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/domain/samba"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// atHome is this machine's network, which asks our own controller for names.
type atHome struct{}

func (atHome) NameServers() []string { return []string{"127.0.0.1"} }

func (atHome) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// useDirectory is what devices, connectors and directory syncs do with a domain, as its administrator.
func useDirectory(h adclient.Host) {
	GinkgoHelper()
	ctx := context.Background()
	dc, err := adclient.Locate(ctx, h, domainName, "")
	Expect(err).NotTo(HaveOccurred())
	Expect(dc.Name).To(Equal("dc1." + domainName))
	Expect([]string{dc.NetBIOS, dc.Forest, dc.Site, dc.ClientSite}).To(Equal([]string{"CORP", domainName, "Default-First-Site-Name", "Default-First-Site-Name"}))
	Expect(dc.Closest()).To(BeTrue())

	creds, err := adclient.Logon(ctx, h, dc.Name, realm, administrator, adclient.Secret{Password: password})
	Expect(err).NotTo(HaveOccurred())
	c, err := adclient.DialLDAP(ctx, h, dc.Name)
	Expect(err).NotTo(HaveOccurred())
	defer c.Close()
	Expect(c.BindGSSAPI(ctx, creds)).To(Succeed())
	Expect(c.Confidential()).To(BeTrue())
	root, err := c.RootDSE("defaultNamingContext", "supportedSASLMechanisms")
	Expect(err).NotTo(HaveOccurred())
	Expect(root.Text("defaultNamingContext")).To(Equal(domainDN))

	ou, pc := "OU=Autopilot,"+domainDN, "CN=PC-1,OU=Autopilot,"+domainDN
	Expect(c.Add(ou, ldap.Text("objectClass", "organizationalUnit"))).To(Succeed())
	computer := []ldap.Attribute{
		ldap.Text("objectClass", "computer"), ldap.Text("sAMAccountName", "PC-1$"), ldap.Text("userAccountControl", "4096"),
		ldap.Text("dNSHostName", "PC-1."+domainName), ldap.Text("servicePrincipalName", "HOST/PC-1", "HOST/PC-1."+domainName), quoted("Sommer-2026!x"),
	}
	Expect(c.Add(pc, computer...)).To(Succeed())
	Expect(adclient.IsCode(c.Add(pc, computer...), ldap.EntryAlreadyExists)).To(BeTrue())
	useComputer(h, dc.Name, pc)

	found, err := c.Search(ldap.SearchRequest{Base: domainDN, Scope: ldap.WholeSubtree, Filter: ldap.MustFilter("(&(objectCategory=computer)(userCertificate=*))"), Attributes: []string{"objectGUID", "objectSid", "userCertificate"}})
	Expect(err).NotTo(HaveOccurred())
	Expect(found).To(HaveLen(1))
	Expect(found[0].Text("userCertificate")).To(Equal("certificate"))
	_, err = ldap.GUIDFromBytes(found[0].Bytes("objectGUID"))
	Expect(err).NotTo(HaveOccurred())
	sid, err := ldap.SIDFromBytes(found[0].Bytes("objectSid"))
	Expect(err).NotTo(HaveOccurred())
	Expect(sid.String()).To(HavePrefix("S-1-5-21-"))

	Expect(c.Delete(pc)).To(Succeed())
	Expect(adclient.IsCode(c.Delete(pc), ldap.NoSuchObject)).To(BeTrue())
	Expect(adclient.IsCode(c.Delete("OU=Domain Controllers,"+domainDN), ldap.NotAllowedOnNonLeaf, ldap.UnwillingToPerform, ldap.Other)).To(BeTrue())
}

// useComputer is what the computer does with its own object, by GSS-SPNEGO.
func useComputer(h adclient.Host, dc, pc string) {
	GinkgoHelper()
	ctx := context.Background()
	_, err := adclient.Logon(ctx, h, dc, realm, "PC-1$", adclient.Secret{Password: "wrong"})
	Expect(err).To(MatchError(krb5.Refusal(krb5.ErrPreauthFailed)))
	creds, err := adclient.Logon(ctx, h, dc, realm, "PC-1$", adclient.Secret{Password: "Sommer-2026!x"})
	Expect(err).NotTo(HaveOccurred())
	c, err := adclient.DialLDAP(ctx, h, dc)
	Expect(err).NotTo(HaveOccurred())
	defer c.Close()
	Expect(c.BindSPNEGO(ctx, creds)).To(Succeed())
	Expect(c.Modify(pc, adclient.Replace(ldap.Text("userCertificate", "certificate")))).To(Succeed())
	Expect(c.Compare(pc, "sAMAccountName", "PC-1$")).To(BeTrue())
	Expect(c.Compare(pc, "sAMAccountName", "PC-2$")).To(BeFalse())
	other := c.Modify("OU=Autopilot,"+domainDN, adclient.Replace(ldap.Text("description", "mine")))
	Expect(adclient.IsCode(other, ldap.InsufficientAccessRights)).To(BeTrue(), "%v", other)
	more := c.Add("CN=x,"+pc, ldap.Text("objectClass", "container"))
	Expect(adclient.IsCode(more, ldap.InsufficientAccessRights, ldap.NamingViolation)).To(BeTrue(), "%v", more)
}

// useTLS reads with a password over TLS.
func useTLS(h adclient.Host) {
	GinkgoHelper()
	ctx := context.Background()
	c, err := adclient.DialLDAP(ctx, h, "dc1."+domainName)
	Expect(err).NotTo(HaveOccurred())
	defer c.Close()
	Expect(c.StartTLS()).To(Succeed())
	Expect(adclient.IsCode(c.Bind(`CORP\`+administrator, "wrong"), ldap.InvalidCredentials)).To(BeTrue())
	Expect(c.Bind(`CORP\`+administrator, password)).To(Succeed())
	e, err := c.Read("CN="+administrator+",CN=Users,"+domainDN, "sAMAccountName")
	Expect(err).NotTo(HaveOccurred())
	Expect(e.Text("sAMAccountName")).To(Equal(administrator))
	s, err := adclient.DialLDAPS(ctx, h, "dc1."+domainName)
	Expect(err).NotTo(HaveOccurred())
	Expect(s.Bind(`CORP\`+administrator, password)).To(Succeed())
	Expect(s.Close()).To(Succeed())
}

var _ = Describe("our client", func() {
	It("does the same with our own domain", func() {
		newForest()
		stream := seed.Stream("host", "at home")
		h := adclient.Host{Net: atHome{}, Clock: wall, Name: "CLIENT", Roots: ca.Pool, Random: func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(stream.Uint32())
			}
			return b
		}}
		useDirectory(h)
		useTLS(h)
	})

	It("does the same with Samba's", Label("samba"), func() {
		s := newSamba(samba.Directory)
		useDirectory(s.host())
		// The certificate that Samba makes for itself has no name in the place where clients look for it since RFC 6125, and now
		// and then a number that RFC 5280 does not allow.
		_, err := adclient.DialLDAPS(context.Background(), s.host(), "dc1."+domainName)
		Expect(err).To(MatchError(Or(ContainSubstring("failed to verify certificate"), ContainSubstring("negative serial number"))))
	})
})
