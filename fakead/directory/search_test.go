package directory

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/ldap"
)

func TestFilters(t *testing.T) {
	r := newRig(t)
	anna := r.user("anna")
	r.Expect(r.AddToGroup("Domain Admins", "anna")).To(Succeed())
	for i := range 3 {
		r.Expect(r.computer(System, fmt.Sprintf("PC-%d", i), computers)).To(Succeed())
	}
	sid := ""
	for _, b := range anna.SID.Bytes() {
		sid += fmt.Sprintf(`\%02x`, b)
	}
	for filter, n := range map[string]int{
		"(sAMAccountName=anna)": 1, "(sAMAccountName=ANNA)": 1, "(&(objectClass=user)(!(objectClass=computer)))": 4,
		"(objectCategory=computer)": 4, "(objectCategory=CN=Computer,CN=Schema,CN=Configuration," + dn + ")": 4, "(cn=pc-*)": 3, "(cn=*C*1)": 2,
		"(userAccountControl:1.2.840.113556.1.4.803:=8192)": 1, "(userAccountControl:1.2.840.113556.1.4.804:=8194)": 3,
		"(objectSid=" + anna.SID.String() + ")": 1, "(objectSid=" + sid + ")": 1, "(servicePrincipalName=host/pc-1)": 1,
		"(memberOf=CN=Domain Admins,CN=Users," + dn + ")": 2, "(memberOf:1.2.840.113556.1.4.1941:=CN=Administrators,CN=Builtin," + dn + ")": 4,
		"(|(cn=pc-1)(sAMAccountName=pc-2$))": 2, "(noSuchThing=*)": 0, "(!(noSuchThing=*))": 0, "(!(cn=*))": 2, "(primaryGroupID>=515)": 4,
		"(unicodePwd=*)": 0, "(whenCreated>=20260901000000.0Z)": 63, "(distinguishedName=cn=pc-1," + computers + ")": 1, "(userCertificate=*)": 0,
		"(1.2.3.4=x)": 0, "(&)": 0, "(objectGUID=short)": 0,
	} {
		if filter == "(&)" || strings.HasPrefix(filter, "(whenCreated") {
			n = len(r.find(r.Primary(), dn, "(objectClass=*)")) // all of them
		}
		r.Expect(len(r.find(r.Primary(), dn, filter))).To(Equal(n), filter)
	}
}

func TestScopesAndNames(t *testing.T) {
	r := newRig(t)
	r.Expect(r.AddOU("OU=B,OU=A," + dn)).To(Succeed())
	dc := r.Primary()
	count := func(base string, scope ldap.Scope) int {
		res, err := dc.Search(ctx, System, Query{SearchRequest: ldap.SearchRequest{Base: base, Scope: scope}})
		r.Expect(err).NotTo(HaveOccurred(), base)
		return res.Len()
	}
	r.Expect(count("OU=A,"+dn, ldap.BaseObject)).To(Equal(1))
	r.Expect(count("ou=a, "+strings.ToLower(dn), ldap.SingleLevel)).To(Equal(1))
	r.Expect(count("OU=A,"+dn, ldap.WholeSubtree)).To(Equal(2))
	r.Expect(count("<WKGUID=AA312825768811D1ADED00C04FD8D5CD,"+dn+">", ldap.BaseObject)).To(Equal(1))
	r.Expect(count("<GUID="+r.GUID().String()+">", ldap.BaseObject)).To(Equal(1))
	r.Expect(count("<SID="+r.SID().String()+">", ldap.BaseObject)).To(Equal(1))
	r.Expect(r.find(dc, r.ConfigurationDN(), "(&(objectClass=crossRef)(nETBIOSName=*))", "nCName")[0].Text("nCName")).To(Equal(dn))
	r.Expect(r.find(dc, dn, "(objectClass=crossRef)")).To(BeEmpty(), "the configuration is a naming context of its own")
	res, err := dc.Search(ctx, System, Query{Global: true, SearchRequest: ldap.SearchRequest{Scope: ldap.WholeSubtree}})
	r.Expect(err).NotTo(HaveOccurred())
	r.Expect(res.Len()).To(BeNumerically(">", count(dn, ldap.WholeSubtree)))
	for base, code := range map[string]ldap.ResultCode{
		"OU=C,OU=A," + dn: ldap.NoSuchObject, "DC=example,DC=org": ldap.Referral, "nonsense": ldap.InvalidDNSyntax, "": ldap.NoSuchObject,
		"<GUID=1>": ldap.InvalidDNSyntax, "<SID=S-1-5-21-1>": ldap.NoSuchObject,
	} {
		_, err := dc.Search(ctx, System, Query{SearchRequest: ldap.SearchRequest{Base: base}})
		r.Expect(err).To(refusal(code, ""), base)
	}
	_, err = dc.Search(ctx, System, Query{SearchRequest: ldap.SearchRequest{Base: "CN=x,OU=A," + dn}})
	r.Expect(err.(*ldap.Error).Matched).To(Equal("OU=A," + dn))
}

func TestWhatASearchReturns(t *testing.T) {
	r := newRig(t)
	r.Expect(r.computer(System, "PC-1", computers)).To(Succeed())
	all := r.find(r.Primary(), dn, "(cn=PC-1)")[0]
	r.Expect(all.DN).To(Equal("CN=PC-1," + computers))
	for _, name := range []string{"objectGUID", "objectSid", "distinguishedName", "cn", "name", "whenCreated", "uSNChanged", "badPwdCount", "objectCategory", "instanceType"} {
		r.Expect(all.Values(name)).NotTo(BeEmpty(), name)
	}
	for _, name := range []string{"unicodePwd", "tokenGroups", "msDS-KeyVersionNumber", "windtunnelOwner", "isDeleted"} {
		r.Expect(all.Values(name)).To(BeEmpty(), name)
	}
	some := r.find(r.Primary(), dn, "(cn=PC-1)", "canonicalName", "SAMACCOUNTNAME", "noSuchThing", "userCertificate;binary", "msDS-PrincipalName", "1.1")[0]
	r.Expect(some.Attributes).To(HaveLen(3))
	r.Expect(some.Text("canonicalName")).To(Equal("corp.contoso.com/Computers/PC-1"))
	r.Expect(some.Text("msDS-PrincipalName")).To(Equal(`CORP\PC-1$`))
	r.Expect(r.find(r.Primary(), dn, "(cn=PC-1)", "1.1")[0].Attributes).To(BeEmpty())
}

// Deletions are seen by who asks for tombstones and for what changed since.
func TestChangesSince(t *testing.T) {
	r := newRig(t)
	dc := r.Primary()
	r.Expect(r.computer(System, "PC-1", computers)).To(Succeed())
	r.Expect(r.computer(System, "PC-2", computers)).To(Succeed())
	root := dc.RootDSE()
	var mark int
	_, err := fmt.Sscan(root.Text("highestCommittedUSN"), &mark)
	r.Expect(err).NotTo(HaveOccurred())
	since := fmt.Sprintf("(uSNChanged>=%d)", mark+1)
	r.Expect(r.find(dc, dn, since)).To(BeEmpty())
	r.Expect(dc.Modify(ctx, System, "CN=PC-1,"+computers, replace("description", "x"))).To(Succeed())
	r.Expect(dc.Delete(ctx, System, "CN=PC-2,"+computers, false)).To(Succeed())
	r.Expect(r.find(dc, dn, since)).To(HaveLen(1))
	f, err := ldap.ParseFilter("(&(objectClass=computer)" + since + ")")
	r.Expect(err).NotTo(HaveOccurred())
	res, err := dc.Search(ctx, System, Query{Deleted: true, SearchRequest: ldap.SearchRequest{Base: dn, Scope: ldap.WholeSubtree, Filter: f}})
	r.Expect(err).NotTo(HaveOccurred())
	r.Expect(res.Len()).To(Equal(2))
	res.Next()
	gone, _ := res.Next()
	r.Expect(gone.Text("isDeleted")).To(Equal("TRUE"))
	r.Expect(gone.Text("lastKnownParent")).To(Equal(computers))
	r.Expect(gone.DN).To(ContainSubstring(`\0ADEL:`))
}

func drawFilter(t *rapid.T, depth int) *ldap.Filter {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 {
		kind = 3 + kind%5
	}
	f := &ldap.Filter{}
	switch kind {
	case 0, 1:
		f.Kind = ldap.FilterKind(kind)
		for range rapid.IntRange(0, 3).Draw(t, "children") {
			f.Children = append(f.Children, drawFilter(t, depth-1))
		}
		return f
	case 2:
		f.Kind = ldap.Not
		f.Children = []*ldap.Filter{drawFilter(t, depth-1)}
		return f
	case 3, 4:
		f.Kind = ldap.Equal
	case 5:
		f.Kind = ldap.Present
	case 6:
		f.Kind = ldap.GreaterOrEqual
	default:
		f.Kind, f.Initial, f.Final = ldap.Substrings, []byte("p"), []byte("$")
	}
	f.Attribute = rapid.SampledFrom([]string{"sAMAccountName", "servicePrincipalName", "userCertificate", "objectClass", "objectSid", "uSNChanged", "nonsense", "userAccountControl", "objectGUID"}).Draw(t, "attribute")
	if f.Kind == ldap.Equal || f.Kind == ldap.GreaterOrEqual {
		f.Value = []byte(rapid.SampledFrom([]string{"PC-1$", "host/pc-2", "computer", "100", "4096", "x"}).Draw(t, "value"))
	}
	return f
}

// Whatever index a search takes, it finds what looking at every object finds.
func TestIndexesFindWhatScansFind(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.Expect(r.computer(System, fmt.Sprintf("PC-%d", i), computers)).To(Succeed())
	}
	r.Expect(r.Primary().Modify(ctx, System, "CN=PC-3,"+computers, replace("userCertificate", "x"))).To(Succeed())
	dc := r.Primary()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFilter(t, 3)
		term := dc.ready(f)
		head := dc.rows[r.guid]
		var naive []*row
		for _, at := range appendSubtree(nil, head) {
			if dc.match(&term, at) == yes {
				naive = append(naive, at)
			}
		}
		sortRows(naive)
		res, err := dc.Search(ctx, System, Query{SearchRequest: ldap.SearchRequest{Base: dn, Scope: ldap.WholeSubtree, Filter: f}})
		if err != nil {
			t.Fatal(err)
		}
		found := make([]*row, 0, len(res.found))
		for _, s := range res.found {
			found = append(found, s.at)
		}
		sortRows(found)
		if fmt.Sprint(found) != fmt.Sprint(naive) {
			t.Fatalf("%s finds %d, a scan %d", f, len(found), len(naive))
		}
	})
}

// The same seed makes the same directory, to the last number.
func TestSameSeedSameDirectory(t *testing.T) {
	picture := func() string {
		r := newRig(t, twoControllers(0))
		r.user("anna")
		r.Expect(r.AddOU("OU=A," + dn)).To(Succeed())
		r.Expect(r.computer(r.identity("anna"), "PC-1", computers)).To(Succeed())
		var b strings.Builder
		for _, dc := range r.Replicas() {
			for _, base := range []string{dn, r.ConfigurationDN()} {
				fmt.Fprint(&b, r.find(dc, base, "(objectClass=*)", "*", "tokenGroups"))
			}
			fmt.Fprint(&b, dc.RootDSE())
		}
		return b.String()
	}
	first := picture()
	for range 3 {
		if picture() != first {
			t.Fatal("another directory")
		}
	}
}
