package graph

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/wire/installer"
)

// AppExtension is our own member "windtunnel" of an app: what running its
// installer does to a PC, which Graph does not know. The tags are for the
// scenario file.
type AppExtension struct {
	Duration  time.Duration             `yaml:"installDuration" doc:"How long the installer runs at least; missing: 20 seconds, and one more for each 40 MiB."`
	Spread    time.Duration             `yaml:"spread" doc:"By how much longer it may take; each PC draws its own part of it."`
	ExitCode  int                       `yaml:"exitCode" doc:"What it returns: 0 success, 3010 and 1641 want a restart, others by the app's returnCodes."`
	ExitCodes []int                     `yaml:"exitCodes" doc:"What the first runs on a PC return; the ones after them return exitCode."`
	MSI       bool                      `yaml:"msi" doc:"It takes Windows Installer's one lock while it runs. A windowsMobileMSI always does."`
	Restarts  bool                      `yaml:"restarts" doc:"It restarts the PC by itself when it is done, and asks nobody."`
	Hangs     bool                      `yaml:"hangs" doc:"It waits for an answer that nobody gives, until its time is up."`
	Product   string                    `yaml:"product" doc:"Name or product code below Uninstall in the registry; missing: what the app's detection rules look for, or the app's name."`
	Version   string                    `yaml:"version" doc:"Its DisplayVersion."`
	Files     []string                  `yaml:"files" doc:"Full paths that exist after it; missing: those that the app's detection rules look for."`
	Registry  []installer.RegistryValue `yaml:"registry" doc:"Values that exist after it, beside those that the app's detection rules look for."`
	Service   string                    `yaml:"service" doc:"Windows service that it registers and starts."`
	Mismatch  bool                      `yaml:"mismatch" doc:"It leaves nothing of what the app's detection rules look for."`
}

// ScriptExtension is our own member "windtunnel" of a script: what running it
// does to a PC.
type ScriptExtension struct {
	Duration  time.Duration             `yaml:"duration" doc:"How long the script runs."`
	ExitCode  int                       `yaml:"exitCode" doc:"What it returns; 0 is success."`
	ExitCodes []int                     `yaml:"exitCodes" doc:"What the first runs on a PC return; the ones after them return exitCode."`
	Output    string                    `yaml:"output" doc:"A line that it writes to its output."`
	Files     []string                  `yaml:"files" doc:"Full paths that exist after it."`
	Registry  []installer.RegistryValue `yaml:"registry" doc:"Values that exist after it."`
	Hangs     bool                      `yaml:"hangs" doc:"It never ends by itself."`
	Restarts  bool                      `yaml:"restarts" doc:"It restarts the PC by itself when it is done."`
}

// Problems says what of the extension cannot be, by the name of its member.
func (x AppExtension) Problems() map[string]string {
	out := map[string]string{}
	registryProblems(out, x.Registry)
	if x.Mismatch && (x.Product != "" || x.Files != nil) {
		out["mismatch"] = "excludes product and files"
	}
	return out
}

// Problems says what of the extension cannot be, by the name of its member.
func (x ScriptExtension) Problems() map[string]string {
	out := map[string]string{}
	registryProblems(out, x.Registry)
	if strings.ContainsAny(x.Output, "\r\n") {
		out["output"] = "must be one line"
	}
	for _, v := range x.Registry {
		if strings.ContainsAny(v.Key+v.Name+v.Value, "\"\r\n") {
			out["registry"] = "a script's values have no quotes and no line breaks"
		}
	}
	return out
}

func registryProblems(out map[string]string, values []installer.RegistryValue) {
	for i, v := range values {
		at := fmt.Sprintf("registry[%d]", i)
		hive, rest, _ := strings.Cut(v.Key, `\`)
		if !slices.Contains(hives, strings.ToUpper(hive)) || rest == "" {
			out[at+".key"] = "must be a key below HKEY_LOCAL_MACHINE or HKEY_CURRENT_USER"
		}
		if _, err := strconv.ParseUint(v.Value, 10, 32); v.DWORD && err != nil {
			out[at+".value"] = "must be a number from 0 to 4294967295"
		}
	}
}

var hives = []string{"HKEY_LOCAL_MACHINE", "HKLM", "HKEY_CURRENT_USER", "HKCU"}

// Body is the text of a script that does what the extension says: its own, with
// the directives that a simulated PC reads in front. Without an extension it is
// the script's own.
func (x *ScriptExtension) Body(text []byte) []byte {
	if x == nil {
		return text
	}
	s := installer.Script{Duration: x.Duration, Files: x.Files, Registry: x.Registry, Hangs: x.Hangs, Restarts: x.Restarts}
	if len(x.ExitCodes) > 0 || x.ExitCode != 0 {
		s.ExitCodes = append(slices.Clone(x.ExitCodes), x.ExitCode)
	}
	if x.Output != "" {
		s.Prints = []installer.Print{{Text: x.Output}}
	}
	return append([]byte(s.Directives()), text...)
}

// Installer is the inside of an app's installer. What the extension, nil for
// none, does not say is taken from the app's detection rules, so that they find
// the app once it is installed; its duration is that of the extension alone.
func (a MobileApp) Installer(x *AppExtension) installer.Manifest {
	m := installer.Manifest{Product: a.DisplayName, Version: "1.0"}
	if x == nil {
		x = &AppExtension{}
	}
	if a.WinGetApp != nil {
		m.Product = a.PackageIdentifier
	}
	if a.WindowsMobileMSI != nil {
		m.MSI = true
		replace(&m.Product, a.ProductCode)
		replace(&m.Version, a.ProductVersion)
	}
	if a.Win32LobApp != nil && !x.Mismatch {
		for _, r := range a.Detections() {
			satisfy(&m, r)
		}
	}
	m.Duration, m.Spread, m.ExitCode, m.ExitCodes = x.Duration, x.Spread, x.ExitCode, x.ExitCodes
	m.Restarts, m.Hangs, m.Service = x.Restarts, x.Hangs, x.Service
	m.MSI = m.MSI || x.MSI
	replace(&m.Product, x.Product)
	replace(&m.Version, x.Version)
	if x.Files != nil {
		m.Files = x.Files
	}
	m.Registry = append(m.Registry, x.Registry...)
	if x.Mismatch {
		m.Product += " (mismatch)"
	}
	return m
}

func replace(to *string, with string) {
	if with != "" {
		*to = with
	}
}

const uninstallKey = `software\microsoft\windows\currentversion\uninstall\`

// satisfy makes an installer leave what a detection rule looks for.
func satisfy(m *installer.Manifest, r Rule) {
	operation, value := r.OperationType, r.ComparisonValue
	replace(&operation, r.DetectionType)
	replace(&value, r.DetectionValue)
	switch {
	case r.IsRule(RuleProduct) || r.ODataType == "" && r.ProductCode != "":
		m.Product, m.MSI = r.ProductCode, true
		replace(&m.Version, fitting("version", r.ProductVersionOperator, r.ProductVersion))
	case r.IsRule(RulePowerShell):
		if text, err := r.Script(); err == nil {
			if s, err := installer.ParseScript(text); err == nil && s.Marked {
				satisfyScript(m, s)
			} else {
				m.Registry = append(m.Registry, installer.Mark(text))
			}
		}
	case r.FileOrFolderName != "":
		if operation == "doesNotExist" {
			return
		}
		m.Files = append(m.Files, strings.TrimSuffix(r.Path, `\`)+`\`+r.FileOrFolderName)
		if operation == "version" {
			replace(&m.Version, fitting(operation, r.Operator, value))
		}
	case r.KeyPath != "":
		satisfyRegistry(m, r, operation, fitting(operation, r.Operator, value))
	}
}

// satisfyRegistry: what is below Uninstall the installer registers by itself.
func satisfyRegistry(m *installer.Manifest, r Rule, operation, value string) {
	if operation == "doesNotExist" {
		return
	}
	if at := strings.Index(strings.ToLower(r.KeyPath), uninstallKey); at >= 0 && machine(r.KeyPath) && !r.Check32BitOn64System {
		m.Product = r.KeyPath[at+len(uninstallKey):]
		if r.ValueName == "" || strings.EqualFold(r.ValueName, "DisplayVersion") {
			replace(&m.Version, value)
			return
		}
	}
	key := r.KeyPath
	if r.Check32BitOn64System {
		key = installer.View32(key)
	}
	m.Registry = append(m.Registry, installer.RegistryValue{Key: key, Name: r.ValueName, Value: value, DWORD: operation == "integer"})
}

func satisfyScript(m *installer.Manifest, s installer.Script) {
	for _, p := range s.Prints {
		if p.File != "" {
			m.Files = append(m.Files, p.File)
		}
		if p.Key != "" {
			m.Registry = append(m.Registry, installer.RegistryValue{Key: p.Key, Name: p.Name, Value: m.Version})
		}
	}
}

func machine(key string) bool {
	hive, _, _ := strings.Cut(key, `\`)
	return strings.EqualFold(hive, "HKEY_LOCAL_MACHINE") || strings.EqualFold(hive, "HKLM")
}

// fitting is a value for which a comparison holds.
func fitting(operation, operator, value string) string {
	if value == "" {
		return ""
	}
	switch operator {
	case "greaterThan", "notEqual":
		if n, err := strconv.ParseUint(value, 10, 32); operation == "integer" && err == nil {
			return strconv.FormatUint((n+1)&0xffffffff, 10)
		}
		return value + ".1"
	case "lessThan":
		if n, err := strconv.ParseUint(value, 10, 32); operation == "integer" && err == nil && n > 0 {
			return strconv.FormatUint(n-1, 10)
		}
		return "0"
	}
	return value
}
