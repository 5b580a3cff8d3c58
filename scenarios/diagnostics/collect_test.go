package diagnostics_test

import (
	"archive/zip"
	"bytes"
	"io"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// contents are the files of a package.
func contents(b []byte) map[string]string {
	GinkgoHelper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	Expect(err).NotTo(HaveOccurred())
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		Expect(err).NotTo(HaveOccurred())
		text, err := io.ReadAll(r)
		Expect(err).NotTo(HaveOccurred())
		files[f.Name] = string(text)
	}
	return files
}

// collected is the package that a PC gives at this moment.
func collected(w *spec.World, pc *device.PC) map[string]string {
	GinkgoHelper()
	var b bytes.Buffer
	Expect(w.Diagnostics(&b, pc.Hardware.Serial)).To(Succeed())
	return contents(b.Bytes())
}

// collections are the log collections of a device in Graph.
func collections(w *spec.World, id string) []graph.LogCollection {
	GinkgoHelper()
	var list struct{ Value []graph.LogCollection }
	w.Graph("GET", "/v1.0/deviceManagement/managedDevices/"+id+"/logCollectionRequests", nil, &list)
	return list.Value
}

// download gets a collection's package from the storage.
func download(w *spec.World, c graph.LogCollection) map[string]string {
	GinkgoHelper()
	var link struct{ Value string }
	w.Graph("POST", "/v1.0/deviceManagement/managedDevices/"+c.ManagedDeviceID+"/logCollectionRequests/"+c.ID+"/createDownloadUrl", nil, &link)
	address, err := url.Parse(link.Value)
	Expect(err).NotTo(HaveOccurred())
	Expect(address.Host).To(Equal(hosts.LogUpload))
	b, err := w.Intune.Service().Logs(address.Path, address.Query())
	Expect(err).NotTo(HaveOccurred())
	return contents(b)
}

// broken has the app that the technician's flow installs fail.
func broken(t *scenario.Tenant) {
	for i := range t.Apps {
		if t.Apps[i].DisplayName == "Agent" {
			t.Apps[i].Windtunnel.ExitCode = 1603
		}
	}
}

var _ = Describe("diagnostics of a PC", func() {
	It("come when an administrator asks for them, from the device and over the network", Label("T35"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("alex"))
		m, ok := w.Managed(pc)
		Expect(ok).To(BeTrue())
		w.Graph("POST", "/v1.0/deviceManagement/managedDevices/"+m.ID+"/createDeviceLogCollectionRequest", nil, nil)
		Expect(collections(w, m.ID)).To(ConsistOf(HaveField("Status", graph.LogsPending)))
		w.Graph("POST", "/v1.0/deviceManagement/managedDevices/"+m.ID+"/syncDevice", nil, nil)
		w.Wait(9 * time.Hour)
		list := collections(w, m.ID)
		Expect(list).To(ConsistOf(HaveField("Status", graph.LogsCompleted)))
		Expect(w.Texts(pc, "diagnostics.uploaded", "outcome")).To(Equal([]string{"ok"}))

		files := download(w, list[0])
		Expect(files[diag.Join]).To(ContainSubstring("AzureAdJoined : YES"))
		Expect(files["microsoft-windows-devicemanagement-enterprise-diagnostics-provider-admin.jsonl"]).To(ContainSubstring(`"id":72`))
		w.Wait(28 * 24 * time.Hour)
		Expect(collections(w, m.ID)).To(BeEmpty())
	})

	It("are collected by themselves where a deployment fails, while the PC is left on", func() {
		w := spec.NewWorld(spec.Tenant(broken))
		pc := w.NewRegisteredPC()
		Expect(w.TryProvision(pc)).NotTo(Succeed()) // the technician leaves it as it is
		w.Wait(12 * time.Hour)
		m, ok := w.Managed(pc)
		Expect(ok).To(BeTrue())
		list := collections(w, m.ID)
		Expect(list).To(HaveLen(1))
		Expect(list[0].InitiatedByUserPrincipalName).To(Equal("autopilot"))
		Expect(list[0].Status).To(Equal(graph.LogsCompleted))
		Expect(download(w, list[0])[diag.ReportXML]).To(ContainSubstring("MS DM Server"))
	})

	It("hold what happened since the disk was emptied last", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("alex"))
		log := func() string {
			return collected(w, pc)["microsoft-windows-moderndeployment-diagnostics-provider-autopilot.jsonl"]
		}
		Expect(strings.Count(log(), "\n")).To(BeNumerically(">", 2))
		w.CutPower(pc)
		w.Reinstall(pc)
		Expect(log()).To(BeEmpty())
		Expect(collected(w, pc)).NotTo(HaveKey("IntuneManagementExtension.log"))
	})

	It("are in the PC's own time, and its logs in that of its zone", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		pc.SetFirmwareTime(w.Clock.Now().Add(90 * time.Minute))
		w.Boot(pc, func(win *device.Windows) {
			win.SetZone("W. Europe Standard Time")
			win.Log(device.LogAutopilot, 153, "Information", "state changed", "Unknown", "Available")
			win.WriteLog(device.LogIME, "IntuneManagementExtension", "[Win32App] hello")
		})
		at := w.Events(pc, device.EventLogged)[0].Time
		files := collected(w, pc)
		Expect(files["microsoft-windows-moderndeployment-diagnostics-provider-autopilot.jsonl"]).To(ContainSubstring(at.Add(90 * time.Minute).Format("2006-01-02T15:04")))
		Expect(files["IntuneManagementExtension.log"]).To(ContainSubstring(at.Add(210 * time.Minute).Format(`time="15:04`)))
	})
})
