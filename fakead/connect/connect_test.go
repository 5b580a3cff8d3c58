package connect_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/connect"
	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/dirsync"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/ldap"
)

const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	domain   = "corp.contoso.com"
	sync     = "Sync_1@contoso.com"
	password = "Conn3ct's own"
	unit     = "OU=Autopilot,DC=corp,DC=contoso,DC=com"
)

type world struct {
	*gomega.WithT
	t      *testing.T
	clock  *vclock.Virtual
	net    *vnet.Network
	forest *fakead.Forest
	entra  *fakeentra.Entra
	c      *connect.Connect
	memory *journal.Memory
}

func newWorld(t *testing.T, change func(*connect.Options), roles ...string) *world {
	return worldOf(t, []fakead.Controller{{Name: "dc1"}}, change, roles...)
}

func worldOf(t *testing.T, controllers []fakead.Controller, change func(*connect.Options), roles ...string) *world {
	w := &world{memory: journal.NewMemory(0), WithT: gomega.NewWithT(t), t: t, clock: vclock.NewVirtual(vclock.Options{Seed: 7, Start: vclock.DefaultStart})}
	t.Cleanup(w.clock.Stop)
	log := journal.New(w.clock, w.memory)
	root, err := pki.NewRoot(w.clock.Now(), 7, "Web Root", pki.Options{})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.net = vnet.New(w.clock, vnet.Options{Seed: 7, WebRoot: root, Journal: log})
	w.entra = fakeentra.New(fakeentra.Options{Options: service.Options{Clock: w.clock, Journal: log, Seed: 7, Since: vclock.DefaultStart}})
	w.net.Serve(hosts.Login, w.entra.STS)
	w.net.Serve(hosts.Provisioning, w.entra.Provisioning)
	err = w.entra.Directory.SetTenant(tenant.Tenant{ID: tenantID, Domains: []graph.VerifiedDomain{{Name: "contoso.com", IsDefault: true}}})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	row, err := w.entra.Directory.PutUser(tenantID, graph.User{UserPrincipalName: sync}, password)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = w.entra.Directory.UpdateUser(tenantID, row.Resource.ID, func(u *tenant.User) error { u.Roles = roles; return nil })
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.forest, err = fakead.New(fakead.Options{Clock: w.clock, Journal: log, Seed: 7, Domain: domain, Controllers: controllers})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(w.forest.Attach(w.net)).To(gomega.Succeed())
	w.Expect(w.forest.AddOU(unit)).To(gomega.Succeed())
	_, err = w.forest.AddUser(fakead.User{SAM: "MSOL_1", Password: password, NeverExpires: true})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	site, err := w.net.AddSite(vnet.SiteConfig{Name: "datacenter", Wired: true, SeesDC: true})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	o := connect.Options{Clock: w.clock, Journal: log, Seed: 7, Net: w.net.Attach(vnet.NICOptions{Device: "connect", Site: site}), Domain: domain,
		Account: "MSOL_1", Password: password, TenantID: tenantID, CloudUser: sync, CloudPassword: password, OUs: []string{unit}}
	if change != nil {
		change(&o)
	}
	w.c, err = connect.New(o)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return w
}

// run lets an administrator act while Entra Connect runs.
func (w *world) run(act func(ctx context.Context)) {
	w.t.Helper()
	ctx, cancel := w.clock.WithCancel(w.t.Context())
	w.clock.Go(vclock.Daemon(ctx), "connect", w.c.Run)
	w.clock.Go(w.t.Context(), "test", func(ctx context.Context) {
		act(ctx)
		cancel(errors.New("over"))
	})
	w.Expect(w.clock.Run(w.t.Context(), time.Time{})).To(gomega.Succeed())
}

// computer makes a computer object; with a certificate of that subject where it
// is not "".
func (w *world) computer(name, parent, subject string) (dn, guid string) {
	w.t.Helper()
	dc := w.forest.Primary()
	a, _ := dc.AccountBySAM("Administrator")
	id := dc.Identify(a)
	id.Confidential = true
	dn = "CN=" + name + "," + parent
	w.Expect(dc.Add(w.t.Context(), id, dn, []ldap.Attribute{ldap.Text("objectClass", "computer"), ldap.Text("sAMAccountName", name+"$"), ldap.Text("userAccountControl", "4096")})).To(gomega.Succeed())
	made, ok := dc.AccountBySAM(name + "$")
	w.Expect(ok).To(gomega.BeTrue())
	guid = made.GUID.String()
	if subject == "own" {
		subject = guid
	}
	if subject != "" {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		w.Expect(err).NotTo(gomega.HaveOccurred())
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: subject}, NotBefore: w.clock.Now(), NotAfter: w.clock.Now().AddDate(10, 0, 0)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		w.Expect(err).NotTo(gomega.HaveOccurred())
		w.Expect(dc.Modify(w.t.Context(), id, dn, []ldap.Change{{Op: ldap.ReplaceValues, Attribute: ldap.Binary("userCertificate", der)}})).To(gomega.Succeed())
	}
	return dn, guid
}

func (w *world) remove(dn string) {
	w.t.Helper()
	dc := w.forest.Primary()
	a, _ := dc.AccountBySAM("Administrator")
	w.Expect(dc.Delete(w.t.Context(), dc.Identify(a), dn, false)).To(gomega.Succeed())
}

// A computer becomes a pending device once it has a certificate of its own name
// and is in scope; it goes with its object.
func TestComputersBecomePendingDevices(t *testing.T) {
	w := newWorld(t, nil, dirsync.Role)
	w.run(func(ctx context.Context) {
		_, bare := w.computer("BARE", unit, "")
		_, foreign := w.computer("FOREIGN", unit, "somebody else")
		_, outside := w.computer("OUTSIDE", "CN=Computers,"+w.forest.DN(), "own")
		dn, guid := w.computer("AP-1", unit, "own")
		w.Expect(w.c.SyncNow(ctx)).To(gomega.Succeed())
		for _, g := range []string{bare, foreign, outside} {
			_, err := w.entra.Directory.Device(tenantID, g)
			w.Expect(err).To(gomega.HaveOccurred())
		}
		d, err := w.entra.Directory.Device(tenantID, guid)
		w.Expect(err).NotTo(gomega.HaveOccurred())
		w.Expect(d.TrustType).To(gomega.Equal(graph.TrustHybrid))
		w.Expect(d.Registered.IsZero()).To(gomega.BeTrue())
		w.Expect(d.Joined()).To(gomega.BeFalse())
		w.Expect(w.c.Status().Objects).To(gomega.Equal(1))
		w.remove(dn)
		w.Expect(w.c.SyncNow(ctx)).To(gomega.Succeed())
		_, err = w.entra.Directory.Device(tenantID, guid)
		w.Expect(err).To(gomega.HaveOccurred())
	})
}

// An account without the role exports nothing, and one that is stopped makes no
// cycle.
func TestConnectIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	w.run(func(ctx context.Context) {
		_, guid := w.computer("AP-1", unit, "own")
		w.Expect(w.c.SyncNow(ctx)).To(gomega.MatchError(gomega.ContainSubstring("HTTP 403")))
		_, err := w.entra.Directory.Device(tenantID, guid)
		w.Expect(err).To(gomega.HaveOccurred())
		w.c.Stop()
		w.Expect(w.c.SyncNow(ctx)).NotTo(gomega.Succeed())
	})
}
