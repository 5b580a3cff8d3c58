package esp

import (
	"context"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/odj"
)

// join is what a blob brings, when it does.
func stage(r *rig.Rig, w *device.Windows) {
	r.OK(w.StageDomainJoin(odj.Win7{Domain: "corp.contoso.com", MachineName: "PC-1", MachinePassword: "Machine-Secret-0123456789",
		DNSDomain: odj.DomainInfo{Name: "CORP", DNS: "corp.contoso.com"}}))
	w.Signal(SignalProgress).Broadcast()
}

func withDomain(r *rig.Rig) *vnet.Site {
	forest, err := fakead.New(fakead.Options{Clock: r.Clock, Journal: journal.New(r.Clock, r.Memory), Timing: r.Timing, Seed: rig.Seed, Domain: "corp.contoso.com",
		NetBIOS: "CORP", Controllers: []fakead.Controller{{Name: "dc1"}}, Since: rig.Start.AddDate(-1, 0, 0)})
	r.OK(err)
	r.OK(forest.Attach(r.Net))
	office, err := r.Net.AddSite(vnet.SiteConfig{Name: "office", Wired: true, SeesDC: true})
	r.OK(err)
	return office
}

// The wait for the domain ends with the blob and a controller, or after its 25
// minutes, with an error that says what did not come.
func TestAwaitDomainJoin(t *testing.T) {
	for _, c := range []struct {
		name       string
		build      string
		blob       time.Duration // after the start of the wait; negative: never
		before     bool          // the blob was there before
		controller bool          // is asked for
		office     bool          // where one can be seen
		code       hresult.Code
		took       time.Duration // at most
	}{
		{name: "blob, no controller asked for", blob: time.Minute, took: 3 * time.Minute},
		{name: "blob and controller", blob: time.Minute, controller: true, office: true, took: 3 * time.Minute},
		{name: "there already", before: true, controller: true, office: true, took: time.Minute},
		{name: "no blob", blob: -1, code: hresult.DomainControllerNone, took: 25 * time.Minute},
		{name: "no controller", blob: time.Minute, controller: true, code: hresult.DomainControllerNone, took: 25 * time.Minute},
		{name: "not heard by an old build", build: "26100.6583", blob: time.Minute, code: hresult.Fail, took: 25 * time.Minute},
		{name: "heard by the next one", build: "26100.6584", blob: time.Minute, took: 3 * time.Minute},
		{name: "there already on an old build", build: "26200.6724", before: true, took: time.Minute},
		{name: "no blob on an old build", build: "22631.6275", blob: -1, code: hresult.DomainControllerNone, took: 25 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rig.New(t)
			office := withDomain(r)
			pc := r.PC(0, func(w *device.Windows) error {
				if c.before {
					stage(r, w)
				} else if c.blob > 0 {
					w.Service("blob", func(ctx context.Context) {
						if w.Clock.Sleep(ctx, c.blob, "blob") == nil {
							stage(r, w)
						}
					})
				}
				begin := r.Clock.Now()
				err := AwaitDomainJoin(w, JoinWait{Controller: c.controller, Phase: "DomainJoin"})
				code, _ := hresult.CodeOf(err)
				r.Expect(code).To(gomega.Equal(c.code), "%v", err)
				r.Expect(r.Clock.Now().Sub(begin)).To(gomega.BeNumerically("<=", c.took+time.Second))
				return device.ErrShutdown
			})
			pc.Installation.Build = "26100.7171"
			if c.build != "" {
				pc.Installation.Build = c.build
			}
			if c.office {
				pc.NIC.Move(office)
			}
			r.Boot(pc)
			state, _ := pc.Disk.Registry.DWORD(device.KeyODJ, "State")
			r.Expect(device.ODJState(state) == device.ODJTimedOut).To(gomega.Equal(c.code != 0))
			none := r.Logged("domain.noController", "")
			r.Expect(len(none) > 0).To(gomega.Equal(c.controller && !c.office), "%v", none)
		})
	}
}

// The budget goes on where the power goes meanwhile.
func TestJoinBudgetOutlivesPower(t *testing.T) {
	r := rig.New(t)
	var total time.Duration
	pc := r.PC(0, func(w *device.Windows) error {
		begin := r.Clock.Now()
		defer func() { total += r.Clock.Now().Sub(begin) }()
		if err := AwaitDomainJoin(w, JoinWait{}); context.Cause(w.Ctx) == nil {
			code, _ := hresult.CodeOf(err)
			r.Expect(code).To(gomega.Equal(hresult.DomainControllerNone))
		}
		return device.ErrShutdown
	})
	r.Actor(func(ctx context.Context) {
		r.OK(pc.PowerOn(ctx))
		r.OK(r.Clock.Sleep(ctx, 15*time.Minute, "power"))
		pc.CutPower()
		r.OK(pc.AwaitOff(ctx))
		r.OK(pc.PowerOn(ctx))
		r.OK(pc.AwaitOff(ctx))
	})
	r.Drive()
	r.Expect(total).To(gomega.BeNumerically("~", 25*time.Minute, 3*time.Minute))
}

// Account setup waits for the registration with a clock of its own, the page's
// time and 40 minutes, and then fails as the page does.
func TestRegistrationIsAwaited(t *testing.T) {
	r := rig.New(t)
	pc := r.PC(0, func(w *device.Windows) error {
		if w.Boot == 1 {
			stage(r, w)
			return device.ErrReboot
		}
		begin := r.Clock.Now()
		p := open(w, "AccountSetup", accountRows...)
		err := category{name: "AccountSetup", sid: "S-1-5-21-1-2-3-1104", rows: accountRows}.awaitRegistration(p)
		code, _ := hresult.CodeOf(err)
		r.Expect(code).To(gomega.Equal(hresult.WaitTimeout))
		r.Expect(phaseOf(err)).To(gomega.Equal("AccountSetup." + StepRegistration))
		r.Expect(r.Clock.Now().Sub(begin)).To(gomega.BeNumerically("~", w.Timing.ESP.Timeout+w.Timing.Hybrid.ESPExtension, time.Minute))
		r.Expect(p.state(StepRegistration)).To(gomega.Equal(failed))
		s := w.Screen()
		r.Expect(s.Rows).To(gomega.ContainElement(gomega.HaveField("Name", RowNetwork)))
		return device.ErrShutdown
	})
	r.Boot(pc)
}

func phaseOf(err error) string {
	if e, ok := err.(*hresult.Error); ok {
		return e.Phase
	}
	return ""
}

// A policy whose accounts could not be merged fails the page's one item for
// policies, until it gets another chance.
func TestFailedMerge(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		uri := "./Device/Vendor/MSFT/Policy/Config/UserRights/DenyLocalLogOn"
		w.Registry().SetDWORD(processedPolicies, uri, uint32(hresult.TrustedRelationship))
		w.Registry().SetDWORD(processedPolicies, "./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana", 1)
		p := policies(w, "", settings{sent: true})
		r.Expect(p.failure).To(gomega.Equal(hresult.TrustedRelationship))
		r.Expect(policies(w, "S-1-5-21-1", settings{sent: true}).failure).To(gomega.BeZero())
		again(w, "")
		r.Expect(policies(w, "", settings{sent: true}).failure).To(gomega.BeZero())
	})
}
