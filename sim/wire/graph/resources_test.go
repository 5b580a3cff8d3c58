package graph_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/graph"
)

var update = flag.Bool("update", false, "write the golden files")

func Example() {
	export := []byte(`{"@odata.type": "#microsoft.graph.win32LobApp", "displayName": "Editor", "size": 52428800,
		"installExperience": {"runAsAccount": "system", "deviceRestartBehavior": "suppress"}, "largeIcon": null, "isFeatured": false}`)
	v, _ := graph.New(graph.TypeWin32LobApp)
	if err := json.Unmarshal(export, v); err != nil {
		fmt.Println(err)
		return
	}
	app := v.(*graph.MobileApp)
	fmt.Println(app.DisplayName, app.Size, app.DeviceContext())
	fmt.Println(graph.Unmodelled(export, app))
	// Output:
	// Editor 52428800 true
	// [isFeatured]
}

// Each export.json holds one object as Graph gives it. Decoded and encoded again, all members that are modelled are
// there, in the shape of the golden file, and the others are reported.
func TestExports(t *testing.T) {
	files, err := filepath.Glob("testdata/*.export.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no exports", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			g := gomega.NewWithT(t)
			raw, err := os.ReadFile(file)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			var head struct {
				Type string `json:"@odata.type"`
			}
			g.Expect(json.Unmarshal(raw, &head)).To(gomega.Succeed())
			v, ok := graph.New(head.Type)
			g.Expect(ok).To(gomega.BeTrue(), head.Type)
			g.Expect(json.Unmarshal(raw, v)).To(gomega.Succeed())
			out, err := json.MarshalIndent(map[string]any{"value": v, "unmodelled": graph.Unmodelled(raw, v)}, "", "  ")
			g.Expect(err).NotTo(gomega.HaveOccurred())
			name := strings.Replace(file, ".export.", ".golden.", 1)
			if *update {
				g.Expect(os.WriteFile(name, append(out, '\n'), 0o644)).To(gomega.Succeed())
			}
			want, err := os.ReadFile(name)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(string(out) + "\n").To(gomega.Equal(string(want)))
			g.Expect(modelledMembersKept(raw, v)).To(gomega.BeEmpty())
		})
	}
}

// modelledMembersKept names the members of an object that a round trip loses although they are modelled.
func modelledMembersKept(raw []byte, v any) (lost []string) {
	out, err := json.Marshal(v)
	if err != nil {
		return []string{err.Error()}
	}
	var before, after map[string]any
	if json.Unmarshal(raw, &before) != nil || json.Unmarshal(out, &after) != nil {
		return []string{"not an object"}
	}
	unmodelled := map[string]bool{}
	for _, name := range graph.Unmodelled(raw, v) {
		unmodelled[name] = true
	}
	for name, value := range before {
		_, kept := after[name]
		empty := value == nil || value == "" || value == false || fmt.Sprint(value) == "[]"
		if !kept && !unmodelled[name] && !empty && name != "@odata.context" && !strings.HasSuffix(name, "@odata.context") {
			lost = append(lost, name)
		}
	}
	return lost
}

func TestTime(t *testing.T) {
	g := gomega.NewWithT(t)
	b, err := json.Marshal(graph.Time{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(b)).To(gomega.Equal(`"0001-01-01T00:00:00Z"`))
	b, err = json.Marshal(graph.At(time.Date(2026, 9, 1, 10, 0, 0, 120e6, time.FixedZone("", 7200))))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(b)).To(gomega.Equal(`"2026-09-01T08:00:00.12Z"`))
	for text, zero := range map[string]bool{`"0001-01-01T00:00:00Z"`: true, "null": true, `""`: true, `"2017-01-01T00:02:43.5775965-08:00"`: false} {
		var v graph.Time
		g.Expect(json.Unmarshal([]byte(text), &v)).To(gomega.Succeed())
		g.Expect(v.IsZero()).To(gomega.Equal(zero), text)
	}
	var v graph.Time
	g.Expect(json.Unmarshal([]byte(`"yesterday"`), &v)).To(gomega.MatchError(gomega.ContainSubstring("of the form")))
	g.Expect(json.Unmarshal([]byte(`7`), &v)).NotTo(gomega.Succeed())
}

func TestProfileNames(t *testing.T) {
	g := gomega.NewWithT(t)
	var p graph.DeploymentProfile
	g.Expect(json.Unmarshal([]byte(`{"enableWhiteGlove":true,"extractHardwareHash":true,"language":"de-DE","outOfBoxExperienceSettings":{"hideEULA":true,"userType":"standard"}}`), &p)).To(gomega.Succeed())
	g.Expect(p.PreprovisioningAllowed).To(gomega.BeTrue())
	g.Expect(p.HardwareHashExtractionEnabled).To(gomega.BeTrue())
	g.Expect(p.Locale).To(gomega.Equal("de-DE"))
	g.Expect(p.OutOfBoxExperienceSetting.EulaHidden).To(gomega.BeTrue())
	g.Expect(p.OutOfBoxExperienceSetting.UserType).To(gomega.Equal(graph.UserStandard))

	g.Expect(graph.Merge(&p, []byte(`{"enableWhiteGlove":false,"outOfBoxExperienceSettings":{"hideEULA":false}}`))).To(gomega.Succeed())
	g.Expect(p.PreprovisioningAllowed).To(gomega.BeFalse())
	g.Expect(p.OutOfBoxExperienceSetting.EulaHidden).To(gomega.BeFalse())
	g.Expect(p.OutOfBoxExperienceSetting.UserType).To(gomega.Equal(graph.UserStandard))
	g.Expect(graph.Merge(&p, []byte(`{"preprovisioningAllowed":true,"enableWhiteGlove":false}`))).To(gomega.Succeed())
	g.Expect(p.PreprovisioningAllowed).To(gomega.BeTrue())
}

func TestMerge(t *testing.T) {
	g := gomega.NewWithT(t)
	app := graph.MobileApp{DisplayName: "a", Description: "d", Win32LobApp: &graph.Win32LobApp{InstallCommandLine: "x",
		ReturnCodes: graph.DefaultReturnCodes(), InstallExperience: &graph.InstallExperience{RunAsAccount: graph.RunAsUser}}}
	before := *app.Win32LobApp
	g.Expect(graph.Merge(&app, []byte(`{"description":null,"returnCodes":[{"returnCode":5,"type":"failed"}],"other":1}`))).To(gomega.Succeed())
	g.Expect(app.Description).To(gomega.BeEmpty())
	g.Expect(app.DisplayName).To(gomega.Equal("a"))
	g.Expect(app.ReturnCodes).To(gomega.Equal([]graph.ReturnCode{{ReturnCode: 5, Type: graph.ReturnFailed}}))
	g.Expect(app.InstallCommandLine).To(gomega.Equal("x"))
	g.Expect(before.ReturnCodes).To(gomega.Equal(graph.DefaultReturnCodes()))

	unchanged := app
	g.Expect(graph.Merge(&app, []byte(`{"displayName":"b","size":"big"}`))).NotTo(gomega.Succeed())
	g.Expect(graph.Merge(&app, []byte(`[]`))).NotTo(gomega.Succeed())
	g.Expect(app).To(gomega.Equal(unchanged))
}

func TestInspectMistakes(t *testing.T) {
	g := gomega.NewWithT(t)
	var v any
	g.Expect(json.Unmarshal([]byte(`{"displayName": 7, "Publisher": "x", "size": 1.5, "returnCodes": [{"returnCode": "3010"}, 4], "rules": {},
		"installExperience": {"runAsAccount": false, "shine": 1}, "createdDateTime": "today", "assignments": [{"target": {"groupId": "g", "x@odata.type": ""}}]}`), &v)).To(gomega.Succeed())
	r := graph.Inspect(v, graph.MobileApp{})
	var said []string
	for _, m := range r.Mistakes {
		said = append(said, m.Path+" "+m.Message)
	}
	g.Expect(said).To(gomega.Equal([]string{
		"Publisher must be written publisher",
		`createdDateTime "today" is not a date and time of the form 2026-09-01T08:00:00Z`,
		"displayName must be a string, not the number 7",
		"installExperience.runAsAccount must be a string, not false",
		"returnCodes[0].returnCode must be a whole number, not the string \"3010\"",
		"returnCodes[1] must be an object, not the number 4",
		"rules must be a list, not an object",
		"size must be a whole number, not the number 1.5",
	}))
	g.Expect(r.Unmodelled).To(gomega.Equal([]string{"installExperience.shine"}))
}

func TestTypes(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, name := range graph.Types() {
		v, ok := graph.New(strings.TrimPrefix(name, "#"))
		g.Expect(ok).To(gomega.BeTrue())
		g.Expect(v).NotTo(gomega.BeNil())
	}
	_, ok := graph.New("#microsoft.graph.iosLobApp")
	g.Expect(ok).To(gomega.BeFalse())
}

func TestOmaSettings(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, c := range []struct {
		kind         string
		value        any
		format, text string
	}{
		{"String", "<enabled/>", "chr", "<enabled/>"}, {"Integer", 3.0, "int", "3"}, {"Boolean", true, "bool", "true"}, {"Base64", "AQI=", "b64", "AQI="},
		{"Integer", 3, "int", "3"}, {"Integer", json.Number("12"), "int", "12"},
	} {
		format, text, err := graph.OmaSetting{ODataType: "#microsoft.graph.omaSetting" + c.kind, Value: c.value}.Data()
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(format + " " + text).To(gomega.Equal(c.format + " " + c.text))
	}
	_, _, err := graph.OmaSetting{ODataType: "#microsoft.graph.omaSettingString"}.Data()
	g.Expect(err).To(gomega.HaveOccurred())
	_, _, err = graph.OmaSetting{}.Data()
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestSmallHelpers(t *testing.T) {
	g := gomega.NewWithT(t)
	o := graph.Organization{VerifiedDomains: []graph.VerifiedDomain{{Name: "contoso.example", IsDefault: true}, {Name: "contoso.onmicrosoft.com", IsInitial: true}}}
	g.Expect(o.DefaultDomain() + " " + o.InitialDomain()).To(gomega.Equal("contoso.example contoso.onmicrosoft.com"))
	g.Expect(graph.Organization{}.DefaultDomain()).To(gomega.BeEmpty())
	no := false
	g.Expect(graph.User{}.Enabled()).To(gomega.BeTrue())
	g.Expect(graph.User{AccountEnabled: &no}.Enabled()).To(gomega.BeFalse())
	g.Expect(graph.DirectoryGroup{MembershipRule: "x"}.Dynamic()).To(gomega.BeTrue())
	p := graph.CompliancePolicy{ScheduledActionsForRule: []graph.ScheduledActionRule{{Actions: []graph.ScheduledAction{{ActionType: "notification"}, {ActionType: "block", GracePeriodHours: 6}}}}}
	g.Expect(p.GraceHours()).To(gomega.Equal(6))
	g.Expect(graph.CompliancePolicy{}.GraceHours()).To(gomega.BeZero())
	g.Expect(graph.AssignRequest{EnrollmentAssignments: []graph.Assignment{graph.NewAssignment("1", graph.AllDevices())}}.All()).To(gomega.HaveLen(1))
	g.Expect(graph.MobileApp{WindowsMobileMSI: &graph.WindowsMobileMSI{}}.DeviceContext()).To(gomega.BeFalse())
	a := graph.Win32LobApp{Rules: []graph.Rule{{RuleType: graph.RuleTypeRequirement}, {RuleType: graph.RuleTypeDetection}}, DetectionRules: []graph.Rule{{}}}
	g.Expect(a.Detections()).To(gomega.HaveLen(2))
	g.Expect(graph.Rule{ODataType: "microsoft.graph.win32LobAppRegistryRule"}.Is(graph.RuleRegistry)).To(gomega.BeTrue())
}
