package ime

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

const appID = "11111111-2222-4333-8444-555555555555"

// gate is the agent's gateway with its content network: one app.
type gate struct {
	*rig.Rig
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

func newGate(t *testing.T) *gate {
	g := &gate{Rig: rig.New(t), life: 180 * 24 * time.Hour}
	g.manifest = installer.Manifest{Product: "Contoso VPN", Version: "3.1", Duration: 2 * time.Minute}
	rule, err := sidecar.NewDetectionRule(sidecar.RegistryDetection{KeyPath: `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Contoso VPN`, KeyName: "displayversion", DetectionType: 3, Value: "3.1"})
	g.OK(err)
	g.app = sidecar.App{
		ID: appID, Name: "Contoso VPN", Version: 1, Intent: sidecar.Required, TargetType: sidecar.TargetDevice, SetupFile: "setup.exe", InstallCommand: "setup.exe /S",
		DetectionRule: sidecar.Nest([]sidecar.DetectionRule{rule}), ReturnCodes: sidecar.Nest(sidecar.DefaultReturnCodes()), ESPConfiguration: true, InstallContext: sidecar.ContextSystem,
	}
	g.Serve(hosts.IntuneLocation, g.locate, vnet.ClientCert(vnet.RequireClientCert))
	g.Serve(hosts.SideCar, g.handle, vnet.ClientCert(vnet.RequireClientCert))
	g.Serve(hosts.ContentCDN, func(w http.ResponseWriter, _ *http.Request) {
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
	switch s.RequestContentType {
	case sidecar.GetSelectedApp:
		r, err := sidecar.DecodeAppRequest(s.RequestPayload)
		g.OK(err)
		g.asked = append(g.asked, r)
		payload, err = sidecar.EncodeApps([]sidecar.App{g.app})
		g.OK(err)
	case sidecar.GetContentInfo:
		c, err := sidecar.DecodeContent(s.RequestPayload)
		g.OK(err)
		cert, err := x509.ParseCertificate(c.CertificateBlob)
		g.OK(err)
		sealed, err := sidecar.SealDecryptInfo(rand.NewChaCha8(rig.Seed.Key("seal")), cert, g.info)
		g.OK(err)
		payload, err = c.Answer("https://"+hosts.ContentCDN+"/app.bin", sealed)
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
		attempts := g.loads
		w.Registry().SetString(device.KeyTracking, "Phase", "NotInEsp")
		w.Signal("ime").Broadcast()
		g.OK(w.Sleep(20*time.Minute, "outside of the page"))
		g.Expect(g.loads).To(gomega.BeNumerically("<=", attempts+w.Timing.IME.AppRetries))
		attempts = g.loads
		g.OK(w.Sleep(20*time.Hour, "left alone"))
		g.Expect(g.loads).To(gomega.Equal(attempts))
		g.OK(w.Sleep(6*time.Hour, "the global re-evaluation"))
		g.Expect(g.loads).To(gomega.Equal(attempts + w.Timing.IME.AppRetries))
	})
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
	g.Expect(g.loads).To(gomega.Equal(2))
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

func TestDetection(t *testing.T) {
	r := rig.New(t)
	r.Once(0, func(w *device.Windows) {
		a := &agent{w: w}
		key := `HKLM\SOFTWARE\Contoso`
		w.Registry().SetString(key, "Version", "2.0")
		w.Registry().SetDWORD(key, "Build", 7)
		w.Disk.Files.Write(`C:\Program Files\Contoso\app.exe`, nil)
		w.Registry().SetString(device.KeyUninstall+`\{P}`, "DisplayVersion", "1")
		for _, c := range []struct {
			d    sidecar.Detection
			want bool
		}{
			{sidecar.RegistryDetection{KeyPath: `HKEY_LOCAL_MACHINE\software\contoso`, DetectionType: 1}, true},
			{sidecar.RegistryDetection{KeyPath: `HKEY_LOCAL_MACHINE\SOFTWARE`, DetectionType: 1}, true},
			{sidecar.RegistryDetection{KeyPath: key, KeyName: "build", DetectionType: 1}, true},
			{sidecar.RegistryDetection{KeyPath: key, KeyName: "other", DetectionType: 1}, false},
			{sidecar.RegistryDetection{KeyPath: key, KeyName: "other", DetectionType: 2}, true},
			{sidecar.RegistryDetection{KeyPath: key, DetectionType: 2}, false},
			{sidecar.RegistryDetection{KeyPath: key, KeyName: "Version", DetectionType: 3, Value: "2.0"}, true},
			{sidecar.RegistryDetection{KeyPath: key, KeyName: "Version", DetectionType: 5, Value: "2.1"}, false},
			{sidecar.RegistryDetection{KeyPath: key, KeyName: "Build", DetectionType: 4, Value: "7"}, true},
			{sidecar.FileDetection{Path: `C:\Program Files\Contoso\`, Name: "APP.exe", DetectionType: 1}, true},
			{sidecar.FileDetection{Path: `C:\Program Files\Contoso`, Name: "app.exe", DetectionType: 6}, false},
			{sidecar.MSIDetection{ProductCode: "{P}"}, true},
			{sidecar.MSIDetection{ProductCode: "{Q}"}, false},
		} {
			rule, err := sidecar.NewDetectionRule(c.d)
			r.OK(err)
			got, err := a.detect(sidecar.App{DetectionRule: sidecar.Nest([]sidecar.DetectionRule{rule})})
			r.OK(err)
			r.Expect(got).To(gomega.Equal(c.want), "%+v", c.d)
		}
		for _, d := range []sidecar.Detection{sidecar.ScriptDetection{}, sidecar.FileDetection{DetectionType: 4}, sidecar.RegistryDetection{DetectionType: 9}} {
			rule, err := sidecar.NewDetectionRule(d)
			r.OK(err)
			_, err = a.detect(sidecar.App{DetectionRule: sidecar.Nest([]sidecar.DetectionRule{rule})})
			r.Expect(err).To(gomega.MatchError(errDetection))
		}
		_, err := a.detect(sidecar.App{})
		r.Expect(err).To(gomega.HaveOccurred())
	})
}
