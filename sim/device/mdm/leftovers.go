package mdm

import (
	"errors"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
)

// What other management leaves on a disk, most often by way of an image that was
// taken of a PC in use (learn.microsoft.com, "Troubleshoot Windows device
// enrollment errors in Intune", which names the key; that the agent is found by
// its service, and the order, are our model).
const (
	keyOnlineManagement = `HKLM\SOFTWARE\Microsoft\OnlineManagement`
	serviceLegacyAgent  = "OnlineManagementAgent"
)

var (
	errLegacyAgent = errors.New("the Intune software client manages this PC")
	errLeftover    = errors.New("the account and the certificate of an earlier management are still there")
	errOther       = errors.New("somebody else has enrolled this PC")
)

// leftovers refuses to enrol a PC on which there is something of an earlier
// management: the software client of old, its account, or somebody else's
// enrolment.
func leftovers(w *device.Windows, e Enrollment) error {
	const op = "MDM enroll"
	r := w.Registry()
	if _, installed := r.DWORD(device.KeyServices+`\`+serviceLegacyAgent, "Start"); installed {
		return hresult.New(op, hresult.EnrollManagementBlocked, errLegacyAgent)
	}
	if len(r.ValueNames(keyOnlineManagement))+len(r.Subkeys(keyOnlineManagement)) > 0 {
		return hresult.New(op, hresult.InstallSourceAbsent, errLeftover)
	}
	for _, id := range r.Subkeys(device.KeyEnrollments) {
		key := device.KeyEnrollments + `\` + id
		if upn := r.String(key, "UPN"); r.String(key, "ProviderID") != "" && upn != "" && !strings.EqualFold(upn, e.UPN) {
			return hresult.New(op, hresult.EnrollAlreadyEnrolled, errOther)
		}
	}
	return nil
}
