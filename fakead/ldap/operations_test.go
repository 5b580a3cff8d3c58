package ldap_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/adclient"
	wire "windtunnel.test/sim/wire/ldap"
)

func TestRootDSE(t *testing.T) {
	r := newRig(t)
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		all, err := c.RootDSE()
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(all.Text("defaultNamingContext")).To(gomega.Equal(domainDN))
		r.Expect(all.Texts("supportedSASLMechanisms")).To(gomega.Equal([]string{"GSSAPI", "GSS-SPNEGO"}))
		r.Expect(all.Texts("supportedControl")).To(gomega.ContainElement(wire.ControlPaged))
		r.Expect(all.Texts("supportedCapabilities")).To(gomega.ContainElement("1.2.840.113556.1.4.800"))
		some, err := c.RootDSE("DNSHOSTNAME", "nothing")
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(some.Attributes).To(gomega.Equal([]wire.Attribute{wire.Text("dnsHostName", host)}))
		for filter, n := range map[string]int{
			"(objectClass=*)": 1, "(dnsHostName=DC1.corp.contoso.com)": 1, "(!(dnsHostName=*))": 0, "(&(a=b)(c=d))": 0, "(|(a=b)(isSynchronized=*))": 1, "(a>=b)": 0,
		} {
			found, err := c.Search(search("", wire.BaseObject, filter, "dnsHostName"))
			r.Expect(err).NotTo(gomega.HaveOccurred())
			r.Expect(found).To(gomega.HaveLen(n), filter)
		}
		types := search("", wire.BaseObject, "(objectClass=*)", "dnsHostName")
		types.TypesOnly = true
		found, err := c.Search(types)
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(found[0].Attributes).To(gomega.Equal([]wire.Attribute{{Type: "dnsHostName"}}))
	})
}

func TestNobodyReadsAndWritesNothing(t *testing.T) {
	r := newRig(t)
	r.dial(func(_ context.Context, c *adclient.LDAP) {
		_, err := c.Search(search(domainDN, wire.WholeSubtree, "(objectClass=*)"))
		r.Expect(err).To(refusal(wire.OperationsError, "000004DC"))
		for what, err := range map[string]error{
			"add":    c.Add("CN=x,"+users, wire.Text("objectClass", "container")),
			"modify": c.Modify("CN=anna,"+users, adclient.Replace(wire.Text("description", "x"))),
			"delete": c.Delete("CN=anna," + users),
		} {
			r.Expect(wire.CodeOf(err)).To(gomega.BeElementOf(wire.OperationsError, wire.InsufficientAccessRights), what)
		}
		_, err = c.Compare("CN=anna,"+users, "cn", "anna")
		r.Expect(err).To(gomega.HaveOccurred())
	})
}

func TestWritingAndComparing(t *testing.T) {
	r := newRig(t)
	ou := "OU=Autopilot," + domainDN
	r.asAdministrator(func(c *adclient.LDAP) {
		r.Expect(c.Add(ou, wire.Text("objectClass", "organizationalUnit"), wire.Text("description", "first"))).To(gomega.Succeed())
		r.Expect(c.Add(ou, wire.Text("objectClass", "organizationalUnit"))).To(refusal(wire.EntryAlreadyExists, ""))
		r.Expect(c.Modify(ou, adclient.Replace(wire.Text("description", "second")))).To(gomega.Succeed())
		r.Expect(c.Compare(ou, "description", "second")).To(gomega.BeTrue())
		r.Expect(c.Compare(ou, "description", "first")).To(gomega.BeFalse())
		e, err := c.Read(ou, "description")
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(e.Text("description")).To(gomega.Equal("second"))
		both := c.Modify(ou, adclient.Replace(wire.Text("description", "third")), adclient.Replace(wire.Text("noSuchThing", "x")))
		r.Expect(both).To(gomega.HaveOccurred())
		r.Expect(c.Compare(ou, "description", "second")).To(gomega.BeTrue(), "all of the changes or none")
		r.Expect(c.Delete(ou)).To(gomega.Succeed())
		r.Expect(c.Delete(ou)).To(refusal(wire.NoSuchObject, "0000208D"))
		_, err = c.Read(ou)
		r.Expect(err).To(refusal(wire.NoSuchObject, ""))
		_, err = c.Read("no name")
		r.Expect(err).To(refusal(wire.InvalidDNSyntax, ""))
	})
}

// fill makes some objects to find.
func (r *rig) fill(n int) {
	at := r.dir.Primary()
	r.must(r.dir.AddOU("OU=Many," + domainDN))
	for i := range n {
		name := fmt.Sprintf("m%04d", n-i)
		r.must(at.Add(context.Background(), directory.System, "CN="+name+",OU=Many,"+domainDN,
			[]wire.Attribute{wire.Text("objectClass", "container"), wire.Text("description", name)}))
	}
}

func TestPages(t *testing.T) {
	r := newRig(t)
	r.fill(2500)
	all := search("OU=Many,"+domainDN, wire.SingleLevel, "(objectClass=container)", "description")
	r.asAdministrator(func(c *adclient.LDAP) {
		found, err := c.Search(all)
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(found).To(gomega.HaveLen(2500))
		seen := map[string]bool{}
		for _, e := range found {
			seen[e.DN] = true
		}
		r.Expect(seen).To(gomega.HaveLen(2500))

		limited := all
		limited.SizeLimit = 10
		found, err = c.Search(limited)
		r.Expect(err).To(refusal(wire.SizeLimitExceeded, ""))
		r.Expect(found).To(gomega.HaveLen(10))
		limited.SizeLimit = 1500
		found, err = c.Search(limited)
		r.Expect(err).NotTo(gomega.HaveOccurred(), "a controller bounds pages, not the whole")
		r.Expect(found).To(gomega.HaveLen(2500))
	})
}

func TestCookiesBelongToTheirConnection(t *testing.T) {
	r := newRig(t)
	r.fill(30)
	all := search("OU=Many,"+domainDN, wire.SingleLevel, "(objectClass=container)", "1.1")
	var cookie []byte
	r.asAdministrator(func(c *adclient.LDAP) {
		page := func(size int, cookie []byte) ([]wire.Entry, error) {
			one := all
			one.SizeLimit = 1000
			return c.Search(one, wire.Paged{Size: size, Cookie: cookie}.Control())
		}
		found, err := page(10, nil)
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(found).To(gomega.HaveLen(10))
		cookie = []byte{0, 0, 0, 0, 0, 0, 0, 1}
		found, err = page(10, cookie)
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(found).To(gomega.HaveLen(10))
		_, err = page(10, cookie)
		r.Expect(err).To(refusal(wire.UnavailableCriticalExtension, ""), "a cookie is good once")
		_, err = page(10, []byte("x"))
		r.Expect(err).To(refusal(wire.UnavailableCriticalExtension, ""))
		found, err = page(0, []byte{0, 0, 0, 0, 0, 0, 0, 2})
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(found).To(gomega.BeEmpty(), "given up")
		for range 12 {
			_, err := page(1, nil)
			r.Expect(err).NotTo(gomega.HaveOccurred())
		}
		_, err = page(1, []byte{0, 0, 0, 0, 0, 0, 0, 3})
		r.Expect(err).To(refusal(wire.UnavailableCriticalExtension, ""), "forgotten for newer ones")
	})
	r.asAdministrator(func(c *adclient.LDAP) {
		one := all
		one.SizeLimit = 1000
		_, err := c.Search(one, wire.Paged{Size: 10, Cookie: cookie}.Control())
		r.Expect(err).To(refusal(wire.UnavailableCriticalExtension, ""))
	})
}

func TestControls(t *testing.T) {
	r := newRig(t)
	r.fill(20)
	many := search("OU=Many,"+domainDN, wire.SingleLevel, "(objectClass=container)", "description")
	many.SizeLimit = 1000
	r.asAdministrator(func(c *adclient.LDAP) {
		found, err := c.Search(many, wire.SortControl(wire.SortKey{Attribute: "description", Reverse: true}))
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(found[0].Text("description") + found[19].Text("description")).To(gomega.Equal("m0020m0001"))
		_, err = c.Search(many, wire.SortControl(wire.SortKey{Attribute: "a"}, wire.SortKey{Attribute: "b"}))
		r.Expect(err).To(refusal(wire.UnavailableCriticalExtension, ""))
		_, err = c.Search(many, wire.Control{Type: "1.2.3", Critical: true})
		r.Expect(err).To(refusal(wire.UnavailableCriticalExtension, "00002040"))
		_, err = c.Search(many, wire.Control{Type: "1.2.3"}, wire.SDFlagsControl(7))
		r.Expect(err).NotTo(gomega.HaveOccurred())
		_, err = c.Search(many, wire.Control{Type: wire.ControlPaged, Value: []byte("x"), HasValue: true})
		r.Expect(err).To(refusal(wire.UnavailableCriticalExtension, ""))
	})
}

func TestCatalogue(t *testing.T) {
	r := newRig(t)
	r.run(func(ctx context.Context) {
		c, err := adclient.DialLDAP(ctx, r.client, host+":3268")
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(c.Bind("anna@contoso.com", password)).To(gomega.Succeed())
		found, err := c.Search(search("", wire.WholeSubtree, "(sAMAccountName=anna)", "1.1"))
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(found).To(gomega.HaveLen(1))
		r.Expect(c.Close()).To(gomega.Succeed())
	})
}
