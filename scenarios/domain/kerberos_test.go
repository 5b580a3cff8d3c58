package domain_test

import (
	"context"
	"os"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/wire/ldap"
)

// annas is a password that the domain's policy takes, and further one after it.
const (
	annas   = "Correct-Horse-7"
	further = "Battery-Staple-9"
)

// people are accounts in every state that a controller has a number for.
func (l *lab) people() {
	GinkgoHelper()
	for _, u := range []fakead.User{
		{SAM: "anna", UPN: "anna@contoso.com", Password: annas},
		{SAM: "off", Password: annas, Disabled: true},
		{SAM: "gone", Password: annas, Expires: wall.Now().Add(-time.Hour)},
		{SAM: "stale", Password: annas, PasswordExpired: true},
		{SAM: "new", Password: annas, MustChange: true},
	} {
		_, err := l.AddUser(u)
		Expect(err).NotTo(HaveOccurred(), u.SAM)
	}
}

// machine is a computer's account with a password.
func (l *lab) machine(name, password string) {
	GinkgoHelper()
	quoted := utf16.Encode([]rune(`"` + password + `"`))
	var value []byte
	for _, u := range quoted {
		value = append(value, byte(u), byte(u>>8))
	}
	Expect(l.Primary().Add(context.Background(), directory.System, "CN="+name+",CN=Computers,"+l.DN(), []ldap.Attribute{
		ldap.Text("objectClass", "computer"), ldap.Text("sAMAccountName", name+"$"), ldap.Text("userAccountControl", "4096"),
		{Type: "unicodePwd", Values: [][]byte{value}},
	})).To(Succeed())
}

// configured makes a krb5.conf of its own for the lab's commands, out of the
// suite's and some lines for [libdefaults].
func (l *lab) configured(lines ...string) {
	GinkgoHelper()
	text, err := os.ReadFile(os.Getenv("KRB5_CONFIG"))
	Expect(err).NotTo(HaveOccurred())
	changed := strings.Replace(string(text), "[libdefaults]", "[libdefaults]\n\t"+strings.Join(lines, "\n\t"), 1)
	Expect(os.WriteFile(l.path("krb5.conf"), []byte(changed), 0o600)).To(Succeed())
	l.env = append(l.env, "KRB5_CONFIG="+l.path("krb5.conf"))
}

var _ = Describe("tickets, asked for by MIT Kerberos", func() {
	It("go to a user, a service and again to the user", func() {
		l := newForest()
		l.people()
		l.feed(annas+"\n", "kinit", "-f", "-r", "7d", "anna@"+realm)
		Expect(l.run("klist", "-fe")).To(And(ContainSubstring("krbtgt/"+realm), ContainSubstring("Flags: FRIA"), ContainSubstring("aes256-cts-hmac-sha1-96, aes256")))
		Expect(l.run("kvno", "ldap/dc1."+domainName, "host/dc1."+domainName, "cifs/dc1."+domainName)).To(And(
			ContainSubstring("ldap/dc1.corp.contoso.com@CORP.CONTOSO.COM: kvno = "), ContainSubstring("cifs/dc1")))
		l.run("kinit", "-R")
		Expect(l.run("klist", "-f")).To(ContainSubstring("Flags: FRIA"), "a renewed ticket keeps its flags")
		Expect(l.refused("", "kvno", "http/nowhere."+domainName)).To(ContainSubstring("Server not found"))
	})

	It("go to a machine by password and by keytab", func() {
		l := newForest()
		l.asAdministrator()
		l.machine("AP-0001", annas)
		l.kinit("AP-0001$@"+realm, annas)
		Expect(l.run("klist")).To(ContainSubstring("Default principal: AP-0001$@" + realm))
		l.feed("addent -password -p AP-0001$@"+realm+" -k 1 -e aes256-cts-hmac-sha1-96 -s "+realm+"hostap-0001."+domainName+"\n"+annas+"\nwkt "+l.path("machine")+"\n", "ktutil")
		l.run("kdestroy")
		l.run("kinit", "-k", "-t", l.path("machine"), "AP-0001$@"+realm)
		l.run("kvno", "ldap/dc1."+domainName)
	})

	It("go to a user principal name", func() {
		l := newForest()
		l.people()
		l.feed(annas+"\n", "kinit", "-E", "anna@contoso.com")
		Expect(l.run("klist")).To(ContainSubstring("Default principal: anna@" + realm))
	})

	DescribeTable("of every encryption type", func(name, shown string) {
		l := newForest()
		l.people()
		l.configured("default_tkt_enctypes = "+name, "default_tgs_enctypes = "+name, "permitted_enctypes = aes256-cts aes128-cts rc4-hmac", "allow_weak_crypto = true")
		l.kinit("anna@"+realm, annas)
		l.run("kvno", "ldap/dc1."+domainName)
		Expect(l.run("klist", "-e")).To(ContainSubstring("Etype (skey, tkt): " + shown))
	},
		Entry("AES with 128 bits", "aes128-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96"),
		Entry("RC4", "arcfour-hmac", "DEPRECATED:arcfour-hmac"),
	)

	DescribeTable("are refused", func(user, with, says string) {
		l := newForest()
		l.people()
		Expect(l.refused(with+"\n", "kinit", user+"@"+realm)).To(ContainSubstring(says))
	},
		Entry("with a wrong password", "anna", "wrong", "Password incorrect"),
		Entry("to nobody", "nobody", annas, "not found in Kerberos database"),
		Entry("to a disabled account", "off", annas, "credentials have been revoked"),
		Entry("to an expired account", "gone", annas, "credentials have been revoked"),
		Entry("with an expired password", "stale", annas, "Password expired"),
		Entry("where the password has to be changed", "new", annas, "Password expired"),
	)

	It("are refused after too many wrong passwords", func() {
		l := newForest(func(o *fakead.Options) { o.Policy.LockoutThreshold = 3 })
		l.people()
		for range 3 {
			Expect(l.refused("wrong\n", "kinit", "anna@"+realm)).To(ContainSubstring("Password incorrect"))
		}
		Expect(l.refused(annas+"\n", "kinit", "anna@"+realm)).To(ContainSubstring("revoked"))
	})

	DescribeTable("are refused to a clock that is wrong", func(offset time.Duration) {
		l := newForest()
		l.people()
		Expect(l.refused(annas+"\n", at(offset, "kinit", "anna@"+realm)...)).To(ContainSubstring("Clock skew too great"))
	},
		Entry("ten minutes ahead", 10*time.Minute),
		Entry("ten minutes behind", -10*time.Minute),
	)

	It("are refused by a controller whose own clock is wrong", func() {
		l := newForest(func(o *fakead.Options) { o.Controllers[0].Skew = 20 * time.Minute })
		l.people()
		Expect(l.refused(annas+"\n", "kinit", "anna@"+realm)).To(ContainSubstring("Clock skew too great"))
	})

	It("are had over streams alone", func() {
		l := newForest()
		l.people()
		l.configured("udp_preference_limit = 1")
		l.kinit("anna@"+realm, annas)
		l.run("kvno", "ldap/dc1."+domainName)
	})
})

var _ = Describe("passwords, changed by kpasswd", func() {
	change := func(l *lab, user, old, next string) (string, error) {
		return l.try(old+"\n"+next+"\n"+next+"\n", "kpasswd", user+"@"+realm)
	}
	free := func(o *fakead.Options) { o.Policy.MinAge = -1 }

	It("are good from then on, and the old ones no longer", func() {
		l := newForest(free)
		l.people()
		out, err := change(l, "anna", annas, further)
		Expect(err).NotTo(HaveOccurred(), out)
		l.kinit("anna@"+realm, further)
		Expect(l.refused(annas+"\n", "kinit", "anna@"+realm)).To(ContainSubstring("Password incorrect"))
	})

	It("are changed although they have expired, even by kinit", func() {
		l := newForest(free)
		l.people()
		l.feed(annas+"\n"+further+"\n"+further+"\n", "kinit", "stale@"+realm)
		Expect(l.run("klist")).To(ContainSubstring("stale@" + realm))
	})

	DescribeTable("are refused", func(next, says string, rules ...func(*fakead.Options)) {
		l := newForest(rules...)
		l.people()
		out, err := change(l, "anna", annas, next)
		Expect(err).To(HaveOccurred())
		Expect(out).To(ContainSubstring(says))
		l.kinit("anna@"+realm, annas)
	},
		Entry("where they are too short", "Ab-1", "rejected", free),
		Entry("where they are too simple", "abcdefghijk", "rejected", free),
		Entry("where they are the old ones", annas, "rejected", free),
		Entry("where the last change was just now", further, "rejected"),
	)

	It("are changed over streams alone", func() {
		l := newForest(free)
		l.people()
		l.configured("udp_preference_limit = 1")
		out, err := change(l, "anna", annas, further)
		Expect(err).NotTo(HaveOccurred(), out)
	})
})

var _ = Describe("gokrb5 as a client", func() {
	It("logs on, gets a service ticket and changes its password", func() {
		l := newForest(func(o *fakead.Options) { o.Policy.MinAge = -1 })
		l.people()
		c, err := config.Load(os.Getenv("KRB5_CONFIG"))
		Expect(err).NotTo(HaveOccurred())
		c.LibDefaults.DefaultTktEnctypeIDs, c.LibDefaults.DefaultTGSEnctypeIDs = []int32{18, 17}, []int32{18, 17}
		// Its own look-ups would go by what Go's resolver remembers of other specs.
		c.LibDefaults.DNSLookupKDC = false
		c.Realms = []config.Realm{{Realm: realm, KDC: []string{"127.0.0.1:88"}, KPasswdServer: []string{"127.0.0.1:464"}}}
		cl := client.NewWithPassword("anna", realm, annas, c, client.DisablePAFXFAST(true))
		defer cl.Destroy()
		Expect(cl.Login()).To(Succeed())
		_, key, err := cl.GetServiceTicket("ldap/dc1." + domainName)
		Expect(err).NotTo(HaveOccurred())
		Expect(key.KeyType).To(BeEquivalentTo(18))
		ok, err := cl.ChangePasswd(further)
		Expect(err).NotTo(HaveOccurred())
		Expect(ok).To(BeTrue())
	})
})
