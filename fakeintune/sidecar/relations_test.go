package sidecar_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	wire "windtunnel.test/sim/wire/sidecar"
)

func (w *world) load(g Gomega, apps ...graph.MobileApp) {
	w.Do(func(ctx context.Context) { g.Expect(w.Tenant.Load(ctx, tenant.Resources{Apps: apps})).To(Succeed()) })
}

func to(intent graph.Intent) []graph.MobileAppAssignment {
	return []graph.MobileAppAssignment{{Intent: intent, Target: graph.AllDevices()}}
}

// What an app needs comes along with it, without being assigned, and what is to
// go is told.
func TestRelatedApps(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	app := func(id string, assigned []graph.MobileAppAssignment, relations ...graph.MobileAppRelationship) graph.MobileApp {
		return graph.MobileApp{ODataType: graph.TypeWin32LobApp, ID: id, DisplayName: id, Assignments: assigned, Relationships: relations, Win32LobApp: &graph.Win32LobApp{
			ApplicableArchitectures: "x64,arm64", MinimumSupportedWindowsRelease: "21H2",
			InstallExperience: &graph.InstallExperience{RunAsAccount: graph.RunAsSystem, DeviceRestartBehavior: "force", MaxRunTimeInMinutes: 7},
			Rules: []graph.Rule{{ODataType: graph.RuleProduct, RuleType: graph.RuleTypeDetection, ProductCode: "{1}"},
				{ODataType: graph.RuleRegistry, RuleType: graph.RuleTypeRequirement, KeyPath: `HKLM\SOFTWARE\A`, OperationType: "exists"}}}}
	}
	w.load(g, app("main", to(graph.IntentRequired),
		graph.MobileAppRelationship{ODataType: graph.TypeDependency, TargetID: "part", DependencyType: graph.DependencyInstall},
		graph.MobileAppRelationship{ODataType: graph.TypeSupersedence, TargetID: "before", SupersedenceType: graph.SupersedenceReplace},
		graph.MobileAppRelationship{ODataType: graph.TypeDependency, TargetID: "owner", TargetType: "parent"},
		graph.MobileAppRelationship{ODataType: graph.TypeDependency, TargetID: "nowhere"}),
		app("part", nil, graph.MobileAppRelationship{ODataType: graph.TypeDependency, TargetID: "base", DependencyType: graph.DependencyDetect}),
		app("base", nil), app("before", nil), app("owner", nil), app("old", to(graph.IntentUninstall)))
	byName := map[string]wire.App{}
	for _, a := range w.apps("", wire.AppRequest{ESPPhase: wire.ESPDeviceSetup}) {
		byName[a.Name] = a
	}
	g.Expect(byName).NotTo(HaveKey("owner"))
	for name, intent := range map[string]wire.Intent{"main": wire.Required, "old": wire.Uninstall, "part": wire.NotTargeted, "base": wire.NotTargeted, "before": wire.NotTargeted} {
		g.Expect(byName[name].Intent).To(Equal(intent), name)
	}
	g.Expect(byName["main"].FlatDependencies).To(Equal([]wire.Dependency{
		{AppID: "main", ChildID: "part", Action: wire.DependInstall},
		{AppID: "main", ChildID: "before", Type: wire.Supersedes, Action: wire.SupersedeReplace},
		{AppID: "main", ChildID: "nowhere", Action: wire.DependInstall}}))
	g.Expect(byName["part"].FlatDependencies[0].Action).To(Equal(wire.DependDetect))
	g.Expect(byName["main"].RequirementRules.Value.OSArchitecture).To(Equal(2 | 8))
	g.Expect(byName["main"].InstallEx.Value).To(Equal(wire.InstallEx{RunAs: 1, MaxRunTimeMinutes: 7, DeviceRestartBehavior: 3}))
	g.Expect(byName["main"].DetectionRule.Value).To(HaveLen(1))
	g.Expect(byName["main"].ExtendedRules.Value).To(HaveLen(1))
}

// A WinGet app's package is in the Store, and the gateway has no content of it.
func TestWinGet(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.load(g, graph.MobileApp{ODataType: graph.TypeWinGetApp, ID: "store", DisplayName: "Store", Size: 9 << 20, Assignments: to(graph.IntentRequired),
		Win32LobApp: &graph.Win32LobApp{}, WinGetApp: &graph.WinGetApp{PackageIdentifier: "9WZDNCRFJ3PZ"}})
	apps := w.apps("", wire.AppRequest{})
	app := apps[len(apps)-1]
	g.Expect(*app.InstallerData.Value).To(Equal(wire.WinGetPackage{PackageIdentifier: "9WZDNCRFJ3PZ", Source: "msstore", ProductCode: "9WZDNCRFJ3PZ"}))
	p, err := wire.DecodePackage(w.published[wire.PackagePath("9WZDNCRFJ3PZ")])
	g.Expect(err).NotTo(HaveOccurred())
	one, _ := p.Newest()
	path := strings.TrimPrefix(one.URL, "https://"+hosts.Store)
	m, err := installer.Decode(w.published[path])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.Product).To(Equal("9WZDNCRFJ3PZ"))
	g.Expect(w.sizes[path]).To(Equal(int64(9 << 20)))
	_, code := w.session(w.agent(), wire.GetContentInfo, "", wire.Content{ApplicationID: "store", CertificateBlob: w.mdm.Raw})
	g.Expect(code).To(Equal(404))

	w.published = map[string][]byte{}
	w.h.PublishApps(w.Tenant)
	g.Expect(w.published).NotTo(BeEmpty(), "the apps beside it")
}

func TestScriptReport(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	payload, err := wire.EncodeScriptStatus([]wire.ScriptStatus{{PolicyID: "s", State: wire.RunScriptError, ExitCode: 5, Output: "no", TimestampUTC: "2026-09-01T10:00:00Z"}})
	g.Expect(err).NotTo(HaveOccurred())
	_, code := w.session(w.agent(), wire.ScriptReport, "", json.RawMessage(payload))
	g.Expect(code).To(Equal(200))
	m, err := w.Tenant.Device(w.device.ID)
	g.Expect(err).NotTo(HaveOccurred())
	st, ok := m.Script("s", "")
	g.Expect(ok).To(BeTrue())
	g.Expect([]any{st.State, st.ExitCode, st.Output, st.At.Hour()}).To(Equal([]any{"scriptError", 5, "no", 10}))
	_, code = w.session(w.agent(), wire.ScriptReport, "", json.RawMessage(`[{"PolicyId":""}]`))
	g.Expect(code).To(Equal(400))
}
