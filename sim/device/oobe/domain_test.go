package oobe

import (
	"context"
	"fmt"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/ldap"
	"windtunnel.test/sim/wire/odj"
)

const machinePassword = "Machine-Secret-0123456789"

// office is a place from which a domain's controller is seen.
func office(r *rig.Rig) (*vnet.Site, *fakead.Forest) {
	forest, err := fakead.New(fakead.Options{Clock: r.Clock, Journal: journal.New(r.Clock, r.Memory), Timing: r.Timing, Seed: rig.Seed, Domain: "corp.contoso.com",
		NetBIOS: "CORP", Controllers: []fakead.Controller{{Name: "dc1"}}, Since: rig.Start.AddDate(-1, 0, 0), AdministratorPassword: "Admin-Secret-1"})
	r.OK(err)
	r.OK(forest.Attach(r.Net))
	for _, u := range []fakead.User{{SAM: "ada", UPN: "ada@contoso.com", Password: "Secret-of-Ada-1"}, {SAM: "eve", UPN: "eve@contoso.com", Password: "Secret-of-Eve-1", MustChange: true}} {
		_, err := forest.AddUser(u)
		r.OK(err)
	}
	site, err := r.Net.AddSite(vnet.SiteConfig{Name: "office", Wired: true, SeesDC: true})
	r.OK(err)
	return site, forest
}

// account makes the computer's account, as the administrator.
func account(r *rig.Rig, w *device.Windows) {
	h := w.ADHost()
	dc, err := adclient.Locate(w.Ctx, h, "corp.contoso.com", "")
	r.OK(err)
	creds, err := adclient.Logon(w.Ctx, h, dc.Name, "CORP.CONTOSO.COM", "Administrator", adclient.Secret{Password: "Admin-Secret-1"})
	r.OK(err)
	l, err := adclient.DialLDAP(w.Ctx, h, dc.Name)
	r.OK(err)
	c, err := creds.Context(w.Ctx, "ldap/"+dc.Name, false)
	r.OK(err)
	r.OK(l.BindSASL(ldap.MechanismGSSAPI, c))
	text := func(name string, values ...string) ldap.Attribute {
		a := ldap.Attribute{Type: name}
		for _, v := range values {
			a.Values = append(a.Values, []byte(v))
		}
		return a
	}
	var quoted []byte
	for _, u := range utf16.Encode([]rune(`"` + machinePassword + `"`)) {
		quoted = append(quoted, byte(u), byte(u>>8))
	}
	r.OK(l.Add("CN=PC-1,CN=Computers,DC=corp,DC=contoso,DC=com", text("objectClass", "computer"), text("sAMAccountName", "PC-1$"), text("userAccountControl", "4096"),
		text("servicePrincipalName", "HOST/PC-1", "HOST/pc-1.corp.contoso.com"), ldap.Attribute{Type: "unicodePwd", Values: [][]byte{quoted}}))
	r.OK(l.Close())
}

// staged has a PC whose domain join waits for its next start, in a stage of
// setup, from its second boot on.
func staged(r *rig.Rig, stage string, known bool, also func(*device.Registry)) device.Program {
	return func(w *device.Windows) error {
		if w.Boot > 1 {
			return Program(w)
		}
		if known {
			account(r, w)
		}
		r.OK(w.StageDomainJoin(odj.Win7{Domain: "corp.contoso.com", MachineName: "PC-1", MachinePassword: machinePassword,
			DNSDomain: odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.com"}}))
		setStage(w, stage)
		if also != nil {
			also(w.Registry())
		}
		return device.ErrReboot
	}
}

// Without a controller the way into the domain ends after 25 minutes, and goes
// on where one can be seen; setup then restarts the PC once, wherever the power
// goes.
func TestEnterDomain(t *testing.T) {
	for cut := range 14 {
		t.Run(fmt.Sprintf("power cut at event %d", cut), func(t *testing.T) {
			var rules []fault.Rule
			if cut > 0 {
				rules = append(rules, fault.Rule{Name: "cut", When: fault.When{Layer: fault.Event, Nth: 10 + cut}, Do: fault.Action{CutPower: true}})
			}
			r := rig.New(t, rules...)
			site, _ := office(r)
			pc := r.PC(0, staged(r, stageDomain, false, nil))
			r.Actor(func(ctx context.Context) {
				for pc.Screen().ID != ScreenESP {
					if s := pc.Screen(); s.ID == ScreenWrong {
						r.Expect(s.Line(LabelError)).To(gomega.Equal("0x80070774"))
						pc.NIC.Move(site)
						_ = pc.Press(ctx, ButtonTryAgain, nil) // the power may have gone
					} else if s.ID == device.Off.ID {
						r.OK(pc.PowerOn(ctx))
					}
					s := pc.Screen()
					_, err := pc.AwaitScreen(ctx, func(n device.Screen) bool {
						return n.Shown != s.Shown && (n.ID == device.Off.ID || n.ID == ScreenESP || n.ID == ScreenWrong)
					})
					r.OK(err)
				}
				pc.CutPower()
				r.OK(pc.AwaitOff(ctx))
			})
			r.Drive()
			r.Expect(r.Logged("domain.restart", "")).To(gomega.HaveLen(1))
			r.Expect(pc.Disk.Registry.String(device.KeyOOBE, "Stage")).To(gomega.Equal(stageUser))
		})
	}
}

// The logon screen of a domain's PC words what a controller says, has a password
// changed that is too old, and lets the user in.
func TestDomainLogonScreen(t *testing.T) {
	r := rig.New(t)
	site, _ := office(r)
	pc := r.PC(0, staged(r, stageSignOut, true, nil))
	pc.NIC.Move(site)
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		try := func(name, password string) {
			r.OK(pc.Press(ctx, ButtonNext, map[string]string{FieldUserName: name, FieldPassword: password}))
			r.OK(r.Clock.Sleep(ctx, time.Minute, "reaction"))
		}
		s := see(ctx, r, pc, ScreenLogon)
		r.Expect(s.Line(LabelDomain)).To(gomega.Equal("CORP"))
		try("ada", "wrong")
		r.Expect(pc.Screen().Line(LabelError)).To(gomega.Equal("0xC000006D"))
		try(`CORP\eve`, "Secret-of-Eve-1")
		s = see(ctx, r, pc, ScreenChangePassword)
		r.Expect(s.Line(LabelError)).To(gomega.Equal("0xC0000224"))
		change := func(fresh, again string) {
			r.OK(pc.Press(ctx, ButtonNext, map[string]string{FieldNew: fresh, FieldConfirm: again}))
			r.OK(r.Clock.Sleep(ctx, time.Minute, "reaction"))
		}
		change("Another-Secret-2", "Another-Secret-3")
		r.Expect(pc.Screen().Line(LabelReason)).To(gomega.ContainSubstring("do not match"))
		change("short", "short")
		r.Expect(pc.Screen().Line(LabelError)).To(gomega.Equal("0xC000006C"))
		r.OK(pc.Press(ctx, ButtonCancel, nil))
		r.OK(r.Clock.Sleep(ctx, time.Minute, "reaction"))
		r.Expect(pc.Screen().ID).To(gomega.Equal(ScreenLogon))
		try("eve@contoso.com", "Secret-of-Eve-1")
		change("Another-Secret-2", "Another-Secret-2")
		see(ctx, r, pc, ScreenDesktop)
		r.OK(pc.Press(ctx, ButtonShutDown, nil))
		r.OK(pc.AwaitOff(ctx))
		// The next day she is known, and no controller is needed.
		away, err := r.Net.AddSite(vnet.SiteConfig{Name: "home", Wired: true})
		r.OK(err)
		pc.NIC.Move(away)
		r.OK(pc.PowerOn(ctx))
		s = see(ctx, r, pc, ScreenLogon)
		r.Expect(s.Line(FieldUserName)).To(gomega.Equal(`CORP\eve`))
		try("ada", "Secret-of-Ada-1")
		r.Expect(pc.Screen().Line(LabelError)).To(gomega.Equal("0xC000005E"))
		try("", "Another-Secret-2")
		see(ctx, r, pc, ScreenDesktop)
		pc.CutPower()
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
}

// A VPN gets a PC at home to a controller before anybody signs in only by its
// device tunnel or a desktop client, with the machine's certificate, and where
// its gateway is there.
func TestVPNBeforeLogon(t *testing.T) {
	tunnel := func(device bool, method string) func(*pcRegistry) {
		return func(d *pcRegistry) {
			text, err := csp.VPNProfile{DeviceTunnel: device, AlwaysOn: true, Native: csp.VPNNative{Servers: "vpn.contoso.com", Protocol: "IKEv2", Auth: method}}.Encode()
			d.r.OK(err)
			d.SetString(keyVPN+`\Contoso`, csp.VPNXML, text)
		}
	}
	client := func(pre, plugin uint32, certificate string) func(*pcRegistry) {
		return func(d *pcRegistry) {
			d.SetString(keyClient, "Gateway", "vpn.contoso.com")
			d.SetString(keyClient, "Certificate", certificate)
			d.SetDWORD(keyClient, "PreLogon", pre)
			d.SetDWORD(keyClient, "Plugin", plugin)
		}
	}
	for _, c := range []struct {
		name        string
		set         func(*pcRegistry)
		certificate bool
		gateway     bool
		up          bool
	}{
		{"device tunnel", tunnel(true, "Certificate"), true, true, true},
		{"desktop client", client(1, 0, "machine"), true, true, true},
		{"device tunnel without a certificate", tunnel(true, "Certificate"), false, true, false},
		{"device tunnel, gateway away", tunnel(true, "Certificate"), true, false, false},
		{"a user's tunnel", tunnel(false, "Certificate"), true, true, false},
		{"device tunnel by EAP", tunnel(true, "Eap"), true, true, false},
		{"UWP plug-in", client(1, 1, "machine"), true, true, false},
		{"desktop client of the user's certificate", client(1, 0, "user"), true, true, false},
		{"desktop client that waits for the user", client(0, 0, "machine"), true, true, false},
		{"no VPN", func(*pcRegistry) {}, true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rig.New(t)
			_, forest := office(r)
			if c.gateway {
				_, err := r.Net.Listen("vpn.contoso.com", 443)
				r.OK(err)
			}
			r.Once(0, func(w *device.Windows) {
				c.set(&pcRegistry{w.Registry(), r})
				if c.certificate {
					w.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: "vpn", DER: []byte("certificate"), Container: "vpn"})
				}
				r.Expect(w.ConnectVPN()).To(gomega.Equal(c.up))
				_, err := adclient.Locate(w.Ctx, w.ADHost(), forest.Domain(), "")
				r.Expect(err == nil).To(gomega.Equal(c.up))
			})
		})
	}
}

type pcRegistry struct {
	*device.Registry
	r *rig.Rig
}

const (
	keyVPN    = device.KeyVPNProfiles
	keyClient = device.KeyVPNClients + `\Contoso VPN`
)

// The first user of a domain's PC is what the profile says.
func TestUserType(t *testing.T) {
	for config, admin := range map[uint32]bool{1308: true, 1310: false} {
		r := rig.New(t)
		r.Once(0, func(w *device.Windows) {
			setStage(w, stageUser)
			w.Registry().SetDWORD(device.KeyAutopilot, "CloudAssignedOobeConfig", config)
			a := device.Account{SID: "S-1-5-21-1-2-3-1104", Name: "ada", UPN: "ada@contoso.com"}
			arrived(w, a)
			r.Expect(join.Administrator(w, a.SID)).To(gomega.Equal(admin))
			r.Expect(plan(w).UserSID).To(gomega.Equal(a.SID))
		})
	}
}
