package mdm_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/syncml"
)

// shelf puts packages on a host, by path.
func shelf(r *rig.Rig, host string, packages map[string]installer.Manifest) {
	r.Serve(host, func(w http.ResponseWriter, q *http.Request) {
		m, ok := packages[q.URL.Path]
		if !ok {
			http.NotFound(w, q)
			return
		}
		body, err := m.Encode()
		r.OK(err)
		w.Header().Set(hosts.HeaderModelledSize, fmt.Sprint(10_000_000))
		_, _ = w.Write(body)
	})
}

var (
	storeApp = csp.ModernApp{Scope: csp.Device, FamilyName: "Contoso.App_8wekyb3d8bbwe"}
	suite    = csp.Office{Scope: csp.Device, ID: "{1}"}
)

// Packaged apps come from the Store or from an address of their own.
func TestModernApps(t *testing.T) {
	good := installer.Manifest{Product: "Contoso App", Version: "2.0", Duration: time.Minute}
	bad := good
	bad.ExitCode = 1
	for name, c := range map[string]struct {
		node, document string
		packages       map[string]installer.Manifest
		want           csp.ModernState
		code           string
	}{
		"Store":     {csp.ModernStoreInstall, `<Application id="9NBLGGH" flags="0" skuid="0016"/>`, map[string]installer.Manifest{"/packages/9nblggh": good}, csp.ModernInstalled, "0"},
		"address":   {csp.ModernHostedInstall, `<Application PackageUri="https://` + hosts.Store + `/a.msix" DeploymentOptions="0"/>`, map[string]installer.Manifest{"/a.msix": good}, csp.ModernInstalled, "0"},
		"broken":    {csp.ModernStoreInstall, `<Application id="9NBLGGH"/>`, map[string]installer.Manifest{"/packages/9nblggh": bad}, csp.ModernFailed, "-2147009287"},
		"not there": {csp.ModernStoreInstall, `<Application id="9NBLGGH"/>`, nil, csp.ModernFailed, "-2145844844"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			s := serve(r)
			shelf(r, hosts.Store, c.packages)
			r.Once(1, func(w *device.Windows) {
				r.Enrol(w, address)
				list := csp.JoinCounted([]csp.Counted{{URI: storeApp.Node(c.node), Count: 1}})
				r.Expect(s.codes(w, deviceSession, replace(csp.FirstSyncStatus(csp.Device, csp.ExpectedModernAppPackages), list), add(storeApp.Node(), ""),
					syncml.NewExec(storeApp.Node(c.node), syncml.XML, c.document), syncml.NewExec(storeApp.Node(c.node), syncml.XML, "<no"))).To(gomega.Equal([]int{200, 200, 202, 400}))
				r.OK(w.Sleep(5*time.Minute, "it is through"))
				status, _ := s.value(w, storeApp.Node(csp.ModernStatus))
				r.Expect(status).To(gomega.Equal(csp.Int("", int(c.want)).Value))
				r.Expect(alerts(s)).To(gomega.HaveLen(1))
				code, _ := s.value(w, storeApp.Node(csp.ModernLastError))
				r.Expect(code).To(gomega.Equal(c.code))
				_, managed := s.value(w, storeApp.Managed("AppStore"))
				installed := w.Registry().Has(device.KeyUninstall + `\Contoso App`)
				r.Expect([]bool{managed == 200, installed, s.listed(w, csp.ExpectedModernAppPackages)[0] == 1}).To(gomega.HaveEach(c.want == csp.ModernInstalled))
				r.Expect(s.codes(w, deviceSession, syncml.NewDelete(storeApp.Managed("AppStore")), syncml.NewDelete(storeApp.Managed("AppStore")))).To(gomega.Equal([]int{200, 404}))
				r.Expect(w.Registry().Has(device.KeyUninstall + `\Contoso App`)).To(gomega.BeFalse())
			})
		})
	}
}

// The suite brings the machine-wide installer of Teams, unless that is left out:
// an MSI, which is turned away while another one runs.
func TestOffice(t *testing.T) {
	for name, c := range map[string]struct {
		excluded bool
		busy     bool // an MSI runs when Teams' turn comes
		want     hresult.Code
	}{
		"alone":                    {false, false, hresult.OK},
		"beside an MSI":            {false, true, hresult.InstallAlreadyRunning},
		"Teams excluded, with MSI": {true, true, hresult.OK},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			s := serve(r)
			shelf(r, hosts.OfficeCDN, map[string]installer.Manifest{"/pr/current/o365proplusretail": {Product: "Microsoft 365 Apps", Version: "16.0", Duration: 2 * time.Minute}})
			long := agent
			long.Duration = 30 * time.Minute
			exec := publish(r, long, 100, false)
			product := csp.OfficeProduct{ID: "O365ProPlusRetail", Languages: []csp.OfficeRef{{ID: "en-us"}}}
			if c.excluded {
				product.Excluded = []csp.OfficeRef{{ID: "Teams"}}
			}
			document, err := csp.OfficeConfiguration{Add: &csp.OfficeAdd{Edition: "64", Products: []csp.OfficeProduct{product}}}.Encode()
			r.OK(err)
			r.Once(1, func(w *device.Windows) {
				r.Enrol(w, address)
				w.Provide("agent", func(context.Context) {})
				commands := []syncml.Command{add(suite.Node(), ""), syncml.NewExec(suite.Node(csp.OfficeInstall), syncml.Chr, document)}
				if c.busy {
					commands = append(commands, exec)
				}
				s.codes(w, deviceSession, commands...)
				under, _ := s.value(w, suite.Node(csp.OfficeStatus))
				r.Expect(under).To(gomega.Equal("997"))
				r.OK(w.Sleep(10*time.Minute, "it is through"))
				final, _ := s.value(w, suite.Node(csp.OfficeFinalStatus))
				r.Expect(final).To(gomega.Equal(csp.Int("", int(int32(c.want))).Value))
				r.Expect(w.Registry().Has(device.KeyUninstall + `\Microsoft 365 Apps`)).To(gomega.BeTrue())
				r.Expect(w.Registry().Has(device.KeyUninstall + `\Teams Machine-Wide Installer`)).To(gomega.Equal(!c.busy))
				fetched := len(r.Logged("http.request", hosts.OfficeCDN))
				r.Expect(fetched).To(gomega.BeNumerically(">", 0))
				s.codes(w, deviceSession, commands[1]) // as a server does that begins anew
				r.OK(w.Sleep(time.Hour, "it is through again"))
				r.Expect(r.Logged("http.request", hosts.OfficeCDN)).To(gomega.HaveLen(fetched), "the suite is there already")
			})
		})
	}
}

// At whatever event the power goes, each job ends, and nothing is installed
// twice.
func TestJobsSurviveEveryPowerCut(t *testing.T) {
	cuts := 0
	for n := 1; ; n++ {
		r := rig.New(t, fault.Rule{Name: "cut", When: fault.When{Layer: fault.Event, Nth: n}, Do: fault.Action{CutPower: true}})
		s := serve(r)
		shelf(r, hosts.Store, map[string]installer.Manifest{"/packages/9n": {Product: "Contoso App", Version: "2.0", Duration: time.Minute}})
		exec := publish(r, agent, 1000, false)
		pc := r.PC(1, func(w *device.Windows) error {
			w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
			w.Provide("agent", func(context.Context) {})
			if !mdm.Enrolled(w) {
				r.Enrol(w, address)
			}
			s.script = [][]syncml.Command{{exec, syncml.NewExec(storeApp.Node(csp.ModernStoreInstall), syncml.XML, `<Application id="9N"/>`)}}
			if w.Registry().HasValue(device.KeyEnrollments, "Told") {
				s.script = nil
			}
			if err := mdm.Sync(w, deviceSession); err != nil {
				return err
			}
			w.Registry().SetDWORD(device.KeyEnrollments, "Told", 1)
			s.script = nil
			w.InstallService(mdm.ServiceSchedule)
			if err := w.Sleep(20*time.Minute, "jobs"); err != nil {
				return err
			}
			return device.ErrShutdown
		})
		r.Actor(func(ctx context.Context) {
			r.OK(pc.PowerOn(ctx))
			r.OK(pc.AwaitOff(ctx))
			if len(r.Logged("device.power.off", "power lost")) > 0 {
				r.OK(pc.PowerOn(ctx))
				r.OK(pc.AwaitOff(ctx))
			}
		})
		r.Drive()
		r.Expect(status(&device.Windows{PC: pc})).To(gomega.Equal(csp.MSIEnforced), "cut at event %d", n)
		for _, product := range []string{"Agent", "Contoso App"} {
			r.Expect(pc.Disk.Registry.Has(device.KeyUninstall+`\`+product)).To(gomega.BeTrue(), "cut at event %d: %s", n, product)
			r.Expect(len(r.Logged("product.installed", "product="+product))).To(gomega.BeNumerically("<=", 1), "cut at event %d: %s", n, product)
		}
		if len(r.Logged("device.power.off", "power lost")) == 0 {
			break
		}
		cuts++
	}
	gomega.NewWithT(t).Expect(cuts).To(gomega.BeNumerically(">", 30))
}
