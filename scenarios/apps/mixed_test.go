package apps_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
)

// mixed puts a line-of-business MSI beside a Win32 app that is an MSI too. Both
// want Windows Installer's one lock; how long the first holds it each PC draws for
// itself.
var mixed = spec.Apps(`
- "@odata.type": "#microsoft.graph.windowsMobileMSI"
  displayName: Viewer
  size: 50_000_000
  productCode: "{6A1D2C6E-8C50-4A1C-9D0B-0B5B8F3E1A11}"
  productVersion: "2.0"
  useDeviceContext: true
  windtunnel: {product: Viewer, installDuration: 2m, spread: 18m}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Suite
  size: 50_000_000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Suite', fileOrFolderName: suite.exe, detectionType: exists}]
  windtunnel: {product: Suite, msi: true, installDuration: 1m}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`)

// seeds is within how many of them both outcomes are to be seen.
const seeds = 50

// installed is the outcome where both apps got onto the PC.
const installed = "installed"

// outcomes pre-provisions a PC in a world of each seed.
func outcomes() (outcome, hash [seeds]string) {
	GinkgoHelper()
	errs := spec.SideBySide(seeds, func(i int) []spec.Option { return []spec.Option{mixed, spec.Variant(fmt.Sprint(i))} }, func(i int, w *spec.World) error {
		pc := w.NewRegisteredPC()
		err := w.TryProvision(pc)
		outcome[i], hash[i] = installed, w.Journal.Hash()
		if f := spec.FailureOf(err); f != nil {
			outcome[i], err = f.Code+" in "+f.Phase, nil
		}
		refused := 0
		for _, line := range w.Texts(pc, "log.line", "message") {
			if line == "lpExitCode 1618" {
				refused++
			}
		}
		for _, id := range w.Texts(pc, "eventlog", "id") {
			if id == "1924" {
				refused++
			}
		}
		if outcome[i] != installed && refused == 0 {
			return fmt.Errorf("seed %d failed, and nobody met the lock", i)
		}
		return err
	})
	for _, err := range errs {
		Expect(err).NotTo(HaveOccurred())
	}
	return outcome, hash
}

var _ = Describe("line-of-business and Win32 apps on one PC", Label("SR-16"), func() {
	It("fail on the installer's lock in some interleavings and not in others, and each seed replays", func() {
		outcome, hash := outcomes()
		counts := map[string]int{}
		for _, o := range outcome {
			counts[o]++
		}
		AddReportEntry("outcomes", counts)
		Expect(counts).To(HaveKey(installed))
		Expect(counts).To(HaveKey(hresult.InstallAlreadyRunning.Hex() + " in DeviceSetup.AppsSubcategory"))

		again, hashAgain := outcomes()
		Expect(again).To(Equal(outcome))
		Expect(hashAgain).To(Equal(hash))
	})

	It("get on with each other where only one of them is an MSI", func() {
		w := spec.NewWorld(mixed, spec.App("Suite", func(a *spec.AppResource) { a.Windtunnel.MSI = false }))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(w.Products(pc)).To(ContainElements("Viewer", "Suite"))
	})
})
