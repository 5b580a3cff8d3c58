package hybrid_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"windtunnel.test/fakead/connect"
	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/ldap"
)

// timed is a hybrid world with other times.
func timed(values map[string]any, changes ...func(*scenario.Scenario)) *spec.World {
	GinkgoHelper()
	return spec.NewWorld(spec.Hybrid(changes...), spec.Timing(values))
}

var _ = Describe("the wait for the blob", Label("T08"), func() {
	quick := map[string]any{"hybrid.connectorPoll": "1s..1s", "esp.sessionInterval": "1s"}

	// blobAfter has a connector begin to work when a PC has waited for so long, and
	// tells whether the PC got its blob, and when.
	blobAfter := func(d time.Duration, values map[string]any) (got bool, took time.Duration) {
		GinkgoHelper()
		for k, v := range quick {
			values[k] = v
		}
		w := timed(values, stopped)
		pc := newPC(w)
		w.ToLanding(pc)
		w.Begin(pc)
		begun := w.AwaitEvent(pc, "domain.wait", nil).Time
		w.WaitUntil(begun.Add(d))
		w.Connectors[0].Start()
		w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
		if staged := w.Events(pc, "device.domain.staged"); len(staged) > 0 {
			return true, staged[0].Time.Sub(begun)
		}
		return false, at(w, pc, "domain.timeout").Sub(begun)
	}

	// until has the blob come at that moment, less what connector, service and PC
	// need for it, in a world that is otherwise the same.
	until := func(d time.Duration, values map[string]any) (bool, time.Duration) {
		GinkgoHelper()
		got, took := blobAfter(time.Minute, map[string]any{})
		Expect(got).To(BeTrue())
		return blobAfter(d-(took-time.Minute), values)
	}

	It("is long enough for 24:59", func() {
		got, took := until(25*time.Minute-2*time.Second, map[string]any{})
		Expect(got).To(BeTrue())
		Expect(took).To(And(BeNumerically(">", 24*time.Minute+50*time.Second), BeNumerically("<", 25*time.Minute)))
	})

	It("is over before 25:01", func() {
		got, took := until(25*time.Minute+10*time.Second, map[string]any{})
		Expect(got).To(BeFalse())
		Expect(took).To(BeNumerically("~", 25*time.Minute, time.Second))
	})

	It("is the timing profile's, and moves with it", func() {
		got, _ := until(25*time.Minute+10*time.Second, map[string]any{"hybrid.connectivityBudget": "26m"})
		Expect(got).To(BeTrue())
	})
})

var _ = Describe("clocks of PC and controller", Label("T39"), func() {
	// refused has alex log on where the domain's clocks are off by so much.
	refused := func(off time.Duration, values map[string]any) bool {
		GinkgoHelper()
		w := timed(values, ahead(off))
		pc := newPC(w)
		w.Provision(pc)
		w.ShipTo(pc, "office", 2*day)
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		w.Await(pc, oobe.ScreenLogon)
		logOn(w, pc)
		w.Wait(time.Minute)
		return len(w.Events(pc, "logon.failed")) > 0
	}
	exact := func(more map[string]any) map[string]any {
		more["device.firmware"], more["device.boot"] = "1s..1s", "1s..1s"
		return more
	}

	It("may be 4:59 apart, and not 5:01", func() {
		Expect(refused(4*time.Minute+59*time.Second, exact(map[string]any{}))).To(BeFalse())
		Expect(refused(5*time.Minute+time.Second, exact(map[string]any{}))).To(BeTrue())
		Expect(refused(-5*time.Minute-time.Second, exact(map[string]any{}))).To(BeTrue())
	})

	It("may be as far apart as the timing profile says", func() {
		Expect(refused(5*time.Minute+time.Second, exact(map[string]any{"hybrid.clockSkew": "6m"}))).To(BeFalse())
	})
})

var _ = Describe("the registration of a domain's PC", func() {
	// tried are the gaps between attempts of a PC that the sync does not bring, in
	// its user's first hours.
	tried := func(values map[string]any) []time.Duration {
		GinkgoHelper()
		w := timed(values, notSynced)
		pc := inTheOffice(w)
		unpacking(w, pc)
		w.AwaitEvent(pc, "hybrid.failed", nil)
		w.Wait(4 * time.Hour)
		return gaps(w.Events(pc, "hybrid.failed"))
	}
	about := func(d time.Duration) types.GomegaMatcher {
		return And(BeNumerically(">=", d), BeNumerically("<", d+5*time.Second))
	}

	It("is forced as often under the page as the timing profile says", Label("T09"), func() {
		Expect(tried(map[string]any{"hybrid.registrationForce": "7m"})).To(And(ContainElement(about(7*time.Minute)), Not(ContainElement(about(4*time.Minute)))))
	})

	It("is tried every hour by the task itself", Label("T10"), func() {
		Expect(tried(map[string]any{"hybrid.registrationForce": "10h"})).To(ContainElement(about(time.Hour)))
		Expect(tried(map[string]any{"hybrid.registrationForce": "10h", "hybrid.registrationRetry": "70m"})).To(
			And(ContainElement(about(70*time.Minute)), Not(ContainElement(about(time.Hour)))))
	})

	// How many claims are too many is not published: our model is a burst, here of
	// one, within the 300 seconds of the documented hint.
	It("is refused as throttled at 299 seconds after the last claim, and is open again at 303", Label("T11"), func() {
		throttled := func(every string, more map[string]any) bool {
			values := map[string]any{"hybrid.registrationForce": every, "join.throttleBurst": 1}
			for k, v := range more {
				values[k] = v
			}
			w := timed(values, notSynced)
			pc := inTheOffice(w)
			unpacking(w, pc)
			begun := w.AwaitEvent(pc, "hybrid.failed", nil).Time
			w.Wait(40 * time.Minute)
			return slices.ContainsFunc(w.Events(pc, "hybrid.failed"), func(e journal.Event) bool { // start and sign-in try as well, at first
				return e.Time.Sub(begun) > 15*time.Minute && strings.Contains(e.Text("error"), "busy with this device")
			})
		}
		Expect(throttled("299s", nil)).To(BeTrue())
		Expect(throttled("303s", nil)).To(BeFalse())
		Expect(throttled("303s", map[string]any{"join.throttleRetry": "310s"})).To(BeTrue())
	})

	It("waits under the page for as long more as the timing profile says", Label("T04"), func() {
		for extension, whole := range map[string]time.Duration{"40m": 100 * time.Minute, "10m": 70 * time.Minute} {
			w := timed(map[string]any{"hybrid.espExtension": extension}, notSynced)
			pc := inTheOffice(w)
			Expect(spec.FailureOf(w.TryUnpack(pc, w.User("alex"))).Code).To(Equal("0x800705B4"))
			failed, logons := w.Events(pc, "user.failed"), w.Events(pc, "logon.kerberos")
			Expect(failed[len(failed)-1].Time.Sub(logons[0].Time)).To(BeNumerically("~", whole, 3*time.Minute), extension)
		}
	})
})

var _ = Describe("the directory synchronisation", Label("T12"), func() {
	It("has its cycle from the timing profile", func() {
		w := timed(map[string]any{"hybrid.syncCycle": "45m"})
		w.Wait(4 * time.Hour)
		Expect(gaps(w.EventsOf(w.Connect.Name(), connect.EventCycle))).To(HaveEach(BeNumerically("~", 45*time.Minute, time.Minute)))
	})
})

var _ = Describe("a connector that is silent", Label("T33"), func() {
	// listed says whether Intune lists a connector that stopped so long ago.
	listed := func(silent time.Duration, values map[string]any) bool {
		GinkgoHelper()
		w := timed(values)
		w.Wait(time.Hour)
		w.Connectors[0].Stop()
		w.Wait(silent)
		var all graph.Collection[struct {
			ID string `json:"id"`
		}]
		w.Graph(http.MethodGet, "/beta/deviceManagement/domainJoinConnectors", nil, &all)
		return len(all.Value) > 0
	}

	It("is listed for 30 days, and not for longer", func() {
		Expect(listed(30*day-5*time.Minute, map[string]any{})).To(BeTrue())
		Expect(listed(30*day+5*time.Minute, map[string]any{})).To(BeFalse())
	})

	It("is listed as long as the timing profile says", func() {
		Expect(listed(30*day+5*time.Minute, map[string]any{"hybrid.connectorCleanup": "31d"})).To(BeTrue())
	})
})

var _ = Describe("what an account of the domain may join by itself", Label("T40"), func() {
	// joined is how many computers, of 15, the domain lets a user make.
	joined := func(p *timing.Profile) (n int) {
		GinkgoHelper()
		d, err := directory.New(directory.Options{Domain: domainName, Timing: p})
		Expect(err).NotTo(HaveOccurred())
		anna, err := d.AddUser(directory.User{UPN: "anna@" + domainName, Password: "Sommer-2026"})
		Expect(err).NotTo(HaveOccurred())
		for n < 15 {
			computer := []ldap.Attribute{ldap.Text("objectClass", "computer"), ldap.Text("sAMAccountName", fmt.Sprintf("PC-%d$", n)), ldap.Text("userAccountControl", "4096")}
			if err := d.Primary().Add(GinkgoT().Context(), d.Primary().Identify(anna), fmt.Sprintf("CN=PC-%d,CN=Computers,%s", n, d.DN()), computer); err != nil {
				Expect(ldap.CodeOf(err)).To(Equal(ldap.UnwillingToPerform))
				return n
			}
			n++
		}
		return n
	}

	It("is ten computers, and not eleven", func() { Expect(joined(nil)).To(Equal(10)) })

	It("is as many as the timing profile says", func() {
		p := timing.Default()
		p.Hybrid.JoinQuota = 3
		Expect(joined(p)).To(Equal(3))
	})
})
