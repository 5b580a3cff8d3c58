package domain_test

import (
	"context"
	"encoding/base64"
	"errors"
	"time"
	"unicode/utf16"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/domain/samba"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// quoted is a password as unicodePwd takes it ([MS-ADTS] 3.1.1.3.1.5.1).
func quoted(password string) ldap.Attribute {
	var value []byte
	for _, u := range utf16.Encode([]rune(`"` + password + `"`)) {
		value = append(value, byte(u), byte(u>>8))
	}
	return ldap.Attribute{Type: "unicodePwd", Values: [][]byte{value}}
}

// bound is a sealed connection of an account.
func (s *sambaLab) bound(account, password string) *adclient.LDAP {
	GinkgoHelper()
	ctx := context.Background()
	found, err := adclient.Locate(ctx, s.host(), domainName, "")
	Expect(err).NotTo(HaveOccurred())
	creds, err := adclient.Logon(ctx, s.host(), found.Name, realm, account, adclient.Secret{Password: password})
	Expect(err).NotTo(HaveOccurred())
	l, err := adclient.DialLDAP(ctx, s.host(), found.Name)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(l.Close)
	Expect(l.BindGSSAPI(ctx, creds)).To(Succeed())
	return l
}

// refusal is the number of a Kerberos error.
func refusal(err error) int {
	GinkgoHelper()
	var e *krb5.Error
	Expect(errors.As(err, &e)).To(BeTrue(), "%v", err)
	return int(e.Code)
}

var _ = Describe("our client, before Samba's domain controller", Label("samba"), func() {
	It("finds it by name and ping", func() {
		s := newSamba(samba.Directory)
		c, err := adclient.Locate(context.Background(), s.host(), domainName, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(c).To(HaveField("Name", "dc1."+domainName))
		Expect(c).To(HaveField("Domain", domainName))
		Expect(c).To(HaveField("NetBIOS", "CORP"))
		Expect(c).To(HaveField("Site", "Default-First-Site-Name"))
	})

	It("logs on, and is refused as by a domain", func() {
		s := newSamba(samba.Directory)
		ctx := context.Background()
		logon := func(account, password string) error {
			_, err := adclient.Logon(ctx, s.host(), "dc1."+domainName, realm, account, adclient.Secret{Password: password})
			return err
		}
		Expect(logon(administrator, password)).To(Succeed())
		const accountDisabled = "514"
		Expect(s.bound(administrator, password).Add("CN=gone,CN=Users,"+domainDN,
			ldap.Text("objectClass", "user"), ldap.Text("sAMAccountName", "gone"), ldap.Text("userAccountControl", accountDisabled), quoted(password))).To(Succeed())
		Expect(refusal(logon(administrator, "wrong"))).To(BeEquivalentTo(krb5.ErrPreauthFailed))
		Expect(refusal(logon("nobody", password))).To(BeEquivalentTo(krb5.ErrClientUnknown))
		Expect(refusal(logon("gone", password))).To(BeEquivalentTo(krb5.ErrClientRevoked))
	})

	It("makes a computer that logs on itself and writes its certificate, and no other's", func() {
		s := newSamba(samba.Directory)
		const secret = "Compu7er's own secret"
		admin := s.bound(administrator, password)
		for _, name := range []string{"PC-1", "PC-2"} {
			Expect(admin.Add("CN="+name+",CN=Computers,"+domainDN,
				ldap.Text("objectClass", "computer"), ldap.Text("sAMAccountName", name+"$"), ldap.Text("userAccountControl", "4096"),
				ldap.Text("dNSHostName", name+"."+domainName), ldap.Text("servicePrincipalName", "HOST/"+name, "HOST/"+name+"."+domainName),
				quoted(secret))).To(Succeed())
		}

		pc := s.bound("PC-1$", secret)
		root, err := pki.NewRoot(s.now(), seed, "computer", pki.Options{})
		Expect(err).NotTo(HaveOccurred())
		certificate := ldap.Attribute{Type: "userCertificate", Values: [][]byte{root.Chain()[0].Raw}}
		Expect(pc.Modify("CN=PC-1,CN=Computers,"+domainDN, adclient.Replace(certificate))).To(Succeed())
		err = pc.Modify("CN=PC-2,CN=Computers,"+domainDN, adclient.Replace(certificate))
		Expect(adclient.IsCode(err, ldap.InsufficientAccessRights)).To(BeTrue(), "%v", err)

		e, err := admin.Read("CN=PC-1,CN=Computers,"+domainDN, "userCertificate", "objectGUID", "objectSid")
		Expect(err).NotTo(HaveOccurred())
		Expect(base64.StdEncoding.EncodeToString(e.Bytes("userCertificate"))).To(Equal(base64.StdEncoding.EncodeToString(certificate.Values[0])))
	})

	It("pages through what does not fit into one answer", func() {
		s := newSamba(samba.Directory)
		found, err := s.bound(administrator, password).Search(ldap.SearchRequest{
			Base: "CN=Schema,CN=Configuration," + domainDN, Scope: ldap.WholeSubtree, Filter: ldap.All, Attributes: []string{"cn"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(len(found)).To(BeNumerically(">", 1500))
	})
})

var _ = Describe("Samba's time", Label("samba"), func() {
	It("follows the file at once, in all of its services, by hours and by years", func() {
		s := newSamba(samba.Directory)
		for _, ahead := range []time.Duration{0, 3 * time.Hour, 200 * 24 * time.Hour, 3 * 365 * 24 * time.Hour} {
			s.shift(ahead)
			l := s.bound(administrator, password)
			e, err := l.RootDSE("currentTime")
			Expect(err).NotTo(HaveOccurred())
			at, err := time.Parse("20060102150405.0Z", e.Text("currentTime"))
			Expect(err).NotTo(HaveOccurred())
			Expect(at).To(BeTemporally("~", s.now(), 3*time.Second), ahead)
		}
		late := s.host()
		late.Now = wall.Now
		_, err := adclient.Logon(context.Background(), late, "dc1."+domainName, realm, administrator, adclient.Secret{Password: password})
		Expect(refusal(err)).To(BeEquivalentTo(krb5.ErrSkew))
	})
})
