package statuspage_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
)

// page is a status page of the blocking matrix. The standard tenant's Agent is the
// app on the list; Side is the other.
type page struct {
	name    string
	shown   bool
	blocks  bool // "block device use until all is installed"
	listed  bool // only Agent is on the list; false: all block
	onlyAll bool // "only fail selected blocking apps in technician phase"

	failing outcome // of the technician flow where Agent fails
	side    when    // Side is installed, where everything works
	ignored bool    // that Side fails is of no consequence for the technician flow, and tried again in the user flow
}

type outcome string

const (
	reseals outcome = "can be resealed before it is there"
	leaves  outcome = "may be left by whoever stands in front of it"
	fails   outcome = "fails"
)

type when string

const (
	behind   when = "in the background, after the success page"
	during   when = "in the technician flow"
	userFlow when = "in the user flow, and not before"
)

// What a required app in device context does to the technician flow, by the page
// (learn.microsoft.com, "Set up the Enrollment Status Page").
var matrix = []page{
	{"not shown", false, false, false, false, reseals, behind, true},
	{"shown, blocking nothing", true, false, false, false, leaves, during, true},
	{"shown, all apps blocking", true, true, false, false, fails, during, false},
	{"shown, selected apps blocking, and only they fail it", true, true, true, true, fails, during, true},
	{"shown, selected apps blocking, and the others are left for later", true, true, true, false, fails, userFlow, true},
}

// side is a second app in device context, for all PCs.
const side = `
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Side
  size: 5_000_000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Side', fileOrFolderName: side.exe, detectionType: exists}]
  windtunnel: {product: Side, installDuration: 20s}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`

// options are the tenant with this page, and with an app whose installer fails;
// "" for none.
func (p page) options(failing string) []spec.Option {
	return []spec.Option{spec.Apps(side), spec.Tenant(func(t *scenario.Tenant) {
		s := &t.StatusPages[0]
		s.ShowInstallationProgress = p.shown
		s.BlockDeviceSetupRetryByUser, s.AllowDeviceResetOnInstallFailure, s.AllowDeviceUseOnInstallFailure = false, true, !p.blocks
		if p.listed {
			s.SelectedMobileAppIDs = []string{spec.AppNamed(t, "Agent").ID}
		}
		s.AllowNonBlockingAppInstallation = p.onlyAll
		if failing != "" {
			spec.AppNamed(t, failing).Windtunnel.ExitCode = 1603
		}
	})}
}

// attempts counts how often an app's installation began.
func attempts(w *spec.World, pc *device.PC, app string) (n int) {
	for _, e := range w.Events(pc, "app.install") {
		if e.Text("app") == app && e.Text("state") == "InProgress" {
			n++
		}
	}
	return n
}

// toEnd takes a PC that is off to a page with which the technician flow ends.
func toEnd(w *spec.World, pc *device.PC) device.Screen {
	GinkgoHelper()
	w.ToLanding(pc)
	w.Begin(pc)
	return w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
}

var _ = Describe("a status page that is", func() {
	for _, p := range matrix {
		Describe(p.name, func() {
			It("where an app on its list fails, "+string(p.failing), Label("SR-27", "SR-28"), func() {
				w := spec.NewWorld(p.options("Agent")...)
				pc := w.NewRegisteredPC()
				s := toEnd(w, pc)
				switch p.failing {
				case reseals:
					Expect(s.ID).To(Equal(oobe.ScreenSuccess), s.String())
					Expect(attempts(w, pc, "Agent")).To(BeZero(), "nobody waited for it")
				case leaves:
					if s.ID != oobe.ScreenSuccess {
						Expect(s.Buttons).To(ContainElement("Continue anyway"), s.String())
						w.Press(pc, "Continue anyway")
						s = w.Await(pc, oobe.ScreenSuccess)
					}
				case fails:
					Expect(s.ID).To(Equal(oobe.ScreenFailure), s.String())
					Expect(s.Line(oobe.LabelPhase)).To(Equal("DeviceSetup.AppsSubcategory"))
				}
				Expect(w.Products(pc)).NotTo(ContainElement("Agent"))
			})

			It("has the other app installed "+string(p.side), Label("SR-27"), func() {
				w := spec.NewWorld(p.options("")...)
				pc := w.NewRegisteredPC()
				s := toEnd(w, pc)
				Expect(s.ID).To(Equal(oobe.ScreenSuccess), s.String())
				Expect(slices.Contains(w.Products(pc), "Side")).To(Equal(p.side == during), "whether it is there at the success page")
				if p.side == behind {
					w.Wait(30 * time.Minute)
					Expect(w.Products(pc)).To(ContainElement("Side"))
					return
				}
				w.Reseal(pc)
				w.Ship(pc, shelf)
				w.Unpack(pc, w.User("alex"))
				w.Wait(2 * time.Hour)
				Expect(w.Products(pc)).To(ContainElement("Side"))
			})

			if !p.ignored {
				It("fails where the other app fails", func() {
					w := spec.NewWorld(p.options("Side")...)
					Expect(toEnd(w, w.NewRegisteredPC()).ID).To(Equal(oobe.ScreenFailure))
				})
				return
			}
			It("does not mind that the other app fails, and has it tried again in the user flow", func() {
				w := spec.NewWorld(p.options("Side")...)
				pc := w.NewRegisteredPC()
				s := toEnd(w, pc)
				if p.failing == leaves && s.ID == oobe.ScreenFailure {
					w.Press(pc, "Continue anyway")
					s = w.Await(pc, oobe.ScreenSuccess)
				}
				Expect(s.ID).To(Equal(oobe.ScreenSuccess), s.String())
				before := attempts(w, pc, "Side")
				Expect(before > 0).To(Equal(p.side == during), "whether it was tried in the technician flow")
				w.Reseal(pc)
				w.Ship(pc, 48*time.Hour)
				_ = w.TryUnpack(pc, w.User("alex")) // the page may hold the user for it
				w.Wait(2 * time.Hour)
				Expect(attempts(w, pc, "Side")).To(BeNumerically(">", before))
			})
		})
	}
})
