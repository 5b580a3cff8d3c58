package join

import (
	"fmt"

	"windtunnel.test/sim/device"
)

// defect is a fault of some builds of Windows: what they do otherwise. What
// comes of it is not written here.
type defect string

const (
	readsNoChain   defect = "does not read the certificate chain that a TPM has in NV"
	wantsKeyID     defect = "refuses an EK certificate without authority key identifier"
	wantsEKAnyway  defect = "asks for the EK certificate although there is an AIK certificate"
	hangsOnTPM12   defect = "waits for a TPM 1.2 as if it could attest"
	newestRevision        = 1 << 30
)

// version is a build of Windows, "19044.1387".
type version struct{ build, revision int }

// buildDefects is the table. A range has both ends in it.
var buildDefects = []struct {
	defect   defect
	from, to version
	source   string
}{
	// Intel Tiger Lake's firmware TPM needs KB5007253 on Windows 10 21H2; older
	// releases are never mended. Updates of 2004 to 21H2 are the same. That the
	// chain is what old builds leave out is our model.
	{readsNoChain, version{}, version{19040, newestRevision}, pageKnown},
	{readsNoChain, version{19041, 0}, version{19041, 1386}, pageKnown},
	{readsNoChain, version{19042, 0}, version{19042, 1386}, pageKnown},
	{readsNoChain, version{19043, 0}, version{19043, 1386}, pageKnown},
	{readsNoChain, version{19044, 0}, version{19044, 1386}, pageKnown},
	{wantsKeyID, version{}, version{18362, 386}, pageResolved},    // KB4517211
	{wantsEKAnyway, version{}, version{18362, 328}, pageResolved}, // KB4512941
	{hangsOnTPM12, version{}, version{18362, 835}, pageResolved},  // KB4556799
}

const (
	pageKnown    = "learn.microsoft.com/autopilot/known-issues"
	pageResolved = "learn.microsoft.com/autopilot/resolved-issues"
)

// has tells whether this Windows has a defect.
func has(w *device.Windows, d defect) bool {
	var v version
	_, _ = fmt.Sscanf(w.Installation.Build, "%d.%d", &v.build, &v.revision) // what is missing is 0
	for _, row := range buildDefects {
		if row.defect == d && !v.before(row.from) && !row.to.before(v) {
			return true
		}
	}
	return false
}

func (v version) before(o version) bool {
	return v.build < o.build || v.build == o.build && v.revision < o.revision
}
