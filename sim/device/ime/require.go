package ime

import (
	"context"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/sidecar"
)

// Bits of an app's architectures.
const (
	archX64   = 2
	archARM64 = 8
)

// applicable tells whether the PC is what an app requires. A rule that cannot
// be read is not met. The error is the end of the boot.
func (e *evaluation) applicable(app sidecar.App) (bool, error) {
	why, err := e.unmet(app)
	if cause := context.Cause(e.w.Ctx); cause != nil {
		return false, cause
	}
	if err != nil {
		why = err.Error()
	}
	state := "Applicable"
	if why != "" {
		state = "RequirementsNotMet (" + why + ")"
	}
	e.workload("[Win32App][ApplicabilityActionHandler] Applicability check for policy with id: %s resulted in action status: Success and applicability state: %s.", app.ID, state)
	return why == "", nil
}

// unmet names the first requirement that is not met, "" where all are.
func (e *evaluation) unmet(app sidecar.App) (string, error) {
	r, hw := app.RequirementRules.Value, e.w.Hardware
	if r.OSArchitecture != 0 && r.OSArchitecture&e.architectures() == 0 {
		return "OS architecture", nil
	}
	if r.MinimumOS != "" {
		least, ok := sidecar.ReleaseBuild(r.MinimumOS)
		have, _, _ := strings.Cut(e.w.Installation.Build, ".")
		if build, err := strconv.Atoi(have); !ok || err != nil || build < least {
			return "OS version", nil
		}
	}
	for _, least := range []struct {
		name   string
		wanted *int
		have   int64
	}{
		{"free disk space", r.MinimumFreeDiskMB, e.w.Disk.Room() >> 20},
		{"memory", r.MinimumMemoryMB, int64(hw.RAMBytes >> 20)},
		{"processors", r.MinimumProcessors, int64(hw.Cores)},
	} {
		if least.wanted != nil && int64(*least.wanted) > least.have {
			return least.name, nil
		}
	}
	for i, rule := range app.ExtendedRules.Value {
		d, err := rule.Detection()
		if err != nil {
			return "", err
		}
		met, err := e.holds(d, e.sidOf(app), true)
		if err != nil {
			return "", err
		}
		if !met {
			return "rule " + strconv.Itoa(i+1), nil
		}
	}
	return "", nil
}

// architectures are those whose apps run on the PC: an ARM64 Windows 11 runs
// x64 apps as well.
func (e *evaluation) architectures() int {
	if strings.HasPrefix(e.w.Hardware.CPU, "Snapdragon") {
		return archX64 | archARM64
	}
	return archX64
}
