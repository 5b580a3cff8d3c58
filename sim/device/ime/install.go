package ime

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

var errInstaller = errors.New("the installer failed")

// install downloads, decrypts and runs an app's installer.
func (a *agent) install(g *gateway, app sidecar.App) (hresult.Code, *int, error) {
	location, info, err := g.content(app)
	if err != nil {
		return codeOr(err, hresult.ContentNotFound), nil, err
	}
	file, size, err := a.w.Download("download Win32 app", location)
	if err != nil {
		return codeOr(err, hresult.ContentNotFound), nil, err
	}
	a.log("[StatusService] Downloading app (id = %s, name %s) via CDN, bytes %d/%d", app.ID, app.Name, size, size)
	plain, err := sidecar.DecryptContent(info, file)
	if err != nil {
		return hresult.InvalidData, nil, err
	}
	manifest, err := sidecar.ReadSetup(plain, app.SetupFile)
	if err != nil {
		return hresult.InstallFailure, nil, err
	}
	m, err := installer.Decode(manifest)
	if err != nil {
		return hresult.InstallFailure, nil, err
	}
	a.log("[Win32App][ExecutionActionHandler] Executing %s for app %s", app.InstallCommand, app.ID)
	ctx, cancel := a.w.Clock.WithTimeout(a.w.Ctx, a.w.Timing.IME.InstallLimit, errInstallLimit)
	defer cancel()
	exit, err := a.w.Under(ctx).RunInstaller(m, size)
	if errors.Is(context.Cause(ctx), errInstallLimit) {
		a.log("Installation is timeout")
		return hresult.WaitTimeout, nil, errInstallLimit
	}
	if err != nil {
		return hresult.Aborted, nil, err
	}
	a.log("lpExitCode %d", exit)
	switch sidecar.Meaning(app.ReturnCodes.Value, exit) {
	case sidecar.ReturnSuccess, sidecar.ReturnSoftReboot, sidecar.ReturnHardReboot:
		return 0, &exit, nil
	default:
		if exit == device.ExitInstallRunning {
			return hresult.InstallAlreadyRunning, &exit, errInstaller
		}
		return hresult.InstallFailure, &exit, errInstaller
	}
}

var errInstallLimit = errors.New("the installer ran longer than it may")

// detect looks for an app by all of its rules.
func (a *agent) detect(app sidecar.App) (bool, error) {
	if len(app.DetectionRule.Value) == 0 {
		return false, errors.New("the app has no detection rule")
	}
	for _, rule := range app.DetectionRule.Value {
		d, err := rule.Detection()
		if err != nil {
			return false, err
		}
		if found, err := a.holds(d); err != nil || !found {
			return false, err
		}
	}
	return true, nil
}

var errDetection = errors.New("this kind of detection rule is not modelled")

func (a *agent) holds(d sidecar.Detection) (bool, error) {
	switch d := d.(type) {
	case sidecar.RegistryDetection:
		return a.registryHolds(d)
	case sidecar.FileDetection:
		_, found := a.w.Disk.Files.Read(strings.TrimSuffix(d.Path, `\`) + `\` + d.Name)
		switch d.DetectionType {
		case 1:
			return found, nil
		case 6:
			return !found, nil
		}
	case sidecar.MSIDetection:
		return a.w.Registry().Has(device.KeyUninstall + `\` + d.ProductCode), nil
	}
	return false, errDetection
}

func (a *agent) registryHolds(d sidecar.RegistryDetection) (bool, error) {
	r, key := a.w.Registry(), expandHive(d.KeyPath)
	switch d.DetectionType {
	case 1, 2:
		found := r.Has(key)
		if d.KeyName != "" {
			found = r.HasValue(key, d.KeyName)
		}
		return found == (d.DetectionType == 1), nil
	case 3, 5:
		return r.String(key, d.KeyName) == d.Value, nil
	case 4:
		v, ok := r.DWORD(key, d.KeyName)
		return ok && strconv.FormatUint(uint64(v), 10) == d.Value, nil
	}
	return false, errDetection
}

// expandHive writes the hive's name as this registry has it.
func expandHive(path string) string {
	if rest, ok := strings.CutPrefix(path, `HKEY_LOCAL_MACHINE\`); ok {
		return `HKLM\` + rest
	}
	return path
}

func codeOr(err error, otherwise hresult.Code) hresult.Code {
	if code, ok := hresult.CodeOf(err); ok {
		return code
	}
	return otherwise
}
