package graph

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/installer"
)

const uninstall = `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\`

// An installer leaves what the app's detection rules look for.
func TestInstaller(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		name string
		rule Rule
		want installer.Manifest
	}{
		{"product", Rule{ODataType: RuleProduct, ProductCode: "{1}", ProductVersionOperator: "greaterThan", ProductVersion: "3"}, installer.Manifest{Product: "{1}", Version: "3.1", MSI: true}},
		{"Uninstall", Rule{ODataType: RuleRegistry, KeyPath: uninstall + "App", ValueName: "DisplayVersion", OperationType: "version", Operator: "greaterThanOrEqual", ComparisonValue: "2.5"},
			installer.Manifest{Product: "App", Version: "2.5"}},
		{"older rule", Rule{ODataType: "#microsoft.graph.win32LobAppRegistryDetection", KeyPath: uninstall + "App", DetectionType: "exists"}, installer.Manifest{Product: "App", Version: "1.0"}},
		{"value", Rule{ODataType: RuleRegistry, KeyPath: `HKLM\SOFTWARE\A`, ValueName: "N", OperationType: "integer", Operator: "greaterThan", ComparisonValue: "5"},
			installer.Manifest{Product: "A", Version: "1.0", Registry: []installer.RegistryValue{{Key: `HKLM\SOFTWARE\A`, Name: "N", Value: "6", DWORD: true}}}},
		{"32 bits", Rule{ODataType: RuleRegistry, KeyPath: `HKLM\SOFTWARE\A`, OperationType: "exists", Check32BitOn64System: true},
			installer.Manifest{Product: "A", Version: "1.0", Registry: []installer.RegistryValue{{Key: `HKLM\SOFTWARE\WOW6432Node\A`}}}},
		{"gone", Rule{ODataType: RuleRegistry, KeyPath: `HKLM\SOFTWARE\A`, OperationType: "doesNotExist"}, installer.Manifest{Product: "A", Version: "1.0"}},
		{"file", Rule{ODataType: RuleFile, Path: `C:\A\`, FileOrFolderName: "a.exe", OperationType: "version", Operator: "equal", ComparisonValue: "7"},
			installer.Manifest{Product: "A", Version: "7", Files: []string{`C:\A\a.exe`}}},
		{"script", Rule{ODataType: RulePowerShell, ScriptContent: b64("Get-A")}, installer.Manifest{Product: "A", Version: "1.0", Registry: []installer.RegistryValue{installer.Mark("Get-A")}}},
		{"script with directives", Rule{ODataType: RulePowerShell, ScriptContent: b64("# windtunnel: file C:\\a.txt")}, installer.Manifest{Product: "A", Version: "1.0", Files: []string{`C:\a.txt`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			app := MobileApp{DisplayName: "A", Win32LobApp: &Win32LobApp{Rules: []Rule{c.rule}}}
			g.Expect(app.Installer(nil)).To(gomega.Equal(c.want))
			wrong := app.Installer(&AppExtension{Mismatch: true, Duration: time.Minute})
			g.Expect(wrong).To(gomega.Equal(installer.Manifest{Product: "A (mismatch)", Version: "1.0", Duration: time.Minute}))
		})
	}
}

func TestScriptBody(t *testing.T) {
	g := gomega.NewWithT(t)
	var none *ScriptExtension
	g.Expect(none.Body([]byte("x"))).To(gomega.Equal([]byte("x")))
	x := &ScriptExtension{Duration: time.Minute, ExitCode: 0, ExitCodes: []int{1}, Output: "ok", Files: []string{`C:\a b`}}
	s, err := installer.ParseScript(string(x.Body([]byte("Do-It"))))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(s).To(gomega.Equal(installer.Script{Marked: true, Duration: time.Minute, ExitCodes: []int{1, 0}, Prints: []installer.Print{{Text: "ok"}}, Files: []string{`C:\a b`}}))
}

func TestExtensionProblems(t *testing.T) {
	g := gomega.NewWithT(t)
	bad := []installer.RegistryValue{{Key: "SOFTWARE"}, {Key: `HKLM\A`, Value: "x", DWORD: true}}
	g.Expect(AppExtension{Registry: bad, Mismatch: true, Product: "p"}.Problems()).To(gomega.HaveLen(3))
	g.Expect(ScriptExtension{Registry: bad[:1], Output: "a\nb"}.Problems()).To(gomega.HaveLen(2))
	g.Expect(AppExtension{Registry: []installer.RegistryValue{{Key: `HKCU\A`, Value: "7", DWORD: true}}}.Problems()).To(gomega.BeEmpty())
}
