package delivery_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/installer"
)

const (
	ada = "ada@contoso.example"
	bob = "bob@contoso.example"
)

// Apps by where they are assigned and as whom they install.
var apps = []graph.MobileApp{
	app("device, system", graph.RunAsSystem, graph.AllDevices()),
	app("device, user", graph.RunAsUser, graph.AllDevices()),
	app("ada, system", graph.RunAsSystem, graph.Group("ada")),
	app("ada, user", graph.RunAsUser, graph.Group("ada")),
	app("bob, system", graph.RunAsSystem, graph.Group("bob")),
}

func app(name string, as graph.RunAs, to graph.AssignmentTarget) graph.MobileApp {
	return graph.MobileApp{ID: name, ODataType: graph.TypeWin32LobApp, DisplayName: name,
		Win32LobApp: &graph.Win32LobApp{InstallExperience: &graph.InstallExperience{RunAsAccount: as}},
		Assignments: []graph.MobileAppAssignment{{Intent: graph.IntentRequired, Target: to}}}
}

// newSubject is a pre-provisioned device that Ada is assigned to.
func newSubject(t testing.TB, page graph.EnrollmentStatusPage) (*rig.Rig, delivery.Subject) {
	t.Helper()
	r := rig.New(t)
	for name, group := range map[string]string{ada: "ada", bob: "bob"} {
		r.Directory.Users[name] = tenant.DirectoryUser{ID: name, UPN: name, Licensed: true, Enabled: true, Groups: []string{group}}
	}
	s := delivery.Subject{Tenant: r.Tenant, Technician: true}
	r.Do(func(ctx context.Context) {
		res := tenant.Resources{Apps: apps, Imports: []graph.ImportedDevice{{SerialNumber: "PC-001", HardwareIdentifier: rig.NewPC(1).Hash(), AssignedUserPrincipalName: ada}}}
		if page.ShowInstallationProgress {
			page.ODataType, page.DisplayName, page.Assignments = graph.TypeESP, "Page", []graph.Assignment{{Target: graph.AllDevices()}}
			res.StatusPages = append(res.StatusPages, page)
		}
		if err := r.Tenant.Load(ctx, res); err != nil {
			t.Error(err)
		}
	})
	r.Pass(time.Minute)
	r.Do(func(ctx context.Context) {
		if err := r.Tenant.Sync(ctx); err != nil {
			t.Error(err)
		}
	})
	r.Pass(time.Hour)
	reg := r.Tenant.Registrations()[0]
	r.Do(func(ctx context.Context) {
		var err error
		s.Device, err = r.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: graph.ManagedDevice{AzureADDeviceID: reg.EntraDeviceID}, RegistrationID: reg.ID, Kind: tenant.EnrolledWhiteGlove})
		if err != nil {
			t.Error(err)
		}
	})
	return r, s
}

func due(r *rig.Rig, s delivery.Subject, underPage bool) (tracked, others []string) {
	r.Do(func(ctx context.Context) {
		for _, a := range s.Due(ctx, underPage).Apps {
			if a.Tracked {
				tracked = append(tracked, a.DisplayName)
			} else {
				others = append(others, a.DisplayName)
			}
		}
	})
	return tracked, others
}

func TestWhoGetsWhichApp(t *testing.T) {
	g := NewWithT(t)
	r, s := newSubject(t, graph.EnrollmentStatusPage{ShowInstallationProgress: true})
	tracked, others := due(r, s, true)
	g.Expect(tracked).To(Equal([]string{"device, system", "ada, system"}), "device context, for the device or its assigned user")
	g.Expect(others).To(BeEmpty())
	for name, want := range map[string][]string{ada: {"device, user", "ada, system", "ada, user"}, bob: {"device, user", "bob, system"}} {
		u := r.Directory.Users[name]
		s.User, s.Technician = &u, false
		tracked, _ = due(r, s, true)
		g.Expect(tracked).To(Equal(want), name)
	}
}

// On a PC that joins a domain the page of account setup does not wait for a
// user's apps that are assigned to the device. They come all the same.
func TestOverlookedOnHybridDevices(t *testing.T) {
	g := NewWithT(t)
	r, s := newSubject(t, graph.EnrollmentStatusPage{ShowInstallationProgress: true})
	store := graph.MobileApp{ID: "device, store", ODataType: graph.TypeStoreApp, DisplayName: "device, store", StoreApp: &graph.StoreApp{PackageIdentityName: "Contoso.Item_8wekyb3d8bbwe", ProductKey: "9WZDNCRFJ3PZ", LicenseType: "offline"},
		Assignments: []graph.MobileAppAssignment{{Intent: graph.IntentRequired, Target: graph.AllDevices()}}}
	r.Do(func(ctx context.Context) {
		g.Expect(r.Tenant.Load(ctx, tenant.Resources{Apps: []graph.MobileApp{store}})).To(Succeed())
	})
	for _, hybrid := range []bool{false, true} {
		s.Device.Hybrid, s.User, s.Technician = hybrid, nil, true
		tracked, _ := due(r, s, true)
		g.Expect(tracked).To(ConsistOf("device, system", "ada, system"))
		u := r.Directory.Users[ada]
		s.User, s.Technician = &u, false
		tracked, others := due(r, s, true)
		if !hybrid {
			g.Expect(tracked).To(ConsistOf("device, user", "device, store", "ada, system", "ada, user"))
			continue
		}
		g.Expect(tracked).To(ConsistOf("device, store", "ada, system", "ada, user"))
		g.Expect(others).To(ConsistOf("device, user"))
	}
}

func TestAppsThatAreNotListed(t *testing.T) {
	selected := []string{"ada, system"}
	all, listed, rest := []string{"device, system", "ada, system"}, []string{"ada, system"}, []string{"device, system"}
	for _, tc := range []struct {
		name            string
		page            graph.EnrollmentStatusPage
		technician      bool
		kind            tenant.EnrollmentKind
		underPage       bool
		rule            timing.UnlistedApps
		tracked, others []string
	}{
		{name: "no page", technician: true, underPage: true, others: all},
		{name: "all block", page: graph.EnrollmentStatusPage{ShowInstallationProgress: true}, technician: true, underPage: true, tracked: all},
		{name: "only selected fail", page: graph.EnrollmentStatusPage{ShowInstallationProgress: true, SelectedMobileAppIDs: selected, AllowNonBlockingAppInstallation: true}, technician: true, underPage: true, tracked: listed, others: rest},
		{name: "selected", page: graph.EnrollmentStatusPage{ShowInstallationProgress: true, SelectedMobileAppIDs: selected}, technician: true, underPage: true, tracked: listed},
		{name: "selected, switched", page: graph.EnrollmentStatusPage{ShowInstallationProgress: true, SelectedMobileAppIDs: selected}, technician: true, underPage: true, rule: timing.UnlistedInstalled, tracked: listed, others: rest},
		{name: "selected, user flow", page: graph.EnrollmentStatusPage{ShowInstallationProgress: true, SelectedMobileAppIDs: selected}, underPage: true, tracked: listed, others: rest},
		{name: "never pre-provisioned", page: graph.EnrollmentStatusPage{ShowInstallationProgress: true, SelectedMobileAppIDs: selected}, kind: tenant.EnrolledByUser, underPage: true, tracked: listed},
		{name: "never pre-provisioned, page gone", page: graph.EnrollmentStatusPage{ShowInstallationProgress: true, SelectedMobileAppIDs: selected}, kind: tenant.EnrolledByUser, tracked: listed, others: rest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			r, s := newSubject(t, tc.page)
			s.Technician = tc.technician
			if tc.kind != "" {
				s.Device.Kind = tc.kind
			}
			if tc.rule != "" {
				r.Service.Timing.Switches.ESP.UnlistedApps = tc.rule
			}
			tracked, others := due(r, s, tc.underPage)
			r.Do(func(ctx context.Context) {
				for _, a := range s.Due(ctx, tc.underPage).Apps {
					g.Expect(a.Attempt).To(Equal(!a.Tracked && tc.technician && tc.page.ShowInstallationProgress), "the page waits until it was tried")
				}
			})
			g.Expect(tracked).To(Equal(tc.tracked))
			g.Expect(others).To(Equal(tc.others))
		})
	}
}

// Line-of-business apps of the device are counted for its user too, where they are
// for all devices.
func TestCountedForTheUser(t *testing.T) {
	g := NewWithT(t)
	r, s := newSubject(t, graph.EnrollmentStatusPage{ShowInstallationProgress: true})
	lob := func(name string, device bool, to graph.AssignmentTarget) graph.MobileApp {
		return graph.MobileApp{ID: name, ODataType: graph.TypeMobileMSI, DisplayName: name,
			WindowsMobileMSI: &graph.WindowsMobileMSI{UseDeviceContext: device},
			Assignments:      []graph.MobileAppAssignment{{Intent: graph.IntentRequired, Target: to}}}
	}
	r.Do(func(ctx context.Context) {
		err := r.Tenant.Load(ctx, tenant.Resources{Apps: []graph.MobileApp{
			lob("all", true, graph.AllDevices()), lob("all, user", false, graph.AllDevices()), lob("ada", true, graph.Group("ada")),
		}})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(s.Due(ctx, true).Counted).To(BeEmpty(), "it is in the device's own lists")
		u := r.Directory.Users[ada]
		s.User = &u
		var names []string
		for _, a := range s.Due(ctx, true).Counted {
			names = append(names, a.DisplayName)
		}
		g.Expect(names).To(Equal([]string{"all"}))
	})
}

func TestSetup(t *testing.T) {
	g := NewWithT(t)
	r, _ := newSubject(t, graph.EnrollmentStatusPage{})
	a := app("device, system", graph.RunAsSystem, graph.AllDevices())
	a.Rules = []graph.Rule{{ODataType: graph.RuleProduct, RuleType: graph.RuleTypeDetection, ProductCode: "{1}", ProductVersion: "3.1"}}
	a.Size = 80 << 20
	body, archive, err := delivery.Setup(r.Tenant, a)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(archive).To(BeFalse())
	m, err := installer.Decode(body)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m).To(Equal(installer.Manifest{Product: "{1}", Version: "3.1", MSI: true, Duration: 22 * time.Second}))

	g.Expect(r.Tenant.PutContent(tenant.Content{AppID: a.ID, Plain: []byte("PK\x03\x04")})).To(Succeed())
	body, archive, err = delivery.Setup(r.Tenant, a)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(archive).To(BeTrue())
	g.Expect(body).To(HavePrefix("PK"))

	g.Expect(delivery.SetupFile(graph.MobileApp{FileName: "App One.intunewin"})).To(Equal("App One.exe"))
	g.Expect(delivery.SetupFile(graph.MobileApp{})).To(Equal("setup.exe"))
	g.Expect(delivery.Version(graph.MobileApp{CommittedContentVersion: "4"})).To(Equal("4"))
}

// What an app needs is found through what that needs in turn, once, and circles
// end. What is to go goes from whom it was assigned to.
func TestRelatedAndRemovals(t *testing.T) {
	g := NewWithT(t)
	r, s := newSubject(t, graph.EnrollmentStatusPage{})
	needs := func(id string, others ...string) graph.MobileApp {
		a := graph.MobileApp{ID: id, ODataType: graph.TypeWin32LobApp, DisplayName: id, Win32LobApp: &graph.Win32LobApp{}}
		for _, o := range others {
			a.Relationships = append(a.Relationships, graph.MobileAppRelationship{ODataType: graph.TypeDependency, TargetID: o})
		}
		return a
	}
	gone := app("gone", graph.RunAsSystem, graph.AllDevices())
	gone.Assignments[0].Intent = graph.IntentUninstall
	r.Do(func(ctx context.Context) {
		g.Expect(r.Tenant.Load(ctx, tenant.Resources{Apps: []graph.MobileApp{needs("b", "c", "a"), needs("c", "b", "missing"), needs("d"), gone}})).To(Succeed())
	})
	var names []string
	for _, a := range delivery.Related(r.Tenant, []delivery.App{{MobileApp: needs("a", "b")}, {MobileApp: needs("d")}}) {
		names = append(names, a.ID)
	}
	g.Expect(names).To(Equal([]string{"b", "c"}))
	r.Do(func(ctx context.Context) {
		due := s.Due(ctx, true)
		g.Expect(due.Removals).To(HaveLen(1))
		g.Expect(due.Removals[0].ID).To(Equal("gone"))
	})
}
