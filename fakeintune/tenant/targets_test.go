package tenant_test

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

func app(name string, as ...graph.MobileAppAssignment) graph.MobileApp {
	return graph.MobileApp{ODataType: graph.TypeWin32LobApp, DisplayName: name, Assignments: as}
}

func to(intent graph.Intent, t graph.AssignmentTarget) graph.MobileAppAssignment {
	return graph.MobileAppAssignment{Intent: intent, Target: t}
}

func TestTargets(t *testing.T) {
	r := rig.New(t)
	device := tenant.DirectoryDevice{ID: "d", Groups: []string{"g-pc", "g-lab"}}
	user := tenant.DirectoryUser{ID: "u", Licensed: true, Groups: []string{"g-people"}}
	unlicensed := user
	unlicensed.Licensed = false
	required, available, uninstall := graph.IntentRequired, graph.IntentAvailable, graph.IntentUninstall
	for _, c := range []struct {
		name   string
		as     []graph.MobileAppAssignment
		a      tenant.Audience
		intent graph.Intent
		via    tenant.Via
	}{
		{"all devices", []graph.MobileAppAssignment{to(required, graph.AllDevices())}, tenant.Audience{Device: &device}, required, tenant.ViaDevice},
		{"all devices, no device", []graph.MobileAppAssignment{to(required, graph.AllDevices())}, tenant.Audience{User: &user}, "", 0},
		{"all users", []graph.MobileAppAssignment{to(required, graph.AllUsers())}, tenant.Audience{Device: &device, User: &user}, required, tenant.ViaUser},
		{"all users, no licence", []graph.MobileAppAssignment{to(required, graph.AllUsers())}, tenant.Audience{User: &unlicensed}, "", 0},
		{"group of the device, other case", []graph.MobileAppAssignment{to(required, graph.Group("G-PC"))}, tenant.Audience{Device: &device}, required, tenant.ViaDevice},
		{"another group", []graph.MobileAppAssignment{to(required, graph.Group("g-x"))}, tenant.Audience{Device: &device, User: &user}, "", 0},
		{"excluded", []graph.MobileAppAssignment{to(required, graph.Group("g-pc")), to(required, graph.Exclude("g-lab"))}, tenant.Audience{Device: &device}, "", 0},
		{"user group excluded from a device group", []graph.MobileAppAssignment{to(required, graph.Group("g-pc")), to(required, graph.Exclude("g-people"))},
			tenant.Audience{Device: &device, User: &user}, required, tenant.ViaDevice},
		{"both ways", []graph.MobileAppAssignment{to(required, graph.Group("g-pc")), to(required, graph.Group("g-people"))},
			tenant.Audience{Device: &device, User: &user}, required, tenant.ViaDevice | tenant.ViaUser},
		{"required beats uninstall", []graph.MobileAppAssignment{to(uninstall, graph.Group("g-pc")), to(required, graph.Group("g-people"))},
			tenant.Audience{Device: &device, User: &user}, required, tenant.ViaUser},
		{"uninstall beats available", []graph.MobileAppAssignment{to(available, graph.Group("g-people")), to(uninstall, graph.Group("g-pc"))},
			tenant.Audience{Device: &device, User: &user}, uninstall, tenant.ViaDevice},
		{"nobody", nil, tenant.Audience{Device: &device, User: &user}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			made := add(r, r.Tenant.Apps(), app(c.name, c.as...))
			var intent graph.Intent
			var via tenant.Via
			for _, x := range r.Tenant.Targets(c.a).Apps {
				if x.App.ID == made.ID {
					intent, via = x.Intent, x.Via
				}
			}
			g.Expect(intent).To(Equal(c.intent))
			g.Expect(via).To(Equal(c.via))
		})
	}
}

func TestTargetsAreOrdered(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	for _, name := range []string{"c", "a", "b"} {
		add(r, r.Tenant.Configurations(), graph.DeviceConfiguration{ODataType: graph.TypeCustomConfiguration, DisplayName: name, Assignments: assigned(graph.AllDevices())})
		add(r, r.Tenant.CompliancePolicies(), graph.CompliancePolicy{ODataType: graph.TypeCompliancePolicy, DisplayName: name, Assignments: assigned(graph.AllUsers())})
	}
	old := graph.DeviceConfiguration{ODataType: graph.TypePKCSCertificate, DisplayName: "old", Assignments: assigned(graph.AllDevices())}
	old.CreatedDateTime = graph.At(r.Clock.Now().AddDate(0, -1, 0))
	made := add(r, r.Tenant.Configurations(), old)
	g.Expect(made.PKCSCertificate).NotTo(BeNil(), "the type's part is there even when none of its members was given")
	got := r.Tenant.Targets(tenant.Audience{Device: &tenant.DirectoryDevice{}, User: &tenant.DirectoryUser{Licensed: true}})
	var names string
	for _, c := range got.Configurations {
		names += c.Configuration.DisplayName + " "
	}
	for _, p := range got.Policies {
		names += p.Policy.DisplayName + " "
	}
	g.Expect(names).To(Equal("old c a b c a b "))
}

func TestStatusPage(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	device := &tenant.DirectoryDevice{Groups: []string{"g-pc"}}
	user := &tenant.DirectoryUser{Licensed: true, Groups: []string{"g-people"}}
	g.Expect(r.Tenant.StatusPage(tenant.Audience{Device: device, User: user}).DisplayName).To(Equal("All users and all devices"))
	page := func(name string, target graph.AssignmentTarget) graph.EnrollmentStatusPage {
		return add(r, r.Tenant.StatusPages(), graph.EnrollmentStatusPage{ODataType: graph.TypeESP, DisplayName: name, Assignments: assigned(target)})
	}
	g.Expect(page("users", graph.Group("g-people")).Priority).To(Equal(1))
	second := page("second", graph.Group("g-pc"))
	third := page("third", graph.AllDevices())
	g.Expect(third.InstallProgressTimeoutInMinutes).To(Equal(60))
	choose := func(a tenant.Audience) string { return r.Tenant.StatusPage(a).DisplayName }
	g.Expect(choose(tenant.Audience{Device: device, User: user})).To(Equal("second"), "pages for the device come first")
	g.Expect(choose(tenant.Audience{User: user})).To(Equal("users"))
	r.Do(func(ctx context.Context) {
		g.Expect(r.Tenant.SetPagePriority(ctx, third.ID, 1)).To(Succeed())
		g.Expect(r.Tenant.SetPagePriority(ctx, "none", 1)).To(MatchError(tenant.ErrNotFound))
	})
	g.Expect(choose(tenant.Audience{Device: device})).To(Equal("third"))
	moved, err := r.Tenant.StatusPages().Get(second.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(moved.Priority).To(Equal(3))
	add(r, r.Tenant.StatusPages(), graph.EnrollmentStatusPage{ODataType: graph.TypeESP, DisplayName: "changed default", ShowInstallationProgress: true,
		ID: rig.TenantID + "_DefaultWindows10EnrollmentCompletionPageConfiguration"})
	g.Expect(choose(tenant.Audience{})).To(Equal("changed default"))
}

func TestLoadNamesItsMistakes(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	r.Do(func(ctx context.Context) {
		err := r.Tenant.Load(ctx, tenant.Resources{
			Apps: []graph.MobileApp{app("good"), {ODataType: "#microsoft.graph.iosVppApp", DisplayName: "phone"}},
			Profiles: []graph.DeploymentProfile{
				{ODataType: graph.TypeEntraProfile},
				{ODataType: graph.TypeEntraProfile, DisplayName: "name", DeviceNameTemplate: "much too long for a computer"},
				{ODataType: graph.TypeEntraProfile, DisplayName: "filter", Assignments: assigned(graph.AssignmentTarget{ODataType: graph.TargetAllDevices, FilterID: "f"})},
			},
			Configurations: []graph.DeviceConfiguration{{ODataType: graph.TypeCustomConfiguration, DisplayName: "policy",
				CustomConfiguration: &graph.CustomConfiguration{OmaSettings: []graph.OmaSetting{{OmaURI: "./x", ODataType: "?"}}}}},
			StatusPages: []graph.EnrollmentStatusPage{{ODataType: graph.TypeESP, DisplayName: "page", SelectedMobileAppIDs: make([]string, 101)}},
		})
		for _, want := range []string{"mobileApps[1]", "windowsAutopilotDeploymentProfiles[0]", "windowsAutopilotDeploymentProfiles[1]",
			"windowsAutopilotDeploymentProfiles[2]", "deviceConfigurations[0]", "deviceEnrollmentConfigurations[0]"} {
			g.Expect(err).To(MatchError(ContainSubstring(want)))
		}
		g.Expect(err).To(MatchError(tenant.ErrInvalid))
	})
	g.Expect(r.Tenant.Apps().List()).To(HaveLen(1))
	g.Expect(r.Tenant.Profiles().List()).To(BeEmpty())
}

func TestAudience(t *testing.T) {
	g := NewWithT(t)
	r := rig.New(t)
	r.Directory.Users["ada@contoso.example"] = tenant.DirectoryUser{ID: "u1"}
	r.Do(func(ctx context.Context) {
		a := r.Tenant.Audience(ctx, "gone", "ada@contoso.example")
		g.Expect(a.Device.ID).To(Equal("gone"), "one of all devices, though its object is gone")
		g.Expect(a.User.ID).To(Equal("u1"))
		a = r.Tenant.Audience(ctx, "", "eve@contoso.example")
		g.Expect(a.Device).To(BeNil())
		g.Expect(a.User).To(BeNil())
	})
}
