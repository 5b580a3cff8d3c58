package join_test

import (
	"testing"
	"time"
	"unicode/utf16"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/ldap"
	"windtunnel.test/sim/wire/odj"
)

const machinePassword = "Machine-Secret-0123456789"

// office is a bench with a domain on its network, seen from one of its sites.
type office struct {
	*rig.Rig
	forest *fakead.Forest
	site   *vnet.Site
}

func inOffice(t *testing.T, o fakead.Options) *office { return officeOn(rig.New(t), o) }

func officeOn(r *rig.Rig, o fakead.Options) *office {
	o.Clock, o.Journal, o.Timing, o.Seed = r.Clock, journal.New(r.Clock, r.Memory), r.Timing, rig.Seed
	o.Domain, o.NetBIOS, o.AdministratorPassword = "corp.contoso.com", "CORP", "Admin-Secret-1"
	if o.Controllers == nil {
		o.Controllers = []fakead.Controller{{Name: "dc1"}}
	}
	o.Since = rig.Start.AddDate(-1, 0, 0)
	forest, err := fakead.New(o)
	r.OK(err)
	r.OK(forest.Attach(r.Net))
	site, err := r.Net.AddSite(vnet.SiteConfig{Name: "office", Wired: true, Latency: 10 * time.Millisecond, SeesDC: true})
	r.OK(err)
	for _, u := range []fakead.User{
		{SAM: "ada", UPN: "ada@contoso.com", Password: "Secret-of-Ada-1"},
		{SAM: "bob", UPN: "bob@contoso.com", Password: "Secret-of-Bob-1", Disabled: true},
		{SAM: "eve", UPN: "eve@contoso.com", Password: "Secret-of-Eve-1", MustChange: true},
		{SAM: "ian", UPN: "ian@contoso.com", Password: "Secret-of-Ian-1", PasswordExpired: true},
		{SAM: "lou", UPN: "lou@contoso.com", Password: "Secret-of-Lou-1", Locked: true},
		{SAM: "max", UPN: "max@contoso.com", Password: "Secret-of-Max-1", Expires: rig.Start.AddDate(0, -1, 0)},
	} {
		_, err := forest.AddUser(u)
		r.OK(err)
	}
	return &office{r, forest, site}
}

// member stages the domain join of a PC that is off, with an account for it.
func (o *office) member(w *device.Windows, account bool, password string) {
	if account {
		name, secret := o.forest.Administrator()
		h := w.ADHost()
		dc, err := adclient.Locate(w.Ctx, h, "corp.contoso.com", "")
		o.OK(err)
		creds, err := adclient.Logon(w.Ctx, h, dc.Name, "CORP.CONTOSO.COM", name[len(`CORP\`):], adclient.Secret{Password: secret})
		o.OK(err)
		l, err := adclient.DialLDAP(w.Ctx, h, dc.Name)
		o.OK(err)
		c, err := creds.Context(w.Ctx, "ldap/"+dc.Name, false)
		o.OK(err)
		o.OK(l.BindSASL(ldap.MechanismGSSAPI, c))
		var quoted []byte
		for _, u := range utf16.Encode([]rune(`"` + password + `"`)) {
			quoted = append(quoted, byte(u), byte(u>>8))
		}
		text := func(name string, values ...string) ldap.Attribute {
			a := ldap.Attribute{Type: name}
			for _, v := range values {
				a.Values = append(a.Values, []byte(v))
			}
			return a
		}
		o.OK(l.Add("CN=PC-1,CN=Computers,DC=corp,DC=contoso,DC=com", text("objectClass", "computer"), text("sAMAccountName", "PC-1$"),
			text("userAccountControl", "4096"), text("dNSHostName", "pc-1.corp.contoso.com"),
			text("servicePrincipalName", "HOST/PC-1", "HOST/pc-1.corp.contoso.com"), ldap.Attribute{Type: "unicodePwd", Values: [][]byte{quoted}}))
		o.OK(l.Close())
	}
	o.OK(w.StageDomainJoin(odj.Win7{Domain: "corp.contoso.com", MachineName: "PC-1", MachinePassword: machinePassword,
		DNSDomain: odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.com", Forest: "corp.contoso.com"}}))
}

// asMember runs f on a member of the domain, in its second boot.
func (o *office) asMember(account bool, password string, f func(w *device.Windows)) *device.PC {
	return o.memberWith(0, account, password, f)
}

// memberWith is asMember on a PC with that chip.
func (o *office) memberWith(chip int, account bool, password string, f func(w *device.Windows)) *device.PC {
	pc := o.PC(chip, func(w *device.Windows) error {
		if w.Boot == 1 {
			o.member(w, account, password)
			return device.ErrReboot
		}
		f(w)
		return device.ErrShutdown
	})
	pc.NIC.Move(o.site)
	o.Boot(pc)
	return pc
}

// A controller decides about each logon, and Windows words its refusals.
func TestLogOnDomain(t *testing.T) {
	o := inOffice(t, fakead.Options{})
	o.asMember(true, machinePassword, func(w *device.Windows) {
		for _, c := range []struct {
			name, password string
			code           hresult.Code
		}{
			{"ada@contoso.com", "Secret-of-Ada-1", 0},
			{`CORP\ada`, "Secret-of-Ada-1", 0},
			{"ada", "Secret-of-Ada-1", 0},
			{"ada", "wrong", hresult.STATUSWrongSecret},
			{`FABRIKAM\ada`, "Secret-of-Ada-1", hresult.STATUSWrongSecret},
			{"nobody", "Secret-of-Ada-1", hresult.STATUSWrongSecret},
			{"", "", hresult.STATUSWrongSecret},
			{"bob", "Secret-of-Bob-1", hresult.STATUSAccountDisabled},
			{"eve", "Secret-of-Eve-1", hresult.STATUSPasswordMustChange},
			{"ian", "Secret-of-Ian-1", hresult.STATUSPasswordExpired},
			{"lou", "Secret-of-Lou-1", hresult.STATUSAccountLockedOut},
			{"max", "Secret-of-Max-1", hresult.STATUSAccountExpired},
		} {
			a, err := join.LogOnDomain(w, c.name, c.password)
			o.Expect(codeOf(err)).To(gomega.Equal(c.code), "%s: %v", c.name, err)
			if c.code == 0 {
				o.Expect(a.Name).To(gomega.Equal("ada"))
				o.Expect(a.UPN).To(gomega.Equal("ada@contoso.com"))
				o.Expect(a.SID).To(gomega.HavePrefix("S-1-5-21-"))
				on, _ := w.LoggedOn()
				o.Expect(on).To(gomega.Equal(a))
			}
		}
		o.Expect(join.LastUser(w)).To(gomega.Equal(`CORP\ada`))

		o.OK(join.ChangeDomainPassword(w, "eve", "Secret-of-Eve-1", "Another-Secret-2"))
		_, err := join.LogOnDomain(w, `corp.contoso.com\eve`, "Another-Secret-2")
		o.OK(err)
		err = join.ChangeDomainPassword(w, "ian", "Secret-of-Ian-1", "short")
		o.Expect(codeOf(err)).To(gomega.Equal(hresult.STATUSPasswordRule), "%v", err)
		o.Expect(codeOf(join.ChangeDomainPassword(w, "ian", "wrong", "Another-Secret-2"))).To(gomega.Equal(hresult.STATUSWrongSecret))
	})
}

// Without a controller whoever has signed in here before is let in, with the
// password of that time.
func TestCachedLogon(t *testing.T) {
	o := inOffice(t, fakead.Options{})
	var nic *vnet.NIC
	away, err := o.Net.AddSite(vnet.SiteConfig{Name: "home", Wired: true})
	o.OK(err)
	o.asMember(true, machinePassword, func(w *device.Windows) {
		a, err := join.LogOnDomain(w, "ada", "Secret-of-Ada-1")
		o.OK(err)
		nic = w.NIC
		nic.Move(away)
		w.LogOff()
		b, err := join.LogOnDomain(w, "ada@contoso.com", "Secret-of-Ada-1")
		o.OK(err)
		o.Expect(b).To(gomega.Equal(a))
		_, err = join.LogOnDomain(w, "ada", "wrong")
		o.Expect(codeOf(err)).To(gomega.Equal(hresult.STATUSWrongSecret))
		_, err = join.LogOnDomain(w, "eve", "Secret-of-Eve-1")
		o.Expect(codeOf(err)).To(gomega.Equal(hresult.STATUSNoLogonServers))
		o.Expect(join.UnlockDomain(w, a, "wrong")).NotTo(gomega.Succeed())
		o.OK(join.UnlockDomain(w, a, "Secret-of-Ada-1"))
	})
}

// A computer that the controller does not know, or knows by another password,
// lets nobody in.
func TestLogonWithoutTrust(t *testing.T) {
	for _, c := range []struct {
		account  bool
		password string
		code     hresult.Code
	}{
		{false, "", hresult.STATUSNoTrustSAMAccount},
		{true, "Another-Machine-Secret-9", hresult.STATUSTrustFailure},
	} {
		o := inOffice(t, fakead.Options{})
		o.asMember(c.account, c.password, func(w *device.Windows) {
			_, err := join.LogOnDomain(w, "ada", "Secret-of-Ada-1")
			o.Expect(codeOf(err)).To(gomega.Equal(c.code), "%v", err)
		})
	}
}

// More than five minutes between the clocks of PC and controller are too many.
func TestLogonWithSkew(t *testing.T) {
	for skew, code := range map[time.Duration]hresult.Code{4 * time.Minute: 0, 6 * time.Minute: hresult.TimeSkew, -6 * time.Minute: hresult.TimeSkew} {
		o := inOffice(t, fakead.Options{})
		o.asMember(true, machinePassword, func(w *device.Windows) {
			w.SetFirmwareTime(w.Now().Add(skew))
			_, err := join.LogOnDomain(w, "ada", "Secret-of-Ada-1")
			o.Expect(codeOf(err)).To(gomega.Equal(code), "%s: %v", skew, err)
		})
	}
}

// The first user is made an administrator where nobody is one yet.
func TestGrantAdministrator(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		ada, bob := device.Account{SID: "S-1-5-21-1-2-3-1104", Name: "ada"}, device.Account{SID: "S-1-5-21-1-2-3-1105", Name: "bob"}
		join.GrantAdministrator(w, ada)
		join.GrantAdministrator(w, bob)
		r.Expect(join.Administrator(w, ada.SID)).To(gomega.BeTrue())
		r.Expect(join.Administrator(w, bob.SID)).To(gomega.BeFalse())
	})
	r.Expect(r.Logged("administrator.refused", "another administrator")).To(gomega.HaveLen(1))
}
