package ime

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

const appID = "11111111-2222-4333-8444-555555555555"

// parcel is one more app with what its installer does.
type parcel struct {
	app      sidecar.App
	manifest installer.Manifest
	size     int64
	info     sidecar.DecryptInfo
	content  []byte
}

// gate is the agent's gateway with its content network: one app, and more.
type gate struct {
	*rig.Rig
	more     []*parcel
	alone    bool // the first app is not offered
	scripts  []sidecar.Script
	ran      []sidecar.ScriptStatus
	calls    map[sidecar.ContentType]int
	app      sidecar.App
	manifest installer.Manifest
	life     time.Duration // of the agent's certificate
	asked    []sidecar.AppRequest
	reports  []sidecar.AppStatus
	enrolled int
	loads    int
	info     sidecar.DecryptInfo
	content  []byte
}

func newGate(t *testing.T, rules ...fault.Rule) *gate {
	g := &gate{Rig: rig.New(t, rules...), life: 180 * 24 * time.Hour, calls: map[sidecar.ContentType]int{}}
	g.manifest = installer.Manifest{Product: "Contoso VPN", Version: "3.1", Duration: 2 * time.Minute}
	rule, err := sidecar.NewDetectionRule(sidecar.RegistryDetection{KeyPath: `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Contoso VPN`, KeyName: "displayversion", DetectionType: 3, Value: "3.1"})
	g.OK(err)
	g.app = sidecar.App{
		ID: appID, Name: "Contoso VPN", Version: 1, Intent: sidecar.Required, TargetType: sidecar.TargetDevice, SetupFile: "setup.exe", InstallCommand: "setup.exe /S",
		DetectionRule: sidecar.Nest([]sidecar.DetectionRule{rule}), ReturnCodes: sidecar.Nest(sidecar.DefaultReturnCodes()), ESPConfiguration: true, InstallContext: sidecar.ContextSystem,
	}
	g.Serve(hosts.IntuneLocation, g.locate, vnet.ClientCert(vnet.RequireClientCert))
	g.Serve(hosts.SideCar, g.handle, vnet.ClientCert(vnet.RequireClientCert))
	g.Serve(hosts.ContentCDN, func(w http.ResponseWriter, q *http.Request) {
		for _, p := range g.more {
			if q.URL.Path == "/"+p.app.ID {
				w.Header().Set(hosts.HeaderModelledSize, strconv.FormatInt(p.size, 10))
				_, _ = w.Write(p.content)
				return
			}
		}
		g.loads++
		w.Header().Set(hosts.HeaderModelledSize, "50000000")
		_, _ = w.Write(g.content)
	})
	return g
}

// pack makes the content file of the present manifest.
func (g *gate) pack() {
	m, err := g.manifest.Encode()
	g.OK(err)
	plain, err := sidecar.WriteSetup("setup.exe", m)
	g.OK(err)
	g.info = sidecar.NewDecryptInfo(rig.Seed.Key("key"), rig.Seed.Key("mac"), [16]byte{1}, plain)
	g.content, err = sidecar.EncryptContent(g.info, plain)
	g.OK(err)
	for _, p := range g.more {
		m, err := p.manifest.Encode()
		g.OK(err)
		plain, err := sidecar.WriteSetup("setup.exe", m)
		g.OK(err)
		p.info = sidecar.NewDecryptInfo(rig.Seed.Key("key", p.app.ID), rig.Seed.Key("mac"), [16]byte{1}, plain)
		p.content, err = sidecar.EncryptContent(p.info, plain)
		g.OK(err)
	}
}

// add offers one more required app that is detected by its product.
func (g *gate) add(id string, m installer.Manifest) *parcel {
	m.Product, m.Version = "Product "+id, "1.0"
	if m.Duration == 0 {
		m.Duration = time.Minute
	}
	p := &parcel{app: ruled(id, sidecar.MSIDetection{ProductCode: m.Product}), manifest: m, size: 1 << 20}
	p.app.ESPConfiguration = true
	g.more = append(g.more, p)
	return p
}

// relate lets one app depend on another, or take its place.
func (p *parcel) relate(child string, kind sidecar.DependencyType, action sidecar.DependencyAction) *parcel {
	p.app.FlatDependencies = append(p.app.FlatDependencies, sidecar.Dependency{AppID: p.app.ID, ChildID: child, Type: kind, Action: action})
	return p
}

func (g *gate) locate(w http.ResponseWriter, q *http.Request) {
	g.Expect(q.URL.Path).To(gomega.Equal(sidecar.DiscoveryPath))
	b, err := sidecar.EncodeServiceAddresses(sidecar.Service{ServiceName: sidecar.GatewayService, URL: "https://" + hosts.SideCar + "/gateway"})
	g.OK(err)
	_, err = w.Write(b)
	g.OK(err)
}

func (g *gate) handle(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	g.OK(err)
	if q.URL.Path == "/gateway"+sidecar.CertificatePath {
		g.enrolled++
		request, err := x509.ParseCertificateRequest(body)
		g.OK(err)
		g.OK(request.CheckSignature())
		cert, err := g.MDM.Issue(g.Clock.Now(), &x509.Certificate{NotBefore: g.Clock.Now(), NotAfter: g.Clock.Now().Add(g.life)}, request.PublicKey)
		g.OK(err)
		_, err = w.Write(cert.Raw)
		g.OK(err)
		return
	}
	s, err := sidecar.DecodeSession(body)
	g.OK(err)
	payload := "[]"
	g.calls[s.RequestContentType]++
	switch s.RequestContentType {
	case sidecar.PolicyRequest:
		payload, err = sidecar.EncodeScripts(g.scripts)
		g.OK(err)
	case sidecar.ScriptReport:
		r, err := sidecar.DecodeScriptStatus(s.RequestPayload)
		g.OK(err)
		g.ran = append(g.ran, r...)
	case sidecar.GetSelectedApp:
		r, err := sidecar.DecodeAppRequest(s.RequestPayload)
		g.OK(err)
		g.asked = append(g.asked, r)
		apps := []sidecar.App{g.app}
		if g.alone {
			apps = nil
		}
		for _, p := range g.more {
			apps = append(apps, p.app)
		}
		payload, err = sidecar.EncodeApps(apps)
		g.OK(err)
	case sidecar.GetContentInfo:
		c, err := sidecar.DecodeContent(s.RequestPayload)
		g.OK(err)
		cert, err := x509.ParseCertificate(c.CertificateBlob)
		g.OK(err)
		info, path := g.info, "/app.bin"
		for _, p := range g.more {
			if p.app.ID == c.ApplicationID {
				info, path = p.info, "/"+p.app.ID
			}
		}
		sealed, err := sidecar.SealDecryptInfo(rand.NewChaCha8(rig.Seed.Key("seal")), cert, info)
		g.OK(err)
		payload, err = c.Answer("https://"+hosts.ContentCDN+path, sealed)
		g.OK(err)
	case sidecar.StatusReport:
		r, err := sidecar.DecodeStatus(s.RequestPayload)
		g.OK(err)
		g.reports = append(g.reports, r...)
	}
	out, err := json.Marshal(s.Answer(payload))
	g.OK(err)
	_, err = w.Write(out)
	g.OK(err)
}

// run has the agent's service run in a phase for a while, and then f look.
func (g *gate) run(phase string, d time.Duration, f func(w *device.Windows)) *device.PC {
	g.pack()
	return g.Once(1, func(w *device.Windows) {
		g.Enrol(w, "")
		w.Registry().SetString(device.KeyTracking, "Phase", phase)
		w.Provide(device.ServiceIME, Service(w))
		w.InstallService(device.ServiceIME)
		g.OK(w.Sleep(d, "the agent works"))
		f(w)
	})
}

// attempts counts the runs of installers.
func (g *gate) attempts() int {
	return len(g.Logged("log.line", "[ExecutionActionHandler] Executing"))
}

func tracked(w *device.Windows) (state, code uint32) {
	key := device.KeyTracking + `\Device\Setup\Apps\Tracking\Sidecar\` + csp.Win32AppName(appID, 1)
	state, _ = w.Registry().DWORD(key, "InstallationState")
	code, _ = w.Registry().DWORD(key, "LastError")
	return state, code
}

func TestInstallsWhatThePageWaitsFor(t *testing.T) {
	g := newGate(t)
	g.run("DeviceSetup", 10*time.Minute, func(w *device.Windows) {
		state, code := tracked(w)
		g.Expect(csp.AppState(state)).To(gomega.Equal(csp.AppCompleted))
		g.Expect(code).To(gomega.BeZero())
		created, _ := w.Registry().DWORD(device.KeyTracking+`\Device\Setup\Apps\PolicyProviders\Sidecar`, "TrackingPoliciesCreated")
		g.Expect(created).To(gomega.Equal(uint32(1)))
	})
	g.Expect(g.enrolled).To(gomega.Equal(1))
	g.Expect(g.asked).To(gomega.Equal([]sidecar.AppRequest{{ESPPhase: sidecar.ESPDeviceSetup}}))
	g.Expect(g.reports).To(gomega.HaveLen(1))
	g.Expect(g.reports[0].EnforcementState).To(gomega.Equal(sidecar.EnforcementSuccess))
	g.Expect(g.Logged("log.line", "[Win32App][ESPAppLockInProcessor] Found 1 apps which need to be installed for current phase of ESP. AppIds: "+appID)).To(gomega.HaveLen(1))
	g.Expect(g.Logged("log.line", "[EspManager] Updating ESP tracked install status from InProgress to Completed")).To(gomega.HaveLen(1))
}

// The agent looks again when the phase changes, and at the hour.
func TestWakesForThePhase(t *testing.T) {
	g := newGate(t)
	g.run("", 5*time.Minute, func(w *device.Windows) {
		g.Expect(g.asked).To(gomega.HaveLen(1))
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		w.Signal("ime").Broadcast()
		g.OK(w.Sleep(time.Minute, "look"))
		g.Expect(g.asked).To(gomega.HaveLen(2))
		g.Expect(g.asked[1].ESPPhase).To(gomega.Equal(sidecar.ESPDeviceSetup))
		g.OK(w.Sleep(w.Timing.IME.CheckInterval, "an hour"))
		g.Expect(g.asked).To(gomega.HaveLen(3))
	})
	g.Expect(g.loads).To(gomega.Equal(1), "what is detected is not installed again")
}

// A provider node that the server writes while the agent runs is answered.
func TestReportsAsProvider(t *testing.T) {
	g := newGate(t)
	g.run("DevicePreparation", 5*time.Minute, func(w *device.Windows) {
		key := device.KeyTracking + `\Device\DevicePreparation\PolicyProviders\Sidecar`
		g.Expect(w.Registry().Has(key)).To(gomega.BeFalse())
		w.Registry().SetDWORD(key, "InstallationState", uint32(csp.ProviderNotInstalled))
		w.Signal("ime").Broadcast()
		g.OK(w.Sleep(time.Second, "look"))
		v, _ := w.Registry().DWORD(key, "InstallationState")
		g.Expect(csp.ProviderState(v)).To(gomega.Equal(csp.ProviderCompleted))
	})
}

func TestRetriesAndGivesUp(t *testing.T) {
	g := newGate(t)
	g.manifest.ExitCode = 1603
	g.run("DeviceSetup", 40*time.Minute, func(w *device.Windows) {
		state, code := tracked(w)
		g.Expect(csp.AppState(state)).To(gomega.Equal(csp.AppError))
		g.Expect(hresult.Code(code)).To(gomega.Equal(hresult.InstallFailure))
		g.Expect(g.attempts()).To(gomega.Equal(3), "one evaluation")
		w.Registry().SetString(device.KeyTracking, "Phase", "NotInEsp")
		w.Signal("ime").Broadcast()
		g.OK(w.Sleep(20*time.Hour, "left alone"))
		g.Expect(g.attempts()).To(gomega.Equal(3))
		g.OK(w.Sleep(6*time.Hour, "the global re-evaluation"))
		g.Expect(g.attempts()).To(gomega.Equal(6))
	})
	g.Expect(g.loads).To(gomega.Equal(2), "one for each evaluation")
	g.Expect(g.Logged("log.line", "is in GRS")).NotTo(gomega.BeEmpty())
	g.Expect(g.reports[0].EnforcementState).To(gomega.Equal(sidecar.EnforcementErrorInstalling))
	g.Expect(*g.reports[0].ExitCode).To(gomega.Equal(1603))
}

// Windows Installer is taken when the app comes first; its retry gets it.
func TestInstallerLock(t *testing.T) {
	g := newGate(t)
	g.manifest.MSI = true
	g.pack()
	g.Once(1, func(w *device.Windows) {
		g.Enrol(w, "")
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		w.Service("other", func(ctx context.Context) {
			_, _ = w.Under(ctx).RunInstaller(installer.Manifest{Product: "Other", MSI: true, Duration: 3 * time.Minute}, 1)
		})
		w.Provide(device.ServiceIME, Service(w))
		w.InstallService(device.ServiceIME)
		g.OK(w.Sleep(12*time.Minute, "the agent works"))
		state, _ := tracked(w)
		g.Expect(csp.AppState(state)).To(gomega.Equal(csp.AppCompleted))
	})
	g.Expect(g.Logged("log.line", "lpExitCode 1618")).To(gomega.HaveLen(1))
	g.Expect(g.attempts()).To(gomega.Equal(2))
	g.Expect(g.loads).To(gomega.Equal(1))
}

// After its certificate's end the agent cannot ask any more; it says so as the
// real one does, and tracks nothing, so that the page waits in vain.
func TestExpiredCertificate(t *testing.T) {
	g := newGate(t)
	g.life = time.Hour
	g.run("DeviceSetup", 30*time.Minute, func(w *device.Windows) {
		w.Registry().DeleteTree(device.KeyTracking)
		w.Registry().SetString(device.KeyTracking, "Phase", "DeviceSetup")
		g.OK(w.Sleep(2*time.Hour, "the certificate ends"))
		g.Expect(w.Registry().HasValue(device.KeyTracking+`\Device\Setup\Apps\PolicyProviders\Sidecar`, "TrackingPoliciesCreated")).To(gomega.BeFalse())
	})
	g.Expect(g.Logged("log.line", `[Win32App][DetectionActionHandler] Detection for policy with id: `+appID+` resulted in action status: Failed and detection state: NotComputed.`)).NotTo(gomega.BeEmpty())
	g.Expect(g.enrolled).To(gomega.Equal(1))
}

// The agent's certificate and key are on the disk: a restart asks for no other.
func TestCertificateSurvivesTheBoot(t *testing.T) {
	g := newGate(t)
	g.pack()
	pc := g.PC(1, func(w *device.Windows) error {
		w.Provide(device.ServiceIME, Service(w))
		if w.Boot == 1 {
			g.Enrol(w, "")
			w.InstallService(device.ServiceIME)
		}
		w.StartServices()
		g.OK(w.Sleep(10*time.Minute, "the agent works"))
		if w.Boot == 1 {
			return device.ErrReboot
		}
		return device.ErrShutdown
	})
	g.Boot(pc)
	g.Expect(g.asked).To(gomega.HaveLen(2))
	g.Expect(g.enrolled).To(gomega.Equal(1))
}
