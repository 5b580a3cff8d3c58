package directory

import (
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/ldap"
)

const computers = "CN=Computers," + dn

func TestMachineAccountQuota(t *testing.T) {
	r := newRig(t)
	anna := r.user("anna")
	for i := range 10 {
		r.Expect(r.computer(anna, fmt.Sprintf("PC-%d", i), computers)).To(Succeed())
	}
	r.Expect(r.computer(anna, "PC-10", computers)).To(refusal(ldap.UnwillingToPerform, "0000216D: SvcErr"))
	_, ok := r.Primary().AccountBySAM("PC-10$")
	r.Expect(ok).To(BeFalse())
	found := r.find(r.Primary(), dn, "(sAMAccountName=pc-9$)", "mS-DS-CreatorSID", "userAccountControl", "primaryGroupID", "sAMAccountType")
	r.Expect(found).To(HaveLen(1))
	r.Expect(found[0].Bytes("mS-DS-CreatorSID")).To(Equal(anna.SID.Bytes()))
	r.Expect(found[0].Text("primaryGroupID")).To(Equal("515"))
	r.Expect(found[0].Text("sAMAccountType")).To(Equal("805306369"))
	// The quota is each one's own, and administrators have none.
	r.Expect(r.computer(r.user("ben"), "PC-10", computers)).To(Succeed())
	for i := range 12 {
		r.Expect(r.computer(r.identity("Administrator"), fmt.Sprintf("SRV-%d", i), computers)).To(Succeed())
	}
}

func TestCreatingNeedsARight(t *testing.T) {
	r := newRig(t)
	ou := "OU=Autopilot," + dn
	r.Expect(r.AddOU("OU=Inner," + ou)).To(Succeed())
	_, err := r.AddServiceAccount("msaODJ12345", "long secret")
	r.Expect(err).NotTo(HaveOccurred())
	connector := r.identity("msaODJ12345$")
	connector.Confidential = true
	r.Expect(r.computer(connector, "PC-1", ou)).To(refusal(ldap.InsufficientAccessRights, "00000005: SecErr"))
	r.Expect(r.Delegate(ou, `CORP\msaODJ12345$`, CreateComputer)).To(Succeed())
	for i := range 12 {
		r.Expect(r.computer(connector, fmt.Sprintf("PC-%d", i), "OU=Inner,"+ou)).To(Succeed(), "no quota counts here")
	}
	// Creating is not deleting, and a computer is not a user.
	r.Expect(r.Primary().Delete(ctx, connector, "CN=PC-1,OU=Inner,"+ou, false)).To(refusal(ldap.InsufficientAccessRights, ""))
	r.Expect(r.Primary().Add(ctx, connector, "CN=Eve,"+ou, []ldap.Attribute{ldap.Text("objectClass", "user")})).To(refusal(ldap.InsufficientAccessRights, ""))
	r.Expect(r.Delegate(ou, "Domain Users", DeleteComputer)).To(Succeed())
	r.Expect(r.Primary().Delete(ctx, r.user("anna"), "CN=PC-1,OU=Inner,"+ou, false)).To(Succeed())
}

func TestComputersWriteThemselvesOnly(t *testing.T) {
	r := newRig(t)
	admin := r.identity("Administrator")
	r.Expect(r.computer(admin, "PC-1", computers)).To(Succeed())
	r.Expect(r.computer(admin, "PC-2", computers)).To(Succeed())
	one, mine, other := r.identity("PC-1$"), "CN=PC-1,"+computers, "CN=PC-2,"+computers
	dc := r.Primary()
	r.Expect(dc.Modify(ctx, one, mine, replace("userCertificate", "certificate"))).To(Succeed())
	r.Expect(r.find(dc, dn, "(&(objectCategory=computer)(userCertificate=*))")).To(HaveLen(1))
	for _, c := range []struct {
		dn, attribute, value string
		code                 ldap.ResultCode
	}{
		{other, "userCertificate", "certificate", ldap.InsufficientAccessRights},
		{other, "description", "mine", ldap.InsufficientAccessRights},
		{mine, "userAccountControl", "8192", ldap.InsufficientAccessRights},
		{mine, "description", "domain admin", ldap.InsufficientAccessRights},
		{mine, "dNSHostName", "dc1.corp.contoso.com", ldap.ConstraintViolation},
		{mine, "servicePrincipalName", "HOST/dc1.corp.contoso.com", ldap.ConstraintViolation},
		{mine, "servicePrincipalName", "HOST/PC-2", ldap.ConstraintViolation},
		{mine, "objectSid", "S-1-5-32-544", ldap.ConstraintViolation},
		{mine, "windtunnelDelegations", "S-1-1-0 full control", ldap.ConstraintViolation},
		{mine, "cn", "PC-3", ldap.NotAllowedOnRDN},
		{mine, "objectClass", "user", ldap.ObjectClassModsProhibited},
		{mine, "noSuchThing", "x", ldap.NoSuchAttribute},
		{"CN=Domain Admins,CN=Users," + dn, "member", mine, ldap.InsufficientAccessRights},
	} {
		before := fmt.Sprint(r.find(dc, dn, "(objectClass=*)"))
		r.Expect(dc.Modify(ctx, one, c.dn, replace(c.attribute, c.value))).To(refusal(c.code, ""), c.attribute+" "+c.value)
		r.Expect(fmt.Sprint(r.find(dc, dn, "(objectClass=*)"))).To(Equal(before), "nothing changes")
	}
	r.Expect(dc.Modify(ctx, one, mine, replace("servicePrincipalName", "HOST/PC-1", "TERMSRV/pc-1.corp.contoso.com"))).To(Succeed())
	r.Expect(dc.Modify(ctx, admin, other, replace("servicePrincipalName", "HOST/pc-1"))).To(refusal(ldap.ConstraintViolation, "000021C7"))
}

func TestAnonymousCallersSeeNothing(t *testing.T) {
	r := newRig(t)
	dc := r.Primary()
	_, err := dc.Search(ctx, Identity{}, Query{SearchRequest: ldap.SearchRequest{Base: dn}})
	r.Expect(err).To(refusal(ldap.OperationsError, "000004DC"))
	r.Expect(dc.Add(ctx, Identity{}, "CN=x,"+computers, computerAttributes("x"))).To(refusal(ldap.OperationsError, "000004DC"))
	r.Expect(dc.Modify(ctx, Identity{}, computers, replace("description", "x"))).To(refusal(ldap.OperationsError, "000004DC"))
	r.Expect(dc.Delete(ctx, Identity{}, computers, true)).To(refusal(ldap.OperationsError, "000004DC"))
}

func TestCreatorsOfComputers(t *testing.T) {
	r := newRig(t)
	anna, ben := r.user("anna"), r.user("ben")
	r.Expect(r.computer(anna, "PC-1", computers)).To(Succeed())
	dc, pc := r.Primary(), "CN=PC-1,"+computers
	r.Expect(dc.Modify(ctx, anna, pc, []ldap.Change{{Op: ldap.ReplaceValues, Attribute: ldap.Binary("unicodePwd", quoted("new"))}})).To(Succeed())
	r.Expect(dc.Modify(ctx, ben, pc, []ldap.Change{{Op: ldap.ReplaceValues, Attribute: ldap.Binary("unicodePwd", quoted("new"))}})).To(refusal(ldap.InsufficientAccessRights, ""))
	r.Expect(dc.Modify(ctx, anna, pc, replace("userAccountControl", "4098"))).To(Succeed())
	r.Expect(dc.Modify(ctx, anna, pc, replace("userAccountControl", "532480"))).To(refusal(ldap.InsufficientAccessRights, ""), "a server trust account")
	r.Expect(dc.Modify(ctx, anna, pc, replace("operatingSystem", "Linux"))).To(refusal(ldap.InsufficientAccessRights, ""))
	r.Expect(dc.Delete(ctx, anna, pc, false)).To(refusal(ldap.InsufficientAccessRights, ""))
}
