package esp

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
)

// write is one value of the registry that the trackers read.
type write struct {
	key, name string
	value     uint32
}

const (
	base        = device.KeyESPInfo
	stamp       = `\2026-09-01 08.00.00`
	sidecar     = device.KeyTracking + `\Device\Setup\Apps\Tracking\Sidecar`
	created     = device.KeyTracking + `\Device\Setup\Apps\PolicyProviders\Sidecar`
	user        = "S-1-12-1-1"
	providerKey = providersKey + `\Sidecar`
	usersApps   = device.KeyTracking + `\` + user + `\Setup\Apps`
)

func TestTrackers(t *testing.T) {
	policy := func(v uint32) write {
		return write{base + `\ExpectedPolicies` + stamp, "./Device/Vendor/MSFT/Policy/A", v}
	}
	app := func(id string, v uint32) write {
		return write{sidecar + `\Win32App_` + id + `_1`, "InstallationState", v}
	}
	listed := write{created, "TrackingPoliciesCreated", 1}
	agent := write{providerKey, "InstallationState", providerCompleted}
	for _, c := range []struct {
		name   string
		writes []write
		sid    string
		sent   bool
		row    string
		state  string
		text   string
	}{
		{"policies, nothing sent", nil, "", false, RowPolicies, inProgress, "Working on it... (0 of 1 applied)"},
		{"policies, nothing expected", nil, "", true, RowPolicies, succeeded, "Complete (1 of 1 applied)"},
		{"policies, pending", []write{policy(0)}, "", true, RowPolicies, inProgress, "Working on it... (0 of 1 applied)"},
		{"policies, processed", []write{policy(1)}, "", true, RowPolicies, succeeded, "Complete (1 of 1 applied)"},
		{"policies, failed", []write{policy(0x86000011)}, "", true, RowPolicies, failed, "Error (0x86000011)"},
		{"policies, another user's", []write{{base + `\S-1-5-9\ExpectedPolicies` + stamp, "x", 0}}, user, true, RowPolicies, succeeded, "Complete (1 of 1 applied)"},
		{"apps, nothing sent", nil, "", false, RowApps, inProgress, "Identifying"},
		{"apps, none", nil, "", true, RowApps, notRequired, "No setup needed"},
		{"apps, the agent has not listed its own", []write{agent}, "", true, RowApps, inProgress, "Identifying"},
		{"apps, listed none", []write{agent, listed}, "", true, RowApps, notRequired, "No setup needed"},
		{"apps, one of two", []write{agent, listed, app("a", 3), app("b", 2)}, "", true, RowApps, inProgress, "Working on it... (1 of 2 installed)"},
		{"apps, both", []write{agent, listed, app("a", 3), app("b", 3)}, "", true, RowApps, succeeded, "Complete (2 of 2 installed)"},
		{"apps, one failed", []write{agent, listed, app("a", 3), app("b", 4), {sidecar + `\Win32App_b_1`, "LastError", 0x87D1041C}}, "", true, RowApps, failed, "Error (0x87D1041C)"},
		{"apps, failed without a code", []write{agent, listed, app("b", 4)}, "", true, RowApps, failed, "Error (0x80004005)"},
		{"apps, with an MSI", []write{agent, listed, app("a", 3), {base + `\ExpectedMSIAppPackages` + stamp, "msi", 0}}, "", true, RowApps, inProgress, "Working on it... (1 of 2 installed)"},
		{"apps, the user's", []write{agent, {usersApps + `\PolicyProviders\Sidecar`, "TrackingPoliciesCreated", 1}, app("a", 2), {usersApps + `\Tracking\Sidecar\Win32App_u_1`, "InstallationState", 3}}, user, true, RowApps, succeeded, "Complete (1 of 1 installed)"},
		{"certificates, not sent", nil, "", false, RowCertificates, inProgress, "Identifying"},
		{"certificates", []write{{base + `\ExpectedPFXCerts` + stamp, "a", 1}, {base + `\ExpectedSCEPCerts` + stamp, "b", 0}}, "", true, RowCertificates, inProgress, "Working on it... (1 of 2 applied)"},
		{"connections", nil, "", true, RowConnections, notRequired, "No setup needed"},
	} {
		r := rig.New(t)
		r.Once(0, func(w *device.Windows) {
			for _, x := range c.writes {
				w.Registry().SetDWORD(x.key, x.name, x.value)
			}
			set := settings{sent: c.sent}
			p, verb := policies(w, c.sid, set), "applied"
			switch c.row {
			case RowApps:
				p, verb = apps(w, c.sid, set), "installed"
			case RowCertificates:
				p = certificates(w, c.sid, set)
			case RowConnections:
				p = connections(w, c.sid, set)
			}
			state, text := p.status(verb)
			r.Expect([]string{state, text}).To(gomega.Equal([]string{c.state, c.text}), c.name)
			r.Expect(p.finished() && p.failure == 0).To(gomega.Equal(c.state == succeeded || c.state == notRequired), c.name)
		})
	}
}

func TestSettings(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		r.Expect(readSettings(w, "")).To(gomega.Equal(settings{timeout: w.Timing.ESP.Timeout, outcome: provisioningInProgress}))
		w.Registry().SetString(device.KeyEnrollments, "Current", "{1}")
		key := device.KeyEnrollments + `\{1}\FirstSync`
		w.Registry().SetDWORD(key, "SkipUserStatusPage", 0xFFFFFFFF)
		w.Registry().SetDWORD(key, "SyncFailureTimeout", 90)
		w.Registry().SetDWORD(key, "BlockInStatusPage", 5)
		w.Registry().SetDWORD(key+`\`+user, "ServerHasFinishedProvisioning", 1)
		r.Expect(readSettings(w, "").skip).To(gomega.BeFalse())
		s := readSettings(w, user)
		r.Expect(s.skip && s.sent && !s.syncDone).To(gomega.BeTrue())
		r.Expect(s.timeout.Minutes()).To(gomega.Equal(90.0))
		r.Expect(s.block).To(gomega.Equal(uint32(5)))
	})
}

func codeOf(err error) hresult.Code {
	code, _ := hresult.CodeOf(err)
	return code
}
