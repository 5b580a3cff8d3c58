package mdm_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/syncml"
)

const product = "{0A1B2C3D-0000-4000-8000-000000000001}"

var pkg = csp.MSI{Scope: csp.Device, ProductCode: product}

// publish puts an MSI on the content network and gives the command that has it
// installed.
func publish(r *rig.Rig, m installer.Manifest, size int, broken bool) syncml.Command {
	body, err := m.Encode()
	r.OK(err)
	r.Serve(hosts.ContentCDN, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(hosts.HeaderModelledSize, fmt.Sprint(size))
		_, _ = w.Write(body)
	})
	sum := sha256.Sum256(body)
	if broken {
		sum[0]++
	}
	job, err := csp.MsiInstallJob{ID: product, Product: csp.Product{
		Version: "1.0", ContentURLs: []string{"https://" + hosts.ContentCDN + "/agent.msi"}, FileHash: hex.EncodeToString(sum[:]), RetryCount: 1, RetryInterval: 3,
	}}.Encode()
	r.OK(err)
	return syncml.NewExec(pkg.DownloadInstall(), syncml.XML, job)
}

var agent = installer.Manifest{Product: "Agent", Version: "1.0", MSI: true, Duration: time.Minute, Service: "agent"}

func status(w *device.Windows) csp.MSIStatus {
	v, _ := w.Registry().DWORD(device.KeyMSI+`\`+device.DeviceSID+`\MSI\`+product, "Status")
	return csp.MSIStatus(v)
}

// The job is accepted, runs beside the session, and reports at the next one.
// It outlives the step in whose course the session was held, and so does the
// service that it installs.
func TestMSI(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	exec := publish(r, agent, 80_000_000, false)
	ticks := 0
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		w.Provide("agent", func(ctx context.Context) {
			for w.Clock.Sleep(ctx, time.Minute, "tick") == nil {
				ticks++
			}
		})
		step, cancel := w.Clock.WithTimeout(w.Ctx, time.Minute, errors.New("step over"))
		expected := csp.JoinCounted([]csp.Counted{{URI: pkg.Status(), Count: 1}})
		r.Expect(s.codes(w.Under(step), deviceSession, replace(csp.FirstSyncStatus(csp.Device, csp.ExpectedMSIAppPackages), expected),
			add(pkg.DownloadInstall(), ""), exec, syncml.NewGet(pkg.Status()))).To(gomega.Equal([]int{200, 200, 202, 200}))
		cancel()
		r.OK(w.Sleep(30*time.Second, "downloading is through"))
		r.Expect(status(w)).To(gomega.Equal(csp.MSIEnforcing))
		r.OK(w.Sleep(10*time.Minute, "all is through"))
		r.Expect(status(w)).To(gomega.Equal(csp.MSIEnforced))
		r.Expect(ticks).To(gomega.Equal(9))

		s.codes(w, deviceSession, replace(csp.FirstSyncStatus(csp.Device, csp.ExpectedMSIAppPackages), expected))
		r.Expect(alerts(s)).To(gomega.Equal([]string{pkg.DownloadInstall() + " = 1"}))
		s.codes(w, deviceSession, syncml.NewGet(pkg.Name()))
		r.Expect(alerts(s)).To(gomega.BeEmpty(), "it is reported once")

		w.Registry().DeleteTree(device.KeyTracking) // Reseal forgets what was tracked
		s.codes(w, deviceSession, replace(csp.FirstSyncStatus(csp.Device, csp.ExpectedMSIAppPackages), expected))
		stamp := w.Registry().Subkeys(device.KeyESPInfo + `\ExpectedMSIAppPackages`)[0]
		uri, err := csp.Canonical(pkg.Status())
		r.OK(err)
		v, _ := w.Registry().DWORD(device.KeyESPInfo+`\ExpectedMSIAppPackages\`+stamp, uri)
		r.Expect(v).To(gomega.Equal(uint32(1)), "what is installed is not waited for")
		r.Expect(s.codes(w, deviceSession, exec)).To(gomega.Equal([]int{202}))
		r.OK(w.Sleep(time.Second, "nothing to install"))
		s.codes(w, deviceSession, syncml.NewGet(pkg.Name()))
		r.Expect(alerts(s)).To(gomega.HaveLen(1), "who asks again hears that it is there")
	})
}

// alerts are the generic alerts of the last session's first message.
func alerts(s *server) (out []string) {
	for _, c := range s.got[0].Commands {
		if c.Verb == syncml.Alert && c.Code == syncml.AlertGeneric {
			out = append(out, c.Items[0].Source+" = "+c.Items[0].Data)
		}
	}
	return out
}

func TestMSIFails(t *testing.T) {
	for name, c := range map[string]struct {
		m            installer.Manifest
		broken       bool
		retry, ended csp.MSIStatus
	}{
		"hash":      {agent, true, csp.MSIPendingRetry, csp.MSIDownloadFailed},
		"exit code": {installer.Manifest{Product: "Agent", MSI: true, Duration: time.Second, ExitCode: 1603}, false, csp.MSIPendingEnforceRetry, csp.MSIEnforceFailed},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			s := serve(r)
			exec := publish(r, c.m, 100, c.broken)
			r.Once(1, func(w *device.Windows) {
				r.Enrol(w, address)
				s.codes(w, deviceSession, exec)
				r.OK(w.Sleep(2*time.Minute, "first attempt"))
				r.Expect(status(w)).To(gomega.Equal(c.retry))
				r.OK(w.Sleep(5*time.Minute, "second attempt"))
				r.Expect(status(w)).To(gomega.Equal(c.ended))
				r.Expect(s.codes(w, deviceSession, syncml.NewExec(pkg.DownloadInstall(), syncml.XML, "<no"))).To(gomega.Equal([]int{400}))
			})
			r.Expect(r.Logged("eventlog", "id=1924")).To(gomega.HaveLen(2))
		})
	}
}

// A job that the loss of power broke off is taken up again at the next boot.
func TestMSISurvivesPowerLoss(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	exec := publish(r, agent, 80_000_000, false)
	pc := r.PC(1, func(w *device.Windows) error {
		w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
		w.Provide("agent", func(context.Context) {})
		if w.Boot == 1 {
			r.Enrol(w, address)
			w.InstallService(mdm.ServiceSchedule)
			s.codes(w, deviceSession, exec)
			s.script = nil
			return w.Sleep(time.Hour, "wait for the power to go")
		}
		r.Expect(status(w)).To(gomega.Equal(csp.MSIEnforcing))
		w.StartServices()
		r.OK(w.Sleep(2*time.Minute, "the job goes on"))
		r.Expect(status(w)).To(gomega.Equal(csp.MSIEnforced))
		return device.ErrShutdown
	})
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		for status(&device.Windows{PC: pc}) != csp.MSIEnforcing {
			r.OK(r.Clock.Sleep(ctx, time.Second, "watch"))
		}
		pc.CutPower()
		r.OK(pc.AwaitOff(ctx))
		r.OK(pc.PowerOn(ctx))
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
}

// Sessions of the schedule count from the enrolment: every 3 minutes, then
// every 15, then every 8 hours; a PC that was off goes on where the clock is.
func TestSchedule(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	var at []time.Duration
	boots := 0
	pc := r.PC(1, func(w *device.Windows) error {
		w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
		if boots++; boots == 1 {
			r.Enrol(w, address)
			w.InstallService(mdm.ServiceSchedule)
			r.OK(w.Sleep(31*time.Minute, "five and one"))
			return device.ErrReboot
		}
		w.StartServices()
		r.OK(w.Sleep(24*time.Hour, "the rest"))
		return device.ErrShutdown
	})
	r.Boot(pc)
	enrolled, err := time.Parse(time.RFC3339Nano, pc.Disk.Registry.String(device.KeyEnrollments+`\{1}`, "Enrolled"))
	r.OK(err)
	for _, e := range r.Memory.Timeline("PC-1") {
		if e.Kind == "mdm.session" {
			at = append(at, e.Time.Sub(enrolled).Truncate(time.Minute))
		}
	}
	m := time.Minute
	r.Expect(at).To(gomega.Equal([]time.Duration{3 * m, 6 * m, 9 * m, 12 * m, 15 * m, 30 * m, 45 * m, 60 * m, 75 * m, 90 * m, 105 * m, 120 * m, 135 * m, 615 * m, 1095 * m}))
	r.Expect(s.begun).To(gomega.HaveLen(len(at)))
}
