package tenant_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

const tenantID = "3d1f6e5a-9c0b-4b7e-8a64-0f2c51d7e9ab"

func newDirectory(t testing.TB, now *time.Time, db *store.DB) *tenant.Directory {
	t.Helper()
	d := tenant.New(service.Options{Seed: 1, DB: db, Now: func() time.Time { return *now }})
	if _, err := d.LoadOrganization(graph.Organization{ID: tenantID, VerifiedDomains: []graph.VerifiedDomain{{Name: "contoso.com"}}}); err != nil {
		t.Fatal(err)
	}
	return d
}

func register(t testing.TB, d *tenant.Directory, n int, tag string) tenant.Device {
	t.Helper()
	dev, err := d.Register(tenant.Registration{TenantID: tenantID, ZTDID: fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", n), OrderID: tag,
		DisplayName: fmt.Sprintf("SN-%d", n), HardwareID: fmt.Sprint("hw", n), EKHash: [32]byte{byte(n), byte(n >> 8)}})
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

func TestMembershipRules(t *testing.T) {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	for rule, want := range map[string]bool{
		`(device.devicePhysicalIDs -any (_ -contains "[ZTDID]"))`:                                        true,
		`(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`:                                      true,
		`(device.devicePhysicalIds -any (_ -eq "[OrderID]:kiosk"))`:                                      true,
		`(device.devicePhysicalIds -any (_ -eq "[OrderID]:office"))`:                                     false,
		`device.displayName -startsWith "SN" -and device.deviceOSType -eq "Windows"`:                     true,
		`device.deviceOwnership -eq "Company" -and device.managementType -ne "MDM"`:                      true,
		`device.displayName -eq "x" -or (device.accountEnabled -eq true)`:                                true,
		`-not (device.displayName -startsWith "SN")`:                                                     false,
		`(device.devicePhysicalIds -any (_ -eq "[PurchaseOrderId]:1")) -and device.displayName -ne "SN"`: false,
	} {
		g := NewWithT(t)
		d := newDirectory(t, &now, nil)
		dev := register(t, d, 1, "kiosk")
		grp, err := d.PutGroup(tenantID, graph.DirectoryGroup{DisplayName: "G", MembershipRule: rule})
		g.Expect(err).NotTo(HaveOccurred(), rule)
		now = now.Add(time.Hour)
		g.Expect(d.Members(grp)).To(HaveLen(map[bool]int{true: 1, false: 0}[want]), rule)
		g.Expect(d.MemberOf(tenantID, dev.DeviceID)).To(HaveLen(map[bool]int{true: 1, false: 0}[want]), rule)
	}
}

func TestRulesThatAreNotUnderstood(t *testing.T) {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	d := newDirectory(t, &now, nil)
	for _, rule := range []string{"x", "device.displayName", `device.displayName -like "x"`, `(device.displayName -eq "x"`,
		`device.displayName -eq "x" garbage`, `device.devicePhysicalIds -any "x"`, "user.department -eq \"IT\""} {
		_, err := d.PutGroup(tenantID, graph.DirectoryGroup{DisplayName: "G", MembershipRule: rule})
		NewWithT(t).Expect(err).To(HaveOccurred(), rule)
	}
}

func FuzzRule(f *testing.F) {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	d := newDirectory(f, &now, nil)
	register(f, d, 1, "kiosk")
	f.Add(`(device.devicePhysicalIds -any (_ -eq "[OrderID]:kiosk")) -or -not device.displayName -eq 'x'`)
	f.Fuzz(func(t *testing.T, rule string) {
		if g, err := d.PutGroup(tenantID, graph.DirectoryGroup{ID: "g", MembershipRule: rule}); err == nil {
			d.Members(g)
		}
	})
}

func TestRegistrationsKeepTheirObject(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	d := newDirectory(t, &now, nil)
	first := register(t, d, 1, "kiosk")
	again := register(t, d, 1, "office")
	g.Expect(again.DeviceID).To(Equal(first.DeviceID))
	g.Expect(d.Devices(tenantID)).To(HaveLen(1))
	g.Expect(d.ByHardware(tenantID, "hw1", [32]byte{1})).To(HaveField("ObjectID", first.ObjectID))
	g.Expect(d.ByHardware(tenantID, "hw1", [32]byte{})).To(HaveField("ObjectID", first.ObjectID))
	_, err := d.ByHardware(tenantID, "hw1", [32]byte{9})
	g.Expect(err).To(MatchError(tenant.ErrNoDevice), "a proved key decides")

	g.Expect(d.Delete(tenantID, first.DeviceID)).To(Succeed())
	g.Expect(d.WasDeleted(tenantID, "hw1", [32]byte{1})).To(BeTrue())
	register(t, d, 1, "kiosk")
	g.Expect(d.WasDeleted(tenantID, "hw1", [32]byte{1})).To(BeFalse())

	_, err = d.Register(tenant.Registration{TenantID: "nowhere", ZTDID: "x"})
	g.Expect(err).To(MatchError(tenant.ErrNoTenant))
	_, err = d.Register(tenant.Registration{TenantID: tenantID})
	g.Expect(err).To(HaveOccurred())
	g.Expect(d.Unregister(tenantID, "unknown")).To(MatchError(tenant.ErrNoDevice))
}

func TestAccounts(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	d := newDirectory(t, &now, nil)
	u, err := d.PutUser(tenantID, graph.User{UserPrincipalName: "Adele@contoso.com", PasswordProfile: &graph.PasswordProfile{Password: "p"}}, "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.User(tenantID, "adele@CONTOSO.com")).To(HaveField("Password", "p"))
	_, err = d.PutUser(tenantID, graph.User{ID: "other", UserPrincipalName: "adele@contoso.com"}, "p")
	g.Expect(err).To(MatchError(tenant.ErrExists))
	g.Expect(d.DeleteUser(tenantID, u.Resource.ID)).To(Succeed())
	g.Expect(d.DeleteUser(tenantID, u.Resource.ID)).To(MatchError(tenant.ErrNoUser))
	_, err = d.TenantOf("nobody")
	g.Expect(err).To(MatchError(tenant.ErrNoTenant))
}

func TestStateSurvivesDumpAndRestore(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	from, to := store.New(), store.New()
	want := register(t, newDirectory(t, &now, from), 1, "kiosk")
	other := newDirectory(t, &now, to)
	var b bytes.Buffer
	g.Expect(from.Dump(&b)).To(Succeed())
	g.Expect(to.Restore(&b)).To(Succeed())
	g.Expect(other.Device(tenantID, want.DeviceID)).To(Equal(want))
}

// A thousand devices have to fit: 20 KB each is the limit for all the service
// keeps, and the device object is the biggest part of it.
func TestDeviceObjectsAreSmall(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	d := newDirectory(t, &now, nil)
	before := heap()
	const n = 1000
	for i := range n {
		dev := register(t, d, i, "kiosk")
		_, err := d.Join(tenant.Join{TenantID: tenantID, DeviceID: dev.DeviceID, Trust: "AzureAd", TransportKey: make([]byte, 283),
			Certify: func(tenant.Device) (string, error) { return fmt.Sprintf("%040X", i), nil }})
		g.Expect(err).NotTo(HaveOccurred())
	}
	each := (heap() - before) / n
	t.Logf("%d bytes a device", each)
	g.Expect(each).To(BeNumerically("<", 10_000))
	runtime.KeepAlive(d)
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestTransitiveMembers(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	d := newDirectory(t, &now, nil)
	u, err := d.PutUser(tenantID, graph.User{UserPrincipalName: "a@contoso.com"}, "p")
	g.Expect(err).NotTo(HaveOccurred())
	put := func(name string, members ...string) tenant.Group {
		r := graph.DirectoryGroup{DisplayName: name}
		for _, m := range members {
			r.Members = append(r.Members, graph.DirectoryObject{ID: m})
		}
		grp, err := d.PutGroup(tenantID, r)
		g.Expect(err).NotTo(HaveOccurred())
		return grp
	}
	inner := put("inner", u.Resource.ID)
	outer := put("outer", inner.Resource.ID)
	g.Expect(d.SetMember(tenantID, inner.Resource.ID, outer.Resource.ID, true)).To(Succeed(), "a circle")
	g.Expect(d.TransitiveMemberOf(tenantID, u.Resource.ID)).To(ConsistOf(inner.Resource.ID, outer.Resource.ID))
	g.Expect(d.TransitiveMembers(outer)).To(ContainElements(inner.Resource.ID, u.Resource.ID))
	_, err = d.GroupByID("other", inner.Resource.ID)
	g.Expect(err).To(MatchError(tenant.ErrNoGroup))
}

func TestSecretsOfApplications(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	a := tenant.App{Secret: "always", Secrets: []tenant.AppSecret{
		{Text: "old", Ends: now.Add(-time.Hour)}, {Text: "now", Starts: now.Add(-time.Hour), Ends: now.Add(time.Hour)}, {Text: "later", Starts: now.Add(time.Hour)},
	}}
	for text, want := range map[string]error{"always": nil, "now": nil, "old": tenant.ErrSecretExpired, "later": tenant.ErrSecretExpired, "x": tenant.ErrSecret, "": tenant.ErrSecret} {
		if want == nil {
			g.Expect(a.CheckSecret(text, now)).To(Succeed(), text)
		} else {
			g.Expect(a.CheckSecret(text, now)).To(MatchError(want), text)
		}
	}
	g.Expect(tenant.App{}.CheckSecret("", now)).To(MatchError(tenant.ErrSecret), "no secret is not an empty one")
}

func TestMicrosoftsOwnApplications(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	d := newDirectory(t, &now, nil)
	_, err := d.PutUser(tenantID, graph.User{ID: "u", UserPrincipalName: "a@contoso.com"}, "p")
	g.Expect(err).NotTo(HaveOccurred())
	cli, err := d.App(tenantID, "04B07795-8DDB-461A-BBEE-02F9E1BF7B46")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]bool{cli.Public, cli.FirstParty, cli.Confidential()}).To(Equal([]bool{true, true, false}))
	g.Expect(cli.Granted()).To(BeEmpty(), "without a credential there are no application permissions")
	g.Expect(d.Delegated(cli, "u", "https://graph.microsoft.com")).To(ContainElement("User.Read"))
	g.Expect(d.Delegated(cli, "u", "https://graph.microsoft.com")).NotTo(ContainElement("Directory.ReadWrite.All"))
	_, err = d.UpdateUser(tenantID, "u", func(u *tenant.User) error { u.Roles = []string{"global administrator"}; return nil })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Delegated(cli, "u", "https://graph.microsoft.com/")).To(ContainElement("Directory.ReadWrite.All"))
	a, ok := d.ResourceApp(tenantID, "https://enrollment.manage.microsoft.com")
	g.Expect(ok).To(BeTrue())
	g.Expect(a.ClientID).To(Equal(tenant.AppIntuneEnroll))

	g.Expect(d.PutApp(tenant.App{TenantID: tenantID, ClientID: "mine", Name: "Mine"})).To(Succeed())
	mine, err := d.App(tenantID, "mine")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Delegated(mine, "u", "https://graph.microsoft.com")).To(BeNil())
	g.Expect(d.Consent(tenant.Consent{TenantID: tenantID, ClientID: "mine", Resource: "https://graph.microsoft.com/", Scopes: []string{"User.Read"}})).To(Succeed())
	g.Expect(d.Consent(tenant.Consent{TenantID: tenantID, ClientID: "mine", Resource: "https://graph.microsoft.com", UserID: "u", Scopes: []string{"Group.Read.All"}})).To(Succeed())
	g.Expect(d.Delegated(mine, "u", "https://graph.microsoft.com")).To(Equal([]string{"Group.Read.All", "User.Read"}))
	g.Expect(d.Delegated(mine, "other", "https://graph.microsoft.com")).To(Equal([]string{"User.Read"}))
	g.Expect(d.DeleteApp(tenantID, "mine")).To(Succeed())
	g.Expect(d.Consents(tenantID)).To(BeEmpty())
}
