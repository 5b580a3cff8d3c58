package directory

import (
	"encoding/binary"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/ldap"
)

func with(attributes []ldap.Attribute, more ...ldap.Attribute) []ldap.Attribute {
	return append(attributes, more...)
}

// Whoever may make an object does not become more by what it makes.
func TestNewAccountsGiveNoRights(t *testing.T) {
	r := newRig(t)
	anna, ou, dc := r.user("anna"), "OU=Lab,"+dn, r.Primary()
	r.Expect(r.AddOU(ou)).To(Succeed())
	r.Expect(r.Delegate(ou, "anna", FullControl)).To(Succeed())
	ben := r.user("ben")
	user := []ldap.Attribute{ldap.Text("objectClass", "user"), ldap.Text("sAMAccountName", "eve"), ldap.Binary("unicodePwd", quoted("Winter-2026"))}
	for name, c := range map[string]struct {
		by   Identity
		dn   string
		with []ldap.Attribute
		code ldap.ResultCode
	}{
		"computer of the administrators": {ben, "CN=PC-1," + computers, with(computerAttributes("PC-1"), ldap.Text("primaryGroupID", "512")), ldap.InsufficientAccessRights},
		"somebody's principal name":      {ben, "CN=PC-1," + computers, with(computerAttributes("PC-1"), ldap.Text("userPrincipalName", "administrator@corp.contoso.com")), ldap.InsufficientAccessRights},
		"user of the administrators":     {anna, "CN=Eve," + ou, with(user, ldap.Text("primaryGroupID", "512")), ldap.UnwillingToPerform},
		"user trusted for delegation":    {anna, "CN=Eve," + ou, with(user, ldap.Text("userAccountControl", "524802")), ldap.InsufficientAccessRights},
		"user as a controller":           {anna, "CN=Eve," + ou, with(user, ldap.Text("userAccountControl", "8192")), ldap.ObjectClassViolation},
	} {
		r.Expect(dc.Add(ctx, c.by, c.dn, c.with)).To(refusal(c.code, ""), name)
		r.Expect(r.find(dc, dn, "(|(cn=PC-1)(cn=Eve))")).To(BeEmpty(), name)
	}
	r.Expect(dc.Add(ctx, anna, "CN=Eve,"+ou, user)).To(Succeed())
	for _, c := range []struct {
		attribute, value string
		code             ldap.ResultCode
	}{
		{"primaryGroupID", "512", ldap.UnwillingToPerform},
		{"userAccountControl", "524800", ldap.InsufficientAccessRights},
		{"userAccountControl", "8192", ldap.ObjectClassViolation},
		{"userAccountControl", "16777728", ldap.InsufficientAccessRights},
	} {
		r.Expect(dc.Modify(ctx, anna, "CN=Eve,"+ou, replace(c.attribute, c.value))).To(refusal(c.code, ""), c.attribute+" "+c.value)
	}
	eve := r.identity("eve")
	r.Expect(r.Primary().admin(eve)).To(BeFalse())
	// A group that an account is in may be its primary one.
	admin := r.identity("Administrator")
	r.Expect(dc.Modify(ctx, admin, "CN=Domain Admins,CN=Users,"+dn, []ldap.Change{{Op: ldap.AddValues, Attribute: ldap.Text("member", "CN=Eve,"+ou)}})).To(Succeed())
	r.Expect(dc.Modify(ctx, admin, "CN=Eve,"+ou, replace("primaryGroupID", "512"))).To(Succeed())
}

// A machine's name without its dollar would be taken for another's (KB5008102).
func TestCreatorsKeepTheDollar(t *testing.T) {
	r := newRig(t)
	anna := r.user("anna")
	r.Expect(r.computer(anna, "PC-1", computers)).To(Succeed())
	r.Expect(r.Primary().Modify(ctx, anna, "CN=PC-1,"+computers, replace("sAMAccountName", "dc1"))).To(refusal(ldap.UnwillingToPerform, "00000523"))
	r.Expect(r.Primary().Modify(ctx, anna, "CN=PC-1,"+computers, replace("sAMAccountName", "dc1$"))).To(refusal(ldap.EntryAlreadyExists, "00000524"))
	_, ok := r.Primary().AccountBySAM("PC-1$")
	r.Expect(ok).To(BeTrue())
}

func changeOf(old, next string) []ldap.Change {
	return []ldap.Change{
		{Op: ldap.DeleteValues, Attribute: ldap.Binary("unicodePwd", quoted(old))},
		{Op: ldap.AddValues, Attribute: ldap.Binary("unicodePwd", quoted(next))},
	}
}

// Changing a password is no way to try passwords without being counted.
func TestGuessesByChangingAreCounted(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Policy.LockoutThreshold, o.Policy.MinAge = 3, -1 })
	r.user("anna")
	eve, dc, anna := r.user("eve"), r.Primary(), "CN=anna,CN=Users,"+dn
	for range 3 {
		r.Expect(dc.Modify(ctx, eve, anna, changeOf("wrong", "Winter-2026"))).To(refusal(ldap.ConstraintViolation, "00000056"))
	}
	a, _ := dc.AccountBySAM("anna")
	r.Expect(dc.Restriction(a)).To(Equal(LockedOut))
	r.Expect(dc.Modify(ctx, eve, anna, changeOf("Sommer-2026", "Winter-2026"))).To(refusal(ldap.ConstraintViolation, "00000775"))
	r.Expect(dc.Restriction(r.mustAccount("anna"))).To(Equal(LockedOut))
}

func (r *rig) mustAccount(sam string) Account {
	a, ok := r.Primary().AccountBySAM(sam)
	r.Expect(ok).To(BeTrue())
	return a
}

// What was never given a password has none that anybody knows.
func TestNoPasswordIsNoEmptyPassword(t *testing.T) {
	r := newRig(t)
	admin, eve, dc := r.identity("Administrator"), r.user("eve"), r.Primary()
	r.Expect(dc.Add(ctx, admin, "CN=PC-1,"+computers, computerAttributes("PC-1")[:3])).To(Succeed())
	for _, name := range []string{"CN=PC-1," + computers, "CN=Domain Admins,CN=Users," + dn} {
		r.Expect(dc.Modify(ctx, eve, name, changeOf("", "Winter-2026"))).To(refusal(ldap.ConstraintViolation, "00000056"), name)
	}
	r.Expect(r.mustAccount("PC-1$").password).To(BeEmpty())
}

// An account as it was before the last wrong password does not open the door.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Policy.LockoutThreshold = 3 })
	r.user("anna")
	early := r.mustAccount("anna")
	for range 3 {
		r.Expect(r.Primary().CheckPassword(ctx, early, "wrong")).To(refusal(ldap.InvalidCredentials, "data 52e"))
	}
	r.Expect(r.Primary().CheckPassword(ctx, early, "Sommer-2026")).To(refusal(ldap.InvalidCredentials, "data 775"))
}

// "Log On To" names the computers of a user; a bind comes from none of them but
// the controller.
func TestBindsOfUsersWithWorkstations(t *testing.T) {
	r := newRig(t)
	for name, list := range map[string][]string{"here": {"PC-9", "DC1"}, "there": {"PC-9"}} {
		_, err := r.AddUser(User{SAM: name, Password: "Sommer-2026", Workstations: list})
		r.Expect(err).NotTo(HaveOccurred())
	}
	_, err := r.Primary().Authenticate(ctx, `CORP\here`, "Sommer-2026")
	r.Expect(err).NotTo(HaveOccurred())
	_, err = r.Primary().Authenticate(ctx, `CORP\there`, "Sommer-2026")
	r.Expect(err).To(refusal(ldap.InvalidCredentials, "data 531"))
	_, err = r.Primary().Authenticate(ctx, `CORP\there`, "wrong")
	r.Expect(err).To(refusal(ldap.InvalidCredentials, "data 52e"))
}

// Names within names are not followed: who nests them deeply has found no stack
// to overflow, though they need not have logged on.
func TestNamesWithinNames(t *testing.T) {
	r := newRig(t)
	const n = 400_000
	deep := strings.Repeat("<WKGUID=a,", n) + dn + strings.Repeat(">", n)
	_, err := r.Primary().Authenticate(ctx, deep, "x")
	r.Expect(err).To(refusal(ldap.InvalidCredentials, "data 525"))
	_, err = r.Primary().Search(ctx, System, Query{SearchRequest: ldap.SearchRequest{Base: deep}})
	r.Expect(err).To(refusal(ldap.InvalidDNSyntax, "BAD_NAME"))
	r.Expect(len(err.Error())).To(BeNumerically("<", 10_000))
}

// One message may hold millions of values: no time that grows with their square.
func TestValuesWithoutEnd(t *testing.T) {
	r := newRig(t)
	r.Expect(r.computer(r.identity("Administrator"), "PC-1", computers)).To(Succeed())
	pc, dc, name := r.identity("PC-1$"), r.Primary(), "CN=PC-1,"+computers
	many := ldap.Attribute{Type: "userCertificate"}
	for i := range 500_000 {
		many.Values = append(many.Values, binary.BigEndian.AppendUint32(nil, uint32(i)))
	}
	r.Expect(dc.Modify(ctx, pc, name, []ldap.Change{{Op: ldap.ReplaceValues, Attribute: many}})).To(refusal(ldap.AdminLimitExceeded, "00002024"))
	r.Expect(dc.Modify(ctx, pc, name, []ldap.Change{{Op: ldap.DeleteValues, Attribute: many}})).To(refusal(ldap.AdminLimitExceeded, "00002024"))
	large := ldap.Binary("userCertificate", make([]byte, 40_000))
	r.Expect(dc.Modify(ctx, pc, name, []ldap.Change{{Op: ldap.ReplaceValues, Attribute: large}})).To(refusal(ldap.ConstraintViolation, "00002082"))
	r.Expect(r.find(dc, dn, "(userCertificate=*)")).To(BeEmpty())
}

// A filter that holds everything thousands of times finds it once.
func TestFiltersWithoutEnd(t *testing.T) {
	r := newRig(t)
	wide := &ldap.Filter{Kind: ldap.Or}
	for range 4000 {
		wide.Children = append(wide.Children, &ldap.Filter{Kind: ldap.GreaterOrEqual, Attribute: "uSNChanged", Value: []byte("0")})
	}
	all := len(r.find(r.Primary(), dn, "(objectClass=*)"))
	term := r.Primary().ready(wide)
	rows, ok := r.Primary().planTerm(&term, false)
	r.Expect(ok && len(rows) > 4*len(r.Primary().rows)).To(BeFalse(), "no list of millions")
	res, err := r.Primary().Search(ctx, r.user("anna"), Query{SearchRequest: ldap.SearchRequest{Base: dn, Scope: ldap.WholeSubtree, Filter: wide}})
	r.Expect(err).NotTo(HaveOccurred())
	r.Expect(res.Len()).To(Equal(all + 1))
	for _, c := range wide.Children {
		*c = *ldap.MustFilter("(memberOf:1.2.840.113556.1.4.1941:=CN=Domain Admins,CN=Users," + dn + ")")
	}
	_, err = r.Primary().Search(ctx, r.identity("anna"), Query{SearchRequest: ldap.SearchRequest{Base: dn, Scope: ldap.WholeSubtree, Filter: wide}})
	r.Expect(err).To(refusal(ldap.TimeLimitExceeded, ""))
}

func TestSecretsAreInNoFilter(t *testing.T) {
	r := newRig(t)
	r.user("anna")
	admin := r.identity("Administrator")
	for _, secret := range []string{"unicodePwd", "ntPwdHistory", "windtunnelOwner", "windtunnelDelegations", "userPassword"} {
		for _, f := range []string{"(" + secret + "=*)", "(" + secret + ">=a)", "(!(" + secret + "=a))", "(" + secret + ":1.2.840.113556.1.4.803:=0)"} {
			res, err := r.Primary().Search(ctx, admin, Query{SearchRequest: ldap.SearchRequest{Base: dn, Scope: ldap.WholeSubtree, Filter: ldap.MustFilter(f)}})
			r.Expect(err).NotTo(HaveOccurred())
			r.Expect(res.Len()).To(BeZero(), f)
		}
		found := r.find(r.Primary(), dn, "(sAMAccountName=anna)", secret, "*", "+")
		r.Expect(found[0].Values(secret)).To(BeEmpty(), secret)
		_, err := r.Primary().Compare(ctx, admin, "CN=anna,CN=Users,"+dn, secret, encodedBytes("Sommer-2026"))
		r.Expect(err).To(refusal(ldap.InsufficientAccessRights, ""), secret)
	}
}

func encodedBytes(s string) []byte { return []byte(encodePassword(s)) }
