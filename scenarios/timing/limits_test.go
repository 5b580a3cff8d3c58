package timing_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

// post makes a resource as the tenant's administrator; the error is Graph's
// refusal with its status, nil where it was taken.
func post(w *spec.World, path string, body, out any) *sim.GraphError {
	GinkgoHelper()
	err := w.TryGraph(http.MethodPost, path, body, out)
	if err == nil {
		return nil
	}
	var refused *sim.GraphError
	Expect(errors.As(err, &refused)).To(BeTrue(), "%v", err)
	return refused
}

// rows is an import of so many devices, of which only the number counts here.
func rows(n int) graph.ImportRequest {
	var r graph.ImportRequest
	for i := range n {
		r.Devices = append(r.Devices, graph.ImportedDevice{SerialNumber: fmt.Sprintf("S%03d", i), HardwareIdentifier: []byte("hash")})
	}
	return r
}

const (
	importPath   = "/beta/deviceManagement/importedWindowsAutopilotDeviceIdentities/import"
	profilesPath = "/beta/deviceManagement/windowsAutopilotDeploymentProfiles"
	pagesPath    = "/beta/deviceManagement/deviceEnrollmentConfigurations"
	appsPath     = "/beta/deviceAppManagement/mobileApps"
)

func profile(i int) map[string]any {
	return map[string]any{"@odata.type": graph.TypeEntraProfile, "displayName": fmt.Sprintf("Profile %d", i)}
}

func page(i int, apps ...string) map[string]any {
	return map[string]any{
		"@odata.type": graph.TypeESP, "displayName": fmt.Sprintf("Page %d", i), "showInstallationProgress": true,
		"priority": i + 2, "selectedMobileAppIds": apps,
	}
}

// appOf is an app with an installer of so many bytes.
func appOf(size int64) map[string]any {
	return map[string]any{"@odata.type": graph.TypeWin32LobApp, "displayName": "Large", "size": size, "setupFilePath": "a.exe", "fileName": "a.intunewin",
		"publisher": "Contoso", "installCommandLine": "a.exe", "uninstallCommandLine": "a.exe /u",
		"rules": []any{map[string]any{"@odata.type": "#microsoft.graph.win32LobAppFileSystemRule", "ruleType": "detection", "path": `C:\a`, "fileOrFolderName": "a.exe", "operationType": "exists"}}}
}

// pages counts the status pages that an administrator made: the default one that
// every tenant has is not among the 51. The page that names the limit leaves that
// open, so it is our model.
func pages(w *spec.World) int { GinkgoHelper(); return count(w, pagesPath, graph.TypeESP) - 1 }

// fill makes resources until one is refused, at most so many, and tells how many
// were taken.
func fill(w *spec.World, path string, most int, body func(i int) map[string]any) (taken int) {
	GinkgoHelper()
	for taken < most && post(w, path, body(taken), nil) == nil {
		taken++
	}
	return taken
}

// count is how many resources of a type a collection has.
func count(w *spec.World, path, kind string) (n int) {
	GinkgoHelper()
	var all graph.Collection[struct {
		Type string `json:"@odata.type"`
	}]
	w.Graph(http.MethodGet, path, nil, &all)
	for _, v := range all.Value {
		if v.Type == kind {
			n++
		}
	}
	return n
}

var _ = Describe("what a tenant may have", Label("T42"), func() {
	It("is imported in files of 500 rows, and not of 501", func() {
		w := spec.NewWorld()
		Expect(post(w, importPath, rows(500), nil)).To(BeNil())
		Expect(post(w, importPath, rows(501), nil).Status).To(Equal(http.StatusBadRequest))
	})

	It("is 350 deployment profiles, and not 351", func() {
		w := spec.NewWorld()
		have := count(w, profilesPath, graph.TypeEntraProfile)
		Expect(have + fill(w, profilesPath, 360, profile)).To(Equal(350))
	})

	It("is 51 status pages, and not 52", func() {
		w := spec.NewWorld()
		have := pages(w)
		Expect(have + fill(w, pagesPath, 60, func(i int) map[string]any { return page(i) })).To(Equal(51))
	})

	It("is 100 apps that a status page waits for, and not 101", func() {
		w := spec.NewWorld()
		var ids []string
		for i := range 101 {
			var app graph.MobileApp
			body := appOf(0)
			body["displayName"] = fmt.Sprintf("App %d", i)
			w.Graph(http.MethodPost, appsPath, body, &app)
			ids = append(ids, app.ID)
		}
		Expect(post(w, pagesPath, page(0, ids[:100]...), nil)).To(BeNil())
		Expect(post(w, pagesPath, page(1, ids...), nil).Status).To(Equal(http.StatusBadRequest))
	})

	It("is 30 GB of an app, and not a byte more; that Graph refuses it is our model", Label("T20"), func() {
		w := spec.NewWorld()
		Expect(post(w, appsPath, appOf(30<<30), nil)).To(BeNil())
		Expect(post(w, appsPath, appOf(30<<30+1), nil).Status).To(Equal(http.StatusBadRequest))
		w = spec.NewWorld(spec.Timing(map[string]any{"ime.appSize": 8 << 30})) // as it once was
		Expect(post(w, appsPath, appOf(8<<30+1), nil).Status).To(Equal(http.StatusBadRequest))
	})

	It("has its limits from the timing profile", func() {
		w := spec.NewWorld(spec.Timing(map[string]any{"autopilot.csvRows": 3, "autopilot.profiles": 4, "esp.profiles": 5}))
		Expect(post(w, importPath, rows(3), nil)).To(BeNil())
		Expect(post(w, importPath, rows(4), nil)).NotTo(BeNil())
		Expect(count(w, profilesPath, graph.TypeEntraProfile) + fill(w, profilesPath, 10, profile)).To(Equal(4))
		Expect(pages(w) + fill(w, pagesPath, 10, func(i int) map[string]any { return page(i) })).To(Equal(5))
	})
})

// report is the deployment report, as Graph has it.
func report(w *spec.World) []graph.AutopilotEvent {
	GinkgoHelper()
	var all graph.Collection[graph.AutopilotEvent]
	w.Graph(http.MethodGet, "/beta/deviceManagement/autopilotEvents", nil, &all)
	return all.Value
}

var _ = Describe("the deployment report", Label("T34"), func() {
	It("has one row a new enrolment, and none of the user's part of it", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(report(w)).To(HaveLen(1))
		w.Ship(pc, 2*time.Hour)
		w.Unpack(pc, w.User("alex"))
		Expect(report(w)).To(HaveLen(1))
	})

	// old takes a PC through the technician's flow and gives the rows that are left
	// of it so long after the enrolment that they are of.
	old := func(age time.Duration, options ...spec.Option) []graph.AutopilotEvent {
		GinkgoHelper()
		w := spec.NewWorld(options...)
		w.Provision(w.NewRegisteredPC())
		w.WaitUntil(report(w)[0].EventDateTime.Add(age))
		return report(w)
	}

	It("keeps a row for 30 days, and no longer", func() {
		Expect(old(30*day24 - time.Minute)).To(HaveLen(1))
		Expect(old(30*day24 + time.Minute)).To(BeEmpty())
	})

	It("keeps its rows as long as the timing profile says", func() {
		Expect(old(30*day24+time.Minute, spec.Timing(map[string]any{"autopilot.reportRetention": "31d"}))).To(HaveLen(1))
	})

	// unfinished is what the report says of a PC that lost its power in device
	// setup, so long after its enrolment began.
	unfinished := func(age time.Duration, options ...spec.Option) graph.DeploymentState {
		GinkgoHelper()
		w := spec.NewWorld(options...)
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Begin(pc)
		w.AwaitEvent(pc, "mdm.enrolled", nil)
		w.CutPower(pc)
		w.WaitUntil(report(w)[0].EnrollmentStartDateTime.Add(age))
		return report(w)[0].DeploymentState
	}

	It("calls failed what is not done within four hours", func() {
		Expect(unfinished(4*time.Hour - time.Minute)).To(Equal(graph.DeploymentInProgress))
		Expect(unfinished(4*time.Hour + time.Minute)).To(Equal(graph.DeploymentFailure))
	})

	It("waits as long as the timing profile says", func() {
		Expect(unfinished(4*time.Hour+time.Minute, spec.Timing(map[string]any{"autopilot.reportFailedAfter": "5h"}))).To(Equal(graph.DeploymentInProgress))
	})
})

// day24 is a day of time that passes.
const day24 = 24 * time.Hour
