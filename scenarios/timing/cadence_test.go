package timing_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

// atDesktop has a PC set up by its user, who then leaves it on for ever.
func atDesktop(options ...spec.Option) (*spec.World, *device.PC) {
	GinkgoHelper()
	w := spec.NewWorld(options...)
	pc := w.NewRegisteredPC(spec.At("home"))
	w.PowerOn(pc)
	w.Await(pc, oobe.ScreenLanguage)
	w.Press(pc, oobe.ButtonYes)
	w.Await(pc, oobe.ScreenSignIn)
	w.SignIn(pc, w.User("alex"))
	w.Await(pc, oobe.ScreenDesktop)
	return w, pc
}

// moments are when events happened, counted from the first of another kind.
// Those that are less than a minute after one that counts belong to it.
func moments(events []journal.Event, zero time.Time) (list []time.Duration) {
	for _, e := range events {
		at := e.Time.Sub(zero)
		if n := len(list); n == 0 || at-list[n-1] > time.Minute {
			list = append(list, at)
		}
	}
	return list
}

// scheduledSessions are the PC's sessions of the cadence, counted from the
// enrolment.
func scheduledSessions(w *spec.World, pc *device.PC) []time.Duration {
	GinkgoHelper()
	var of []journal.Event
	for _, e := range w.Events(pc, "mdm.session") {
		if e.Text("origin") == fmt.Sprint(mdm.OriginScheduled) {
			of = append(of, e)
		}
	}
	return moments(of, w.Events(pc, "mdm.enrolled")[0].Time)
}

// near says that something happened within a minute after a moment.
func near(d time.Duration) types.GomegaMatcher {
	return And(BeNumerically(">=", d), BeNumerically("<", d+time.Minute))
}

var _ = Describe("the sessions of an enrolled PC", Label("T15"), func() {
	It("are every 3 minutes for 15, every 15 minutes for two hours, then every 8 hours, from the enrolment on", func() {
		w, pc := atDesktop()
		w.Wait(20 * time.Hour)
		had := scheduledSessions(w, pc)
		for _, minutes := range []int{15, 30, 45, 60, 75, 90, 105, 120, 135, 135 + 480, 135 + 960} {
			if due := time.Duration(minutes) * time.Minute; due > w.Events(pc, "desktop.reached")[0].Time.Sub(w.Events(pc, "mdm.enrolled")[0].Time) {
				Expect(had).To(ContainElement(near(due)), "%d minutes after the enrolment", minutes)
			}
		}
		for i := range len(had) - 1 {
			if had[i] > 136*time.Minute {
				Expect(had[i+1] - had[i]).To(BeNumerically("~", 8*time.Hour, time.Minute))
			}
		}
	})

	It("have the cadence of the timing profile", func() {
		w, pc := atDesktop(spec.Timing(map[string]any{"mdm.syncSchedule": "2h"}))
		w.Wait(9 * time.Hour)
		had := scheduledSessions(w, pc)
		Expect(had[len(had)-1]).To(near(8 * time.Hour))
		Expect(had[len(had)-2]).To(near(6 * time.Hour))
	})
})

var _ = Describe("the management extension's check", Label("T17"), func() {
	// assigned has an app assigned to a PC that has been on for two hours, and tells
	// how long after the assignment it was there.
	assigned := func(options ...spec.Option) time.Duration {
		GinkgoHelper()
		w, pc := atDesktop(append(options, spec.Apps(`
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Later
  size: 1000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Later', fileOrFolderName: later.exe, detectionType: exists}]
  windtunnel: {product: Later, installDuration: 1s}
`))...)
		w.Wait(2*time.Hour + 10*time.Minute) // not when a check is due
		w.AssignApp("Later", "Autopilot PCs")
		begun := w.Clock.Now()
		w.AwaitEvent(pc, "product.installed", map[string]string{"product": "Later"})
		return w.Clock.Now().Sub(begun)
	}

	It("is hourly: an app that is assigned comes within the hour, and not at once", func() {
		took := assigned()
		Expect(took).To(And(BeNumerically(">", time.Minute), BeNumerically("<", 61*time.Minute)))
	})

	It("has its interval from the timing profile", func() {
		took := assigned(spec.Timing(map[string]any{"ime.checkInterval": "5h"}))
		Expect(took).To(And(BeNumerically(">", 61*time.Minute), BeNumerically("<", 5*time.Hour+time.Minute)))
	})

	It("is made at the start of the service as well", func() {
		w, pc := atDesktop()
		w.Wait(10 * time.Minute)
		w.CutPower(pc)
		w.PowerOn(pc)
		begun := w.Clock.Now()
		w.Wait(10 * time.Minute)
		var looks []time.Duration
		for _, e := range w.Events(pc, "log.line") {
			if e.Time.After(begun) && e.Text("message") == "EMS Agent Started" {
				looks = append(looks, e.Time.Sub(begun))
			}
		}
		Expect(looks).To(HaveLen(1))
	})
})

// exits has the Agent's installer end with a code, at once.
func exits(code int) spec.Option {
	return spec.App("Agent", func(a *spec.AppResource) {
		a.Windtunnel.ExitCode, a.Size, a.Windtunnel.Duration = code, 1000, time.Second
	})
}

// noPage has no status page wait for anything.
var noPage = spec.StatusPage(func(p *graph.EnrollmentStatusPage) { p.ShowInstallationProgress = false })

// attempts are when an app's installer ended badly, counted from the first time.
func attempts(w *spec.World, pc *device.PC) (list []time.Duration) {
	var first time.Time
	for _, e := range w.Events(pc, "log.line") {
		if strings.Contains(e.Text("message"), "[ExecutionActionHandler] Attempt ") {
			if first.IsZero() {
				first = e.Time
			}
			list = append(list, e.Time.Sub(first))
		}
	}
	return list
}

var _ = Describe("an app that fails", Label("T19"), func() {
	// tried is when it was tried within so long, beside a status page that does not
	// wait for it.
	tried := func(within time.Duration, options ...spec.Option) []time.Duration {
		GinkgoHelper()
		w, pc := atDesktop(append(options, exits(1603), noPage)...)
		w.Wait(within)
		return attempts(w, pc)
	}
	every := func(d time.Duration) types.GomegaMatcher { return BeNumerically("~", d, 30*time.Second) }

	It("is tried three times, five minutes apart, and not a fourth time within the day", func() {
		Expect(tried(23 * time.Hour)).To(HaveExactElements(BeZero(), every(5*time.Minute), every(10*time.Minute)))
	})

	It("is tried again at the first check after 24 hours", func() {
		had := tried(26 * time.Hour)
		Expect(len(had)).To(BeNumerically(">", 3))
		Expect(had[3]).To(And(BeNumerically(">=", 24*time.Hour), BeNumerically("<", 25*time.Hour+15*time.Minute)))
	})

	It("is tried as often, as far apart and again as soon as the timing profile says", func() {
		had := tried(9*time.Hour, spec.Timing(map[string]any{"ime.appRetries": 2, "ime.appRetryDelay": "7m", "ime.globalReevaluation": "6h"}))
		Expect(len(had)).To(BeNumerically(">=", 3))
		Expect(had[:2]).To(HaveExactElements(BeZero(), every(7*time.Minute)))
		Expect(had[2]).To(And(BeNumerically(">=", 6*time.Hour), BeNumerically("<", 7*time.Hour+15*time.Minute)))
	})
})

// script is a platform script with a member of our own that says what it does.
func script(size int, does string) spec.Option {
	return spec.Resources("deviceManagementScripts", `
- displayName: Inventory
  fileName: inventory.ps1
  runAsAccount: system
  scriptContent: `+base64.StdEncoding.EncodeToString([]byte(strings.Repeat("#", size)))+`
  windtunnel: {`+does+`}
  assignments: [{target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`)
}

var _ = Describe("a platform script", Label("T18"), func() {
	// lived is what came of the script's runs within eight hours.
	lived := func(size int, does string, options ...spec.Option) []string {
		GinkgoHelper()
		w, pc := atDesktop(append(options, script(size, does), noPage)...)
		w.Wait(8 * time.Hour)
		return w.Texts(pc, "script.run", "state")
	}

	It("runs once where it succeeds", func() {
		Expect(lived(100, "duration: 5s")).To(Equal([]string{"success"}))
	})

	It("that fails runs once and three times more", func() {
		Expect(lived(100, "duration: 5s, exitCode: 1")).To(HaveLen(4))
	})

	It("is done within 29 minutes, and not within 31", func() {
		Expect(lived(100, "duration: 29m")).To(Equal([]string{"success"}))
		Expect(lived(100, "duration: 31m")).To(HaveEach("fail"))
	})

	It("has its time and its tries from the timing profile", func() {
		Expect(lived(100, "duration: 31m", spec.Timing(map[string]any{"ime.scriptTimeout": "32m"}))).To(Equal([]string{"success"}))
		Expect(lived(100, "duration: 5s, exitCode: 1", spec.Timing(map[string]any{"ime.scriptRetries": 1}))).To(HaveLen(2))
	})
})

var _ = Describe("an app's installer", Label("T21"), func() {
	// ends is how the Agent is after an installer that runs so long.
	ends := func(d time.Duration, options ...spec.Option) string {
		GinkgoHelper()
		w := spec.NewWorld(append(options, spec.App("Agent", func(a *spec.AppResource) { a.Windtunnel.Duration, a.Size = d, 1000 }),
			spec.StatusPage(func(p *graph.EnrollmentStatusPage) { p.InstallProgressTimeoutInMinutes = 300 }))...)
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Begin(pc)
		return w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure).ID
	}

	It("may run for 59 minutes, and not for 61; the default of an hour is our model", func() {
		Expect(ends(59 * time.Minute)).To(Equal(oobe.ScreenSuccess))
		Expect(ends(61 * time.Minute)).To(Equal(oobe.ScreenFailure))
	})

	It("has its time from the timing profile", func() {
		Expect(ends(61*time.Minute, spec.Timing(map[string]any{"ime.installLimit": "62m"}))).To(Equal(oobe.ScreenSuccess))
	})
})
