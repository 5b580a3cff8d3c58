package directory

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

func TestAccountsAreFoundByTheirNames(t *testing.T) {
	r := newRig(t)
	r.user("anna")
	r.Expect(r.computer(System, "PC-1", computers)).To(Succeed())
	dc := r.Primary()
	for name, find := range map[string]func(string) (Account, bool){
		"ANNA": dc.AccountBySAM, "anna@CORP.contoso.com": dc.AccountByUPN, "administrator@corp": dc.AccountByUPN, "pc-1": dc.AccountByName,
		"cifs/pc-1.corp.contoso.com": dc.AccountBySPN, "HTTP/PC-1": dc.AccountBySPN, "ldap/dc1.corp.contoso.com/CORP": dc.AccountBySPN,
		"host/pc-1/corp.contoso.com": dc.AccountBySPN,
	} {
		_, ok := find(name)
		r.Expect(ok).To(BeTrue(), name)
	}
	for name, find := range map[string]func(string) (Account, bool){
		"PC-1": dc.AccountBySAM, "anna@example.org": dc.AccountByUPN, "ldap/pc-1": dc.AccountBySPN, "Domain Admins": dc.AccountBySAM, "host": dc.AccountBySPN,
	} {
		_, ok := find(name)
		r.Expect(ok).To(BeFalse(), name)
	}
	self, ok := dc.Self()
	r.Expect(ok).To(BeTrue())
	r.Expect(self.SAM).To(Equal("DC1$"))
}

func TestKeysFollowThePassword(t *testing.T) {
	r := newRig(t)
	r.Expect(r.computer(System, "PC-1", computers)).To(Succeed())
	dc := r.Primary()
	a, _ := dc.AccountBySAM("PC-1$")
	keys := dc.Keys(a)
	r.Expect(keys).To(HaveLen(3))
	r.Expect(keys[0].Salt).To(Equal("CORP.CONTOSO.COMhostpc-1.corp.contoso.com"))
	r.Expect(keys[0].Kvno).To(Equal(1))
	want, err := krb5.StringToKey(krb5.AES256, "secret-PC-1", keys[0].Salt)
	r.Expect(err).NotTo(HaveOccurred())
	r.Expect(keys[0].Value).To(Equal(want.Value))
	r.Expect(dc.SetPassword(ctx, System, a, "other")).To(Succeed())
	a, _ = dc.AccountBySAM("PC-1$")
	r.Expect(dc.Keys(a)[0].Kvno).To(Equal(2))
	r.Expect(dc.Keys(a)[0].Value).NotTo(Equal(want.Value))
	r.Expect(r.find(dc, dn, "(sAMAccountName=PC-1$)", "msDS-KeyVersionNumber", "unicodePwd")[0].Attributes).To(HaveLen(1), "the password is not shown")
	user := r.user("anna")
	b, _ := dc.AccountBySID(user.SID)
	r.Expect(dc.Salt(b)).To(Equal("CORP.CONTOSO.COManna"))
}

func TestBindsAreRefusedForAReason(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Policy.LockoutThreshold = 3 })
	dc := r.Primary()
	for _, u := range []User{
		{UPN: "good@corp.contoso.com"}, {UPN: "off@corp.contoso.com", Disabled: true}, {UPN: "old@corp.contoso.com", PasswordExpired: true},
		{UPN: "new@corp.contoso.com", MustChange: true}, {UPN: "gone@corp.contoso.com", Expires: r.clock.now}, {UPN: "locked@corp.contoso.com", Locked: true},
	} {
		u.Password = "Sommer-2026"
		_, err := r.AddUser(u)
		r.Expect(err).NotTo(HaveOccurred())
	}
	for name, data := range map[string]string{"off": "533", "old": "532", "new": "773", "gone": "701", "locked": "775", "nobody": "525"} {
		_, err := dc.Authenticate(ctx, name+"@corp.contoso.com", "Sommer-2026")
		r.Expect(err).To(refusal(ldap.InvalidCredentials, "data "+data+","), name)
	}
	_, err := dc.Authenticate(ctx, "off@corp.contoso.com", "wrong")
	r.Expect(err).To(refusal(ldap.InvalidCredentials, "data 52e,"), "who does not know the password learns nothing")
	good, _ := dc.AccountBySAM("good")
	for _, name := range []string{"good@corp.contoso.com", `CORP\good`, `corp.contoso.com\GOOD`, "CN=good,CN=Users," + dn, good.SID.String(), "{" + good.GUID.String() + "}", "good"} {
		id, err := dc.Authenticate(ctx, name, "Sommer-2026")
		r.Expect(err).NotTo(HaveOccurred(), name)
		r.Expect(id.Name).To(Equal(`CORP\good`))
		r.Expect(id.Groups).To(ContainElements(r.SID().With(513), AuthenticatedUsers, Builtin.With(545)))
	}
	for _, data := range []string{"52e", "52e", "52e", "775"} {
		_, err := dc.Authenticate(ctx, "good@corp.contoso.com", "wrong")
		r.Expect(err).To(refusal(ldap.InvalidCredentials, "data "+data+","))
	}
	r.clock.forward(30 * time.Minute)
	_, err = dc.Authenticate(ctx, "good@corp.contoso.com", "Sommer-2026")
	r.Expect(err).NotTo(HaveOccurred())
	r.clock.forward(42 * 24 * time.Hour)
	_, err = dc.Authenticate(ctx, "good@corp.contoso.com", "Sommer-2026")
	r.Expect(err).To(refusal(ldap.InvalidCredentials, "data 532,"))
}

// A wrong password counts wherever it is tried; a new one counts everywhere.
func TestPasswordsAreTriedAtThePrimary(t *testing.T) {
	r := newRig(t, twoControllers(time.Hour), func(o *Options) { o.Policy.LockoutThreshold = 2 })
	r.user("anna")
	dc2 := r.Replica("dc2")
	a, _ := r.Primary().AccountBySAM("anna")
	r.Expect(r.Primary().SetPassword(ctx, System, a, "Winter-2026")).To(Succeed())
	_, err := dc2.Authenticate(ctx, "anna@corp.contoso.com", "Winter-2026")
	r.Expect(err).NotTo(HaveOccurred())
	for range 2 {
		_, err = dc2.Authenticate(ctx, "anna@corp.contoso.com", "wrong")
		r.Expect(err).To(HaveOccurred())
	}
	for _, dc := range r.Replicas() {
		_, err = dc.Authenticate(ctx, "anna@corp.contoso.com", "Winter-2026")
		r.Expect(err).To(refusal(ldap.InvalidCredentials, "data 775,"), dc.Name())
	}
}

func TestPasswordPolicy(t *testing.T) {
	r := newRig(t)
	anna := r.user("anna")
	dc := r.Primary()
	a, _ := dc.AccountBySAM("anna")
	r.Expect(dc.SetPassword(ctx, anna, a, "Winter-2026")).To(MatchError(&PolicyError{"minimum age"}))
	r.clock.forward(25 * time.Hour)
	for password, rule := range map[string]string{"Ab-1": "length", "sommersommer": "complexity", "Anna-2026-x": "complexity", "Sommer-2026": "history"} {
		r.Expect(dc.SetPassword(ctx, anna, a, password)).To(MatchError(&PolicyError{rule}), password)
	}
	r.Expect(dc.SetPassword(ctx, anna, a, "Winter-2026")).To(Succeed())
	r.clock.forward(25 * time.Hour)
	r.Expect(dc.SetPassword(ctx, anna, a, "Sommer-2026")).To(MatchError(&PolicyError{"history"}))
	r.Expect(dc.SetPassword(ctx, r.identity("Administrator"), a, "Sommer-2026")).To(Succeed(), "a reset minds no history")
	r.Expect(dc.SetPassword(ctx, r.identity("Administrator"), a, "x")).To(MatchError(&PolicyError{"length"}))
	ben := r.user("ben")
	r.Expect(dc.SetPassword(ctx, ben, a, "Winter-2027")).To(refusal(ldap.InsufficientAccessRights, "00000005"))
}

func TestPasswordsOverLDAP(t *testing.T) {
	r := newRig(t)
	anna, dc, who := r.user("anna"), r.Primary(), "CN=anna,CN=Users,"+dn
	r.clock.forward(25 * time.Hour)
	change := func(old, new []byte) []ldap.Change {
		return []ldap.Change{
			{Op: ldap.DeleteValues, Attribute: ldap.Binary("unicodePwd", old)},
			{Op: ldap.AddValues, Attribute: ldap.Binary("unicodePwd", new)},
		}
	}
	open := anna
	open.Confidential = false
	r.Expect(dc.Modify(ctx, open, who, change(quoted("Sommer-2026"), quoted("Winter-2026")))).To(refusal(ldap.UnwillingToPerform, "0000001F"))
	r.Expect(dc.Modify(ctx, anna, who, change(quoted("wrong"), quoted("Winter-2026")))).To(refusal(ldap.ConstraintViolation, "00000056"))
	r.Expect(dc.Modify(ctx, anna, who, change([]byte("Sommer-2026"), []byte("Winter-2026")))).To(refusal(ldap.UnwillingToPerform, "0000216C"))
	r.Expect(dc.Modify(ctx, anna, who, change(quoted("Sommer-2026"), quoted("short")))).To(refusal(ldap.ConstraintViolation, "0000052D"))
	r.Expect(dc.Modify(ctx, anna, who, change(quoted("Sommer-2026"), quoted("Winter-2026")))).To(Succeed())
	reset := []ldap.Change{{Op: ldap.ReplaceValues, Attribute: ldap.Binary("unicodePwd", quoted("Fruehling-1"))}}
	r.Expect(dc.Modify(ctx, anna, who, reset)).To(refusal(ldap.InsufficientAccessRights, ""))
	r.Expect(dc.Modify(ctx, r.identity("Administrator"), who, reset)).To(Succeed())
	r.Expect(dc.Modify(ctx, r.identity("Administrator"), who, replace("pwdLastSet", "0"))).To(Succeed())
	a, _ := dc.AccountBySAM("anna")
	r.Expect(dc.Restriction(a)).To(Equal(MustChangePassword))
	// An enabled user needs a password.
	r.Expect(dc.Add(ctx, System, "CN=new,CN=Users,"+dn, []ldap.Attribute{ldap.Text("objectClass", "user"), ldap.Text("userAccountControl", "512")})).
		To(refusal(ldap.UnwillingToPerform, "0000052D"))
}
