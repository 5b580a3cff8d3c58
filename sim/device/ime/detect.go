package ime

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

var (
	errNoRule = errors.New("the app has no detection rule")
	errRule   = errors.New("the rule cannot be read")
)

// detected looks for an app by all of its rules, and logs what it finds.
func (e *evaluation) detected(app sidecar.App) (bool, error) {
	found, err := e.detect(app)
	if err != nil {
		e.workload("[Win32App][DetectionActionHandler] Detection for policy with id: %s resulted in action status: Failed and detection state: NotComputed.", app.ID)
		return false, err
	}
	state := "NotDetected"
	if found {
		state = "Detected"
	}
	e.workload("[Win32App][DetectionActionHandler] Detection for policy with id: %s resulted in action status: Success and detection state: %s.", app.ID, state)
	return found, nil
}

func (e *evaluation) detect(app sidecar.App) (bool, error) {
	if len(app.DetectionRule.Value) == 0 {
		if app.InstallerData.Value != nil {
			return e.wingetDetected(app), nil
		}
		return false, errNoRule
	}
	for _, rule := range app.DetectionRule.Value {
		d, err := rule.Detection()
		if err != nil {
			return false, fmt.Errorf("%w: %w", errRule, err)
		}
		if found, err := e.holds(d, e.sidOf(app), false); err != nil || !found {
			return false, err
		}
	}
	return true, nil
}

// sidOf is whose HKEY_CURRENT_USER an app's rules mean.
func (e *evaluation) sidOf(app sidecar.App) string {
	if app.InstallContext == sidecar.ContextUser {
		return e.user.sid
	}
	return ""
}

// holds tells whether a rule is fulfilled: as a detection rule, or as one of an
// app's own requirements.
func (a *agent) holds(d sidecar.Detection, sid string, requirement bool) (bool, error) {
	switch d := d.(type) {
	case sidecar.RegistryDetection:
		return a.registryHolds(d, sid)
	case sidecar.FileDetection:
		return a.fileHolds(d)
	case sidecar.MSIDetection:
		return a.productHolds(d)
	case sidecar.ScriptDetection:
		return a.scriptHolds(d, sid, requirement)
	}
	return false, errRule
}

// What registry and file rules look at.
const (
	ruleExists   = 1
	ruleRegGone  = 2
	ruleString   = 3
	ruleInteger  = 4
	ruleVersion  = 5
	fileModified = 2
	fileCreated  = 3
	fileVersion  = 4
	fileSize     = 5
	fileGone     = 6
)

func (a *agent) registryHolds(d sidecar.RegistryDetection, sid string) (bool, error) {
	path := d.KeyPath
	if d.Check32Bit {
		path = installer.View32(path)
	}
	r, key := a.w.Registry(), device.ExpandHive(path, sid)
	found := r.HasValue(key, d.KeyName)
	if d.KeyName == "" && d.DetectionType <= ruleRegGone {
		found = r.Has(key)
	}
	switch d.DetectionType {
	case ruleExists:
		return found, nil
	case ruleRegGone:
		return !found, nil
	case ruleString, ruleInteger, ruleVersion:
		if !found {
			return false, nil
		}
		as := map[int]sidecar.Comparison{ruleString: sidecar.CompareString, ruleInteger: sidecar.CompareInteger, ruleVersion: sidecar.CompareVersion}[d.DetectionType]
		text := r.String(key, d.KeyName)
		if v, ok := r.DWORD(key, d.KeyName); ok {
			text = strconv.FormatUint(uint64(v), 10)
		}
		return compare(as, d.Operator, text, d.Value)
	}
	return false, fmt.Errorf("%w: registry operation %d", errRule, d.DetectionType)
}

func (a *agent) fileHolds(d sidecar.FileDetection) (bool, error) {
	path := strings.TrimSuffix(expandPath(d.Path), `\`) + `\` + d.Name
	f, found := a.w.FileInfo(path)
	folder := !found && len(a.w.Disk.Files.List(path+`\`)) > 0
	switch d.DetectionType {
	case ruleExists:
		return found || folder, nil
	case fileGone:
		return !found && !folder, nil
	case fileModified, fileCreated, fileVersion, fileSize:
	default:
		return false, fmt.Errorf("%w: file operation %d", errRule, d.DetectionType)
	}
	if !found {
		return false, nil
	}
	switch d.DetectionType {
	case fileVersion:
		return compare(sidecar.CompareVersion, d.Operator, f.Version, d.Value)
	case fileSize:
		return compare(sidecar.CompareInteger, d.Operator, strconv.FormatInt(f.Size>>20, 10), d.Value)
	}
	return compare(sidecar.CompareDate, d.Operator, f.Written.UTC().Format(time.RFC3339), d.Value)
}

// expandPath writes the variables of the machine that paths of rules have.
func expandPath(path string) string {
	for name, value := range map[string]string{"%ProgramFiles%": `C:\Program Files`, "%ProgramFiles(x86)%": `C:\Program Files (x86)`,
		"%ProgramData%": `C:\ProgramData`, "%SystemRoot%": `C:\Windows`, "%WinDir%": `C:\Windows`, "%SystemDrive%": `C:`} {
		if len(path) >= len(name) && strings.EqualFold(path[:len(name)], name) {
			return value + path[len(name):]
		}
	}
	return path
}

func (a *agent) productHolds(d sidecar.MSIDetection) (bool, error) {
	key := device.KeyUninstall + `\` + d.ProductCode
	if !a.w.Registry().Has(key) {
		return false, nil
	}
	if d.Version == "" || d.Operator == sidecar.OperatorNone {
		return true, nil
	}
	return compare(sidecar.CompareVersion, d.Operator, a.w.Registry().String(key, "DisplayVersion"), d.Version)
}

// compare applies an operator. What cannot be compared with the rule's value is
// not it; a value that is no such thing itself is a rule that cannot be read.
func compare(as sidecar.Comparison, o sidecar.Operator, found, value string) (bool, error) {
	if _, err := sidecar.Compare(as, value, value); err != nil {
		return false, fmt.Errorf("%w: %w", errRule, err)
	}
	sign, err := sidecar.Compare(as, found, value)
	if err != nil {
		return false, nil
	}
	holds, err := o.Holds(sign)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errRule, err)
	}
	return holds, nil
}

// scriptHolds runs a script. It detects an app by ending with 0 and writing to
// STDOUT; a requirement compares what it wrote.
func (a *agent) scriptHolds(d sidecar.ScriptDetection, sid string, requirement bool) (bool, error) {
	text, err := base64.StdEncoding.DecodeString(d.ScriptBody)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errRule, err)
	}
	run, err := a.runScript(scriptRun{name: "rule", text: string(text), sid: sid, limit: a.w.Timing.IME.ScriptTimeout})
	if err != nil {
		return false, err
	}
	if run.timedOut || run.exit != 0 {
		return false, nil
	}
	if !requirement {
		return run.output != "", nil
	}
	kinds := map[int]sidecar.Comparison{1: sidecar.CompareString, 2: sidecar.CompareDate, 3: sidecar.CompareInteger, 4: sidecar.CompareFloat, 5: sidecar.CompareVersion, 6: sidecar.CompareBoolean}
	as, ok := kinds[d.DetectionType]
	if !ok {
		return false, fmt.Errorf("%w: output of type %d", errRule, d.DetectionType)
	}
	return compare(as, d.Operator, run.output, d.Value)
}
