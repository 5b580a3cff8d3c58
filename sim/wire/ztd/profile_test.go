package ztd_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/ztd"
)

var update = flag.Bool("update", false, "write the golden files")

func graphProfile() graph.DeploymentProfile {
	return graph.DeploymentProfile{ODataType: graph.TypeEntraProfile, DisplayName: "Bench", Locale: "os-default", DeviceNameTemplate: "WT-%RAND:4%",
		OutOfBoxExperienceSetting: graph.OutOfBoxExperienceSetting{UserType: graph.UserStandard, DeviceUsageType: graph.UsageSingleUser,
			PrivacySettingsHidden: true, EulaHidden: true, KeyboardSelectionSkipped: true, EscapeLinkHidden: true}}
}

func golden(t *testing.T, name string, v any) {
	t.Helper()
	g := gomega.NewWithT(t)
	b, err := json.MarshalIndent(v, "", "  ")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	if *update {
		g.Expect(os.WriteFile(name, append(b, '\n'), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(name)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(b)).To(gomega.Equal(strings.TrimSuffix(string(want), "\n")))
}

func TestProfileGolden(t *testing.T) {
	g := gomega.NewWithT(t)
	p := ztd.FromGraphProfile(graphProfile())
	p.CloudAssignedTenantID = "9a1c3a1e-6a0f-4a51-8d3c-2f6f5f0f1b11"
	p.CloudAssignedTenantDomain = "contoso.example"
	p.CloudAssignedTenantUpn = "ada@contoso.example"
	p.ZtdRegistrationID = "0f4a6a5e-3f4c-4d0d-9f0a-1d2b3c4d5e6f"
	p.IsExplicitProfileAssignment = true
	p.PolicyDownloadDate = time.Date(2026, 9, 1, 8, 5, 0, 0, time.UTC)
	golden(t, "testdata/profile.json", p)
	golden(t, "testdata/offline.json", p.Offline("6f1d0c2b-1111-4222-8333-444455556666"))

	b, err := json.Marshal(p)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	back, n, err := ztd.ParseAnswer(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(n).To(gomega.BeNil())
	g.Expect(back).To(gomega.Equal(p))
}

func TestOobeConfig(t *testing.T) {
	g := gomega.NewWithT(t)
	p := graphProfile()
	g.Expect(int(ztd.FromGraphProfile(p).CloudAssignedOobeConfig)).To(gomega.Equal(1310))
	p.OutOfBoxExperienceSetting.UserType = graph.UserAdministrator
	c := ztd.FromGraphProfile(p).CloudAssignedOobeConfig
	g.Expect(int(c)).To(gomega.Equal(1308))
	g.Expect(c.String()).To(gomega.Equal("1308 (SkipExpressSettings SkipOemRegistration SkipEula SkipWindowsUpgradeUX SkipKeyboard)"))
	g.Expect(c.SelfDeploying()).To(gomega.BeFalse())
	p.OutOfBoxExperienceSetting = graph.OutOfBoxExperienceSetting{DeviceUsageType: graph.UsageShared}
	c = ztd.FromGraphProfile(p).CloudAssignedOobeConfig
	g.Expect(int(c)).To(gomega.Equal(8 + 256 + 32 + 64))
	g.Expect(c.SelfDeploying()).To(gomega.BeTrue())
}

func TestHybridProfile(t *testing.T) {
	g := gomega.NewWithT(t)
	p, skip := graphProfile(), true
	p.ODataType, p.HybridSkipConnectivityCheck, p.Locale = graph.TypeHybridProfile, &skip, "de-DE"
	out := ztd.FromGraphProfile(p)
	g.Expect(out.CloudAssignedDomainJoinMethod).To(gomega.Equal(ztd.JoinHybrid))
	g.Expect(out.HybridJoinSkipDCConnectivityCheck).To(gomega.Equal(1))
	g.Expect(out.CloudAssignedDeviceName).To(gomega.BeEmpty())
	g.Expect(out.CloudAssignedLanguage).To(gomega.Equal("de-DE"))
}

func TestNegativeAnswer(t *testing.T) {
	g := gomega.NewWithT(t)
	b, err := json.Marshal(ztd.DeviceHasNoAssignedProfile)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(b)).To(gomega.Equal(`{"code":815,"name":"ZtdDeviceHasNoAssignedProfile"}`))
	_, n, err := ztd.ParseAnswer(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(*n).To(gomega.Equal(ztd.DeviceHasNoAssignedProfile))
	g.Expect(n.Error()).To(gomega.ContainSubstring("815"))
	for _, bad := range []string{"", "[]", "{}", `{"CloudAssignedTenantId":1}`} {
		_, _, err := ztd.ParseAnswer([]byte(bad))
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

func TestImportErrors(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(ztd.ImportErrors()).To(gomega.HaveLen(12))
	for i, e := range ztd.ImportErrors() {
		g.Expect(e.Name).NotTo(gomega.BeEmpty())
		if i > 0 {
			g.Expect(e.Code).To(gomega.BeNumerically(">", ztd.ImportErrors()[i-1].Code))
		}
	}
	g.Expect(ztd.ZtdDeviceAssignedToOtherTenant.Error()).To(gomega.Equal("ztd: import error 808 ZtdDeviceAssignedToOtherTenant"))
}

func TestDeviceNames(t *testing.T) {
	digits := func(n int) string { return strings.Repeat("7", n) }
	for _, c := range []struct{ template, serial, name, fault string }{
		{"WT-%RAND:4%", "", "WT-7777", ""},
		{"%SERIAL%", "abc 123/x", "abc123x", ""},
		{"%SERIAL%-%RAND:2%", "S1", "S1-77", ""},
		{"%serial%-%RAND:2%", "S1", "", "upper case; write %SERIAL%"},
		{"", "S1", "", ""},
		{"LAPTOP-%SERIAL%", "0123456789", "", "more than 15"},
		{"%RAND:16%", "", "", "1 to 15"},
		{"%RAND:0%", "", "", "1 to 15"},
		{"ABCDEFGHIJKL%RAND:4%", "", "", "more than 15"},
		{"%USER%", "", "", "only %SERIAL%"},
		{"My PC", "", "", "' ' is not"},
		{"Büro", "", "", "is not a letter"},
		{"12345", "", "", "only digits"},
		{"%RAND:5%", "", "", "only digits"},
	} {
		t.Run(c.template, func(t *testing.T) {
			g := gomega.NewWithT(t)
			name, err := ztd.ExpandDeviceName(c.template, c.serial, digits)
			if c.fault != "" {
				g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(c.fault)))
				return
			}
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(name).To(gomega.Equal(c.name))
		})
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"code":807,"name":"x"}`))
	f.Add([]byte(`{"CloudAssignedTenantId":"t","PolicyDownloadDate":"2026-09-01T08:05:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, n, err := ztd.ParseAnswer(b)
		if err == nil && n == nil && p.CloudAssignedTenantID == "" {
			t.Fatal("neither answer nor error")
		}
	})
}
