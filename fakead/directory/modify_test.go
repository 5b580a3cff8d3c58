package directory

import (
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/ldap"
)

func TestModifications(t *testing.T) {
	r := newRig(t)
	r.Expect(r.AddOU("OU=A," + dn)).To(Succeed())
	r.Expect(r.AddOU("OU=B," + dn)).To(Succeed())
	r.Expect(r.computer(System, "PC-1", "OU=A,"+dn)).To(Succeed())
	dc, pc := r.Primary(), "CN=PC-1,OU=A,"+dn
	change := func(op ldap.ChangeOp, attribute string, values ...string) error {
		return dc.Modify(ctx, System, pc, []ldap.Change{{Op: op, Attribute: ldap.Text(attribute, values...)}})
	}
	r.Expect(change(ldap.AddValues, "description", "a")).To(Succeed())
	r.Expect(change(ldap.AddValues, "description", "A")).To(refusal(ldap.AttributeOrValueExists, "00002083"))
	r.Expect(change(ldap.AddValues, "description", "b", "c")).To(Succeed())
	r.Expect(change(ldap.DeleteValues, "description", "x")).To(refusal(ldap.NoSuchAttribute, "00002085"))
	r.Expect(change(ldap.DeleteValues, "description", "B")).To(Succeed())
	r.Expect(r.find(dc, pc, "(objectClass=*)")[0].Texts("description")).To(Equal([]string{"a", "c"}))
	r.Expect(change(ldap.DeleteValues, "description")).To(Succeed())
	r.Expect(change(ldap.DeleteValues, "description")).To(refusal(ldap.NoSuchAttribute, "00002085"))
	r.Expect(change(ldap.ReplaceValues, "displayName", "a", "b")).To(refusal(ldap.ConstraintViolation, "00002081"))
	r.Expect(change(ldap.ReplaceValues, "userAccountControl", "many")).To(refusal(ldap.InvalidAttributeSyntax, ""))
	r.Expect(change(ldap.ReplaceValues, "userAccountControl", "4608")).To(refusal(ldap.UnwillingToPerform, ""), "two kinds of account at once")
	r.Expect(change(ldap.ReplaceValues, "pwdLastSet", "17")).To(refusal(ldap.UnwillingToPerform, ""))
	r.Expect(change(ldap.ReplaceValues, "managedBy", "CN=nobody,"+dn)).To(refusal(ldap.NoSuchObject, ""))
	r.Expect(change(ldap.ReplaceValues, "sAMAccountName", "DC1$")).To(refusal(ldap.EntryAlreadyExists, "00000524"))
	r.Expect(change(ldap.ReplaceValues, "sAMAccountName", "a/b")).To(refusal(ldap.UnwillingToPerform, "00000523"))
	// All or nothing.
	r.Expect(dc.Modify(ctx, System, pc, append(replace("description", "half"), replace("objectGUID", "x")...))).To(refusal(ldap.ConstraintViolation, "000020B1"))
	r.Expect(r.find(dc, dn, "(description=half)")).To(BeEmpty())
}

func TestNewObjectsThatAreRefused(t *testing.T) {
	r := newRig(t)
	dc := r.Primary()
	class := func(names ...string) []ldap.Attribute { return []ldap.Attribute{ldap.Text("objectClass", names...)} }
	for name, c := range map[string]struct {
		attributes []ldap.Attribute
		code       ldap.ResultCode
	}{
		"OU=X," + dn: {nil, ldap.ObjectClassViolation}, "OU=X2," + dn: {class("noSuchClass"), ldap.NoSuchAttribute},
		"CN=X3," + dn: {class("top"), ldap.UnwillingToPerform}, "CN=X4," + dn: {class("organizationalUnit"), ldap.NamingViolation},
		"CN=X5,OU=none," + dn: {class("container"), ldap.NoSuchObject}, "CN=Users," + dn: {class("container"), ldap.EntryAlreadyExists},
		"nonsense": {class("container"), ldap.InvalidDNSyntax}, "": {class("container"), ldap.InvalidDNSyntax},
		"CN=X6," + dn: {class("user", "group"), ldap.ObjectClassViolation}, "CN=X7,DC=example,DC=org": {class("container"), ldap.Referral},
		"CN=X8," + dn: {append(class("container"), ldap.Text("objectGUID", "x")), ldap.InvalidAttributeSyntax},
		"CN=X9," + dn: {append(class("container"), ldap.Text("nonsense", "x")), ldap.NoSuchAttribute},
	} {
		r.Expect(dc.Add(ctx, System, name, c.attributes)).To(refusal(c.code, ""), name)
	}
	r.Expect(dc.Add(ctx, r.identity("Administrator"), "CN=X10,"+dn, append(class("container"), ldap.Text("windtunnelOwner", "S-1-1-0")))).To(refusal(ldap.ConstraintViolation, ""))
	r.Expect(r.computer(System, "PC-1", computers)).To(Succeed())
	r.Expect(r.computer(System, "PC-1", "CN=Users,"+dn)).To(refusal(ldap.EntryAlreadyExists, "00000524"))
}

func TestMoves(t *testing.T) {
	r := newRig(t)
	r.Expect(r.AddOU("OU=In,OU=A," + dn)).To(Succeed())
	r.Expect(r.AddOU("OU=B," + dn)).To(Succeed())
	r.Expect(r.computer(System, "PC-1", "OU=In,OU=A,"+dn)).To(Succeed())
	dc := r.Primary()
	move := func(from, step, to string) error {
		return dc.ModifyDN(ctx, System, ldap.ModifyDNRequest{DN: from, NewRDN: step, DeleteOldRDN: true, NewSuperior: to, Moves: to != ""})
	}
	r.Expect(r.AddToGroup("Domain Admins", "PC-1$")).To(Succeed())
	r.Expect(move("OU=In,OU=A,"+dn, "OU=Out", "OU=B,"+dn)).To(Succeed())
	r.Expect(r.find(dc, "OU=B,"+dn, "(cn=PC-1)", "cn")[0].DN).To(Equal("CN=PC-1,OU=Out,OU=B," + dn))
	r.Expect(r.find(dc, dn, "(cn=Domain Admins)")[0].Texts("member")).To(ContainElement("CN=PC-1,OU=Out,OU=B," + dn))
	r.Expect(move("OU=B,"+dn, "OU=B", "OU=Out,OU=B,"+dn)).To(refusal(ldap.UnwillingToPerform, ""), "below itself")
	r.Expect(move("OU=B,"+dn, "CN=B", "")).To(refusal(ldap.NamingViolation, ""))
	r.Expect(move("OU=B,"+dn, "OU=A", "")).To(refusal(ldap.EntryAlreadyExists, ""))
	r.Expect(move("OU=B,"+dn, "OU=b", "")).To(Succeed())
	r.Expect(move("OU=B,"+dn, "OU=B", r.ConfigurationDN())).To(refusal(ldap.UnwillingToPerform, ""))
	r.Expect(dc.Delete(ctx, System, "OU=B,"+dn, false)).To(refusal(ldap.NotAllowedOnNonLeaf, "00002015"))
	r.Expect(dc.Delete(ctx, System, "CN=Computers,"+dn, true)).To(refusal(ldap.UnwillingToPerform, ""))
	r.Expect(dc.Delete(ctx, System, dn, true)).To(refusal(ldap.UnwillingToPerform, ""))
	r.Expect(dc.Delete(ctx, System, "OU=B,"+dn, true)).To(Succeed())
	r.Expect(r.find(dc, dn, "(cn=Domain Admins)")[0].Texts("member")).To(HaveLen(1))
	yes, err := dc.Compare(ctx, System, "OU=A,"+dn, "ou", []byte("a"))
	r.Expect(err).NotTo(HaveOccurred())
	r.Expect(yes).To(BeTrue())
	_, err = dc.Compare(ctx, System, "OU=A,"+dn, "description", []byte("a"))
	r.Expect(err).To(refusal(ldap.NoSuchAttribute, ""))
}
