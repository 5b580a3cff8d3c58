package scenario

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/installer"
)

// maxAppBytes is Intune's limit of an app package
// (learn.microsoft.com/mem/intune/apps/apps-win32-prepare: 30 GB).
const maxAppBytes = 30 << 30

func (c *checker) apps() {
	for i := range c.s.Tenant.Apps {
		a, at := &c.s.Tenant.Apps[i], c.origin("tenant.mobileApps", i)
		for k := range a.Assignments {
			as, path := &a.Assignments[k], fmt.Sprintf("%s.assignments[%d]", at, k)
			if as.Intent == "" {
				as.Intent = graph.IntentRequired
			}
			c.oneOf(path+".intent", string(as.Intent), string(graph.IntentRequired), string(graph.IntentAvailable), string(graph.IntentUninstall), string(graph.IntentAvailableWithoutEnrollment))
			c.target(path+".target", &as.Target)
		}
		if a.Windtunnel.Size > 0 {
			a.Size = int64(a.Windtunnel.Size)
		}
		if a.Size > maxAppBytes || a.Size < 0 {
			c.wrong(at, "a package of %d bytes is none that Intune takes; at most %d", a.Size, int64(maxAppBytes))
		}
		if m, err := a.Manifest().Encode(); err != nil {
			c.wrong(at+".windtunnel", "%v", err)
		} else if len(m) > installer.MaxBytes {
			c.wrong(at+".windtunnel", "has too many files")
		}
		if a.Win32LobApp != nil {
			c.win32(at, a.Win32LobApp)
		}
	}
}

func (c *checker) win32(at string, a *graph.Win32LobApp) {
	if len(a.Detections()) == 0 {
		c.wrong(at, "the app has no detection rule; Intune wants one in rules")
	}
	if a.InstallExperience != nil {
		c.oneOf(at+".installExperience.runAsAccount", string(a.InstallExperience.RunAsAccount), string(graph.RunAsSystem), string(graph.RunAsUser))
	}
	known := []string{graph.RuleFile, graph.RuleRegistry, graph.RuleProduct, graph.RulePowerShell}
	for i, r := range a.Rules {
		path := fmt.Sprintf("%s.rules[%d]", at, i)
		c.oneOf(path+".ruleType", r.RuleType, graph.RuleTypeDetection, graph.RuleTypeRequirement)
		switch {
		case !slices.ContainsFunc(known, r.Is):
			c.wrong(path, "@odata.type %q is no rule%s", r.ODataType, choose(r.ODataType, known))
		case r.Is(graph.RuleFile) && (r.Path == "" || r.FileOrFolderName == ""):
			c.wrong(path, "a file system rule needs path and fileOrFolderName")
		case r.Is(graph.RuleRegistry) && r.KeyPath == "":
			c.wrong(path, "a registry rule needs keyPath")
		case r.Is(graph.RuleProduct) && r.ProductCode == "":
			c.wrong(path, "a product code rule needs productCode")
		}
	}
	for i, r := range a.ReturnCodes {
		c.oneOf(fmt.Sprintf("%s.returnCodes[%d].type", at, i), string(r.Type), string(graph.ReturnFailed), string(graph.ReturnSuccess),
			string(graph.ReturnSoftReboot), string(graph.ReturnHardReboot), string(graph.ReturnRetry))
	}
}

const uninstallKey = `\currentversion\uninstall\`

// Manifest is the inside of the app's installer. What the file does not say is
// taken from the app's detection rules, so that they find the app once it is
// installed.
func (a App) Manifest() installer.Manifest {
	w := a.Windtunnel
	m := installer.Manifest{Product: a.DisplayName, Version: "1.0", MSI: w.MSI, Duration: w.Duration, ExitCode: w.ExitCode, Service: w.Service}
	if a.WindowsMobileMSI != nil {
		m.MSI = true
		set(&m.Product, a.ProductCode)
		set(&m.Version, a.ProductVersion)
	}
	if a.Win32LobApp != nil {
		for _, r := range a.Detections() {
			satisfy(&m, r)
		}
	}
	if m.Duration == 0 {
		pace := timing.Default().Intune
		m.Duration = pace.DefaultInstall + time.Duration(a.Size/int64(pace.DefaultInstallRate))*time.Second
	}
	set(&m.Product, w.Product)
	set(&m.Version, w.Version)
	if w.Files != nil {
		m.Files = w.Files
	}
	return m
}

// satisfy makes an installer leave what a detection rule looks for.
func satisfy(m *installer.Manifest, r graph.Rule) {
	switch {
	case r.Is(graph.RuleProduct) || r.ProductCode != "":
		m.Product, m.MSI = r.ProductCode, true
		set(&m.Version, r.ProductVersion)
	case r.FileOrFolderName != "":
		m.Files = append(m.Files, strings.TrimSuffix(r.Path, `\`)+`\`+r.FileOrFolderName)
	case strings.Contains(strings.ToLower(r.KeyPath), uninstallKey):
		m.Product = path.Base(strings.ReplaceAll(r.KeyPath, `\`, "/"))
		set(&m.Version, r.DetectionValue)
		set(&m.Version, r.ComparisonValue)
	}
}
