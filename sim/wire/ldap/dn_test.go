package ldap

import (
	"testing"

	peer "github.com/go-ldap/ldap/v3"
	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestParseDN(t *testing.T) {
	for _, c := range []struct{ in, out, key string }{
		{"", "", ""},
		{"CN=Users,DC=corp,DC=contoso,DC=com", "CN=Users,DC=corp,DC=contoso,DC=com", "cn=users,dc=corp,dc=contoso,dc=com"},
		{" cn = Big  Name , dc = x ", "cn=Big  Name,dc=x", "cn=big name,dc=x"},
		{`CN=Doe\, John,DC=x`, `CN=Doe\, John,DC=x`, `cn=doe\, john,dc=x`},
		{`CN="Doe, John",DC=x`, `CN=Doe\, John,DC=x`, `cn=doe\, john,dc=x`},
		{`CN=Before\0dAfter,DC=x`, `CN=Before\0DAfter,DC=x`, `cn=before\0Dafter,dc=x`},
		{`CN=Lu\C4\8Di\C4\87`, `CN=Lučić`, `cn=lučić`},
		{"1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=Hi", "1.3.6.1.4.1.1466.0=hi"},
		{"OU=Sales+CN=J.  Smith;DC=x", "OU=Sales+CN=J.  Smith,DC=x", "cn=j. smith+ou=sales,dc=x"},
		{`CN=\ lead\ `, `CN=\ lead\ `, "cn=lead"},
		{`CN=a/b\=c`, `CN=a/b\=c`, `cn=a/b\=c`},
		{"CN=", "CN=", "cn="},
		{"CN", "", "!"}, {"=x", "", "!"}, {"CN=x,", "", "!"}, {",CN=x", "", "!"}, {`CN=x\`, "", "!"}, {`CN=x\zz`, "", "!"},
		{`CN="x`, "", "!"}, {`CN="x"y`, "", "!"}, {"CN=#0", "", "!"}, {"CN=#0402", "", "!"}, {"CN=#zz", "", "!"}, {"CN=a<b", "", "!"},
		{"CN=\xff", "", "!"}, {"CN=x+", "", "!"}, {"C?=x", "", "!"},
	} {
		t.Run(c.in, func(t *testing.T) {
			g := gomega.NewWithT(t)
			d, err := ParseDN(c.in)
			if c.key == "!" {
				g.Expect(err).To(gomega.BeAssignableToTypeOf(&SyntaxError{}))
				return
			}
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(d.String()).To(gomega.Equal(c.out))
			g.Expect(d.Key()).To(gomega.Equal(c.key))
		})
	}
}

func TestDNFamily(t *testing.T) {
	g := gomega.NewWithT(t)
	domain := DomainDN("corp.contoso.com.")
	g.Expect(domain.String()).To(gomega.Equal("DC=corp,DC=contoso,DC=com"))
	pc := domain.Child("OU", "Autopilot").Child("CN", "PC-1")
	g.Expect(pc.String()).To(gomega.Equal("CN=PC-1,OU=Autopilot,DC=corp,DC=contoso,DC=com"))
	same, err := ParseDN("cn=pc-1, ou=AUTOPILOT, dc=CORP, dc=contoso, dc=com")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(pc.Equal(same)).To(gomega.BeTrue())
	g.Expect(pc.Parent().Equal(domain.Child("ou", "autopilot"))).To(gomega.BeTrue())
	g.Expect(pc.RDN().String()).To(gomega.Equal("CN=PC-1"))
	g.Expect(pc.Below(domain)).To(gomega.BeTrue())
	g.Expect(domain.Below(domain)).To(gomega.BeFalse())
	g.Expect(pc.Below(nil)).To(gomega.BeTrue())
	g.Expect(domain.Below(pc)).To(gomega.BeFalse())
	g.Expect(DN(nil).Parent()).To(gomega.BeEmpty())
	g.Expect(DN(nil).RDN()).To(gomega.BeEmpty())
}

func TestDNsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := gomega.NewWithT(t)
		var d DN
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			var r RDN
			for range rapid.IntRange(1, 2).Draw(t, "parts") {
				r = append(r, AVA{rapid.StringMatching(`[a-zA-Z][a-zA-Z0-9-]{0,6}`).Draw(t, "type"), texts.Draw(t, "value")})
			}
			d = append(d, r)
		}
		again, err := ParseDN(d.String())
		g.Expect(err).NotTo(gomega.HaveOccurred(), d.String())
		g.Expect(again).To(gomega.Equal(d))
		g.Expect(again.Key()).To(gomega.Equal(d.Key()))
		other, err := peer.ParseDN(d.String())
		g.Expect(err).NotTo(gomega.HaveOccurred(), d.String())
		g.Expect(other.RDNs).To(gomega.HaveLen(len(d)))
	})
}

func FuzzDN(f *testing.F) {
	for _, s := range []string{"CN=a,DC=b", `cn="x,y"+o=#0401ff`, `a=\,\0a`, " = ", "CN=\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDN(s)
		if err != nil {
			return
		}
		again, err := ParseDN(d.String())
		if err != nil || again.String() != d.String() || !again.Equal(d) {
			t.Fatalf("%q reads as %s, and that as %v %v", s, d, again, err)
		}
	})
}
