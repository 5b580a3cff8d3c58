package sim

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/ldap"
)

// domainFile is a scenario with a domain; %s is where the domain answers.
const domainFile = `
tenant:
  domain: contoso.com
  users:
    - {userPrincipalName: megan@contoso.com, password: Sunny-Day-1}
    - {userPrincipalName: lee@contoso.com, password: Sunny-Day-2}
    - {userPrincipalName: a.very.long.first.name@contoso.com, password: Sunny-Day-3}
    - {userPrincipalName: a.very.long.first.nickname@contoso.com, password: Sunny-Day-4}
    - {userPrincipalName: cloud@contoso.com}
sites: [{name: bench}, {name: office, seesDC: true, latency: 4ms}]
domain:
  name: corp.contoso.com
  home: HOME
  controllers: [{name: dc1}, {name: dc2, site: office}]
  organizationalUnits: ["OU=PCs,OU=Autopilot"]
  accounts:
    - {user: lee@contoso.com, disabled: true}
    - {user: cloud@contoso.com, missing: true}
    - {user: svc, password: Service-1}
  vpnGateways: [vpn.contoso.com]
connectors: [{name: odj1}]
entraConnect: {}
fleet: {groups: [{name: pcs, count: 1, destinations: office, flow: user-driven}]}
`

// eachDomain runs f as an actor of a world with that domain, in both homes.
func eachDomain(t *testing.T, f func(g *gomega.WithT, ctx context.Context, w *World)) {
	for _, home := range []string{"direct", "tcp"} {
		t.Run(home, func(t *testing.T) {
			g := gomega.NewWithT(t)
			s, problems := scenario.Load("domain.yaml", []byte(strings.Replace(domainFile, "HOME", home, 1)), LoadOptions(true))
			g.Expect(problems).To(gomega.BeEmpty())
			w, err := NewWorld(Options{Tenant: s.Tenant, Seed: 5})
			g.Expect(err).NotTo(gomega.HaveOccurred())
			defer func() { g.Expect(w.Close()).To(gomega.Succeed()) }()
			for _, site := range s.Sites {
				g.Expect(w.AddSite(site.Config(nil))).To(gomega.Succeed())
			}
			g.Expect(w.AddDomain(*HybridOf(s))).To(gomega.Succeed())
			g.Expect(w.AddDomain(*HybridOf(s))).To(gomega.MatchError(gomega.ContainSubstring("there is a domain already")))
			through := false
			w.Clock.Go(t.Context(), "test", func(ctx context.Context) {
				f(g, ctx, w)
				through = true
			})
			g.Expect(w.Run(t.Context(), w.Clock.Now().Add(time.Hour))).To(gomega.Succeed())
			g.Expect(through).To(gomega.BeTrue())
			g.Expect(w.problems).To(gomega.BeEmpty())
		})
	}
}

func TestDomainIsPrepared(t *testing.T) {
	eachDomain(t, func(g *gomega.WithT, ctx context.Context, w *World) {
		a, err := w.DomainAdministrator(ctx)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		defer a.Close()
		for user, sam := range map[string]string{
			"megan@contoso.com": "megan", "svc": "svc", "MSOL_windtunnel": "MSOL_windtunnel", "msaODJA$": "msaODJA$",
			"a.very.long.first.name@contoso.com": "a.very.long.first.na", "a.very.long.first.nickname@contoso.com": "a.very.long.first.ni",
		} {
			e, err := a.account(user, "sAMAccountName")
			g.Expect(err).NotTo(gomega.HaveOccurred(), user)
			g.Expect(e.Text("sAMAccountName")).To(gomega.Equal(sam))
		}
		_, err = a.account("cloud@contoso.com")
		g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("the domain has 0 objects")))
		_, err = a.ldap.Read("OU=PCs,OU=Autopilot,DC=corp,DC=contoso,DC=com", "ou")
		g.Expect(err).NotTo(gomega.HaveOccurred())

		scp := "CN=62a0ff2e-97b9-4513-943f-0d221bd30080," + a.registration()
		e, err := a.ldap.Read(scp, "keywords")
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(e.Texts("keywords")).To(gomega.ConsistOf("azureADName:contoso.com", "azureADId:"+w.Tenant.ID))
		g.Expect(w.Entra.Directory.User(w.Tenant.ID, connectCloud+"@contoso.com")).NotTo(gomega.BeZero())
	})
}

func TestDomainChanges(t *testing.T) {
	eachDomain(t, func(g *gomega.WithT, ctx context.Context, w *World) {
		change := func(do scenario.Action) error {
			done, err := w.changeDomain(ctx, do)
			g.Expect(done).To(gomega.BeTrue())
			return err
		}
		uac := func(user string) int {
			a, err := w.DomainAdministrator(ctx)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			defer a.Close()
			e, err := a.account(user, "userAccountControl")
			g.Expect(err).NotTo(gomega.HaveOccurred())
			n, err := strconv.Atoi(e.Text("userAccountControl"))
			g.Expect(err).NotTo(gomega.HaveOccurred())
			return n
		}
		const disabled = 2
		g.Expect(uac("lee@contoso.com") & disabled).To(gomega.Equal(disabled))
		g.Expect(change(scenario.Action{EnableAccount: &scenario.AccountNamed{User: "lee@contoso.com"}})).To(gomega.Succeed())
		g.Expect(uac("lee@contoso.com") & disabled).To(gomega.BeZero())
		g.Expect(change(scenario.Action{DisableAccount: &scenario.AccountNamed{User: "svc"}})).To(gomega.Succeed())
		g.Expect(uac("svc") & disabled).To(gomega.Equal(disabled))
		g.Expect(change(scenario.Action{UnlockAccount: &scenario.AccountNamed{User: "svc"}})).To(gomega.Succeed())
		g.Expect(change(scenario.Action{ResetPassword: &scenario.PasswordReset{User: "megan@contoso.com", Password: "Cloudy-Day-9", MustChange: true}})).To(gomega.Succeed())
		g.Expect(change(scenario.Action{ResetPassword: &scenario.PasswordReset{User: "nobody", Password: "x"}})).To(gomega.MatchError(gomega.ContainSubstring("0 objects for nobody")))

		g.Expect(change(scenario.Action{SetSCP: &scenario.ConnectionPoint{TenantDomain: "fabrikam.com"}})).To(gomega.Succeed())
		g.Expect(change(scenario.Action{SetSCP: &scenario.ConnectionPoint{Missing: true}})).To(gomega.Succeed())
		g.Expect(change(scenario.Action{SetSCP: &scenario.ConnectionPoint{Missing: true}})).To(gomega.Succeed())
		g.Expect(change(scenario.Action{Delegate: &scenario.Delegation{Connector: "ODJ1", OrganizationalUnit: "OU=Autopilot,DC=corp,DC=contoso,DC=com"}})).To(gomega.Succeed())
		g.Expect(change(scenario.Action{Delegate: &scenario.Delegation{Connector: "odj2"}})).To(gomega.MatchError(gomega.ContainSubstring("no connector")))

		g.Expect(w.Clock.Sleep(ctx, time.Minute, "test")).To(gomega.Succeed())
		g.Expect(w.Connectors[0].Status().Running).To(gomega.BeTrue())
		g.Expect(change(scenario.Action{StopConnector: &scenario.ConnectorNamed{Connector: "odj1"}})).To(gomega.Succeed())
		g.Expect(w.Clock.Sleep(ctx, time.Minute, "test")).To(gomega.Succeed())
		g.Expect(w.Connectors[0].Status().Running).To(gomega.BeFalse())
		g.Expect(change(scenario.Action{StartConnector: &scenario.ConnectorNamed{Connector: "odj1"}})).To(gomega.Succeed())

		cycles := w.Connect.Status().Cycles
		g.Expect(change(scenario.Action{SyncNow: &scenario.Now{}})).To(gomega.Succeed())
		g.Expect(w.Connect.Status().Cycles).To(gomega.Equal(cycles + 1))
		g.Expect(change(scenario.Action{StopEntraConnect: &scenario.Now{}})).To(gomega.Succeed())
		g.Expect(change(scenario.Action{StartEntraConnect: &scenario.Now{}})).To(gomega.Succeed())
	})
}

func TestWorldWithoutDomain(t *testing.T) {
	g := gomega.NewWithT(t)
	s, problems := scenario.Load("domain.yaml", []byte(domainFile), LoadOptions(true))
	g.Expect(problems).NotTo(gomega.BeEmpty()) // HOME
	w, err := NewWorld(Options{Tenant: scenario.Tenant{ID: "5f2f0f8e-3f1c-4a0e-9f3e-000000000001", Domain: "contoso.com"}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	defer w.Close()
	g.Expect(s).To(gomega.BeNil())
	_, err = w.DomainAdministrator(t.Context())
	g.Expect(err).To(gomega.MatchError(errNoDomain))
	g.Expect(w.changeConnect(t.Context(), scenario.Action{})).To(gomega.MatchError(errNotSynced))
}

func TestAccountNames(t *testing.T) {
	g := gomega.NewWithT(t)
	taken := map[string]bool{"krbtgt": true}
	for _, c := range [][2]string{
		{"megan@contoso.com", "megan"}, {"Megan@fabrikam.com", "Megan1"}, {"krbtgt@contoso.com", "krbtgt1"}, {"o'hara@contoso.com", "o'hara"},
		{"a+b@contoso.com", "a_b"}, {"abcdefghijklmnopqrstuvwxyz@contoso.com", "abcdefghijklmnopqrst"}, {"abcdefghijklmnopqrstuv@contoso.com", "abcdefghijklmnopqrs1"},
	} {
		g.Expect(samOf(c[0], taken)).To(gomega.Equal(c[1]))
	}
}

// TestGrantCreateChild puts an entry into a descriptor whose list has one.
func TestGrantCreateChild(t *testing.T) {
	g := gomega.NewWithT(t)
	everyone, account := []byte(ldap.NewSID(1, 0)), []byte(ldap.NewSID(5, 21, 1, 2, 3, 1105))
	ace := append([]byte{0, 0, 20, 0, 0xff, 1, 0x0f, 0}, everyone...)
	acl := append([]byte{2, 0, byte(8 + len(ace)), 0, 1, 0, 0, 0}, ace...)
	sd := make([]byte, 20)
	sd[0] = 1
	binary.LittleEndian.PutUint16(sd[2:], 0x8004)
	binary.LittleEndian.PutUint32(sd[16:], 20)
	sd = append(sd, acl...)

	out, err := grantCreateChild(sd, account)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	list := out[binary.LittleEndian.Uint32(out[16:]):]
	g.Expect(binary.LittleEndian.Uint16(list[2:])).To(gomega.BeEquivalentTo(len(list)))
	g.Expect(binary.LittleEndian.Uint16(list[4:])).To(gomega.BeEquivalentTo(2))
	g.Expect(list[8:20]).To(gomega.Equal([]byte{5, 2, byte(28 + len(account)), 0, 1, 0, 0, 0, 1, 0, 0, 0}))
	g.Expect(list[36 : 36+len(account)]).To(gomega.Equal(account))
	g.Expect(list[36+len(account):]).To(gomega.Equal(ace))

	again, err := grantCreateChild(out, account)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(again).To(gomega.BeNil())
	for cut := range 46 {
		_, err := grantCreateChild(sd[:cut], account)
		g.Expect(err).To(gomega.HaveOccurred(), "%d bytes", cut)
	}
}

func TestTellTime(t *testing.T) {
	g := gomega.NewWithT(t)
	at := vclock.RealNow().Add(1000 * time.Hour)
	w := &World{Clock: vclock.NewVirtual(vclock.Options{Start: at})}
	file := filepath.Join(t.TempDir(), "time")
	g.Expect(w.tellTime(file)).To(gomega.Succeed())
	text, err := os.ReadFile(file)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(text)).To(gomega.MatchRegexp(`^\+35999[0-9][0-9]\.[0-9]{3}\n$|^\+3600000\.000\n$`))
	g.Expect(w.tellTime(filepath.Join(t.TempDir(), "none", "time"))).NotTo(gomega.Succeed())
}
