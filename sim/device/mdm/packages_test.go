package mdm_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/wire/ppkg"
	"windtunnel.test/sim/wire/syncml"
)

// Packages of the factory are applied in the order of their names, through the
// same providers that a server reaches, and each once.
func TestProvisioningPackages(t *testing.T) {
	r := rig.New(t)
	r.Once(1, func(w *device.Windows) {
		put := func(name string, p ppkg.Package) {
			b, err := p.Encode()
			r.OK(err)
			w.Disk.Files.Write(ppkg.Folder+`\`+name, b)
		}
		zone := "./Vendor/MSFT/Policy/Config/TimeLanguageSettings/ConfigureTimeZone"
		put("b.ppkg", ppkg.Package{Name: "Second", Restart: true, Settings: []ppkg.Setting{{URI: zone, Value: "Tokyo Standard Time"}}})
		put("a.ppkg", ppkg.Package{Name: "First", Settings: []ppkg.Setting{
			{URI: zone, Value: "UTC"}, {URI: "./Vendor/MSFT/None/x", Value: "1"}, {URI: "./User/Vendor/MSFT/Policy/Config/A/B", Value: "1"}, {URI: policy("A"), Format: "int", Value: "5"},
		}})
		w.Disk.Files.Write(ppkg.Folder+`\c.ppkg`, []byte("no package"))
		w.Disk.Files.Write(ppkg.Folder+`\readme.txt`, []byte("no package either"))
		restart, err := mdm.ApplyPackages(w)
		r.OK(err)
		r.Expect(restart).To(gomega.BeTrue())
		r.Expect(w.Zone().Name).To(gomega.Equal("Tokyo Standard Time"))
		r.Expect(w.Registry().String(device.KeyPolicyManager+`\device\Experience`, "A")).To(gomega.Equal("5"))
		restart, err = mdm.ApplyPackages(w)
		r.OK(err)
		r.Expect(restart).To(gomega.BeFalse(), "once")
	})
	r.Expect(r.Logged("package.applied", "")).To(gomega.HaveLen(2))
	r.Expect(r.Logged("package.applied", "name=First")[0]).To(gomega.ContainSubstring("failed=2"))
	r.Expect(r.Logged("package.failed", "")).To(gomega.HaveLen(1))
}

// What a failed session could not tell the server waits for the next one.
func TestAlertsOutliveAFailedSession(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	exec := publish(r, agent, 100, false)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		s.codes(w, deviceSession, exec)
		r.OK(w.Sleep(5*time.Minute, "installed"))
		base := device.KeyEnrollments + `\{1}`
		w.Registry().SetString(base, "Addr", "https://away.contoso.test/")
		r.Expect(mdm.Sync(w, deviceSession)).NotTo(gomega.Succeed())
		w.Registry().SetString(base, "Addr", address)
		s.codes(w, deviceSession, syncml.NewGet(pkg.Name()))
		r.Expect(alerts(s)).To(gomega.HaveLen(1))
		s.codes(w, deviceSession, syncml.NewGet(pkg.Name()))
		r.Expect(alerts(s)).To(gomega.BeEmpty(), "it is reported once")
	})
}

// An Atomic that fails takes back what it did itself, and nothing of what runs
// beside it.
func TestAtomicLeavesOthersAlone(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		free := w.Disk.Free
		w.Registry().SetString(`HKLM\SOFTWARE\Other`, "before", "1")
		r.Expect(s.codes(w, deviceSession, replace(policy("A"), "1"),
			syncml.NewAtomic(replace(policy("A"), "2"), replace(policy("B"), "2"), syncml.NewDelete(policy("A")), syncml.NewGet(policy("A"))))).To(gomega.Equal([]int{200, 507, 216, 216, 216, 500}))
		key := device.KeyPolicyManager + `\device\Experience`
		r.Expect(w.Registry().ValueNames(key)).To(gomega.Equal([]string{"A"}))
		r.Expect(w.Registry().String(key, "A")).To(gomega.Equal("1"))
		r.Expect(w.Registry().String(`HKLM\SOFTWARE\Other`, "before")).To(gomega.Equal("1"))
		r.Expect(w.Disk.Free).To(gomega.Equal(free))
	})
}

// A scheduled session of somebody who has signed in is his, with the token that
// the broker gives.
func TestScheduledSessionsCarryTheUser(t *testing.T) {
	r := rig.New(t)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Enrol(w, address)
		mdm.ProvideTokens(w, func(w *device.Windows) (string, bool) {
			return "of.the.broker", !w.Registry().Has("Stale")
		})
		w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
		w.InstallService(mdm.ServiceSchedule)
		w.LogOn(device.Account{SID: sid, Name: "anna"})
		r.OK(w.Sleep(4*time.Minute, "a session of the schedule"))
		w.LogOff()
		r.OK(w.Sleep(3*time.Minute, "another"))
		w.LogOn(device.Account{SID: sid, Name: "anna"})
		w.Registry().SetDWORD("Stale", "token", 1)
		r.OK(w.Sleep(3*time.Minute, "the broker still has the device's own token"))
	})
	var seen []string
	for _, b := range s.begun {
		seen = append(seen, string(b.Login)+" "+b.AADUserToken)
	}
	r.Expect(seen).To(gomega.Equal([]string{
		mdm.LoginOthers + " ", mdm.LoginUser + " of.the.broker", // the device's and the user's
		mdm.LoginNone + " ",
		mdm.LoginOthers + " ", mdm.LoginOthers + " ", // the broker has nothing of the user's
	}))
}
