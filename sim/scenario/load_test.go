package scenario_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/graph"
)

var update = flag.Bool("update", false, "write golden files")

var known = scenario.Options{
	TPMModels:  []string{"amd-ftpm", "infineon-slb9670", "intel-ptt", "stm-st33htph", "nuvoton-npct750"},
	TPMVendors: []string{"IFX", "STM", "NTC"},
	TPMCan: func(model string, state scenario.TPMState) bool {
		return model != "nuvoton-npct750" && (model != "intel-ptt" || state != "certificateMissing")
	},
	Makes: []string{"Aero 14 G3", "FieldBook 13", "EliteDesk N800", "Slate 12 Wi-Fi"},
}

func load(t *testing.T, file string) *scenario.Scenario {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, problems := scenario.Load(filepath.Base(file), data, known)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

func builtIn(t *testing.T) *scenario.Scenario {
	t.Helper()
	o := known
	o.Strict = true
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, o)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.[yj]*")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".txt") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			g := NewWithT(t)
			data, err := os.ReadFile(file)
			g.Expect(err).NotTo(HaveOccurred())
			s, problems := scenario.Load(filepath.Base(file), data, known)
			g.Expect(s).To(BeNil())
			g.Expect(problems).NotTo(BeEmpty())
			golden := strings.TrimSuffix(file, filepath.Ext(file)) + ".txt"
			have := problems.Error() + "\n"
			if *update {
				g.Expect(os.WriteFile(golden, []byte(have), 0o644)).To(Succeed())
			}
			want, err := os.ReadFile(golden)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(have).To(Equal(string(want)))
		})
	}
}

func TestBuiltIn(t *testing.T) {
	g := NewWithT(t)
	s := builtIn(t)
	g.Expect(s.NotModelled).To(BeEmpty())
	g.Expect(s.Start).To(Equal(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)))
	g.Expect(s.Fleet.Count()).To(Equal(200))
	g.Expect(s.Tenant.AllUsers()).To(HaveLen(200))
	g.Expect(s.Tenant.AllGroups()[0].Members).To(HaveLen(200))
	last, ok := s.Tenant.User("USER196@contoso.com")
	g.Expect(ok).To(BeTrue())
	g.Expect(last).To(Equal(s.Tenant.AllUsers()[199]))
	_, ok = s.Tenant.User("user197@contoso.com")
	g.Expect(ok).To(BeFalse())
	g.Expect(s.Tenant.Organization().DefaultDomain()).To(Equal("contoso.com"))
	g.Expect(s.Tenant.Organization().InitialDomain()).To(Equal("contoso.onmicrosoft.com"))
	g.Expect(s.Fleet.Groups[0].Windows.Supported(s.Until.After(s.Start))).To(BeTrue())
	g.Expect(s.Fleet.Groups[0].Shelf.Min.Duration).To(BeNumerically(">", 90*time.Minute))
	for _, a := range s.Tenant.Apps {
		g.Expect(a.Assignments[0].Target.GroupID).To(MatchRegexp(`^[0-9a-f]{8}-`))
	}
	g.Expect(s.Tenant.Apps[0].DeviceContext()).To(BeTrue())
	g.Expect(s.Tenant.Apps[1].DeviceContext()).To(BeFalse())
	m := s.Tenant.Apps[0].Manifest()
	g.Expect(m.Files).To(Equal([]string{`C:\Program Files\Contoso Workplace\workplace.exe`}))
	g.Expect(m.Duration).To(Equal(7 * time.Minute))
	p, err := s.Timing.NewProfile()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Name).To(Equal("windows"))
	office, ok := s.Site("office")
	g.Expect(ok).To(BeTrue())
	g.Expect(office.Config(nil).Up).To(Equal(int64(500e6)))
}

func TestPastedExport(t *testing.T) {
	g := NewWithT(t)
	s := load(t, "testdata/good/export.yaml")
	g.Expect(s.NotModelled).To(ConsistOf(
		"tenant.users.value[0].jobTitle", "tenant.users.value[0].businessPhones",
		"tenant.groups.value[1].members[0].jobTitle", "tenant.groups.value[1].members[1] (device)",
		"tenant.windowsAutopilotDeploymentProfiles.value[0].enrollmentStatusScreenSettings",
		"tenant.deviceEnrollmentConfigurations.value[0] (deviceEnrollmentLimitConfiguration)",
		"tenant.mobileApps.value[0].isFeatured", "tenant.mobileApps.value[0].largeIcon",
		"tenant.mobileApps.value[1] (iosStoreApp)",
		"tenant.deviceEnrollmentConfigurations.value[1].selectedMobileAppIds[0]",
	))
	tenant := s.Tenant
	g.Expect(tenant.Users[0].AssignedLicenses).To(BeEmpty())    // the export says: none
	g.Expect(tenant.Users[1].AssignedLicenses).NotTo(BeEmpty()) // it does not say
	g.Expect(tenant.Users[0].Password).NotTo(BeEmpty())
	p := tenant.Profiles[0]
	g.Expect(p.PreprovisioningAllowed).To(BeTrue()) // under its old name
	g.Expect(p.OutOfBoxExperienceSetting.UserType).To(Equal(graph.UserStandard))
	g.Expect(p.Assignments[0].Target.GroupID).To(Equal(tenant.Groups[0].ID))
	g.Expect(tenant.Groups[1].Members).To(HaveLen(1))
	g.Expect(tenant.Groups[1].Members[0].UserPrincipalName).To(Equal("Megan@contoso.com"))
	g.Expect(tenant.StatusPages).To(HaveLen(1))
	g.Expect(tenant.Apps).To(HaveLen(1))
	g.Expect(tenant.Apps[0].Manifest().Product).To(Equal("{11111111-2222-3333-4444-555555555555}"))

	data, err := os.ReadFile("testdata/good/export.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	_, problems := scenario.Load("export.yaml", data, scenario.Options{Strict: true})
	g.Expect(problems).To(HaveLen(10))
	g.Expect(problems[0].Line).To(Equal(9))
}

func TestAnchorsAndJSON(t *testing.T) {
	g := NewWithT(t)
	const file = `
tenant: {domain: contoso.com, moreUsers: {count: 1}}
sites:
  - &site {name: a, latency: 20ms}
  - {<<: *site, name: b}
fleet: {groups: [{name: pcs, count: 1, flow: user-driven, destinations: b}]}
`
	s, problems := scenario.Load("x", []byte(file), scenario.Options{})
	g.Expect(problems).To(BeEmpty())
	g.Expect(s.Sites[1].Name).To(Equal("b"))
	g.Expect(s.Sites[1].Latency).To(Equal(20 * time.Millisecond))

	s, problems = scenario.Load("x", []byte(`{"tenant":{"domain":"contoso.com","moreUsers":{"count":1}},
		"sites":[{"name":"a"}],"fleet":{"groups":[{"name":"pcs","count":1,"flow":"user-driven","destinations":"a"}]}}`), scenario.Options{})
	g.Expect(problems).To(BeEmpty())
	g.Expect(s.Name).To(BeEmpty())
}

func TestHostileFiles(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 12 {
		n, m := string(rune('b'+i)), string(rune('a'+i))
		bomb += n + "0: &" + n + "0 [*" + m + "0, *" + m + "0, *" + m + "0, *" + m + "0, *" + m + "0, *" + m + "0, *" + m + "0, *" + m + "0]\n"
	}
	for name, text := range map[string]string{
		"aliases":  bomb,
		"brackets": strings.Repeat("[", 100_000),
		"lists":    strings.Repeat("- ", 100_000),
		"latin 1":  "name: M\xfcller",
		"nul":      "name: \x00",
	} {
		t.Run(name, func(t *testing.T) {
			s, problems := scenario.Load("x", []byte(text), scenario.Options{})
			NewWithT(t).Expect(s).To(BeNil())
			NewWithT(t).Expect(problems).NotTo(BeEmpty())
		})
	}
}

func FuzzParse(f *testing.F) {
	if everything, err := os.ReadFile("testdata/good/everything.yaml"); err == nil {
		f.Add(everything)
	}
	f.Add([]byte("tenant: {domain: a.bc, moreUsers: {count: 1}}\nsites: [{name: a}]\nfleet: {groups: [{name: g, count: 1, flow: user-driven, destinations: a}]}\n"))
	f.Add([]byte("load: {mix: {aik: 1}, arrivals: [{shape: steps, to: 5/s, step: 1/s, every: 1s}, {rate: 5/min, for: 1h}], thresholds: [a.p99 < 1s, {expr: b}], target: {hosts: {'*': '[::1]:1'}}}"))
	if whole, err := os.ReadFile("testdata/good/load.yaml"); err == nil {
		f.Add(whole)
	}
	f.Add([]byte(loaded + "  mix: {aik: 1}\n  arrivals: [{shape: steps, to: 9, step: 1e-9, every: 1s}]\n  thresholds: [a, {expr: b, after: 1s}]\n  target: {hosts: {'*': 'a:1'}}\n"))
	f.Add([]byte(loaded + "  mix: aik\n  closed: {devices: 2, for: 1m, think: 1ms}\n  misbehaving: {replay: 1%}\n"))
	f.Add([]byte("a: &x [*x]\n<<: *x\n"))
	f.Add([]byte("expect: {outcome: {desktop: all}}\ntiming: {overrides: {esp: {timeout: 3m}}}\nfaults: [{name: a, do: {status: 503}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, problems := scenario.Load("f", data, scenario.Options{})
		if (s == nil) != (len(problems) > 0) {
			t.Fatal("neither a scenario nor a mistake, or both")
		}
		if s == nil {
			return
		}
		again(t, s)
	})
}
