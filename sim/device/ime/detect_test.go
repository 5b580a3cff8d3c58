package ime

import (
	"encoding/base64"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

func script(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestDetection(t *testing.T) {
	const (
		eq, ne, gt, ge, lt = sidecar.OperatorEqual, sidecar.OperatorNotEqual, sidecar.OperatorGreater, sidecar.OperatorGreaterOrEqual, sidecar.OperatorLess
		key                = `HKLM\SOFTWARE\Contoso`
		user               = "S-1-12-1-1"
	)
	reg := func(name string, kind int, o sidecar.Operator, value string) sidecar.Detection {
		return sidecar.RegistryDetection{KeyPath: key, KeyName: name, DetectionType: kind, Operator: o, Value: value}
	}
	file := func(kind int, o sidecar.Operator, value string) sidecar.Detection {
		return sidecar.FileDetection{Path: `%ProgramFiles%\Contoso\`, Name: "APP.exe", DetectionType: kind, Operator: o, Value: value}
	}
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		e := &evaluation{agent: &agent{w: w, user: account{sid: user}}}
		w.Registry().SetString(key, "Version", "2.0.10")
		w.Registry().SetDWORD(key, "Build", 7)
		w.Registry().SetString(`HKLM\SOFTWARE\WOW6432Node\Contoso`, "Old", "1")
		w.Registry().SetString(`HKU\`+user+`\SOFTWARE\Contoso`, "Mine", "1")
		_, err := w.RunInstaller(installer.Manifest{Product: "{P}", Version: "3.1", Files: []string{`C:\Program Files\Contoso\app.exe`}}, 5<<20)
		r.OK(err)
		w.WriteValues([]installer.RegistryValue{installer.Mark("Get-It")}, "")
		for _, c := range []struct {
			d    sidecar.Detection
			want bool
		}{
			{sidecar.RegistryDetection{KeyPath: `HKEY_LOCAL_MACHINE\software\contoso`, DetectionType: 1}, true},
			{sidecar.RegistryDetection{KeyPath: `Computer\HKEY_LOCAL_MACHINE\SOFTWARE`, DetectionType: 1}, true},
			{reg("build", 1, 0, ""), true},
			{reg("other", 1, 0, ""), false},
			{reg("other", 2, 0, ""), true},
			{reg("", 2, 0, ""), false},
			{reg("Version", 3, eq, "2.0.10"), true},
			{reg("Version", 3, ne, "2.0.10"), false},
			{reg("Version", 5, ge, "2.0.9"), true},
			{reg("Version", 5, eq, "2.0.10.0"), true},
			{reg("Version", 5, 0, "2.1"), false},
			{reg("Version", 5, lt, "2.1"), true},
			{reg("Version", 4, eq, "2"), false},
			{reg("Build", 4, gt, "6"), true},
			{reg("Build", 4, gt, "7"), false},
			{reg("other", 4, ne, "7"), false},
			{sidecar.RegistryDetection{KeyPath: key, KeyName: "Old", DetectionType: 1}, false},
			{sidecar.RegistryDetection{KeyPath: key, KeyName: "Old", DetectionType: 1, Check32Bit: true}, true},
			{sidecar.RegistryDetection{KeyPath: `HKEY_CURRENT_USER\SOFTWARE\Contoso`, KeyName: "Mine", DetectionType: 1}, true},
			{file(1, 0, ""), true},
			{file(6, 0, ""), false},
			{sidecar.FileDetection{Path: `C:\Program Files`, Name: "Contoso", DetectionType: 1}, true},
			{file(4, ge, "3.0"), true},
			{file(4, gt, "3.1"), false},
			{file(5, eq, "5"), true},
			{file(2, ge, "2026-09-01"), true},
			{file(3, lt, "2026-09-01T00:00:00Z"), false},
			{sidecar.MSIDetection{ProductCode: "{P}"}, true},
			{sidecar.MSIDetection{ProductCode: "{P}", Operator: ge, Version: "3.2"}, false},
			{sidecar.MSIDetection{ProductCode: "{Q}"}, false},
			{sidecar.ScriptDetection{ScriptBody: script("# windtunnel: file C:\\Program Files\\Contoso\\app.exe\n")}, true},
			{sidecar.ScriptDetection{ScriptBody: script("# windtunnel: file C:\\no.exe\n")}, false},
			{sidecar.ScriptDetection{ScriptBody: script("# windtunnel: output yes\n# windtunnel: exit 1\n")}, false},
			{sidecar.ScriptDetection{ScriptBody: script("# windtunnel: registry HKLM\\SOFTWARE\\Contoso Version\n")}, true},
			{sidecar.ScriptDetection{ScriptBody: script("Get-It")}, true},
			{sidecar.ScriptDetection{ScriptBody: script("Get-Other")}, false},
			{sidecar.ScriptDetection{ScriptBody: script("# windtunnel: hangs\n")}, false},
		} {
			got, err := e.detect(ruled("1", c.d))
			if s, ok := c.d.(sidecar.RegistryDetection); ok && s.KeyPath[:9] == "HKEY_CURR" {
				app := ruled("1", c.d)
				app.InstallContext = sidecar.ContextUser
				got, err = e.detect(app)
			}
			r.OK(err)
			r.Expect(got).To(gomega.Equal(c.want), "%+v", c.d)
		}
		for _, d := range []sidecar.Detection{
			sidecar.ScriptDetection{ScriptBody: "%"}, sidecar.ScriptDetection{ScriptBody: script("# windtunnel: dances")},
			file(9, eq, "1"), file(4, eq, "new"), reg("Build", 4, eq, "many"), reg("Build", 4, 3, "7"), reg("Build", 9, eq, "7"),
		} {
			_, err = e.detect(ruled("1", d))
			r.Expect(err).To(gomega.HaveOccurred(), "%+v", d)
		}
		_, err = e.detect(sidecar.App{})
		r.Expect(err).To(gomega.MatchError(errNoRule))
	})
}

// ruled is an app with these detection rules.
func ruled(id string, rules ...sidecar.Detection) sidecar.App {
	app := sidecar.App{ID: id, Name: id, Version: 1, Intent: sidecar.Required, TargetType: sidecar.TargetDevice, SetupFile: "setup.exe", InstallCommand: "setup.exe /S",
		ReturnCodes: sidecar.Nest(sidecar.DefaultReturnCodes()), InstallContext: sidecar.ContextSystem}
	var list []sidecar.DetectionRule
	for _, d := range rules {
		rule, err := sidecar.NewDetectionRule(d)
		if err != nil {
			panic(err)
		}
		list = append(list, rule)
	}
	app.DetectionRule = sidecar.Nest(list)
	return app
}

func TestRequirements(t *testing.T) {
	whole := func(n int) *int { return &n }
	rule := func(d sidecar.Detection) []sidecar.DetectionRule {
		r, err := sidecar.NewDetectionRule(d)
		if err != nil {
			t.Fatal(err)
		}
		return []sidecar.DetectionRule{r}
	}
	output := func(kind int, o sidecar.Operator, value string) []sidecar.DetectionRule {
		return rule(sidecar.ScriptDetection{ScriptBody: script("# windtunnel: output 12\n"), DetectionType: kind, Operator: o, Value: value})
	}
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		e := &evaluation{agent: &agent{w: w}}
		for _, c := range []struct {
			name  string
			needs sidecar.Requirements
			own   []sidecar.DetectionRule
			unmet string
		}{
			{"nothing", sidecar.Requirements{}, nil, ""},
			{"x64", sidecar.Requirements{OSArchitecture: 2}, nil, ""},
			{"ARM64", sidecar.Requirements{OSArchitecture: 8}, nil, "OS architecture"},
			{"an older release", sidecar.Requirements{MinimumOS: "Windows10_21H2"}, nil, ""},
			{"its own", sidecar.Requirements{MinimumOS: "24H2"}, nil, ""},
			{"a newer one", sidecar.Requirements{MinimumOS: "Windows11_25H2"}, nil, "OS version"},
			{"one that nobody knows", sidecar.Requirements{MinimumOS: "Next"}, nil, "OS version"},
			{"disk", sidecar.Requirements{MinimumFreeDiskMB: whole(1 << 30)}, nil, "free disk space"},
			{"memory", sidecar.Requirements{MinimumMemoryMB: whole(65536)}, nil, "memory"},
			{"memory that is there", sidecar.Requirements{MinimumMemoryMB: whole(16384)}, nil, ""},
			{"processors", sidecar.Requirements{MinimumProcessors: whole(64)}, nil, "processors"},
			{"a key", sidecar.Requirements{}, rule(sidecar.RegistryDetection{KeyPath: `HKLM\SOFTWARE\No`, DetectionType: 1}), "rule 1"},
			{"no key", sidecar.Requirements{}, rule(sidecar.RegistryDetection{KeyPath: `HKLM\SOFTWARE\No`, DetectionType: 2}), ""},
			{"a number", sidecar.Requirements{}, output(3, sidecar.OperatorGreaterOrEqual, "9"), ""},
			{"a text", sidecar.Requirements{}, output(1, sidecar.OperatorEqual, "9"), "rule 1"},
			{"a version", sidecar.Requirements{}, output(5, sidecar.OperatorLess, "12.1"), ""},
			{"a fraction", sidecar.Requirements{}, output(4, sidecar.OperatorGreater, "11.9"), ""},
		} {
			unmet, err := e.unmet(sidecar.App{RequirementRules: sidecar.Nest(c.needs), ExtendedRules: sidecar.Nest(c.own)})
			r.OK(err)
			r.Expect(unmet).To(gomega.Equal(c.unmet), c.name)
		}
		_, err := e.unmet(sidecar.App{ExtendedRules: sidecar.Nest(output(7, 0, ""))})
		r.Expect(err).To(gomega.HaveOccurred())
	})
}
