package ime

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/sidecar"
)

// offer has the gateway hand out a script.
func (g *gate) offer(id string, user bool, lines ...string) {
	s := sidecar.Script{PolicyID: id, PolicyHash: id, PolicyBody: "# windtunnel: " + strings.Join(lines, "\n# windtunnel: ") + "\n"}
	if user {
		s.ExecutionContext = 1
	}
	g.scripts = append(g.scripts, s)
}

func (g *gate) states() map[string]string {
	out := map[string]string{}
	for _, s := range g.ran {
		out[s.PolicyID] = fmt.Sprintf("%s %d %s", s.State, s.ExitCode, s.ErrorCode.Hex())
	}
	return out
}

// Scripts run before the apps, so that an app may require what one of them left.
func TestScriptsBeforeApps(t *testing.T) {
	g := newGate(t)
	g.offer("s", false, "takes 3m", `sets HKLM\SOFTWARE\Contoso Ready 1`, `creates C:\ProgramData\ready.txt`, "output done")
	g.offer("theirs", true, "output hello")
	rule, err := sidecar.NewDetectionRule(sidecar.RegistryDetection{KeyPath: `HKLM\SOFTWARE\Contoso`, KeyName: "Ready", DetectionType: 1})
	g.OK(err)
	g.app.ExtendedRules = sidecar.Nest([]sidecar.DetectionRule{rule})
	g.run("DeviceSetup", 20*time.Minute, func(w *device.Windows) {
		_, there := w.Disk.Files.Read(`C:\ProgramData\ready.txt`)
		g.Expect(there).To(gomega.BeTrue())
		g.Expect(w.Registry().String(policyKey("", "s"), "Result")).To(gomega.Equal("success"))
		g.OK(w.Sleep(3*time.Hour, "check-ins"))
	})
	g.Expect(g.order()).To(gomega.Equal([]string{"+Contoso VPN"}))
	g.Expect(g.states()).To(gomega.Equal(map[string]string{"s": "success 0 0x00000000"}), "nobody is logged on")
	g.Expect(g.ran[0].Output).To(gomega.Equal("done"))
	g.Expect(g.Logged("script.run", "")).To(gomega.HaveLen(1))
}

// One that fails is tried again three times at later check-ins, and no more.
func TestScriptRetries(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		runs  int
		state string
	}{
		{"always", []string{"exit 5"}, 4, "scriptError 5 " + hresult.FromWin32(5).Hex()},
		{"twice", []string{"exit 5 5 0"}, 3, "success 0 0x00000000"},
		{"hangs", []string{"hangs"}, 4, "fail 0 " + hresult.WaitTimeout.Hex()},
		{"unreadable", []string{"dances"}, 4, "fail 0 " + hresult.InvalidData.Hex()},
		{"too long", []string{"output " + strings.Repeat("x", 210<<10)}, 4, "fail 0 " + hresult.InvalidParameter.Hex()},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t)
			g.alone = true
			g.offer("s", false, c.lines...)
			g.run("NotInEsp", 12*time.Hour, func(*device.Windows) {})
			g.Expect(g.Logged("script.run", "")).To(gomega.HaveLen(c.runs))
			g.Expect(g.states()).To(gomega.Equal(map[string]string{"s": c.state}))
		})
	}
}

// A script of the user's runs once the user is there, as the user.
func TestUserScript(t *testing.T) {
	g := newGate(t)
	g.alone = true
	g.offer("s", true, `sets HKCU\SOFTWARE\Contoso Mine 1`)
	g.run("NotInEsp", time.Hour, func(w *device.Windows) {
		g.Expect(g.ran).To(gomega.BeEmpty())
		w.LogOn(device.Account{SID: "S-1-5-21-1", Name: "defaultuser0", Default: true})
		g.OK(w.Sleep(2*time.Hour, "check-in"))
		g.Expect(g.ran).To(gomega.BeEmpty())
		g.Expect(g.Logged("log.line", `\defaultuser0`)).NotTo(gomega.BeEmpty())
		w.LogOn(device.Account{SID: "S-1-12-1-7", Name: "ada"})
		g.OK(w.Sleep(time.Minute, "at once"))
		g.Expect(w.Registry().String(`HKU\S-1-12-1-7\SOFTWARE\Contoso`, "Mine")).To(gomega.Equal("1"))
	})
	g.Expect(g.states()).To(gomega.Equal(map[string]string{"s": "success 0 0x00000000"}))
	g.Expect(g.ran[0].User).To(gomega.BeTrue())
}

// An app in user context waits for its user.
func TestUserContextApp(t *testing.T) {
	g := newGate(t)
	g.app.InstallContext = sidecar.ContextUser
	g.manifest.Registry = []installer.RegistryValue{{Key: `HKEY_CURRENT_USER\SOFTWARE\Contoso`, Name: "A", Value: "1"}}
	g.run("DeviceSetup", time.Hour, func(w *device.Windows) {
		g.Expect(g.order()).To(gomega.BeEmpty())
		w.LogOn(device.Account{SID: "S-1-12-1-7", Name: "ada"})
		g.OK(w.Sleep(10*time.Minute, "check-in"))
		g.Expect(g.order()).To(gomega.Equal([]string{"+Contoso VPN"}))
		g.Expect(w.Registry().String(`HKU\S-1-12-1-7\SOFTWARE\Contoso`, "A")).To(gomega.Equal("1"))
	})
}
