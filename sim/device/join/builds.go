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
	deafToJoin     defect = "does not hear that the domain join is applied while it waits for it"
	namesEnglish   defect = "looks for the group of administrators by its English name"
	losesUpdates   defect = "does not wait for the scan for updates where a domain was joined"
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

	// "Microsoft Entra hybrid join Autopilot deployments time out". From which
	// builds on is not said; that the wait misses the blob is our model.
	{deafToJoin, version{22631, 0}, version{22631, 6275}, pageKnown}, // KB5070312
	{deafToJoin, version{26100, 0}, version{26100, 6583}, pageKnown}, // KB5065426
	{deafToJoin, version{26200, 0}, version{26200, 6724}, pageKnown}, // KB5065789
	// "Devices don't get quality updates during Microsoft Entra hybrid joined
	// deployments": since KB5041571, until KB5079473.
	{losesUpdates, version{26100, 1457}, version{26100, 8036}, pageKnown},
	{losesUpdates, version{26200, 0}, version{26200, 8036}, pageKnown},
	{namesEnglish, version{}, version{18362, 266}, pageResolved}, // KB4505903
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

// DeafToJoin tells whether setup on this Windows does not hear that a domain
// join is applied while it waits for it.
func DeafToJoin(w *device.Windows) bool { return has(w, deafToJoin) }

// LosesUpdates tells whether setup on this Windows gives up the scan for
// updates on a PC that has joined a domain.
func LosesUpdates(w *device.Windows) bool {
	_, member := w.Domain()
	return member && has(w, losesUpdates)
}
